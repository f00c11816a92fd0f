use proptest::prelude::*;

use super::{
    Form, HashError, PasswordDigest, PasswordScheme, SaltPlace, SchemeError, StoredPassword,
};

/// A hash with the least cost that argon2 knows, so that tests are fast.
pub(crate) fn cheap(password: &[u8]) -> StoredPassword {
    let shape = format!("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${}", "A".repeat(43));
    let Form::Argon(shape) = StoredPassword::parse(&shape).unwrap().0 else { panic!("argon2id") };
    StoredPassword(Form::Argon(shape.made_of(password)))
}

const PARAMETERS: HashError = HashError::Parameters("m=…,t=…,p=…");
const COST: HashError = HashError::Cost("m <= 262144 (KiB), t <= 16, p <= 4, m >= 8 × p");
const SALT: HashError = HashError::Salt("base64 of 8 to 64 bytes without padding");
const OUTPUT: HashError = HashError::Output("base64 of 16 to 64 bytes without padding");

#[test]
fn a_new_hash_reads_back_and_verifies_its_password_only() {
    let hash = StoredPassword::new(b"correct horse", [7; 16]);
    let text = hash.to_string();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{text}");
    let read = StoredPassword::parse(&text).unwrap();
    assert!(read.verify(b"correct horse"));
    assert!(!read.verify(b"correct horsf"));
    assert!(!read.verify(b""));
}

#[test]
fn the_reference_vector_of_the_algorithm_verifies() {
    // The published test vector of the reference implementation for argon2id:
    // hashtest(version, 2, 8, 1, "password", "somesalt").
    let text = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$\
                nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let hash = StoredPassword::parse(text).unwrap();
    assert!(hash.verify(b"password"));
    assert!(!hash.verify(b"Password"));
    assert_eq!(hash.to_string(), text);
}

#[test]
fn what_is_no_accepted_hash_says_why() {
    let salt_and_output = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let with = |head: &str| StoredPassword::parse(&format!("{head}{salt_and_output}")).unwrap_err();
    assert_eq!(with("$argon2i$v=19$m=8,t=1,p=1"), HashError::Scheme);
    assert_eq!(with("$7$101"), HashError::Scheme);
    assert_eq!(with(""), HashError::Scheme);
    assert_eq!(with("$argon2id$v=16$m=8,t=1,p=1"), HashError::Version);
    assert_eq!(with("$argon2id$m=8,t=1,p=1"), HashError::Version);
    for params in ["m=8,t=1", "t=1,m=8,p=1", "m=,t=1,p=1", "m=+8,t=1,p=1", "m=8,t=1,p=1,x=1"] {
        assert_eq!(with(&format!("$argon2id$v=19${params}")), PARAMETERS, "{params}");
    }
    for params in ["m=262145,t=1,p=1", "m=8,t=17,p=1", "m=64,t=1,p=5", "m=8,t=1,p=2", "m=8,t=0,p=1"]
    {
        assert_eq!(with(&format!("$argon2id$v=19${params}")), COST, "{params}");
    }
    let tail = |tail: &str| {
        StoredPassword::parse(&format!("$argon2id$v=19$m=8,t=1,p=1{tail}")).unwrap_err()
    };
    assert_eq!(tail(""), SALT);
    assert_eq!(tail("$c2hvcnQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"), SALT);
    assert_eq!(tail("$c29tZXNhbHQ"), OUTPUT);
    assert_eq!(tail("$c29tZXNhbHQ$AAAA"), OUTPUT);
    assert_eq!(tail("$c29tZXNhbHQ$AAAA=="), OUTPUT);
    let longer = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc$x";
    assert_eq!(tail(longer), OUTPUT);
}

#[test]
fn debug_shows_nothing_of_it() {
    assert_eq!(format!("{:?}", cheap(b"secret")), "StoredPassword(argon2id …)");
}

/// Of the password `secret`, each made by another program; the salt is `NaCl-of-2026` but for bcrypt.
const FOREIGN: [(&str, &str); 10] = [
    // Python: hashlib.pbkdf2_hmac("sha1", b"secret", salt, 1000), base64 without "=".
    ("$pbkdf2-sha1$i=1000,l=20$TmFDbC1vZi0yMDI2$gnFMbZ0oto9TblnwXU80HO1bPlU", "hashlib"),
    // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:NaCl-of-2026
    // -kdfopt iter:1000 PBKDF2
    (
        "$pbkdf2-sha256$i=1000,l=32$TmFDbC1vZi0yMDI2$CHvl6FxuU7JKLvIPAOhsUjZCgCkA2FJerRopk5OhRfY",
        "openssl",
    ),
    // Python: hashlib.pbkdf2_hmac("sha512", b"secret", salt, 1000)
    (
        "$pbkdf2-sha512$i=1000,l=64$TmFDbC1vZi0yMDI2$7Ya4VoiEX/pmbVfIfN1+kOcNYyvmFune7Pg2uwvLaG46F4\
         cpHKNAFAv1v5OM6RlZjCbSEzzVcfmq+jtKcrdU1A",
        "hashlib",
    ),
    // Python's crypt.crypt, which is libxcrypt: crypt("secret", "$2b$04$abcdefghijklmnopqrstuu")
    ("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "libxcrypt"),
    ("$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "libxcrypt"),
    ("$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW", "libxcrypt"),
    // printf NaCl-of-2026secret | openssl dgst -sha256 -binary | base64
    ("$sha256$salt=before$TmFDbC1vZi0yMDI2$FJWzd6NJ5yO67M1gFaDvDcGPWnieAO6KiX3yu5rH3xs", "openssl"),
    // Python: hashlib.sha256(b"secret" + salt)
    ("$sha256$salt=after$TmFDbC1vZi0yMDI2$ZkTBsXaGlPojAp5S/Y88z9k+k/R2PmeG1Hpiuc/Sq2U", "hashlib"),
    // Python: hashlib.sha512(salt + b"secret")
    (
        "$sha512$salt=before$TmFDbC1vZi0yMDI2$efteJ6MvuxQfjG+F0O0iyNE8Zp/2TDuv7Kh8X8emBt9xL61MB5nk+\
         a1yjt6OipZqgMMAlEg92sXh8w+oyurlQw",
        "hashlib",
    ),
    // Python: hashlib.sha512(b"secret" + salt)
    (
        "$sha512$salt=after$TmFDbC1vZi0yMDI2$hUPlrO6Pt7H51poloCt9PYGjLEnPXaf65qyOGRoqv6E5TB9J/fYuNC\
         2mbYNe8U0FF0RbBGNMV2J1XUkZudXgkQ",
        "hashlib",
    ),
];

#[test]
fn what_other_programs_hashed_verifies() {
    for (text, program) in FOREIGN {
        let stored = StoredPassword::parse(text).unwrap_or_else(|error| panic!("{text} {error}"));
        assert!(stored.verify(b"secret"), "{text}, made by {program}");
        for wrong in [&b"Secret"[..], b"secre", b"secret ", b"", b"secretsecret"] {
            assert!(!stored.verify(wrong), "{text} takes {wrong:?}");
        }
        assert_eq!(stored.to_string(), text);
        assert_eq!(stored.is_weak(), text.starts_with("$sha"), "{text}");
        let shown = format!("{stored:?}");
        assert!(shown.ends_with("…)") && shown.len() < 30, "{shown}");
    }
}

#[test]
fn bcrypt_looks_at_72_bytes_as_everywhere() {
    // crypt.crypt("x" * 80, …) of libxcrypt.
    let text = "$2b$04$abcdefghijklmnopqrstuubzadhGtS2zEF.gu0yd0opP6cVzb.e0i";
    let stored = StoredPassword::parse(text).unwrap();
    assert!(stored.verify(&[b'x'; 80]) && stored.verify(&[b'x'; 72]));
    assert!(!stored.verify(&[b'x'; 71]));
}

#[test]
fn no_form_costs_minutes() {
    let error = |text: &str| StoredPassword::parse(text).unwrap_err();
    let limit = HashError::Cost("of bcrypt: a cost of 4 to 14");
    let digits = "abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";
    assert_eq!(error(&format!("$2b$15${digits}")), limit);
    assert_eq!(error(&format!("$2b$03${digits}")), limit);
    let limit = HashError::Cost("of PBKDF2: 1 to 5000000 iterations");
    let rest = "$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(error(&format!("$pbkdf2-sha256$i=5000001,l=16{rest}")), limit);
    assert_eq!(error(&format!("$pbkdf2-sha256$i=0,l=16{rest}")), limit);
}

#[test]
fn what_is_written_otherwise_is_refused() {
    let error = |text: &str| StoredPassword::parse(text).unwrap_err();
    let rest = "$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(error(&format!("$pbkdf2-md5$i=1,l=16{rest}")), HashError::Scheme);
    assert_eq!(error(&format!("$sha1$salt=before{rest}")), HashError::Scheme);
    assert_eq!(error("secret"), HashError::Scheme);
    for numbers in ["i=1", "l=16,i=1", "i=01,l=16", "i=1,l=16,x=1", "i=,l=16", "i=99999999999,l=16"]
    {
        let text = format!("$pbkdf2-sha256${numbers}{rest}");
        assert!(matches!(error(&text), HashError::Parameters(_)), "{text}");
    }
    let is_output = |text: &str| matches!(error(text), HashError::Output(_));
    assert!(is_output(&format!("$pbkdf2-sha256$i=1,l=17{rest}")));
    assert!(is_output("$pbkdf2-sha256$i=1,l=3$c2FsdA$AAAA"));
    assert!(is_output(&format!("$sha256$salt=before{rest}")), "too short for SHA-256");
    assert!(is_output("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr"));
    assert!(is_output("$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIr=="));
    assert!(matches!(error(&format!("$sha256$salt=amid{rest}")), HashError::Parameters(_)));
    assert!(matches!(error("$sha256$salt=after$c2FsdA==$"), HashError::Salt(_)));
}

/// `NaCl-of-2026` as salt and `secret` as password.
const COLUMNS: [(&str, &str); 8] = [
    ("pbkdf2-sha256:1000", "087be5e85c6e53b24a2ef20f00e86c523642802900d8525ead1a299393a145f6"),
    ("pbkdf2-sha256:1000:32", "CHvl6FxuU7JKLvIPAOhsUjZCgCkA2FJerRopk5OhRfY="),
    ("pbkdf2-sha1:1000", "82714C6D9D28B68F536E59F05D4F341CED5B3E55"),
    ("sha256", "1495b377a349e723baeccd6015a0ef0dc18f5a789e00ee8a897df2bb9ac7df1b"),
    ("sha256:salt-after", "ZkTBsXaGlPojAp5S/Y88z9k+k/R2PmeG1Hpiuc/Sq2U="),
    (
        "sha512",
        "79fb5e27a32fbb141f8c6f85d0ed22c8d13c669ff64c3bafeca87c5fc7a606df712fad4c0799e4f9ad728ede8e8a\
         966a80c30094483ddac5e1f30fa8caeae543",
    ),
    ("bcrypt", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
    ("plain", "secret"),
];

#[test]
fn columns_of_back_ends_are_read_by_their_scheme() {
    for (name, hash) in COLUMNS {
        let scheme: PasswordScheme = name.parse().unwrap();
        assert_eq!(scheme.to_string(), name);
        let stored = scheme.read(hash, Some("NaCl-of-2026")).unwrap();
        assert!(stored.verify(b"secret") && !stored.verify(b"Secret"), "{name}");
        // It is kept as a line of a user file, and reads back as that.
        assert_eq!(StoredPassword::parse(&stored.to_string()), Ok(stored), "{name}");
    }
    // Python: hashlib.pbkdf2_hmac("sha256", b"secret", b"4a3f", 4096, 16).hex(): the salt is the
    // bytes of its text, not of its digits.
    let short = "pbkdf2-sha256:4096:16".parse::<PasswordScheme>().unwrap();
    let stored = short.read("6cb34d95d8c7b96111afdb88e60799c5", Some("4a3f")).unwrap();
    assert!(stored.verify(b"secret"));
}

#[test]
fn columns_of_another_scheme_are_refused() {
    let read = |scheme: &str, hash: &str, salt| {
        scheme.parse::<PasswordScheme>().unwrap().read(hash, salt).unwrap_err()
    };
    let hash = "087be5e85c6e53b24a2ef20f00e86c523642802900d8525ead1a299393a145f6";
    assert!(matches!(read("pbkdf2-sha256:1000", hash, None), HashError::Salt(_)));
    assert!(matches!(read("pbkdf2-sha256:1000:16", hash, Some("s")), HashError::Output(_)));
    assert!(matches!(read("sha512", hash, None), HashError::Output(_)));
    assert!(matches!(read("sha256", "secret", None), HashError::Output(_)));
    let long = "s".repeat(257);
    assert!(matches!(read("sha256", hash, Some(&long)), HashError::Salt(_)));
    assert_eq!(read("bcrypt", hash, None), HashError::Scheme);
    assert_eq!(read("bcrypt", &cheap(b"secret").to_string(), None), HashError::Scheme);
    assert!(matches!(read("plain", &"p".repeat(65_536), None), HashError::Output(_)));
}

#[test]
fn what_names_no_scheme_is_refused() {
    let error = |text: &str| text.parse::<PasswordScheme>().unwrap_err();
    for text in ["", "md5", "pbkdf2-sha256", "pbkdf2-sha3:1", "pbkdf2-sha256:x", "sha256:after"] {
        assert_eq!(error(text), SchemeError::Unknown, "{text}");
    }
    for text in ["pbkdf2-sha256:0", "pbkdf2-sha256:5000001", "pbkdf2-sha1:1:65"] {
        assert_eq!(error(text), SchemeError::Limits, "{text}");
    }
    let before = "sha512:salt-before".parse::<PasswordScheme>();
    assert_eq!(before, Ok(PasswordScheme::Sha512(SaltPlace::Before)));
    let digest = PasswordDigest::Sha512;
    let pbkdf2 = PasswordScheme::Pbkdf2 { digest, iterations: 7, length: None };
    assert_eq!("pbkdf2-sha512:7".parse(), Ok(pbkdf2));
}

proptest! {
    #[test]
    fn any_text_is_refused_or_reads_back_as_itself(text in "\\PC{0,80}") {
        if let Ok(hash) = StoredPassword::parse(&text) {
            prop_assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn a_hash_verifies_only_what_it_was_made_of(one in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
        let hash = StoredPassword::parse(&cheap(&one).to_string()).unwrap();
        prop_assert!(hash.verify(&one));
        prop_assert_eq!(hash.verify(&other), one == other);
    }
}
