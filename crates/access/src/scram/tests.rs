use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::{Challenge, ClientFirst, ScramError, ScramKeys};
use crate::{HashError, Login, PasswordDigest, StoredPassword, Users};

/// The example of RFC 7677, section 3; the keys were computed by Python's hashlib and hmac.
const KEYS: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
     WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
const FIRST: &str = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
const NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const LAST: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
const SIGNATURE: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

/// The same names, salt and nonces with SHA-512, by Python's hashlib and hmac.
const KEYS_512: &str = "SCRAM-SHA-512$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
     6AAub3065EYRmyFpM2RNwqK+eGnrkYuEWbXn19LsEmBqzu8QaCXNc1FwpnX9NhH2hK/60dzj9DoO5DvVkOHbvg==:\
     jZHbYjC1aHh0/hKbxyBuGFjDrgjgKTT1esA7awWiKcRZ0o/0b1yWEebBeSVkkCFewf91nLDfKF24mvD5nmE6rA==";
const PROOF_512: &str =
    "gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==";
const SIGNATURE_512: &str =
    "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==";

fn keys(text: &str) -> ScramKeys {
    let digest = if text.starts_with("SCRAM-SHA-256") {
        PasswordDigest::Sha256
    } else {
        PasswordDigest::Sha512
    };
    ScramKeys::parse(digest, text).unwrap()
}

fn begin(first: &str, is_known: bool) -> Result<(String, Challenge), ScramError> {
    Ok(ClientFirst::parse(first.as_bytes())?.challenge(keys(KEYS), is_known, NONCE))
}

/// What comes of both messages of a client that knows the password.
fn exchange(first: &[u8], last: &[u8]) -> Result<String, ScramError> {
    let (_, challenge) = ClientFirst::parse(first)?.challenge(keys(KEYS), true, NONCE);
    challenge.answer(last)
}

#[test]
fn the_example_of_the_rfc_is_understood() {
    let first = ClientFirst::parse(FIRST.as_bytes()).unwrap();
    assert_eq!(first.name(), "user");
    let (message, challenge) = first.challenge(keys(KEYS), true, NONCE);
    let expected = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                    s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    assert_eq!(message, expected);
    assert_eq!(challenge.answer(LAST.as_bytes()).unwrap(), SIGNATURE);
}

#[test]
fn the_longer_function_is_understood() {
    let first = ClientFirst::parse(FIRST.as_bytes()).unwrap();
    let (_, challenge) = first.challenge(keys(KEYS_512), true, NONCE);
    let last = LAST.replace("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", PROOF_512);
    assert_eq!(challenge.answer(last.as_bytes()).unwrap(), SIGNATURE_512);
}

#[test]
fn an_unknown_user_is_told_no_sooner() {
    let (message, challenge) = begin(FIRST, false).unwrap();
    assert_eq!(message, begin(FIRST, true).unwrap().0);
    assert_eq!(challenge.answer(LAST.as_bytes()), Err(ScramError::Proof));
}

#[test]
fn names_are_read_with_their_commas_and_refused_where_they_need_preparation() {
    let name = |text: &str| {
        let first = ClientFirst::parse(format!("y,,n={text},r=x").as_bytes());
        first.map(|first| first.name().to_owned())
    };
    assert_eq!(name("a=2Cb=3Dc d").as_deref(), Ok("a,b=c d"));
    for form in ["", "a=", "a=2c", "a=41"] {
        assert_eq!(name(form), Err(ScramError::Form), "{form}");
    }
    for unprepared in ["j\u{fc}rgen", "a\u{ad}b", "a\tb", "\u{2168}"] {
        assert_eq!(name(unprepared), Err(ScramError::Unprepared), "{unprepared}");
    }
}

#[test]
fn what_is_not_offered_is_refused() {
    let error = |text: &str| ClientFirst::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error("p=tls-unique,,n=user,r=x"), ScramError::ChannelBinding);
    assert_eq!(error("n,,m=x,n=user,r=x"), ScramError::Extension);
    assert_eq!(error("n,a=root,n=user,r=x"), ScramError::Another);
    assert!(ClientFirst::parse(b"n,a=user,n=user,r=x,y=z").is_ok());
    for text in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,r=",
        "n,,r=x,n=user",
        "x,,n=user,r=x",
        "n,user,n=user,r=x",
        "n,,n=user,r=\u{e9}",
        "n,,n=user,r=x,",
        "n,,n=user,r=x,1=2",
    ] {
        assert_eq!(error(text), ScramError::Form, "{text}");
    }
    assert_eq!(error(&format!("n,,n=user,r={}", "x".repeat(2_048))), ScramError::Form);
    assert_eq!(ClientFirst::parse(b"n,,n=\xff,r=x"), Err(ScramError::Form));
}

#[test]
fn an_answer_to_another_challenge_is_refused() {
    let answer = |text: &str| begin(FIRST, true).unwrap().1.answer(text.as_bytes()).unwrap_err();
    assert_eq!(answer(&LAST.replace("biws", "eSws")), ScramError::Mismatch, "y,,");
    assert_eq!(answer(&LAST.replace("k0,", "k1,")), ScramError::Mismatch);
    assert_eq!(answer(&LAST.replace("dHz", "dHy")), ScramError::Proof);
    assert_eq!(answer(&LAST.replace(",p=", ",x=y,p=")), ScramError::Proof, "it is signed, too");
    assert_eq!(answer(&LAST.replace("VQ=", "VR=")), ScramError::Form);
    let (said, _) = LAST.split_once(",p=").unwrap();
    assert_eq!(answer(said), ScramError::Form);
    assert_eq!(answer(&format!("{said},p=")), ScramError::Proof);
    assert_eq!(answer(&format!("{said},p=AAAA")), ScramError::Proof);
    assert_eq!(answer(&format!("{LAST}\n")), ScramError::Form);
}

#[test]
fn keys_are_kept_as_postgresql_keeps_them() {
    for text in [KEYS, KEYS_512] {
        let stored = StoredPassword::parse(text).unwrap();
        assert_eq!(stored.to_string(), text);
        assert!(stored.verify(b"pencil") && !stored.verify(b"Pencil"), "{text}");
        assert!(!stored.is_weak());
    }
    assert_eq!(format!("{:?}", StoredPassword::parse(KEYS).unwrap()), "StoredPassword(scram …)");
    let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    let new = |password: &str, iterations| {
        ScramKeys::new(PasswordDigest::Sha256, password.as_bytes(), &salt, iterations)
    };
    assert_eq!(new("pencil", 4_096).unwrap().to_string(), KEYS);
    assert_eq!(new("b\u{fc}ro", 4_096), Err(HashError::Unprepared));
    assert!(matches!(new("pencil", 4_095), Err(HashError::Cost(_))));
    assert!(matches!(new("pencil", 5_000_001), Err(HashError::Cost(_))));
    let short = ScramKeys::new(PasswordDigest::Sha256, b"pencil", &salt[..7], 4_096);
    assert!(matches!(short, Err(HashError::Salt(_))));
}

#[test]
fn keys_that_are_written_otherwise_are_refused() {
    let error = |text: &str| StoredPassword::parse(text).unwrap_err();
    assert_eq!(error(&KEYS.replace("SHA-256", "SHA-1")), HashError::Scheme);
    assert!(matches!(error(&KEYS.replace("4096", "1")), HashError::Cost(_)));
    assert!(matches!(error(&KEYS.replace("4096", "04096")), HashError::Parameters(_)));
    assert!(matches!(error(&KEYS.replace("$4096:", "$")), HashError::Parameters(_)));
    assert!(matches!(error(&format!("{KEYS}$")), HashError::Parameters(_)));
    assert!(matches!(error(&KEYS.replace("W22Z", "W22")), HashError::Salt(_)));
    assert!(matches!(error(&KEYS.replace("WG5d", "")), HashError::Output(_)));
}

fn users(lines: &[&str]) -> Users {
    Users::parse(lines.join("\n").as_bytes(), plexus_stdx::Seed::new(1)).unwrap()
}

#[test]
fn an_unknown_name_has_keys_that_are_always_the_same_and_look_like_others() {
    let (a, b) = (format!("a:{KEYS}"), format!("b:{KEYS_512} superuser"));
    let known = users(&[&a, &b]);
    let of = |users: &Users, name: &str, digest| users.scram(name, digest).unwrap();
    let (keys, who) = of(&known, "a", PasswordDigest::Sha256);
    assert_eq!((keys.to_string().as_str(), who), (KEYS, Login::Right { is_superuser: false }));
    let (_, who) = of(&known, "b", PasswordDigest::Sha512);
    assert_eq!(who, Login::Right { is_superuser: true });
    // Also one that has keys of another function.
    for name in ["b", "nobody"] {
        let (keys, who) = of(&known, name, PasswordDigest::Sha256);
        assert_eq!(who, Login::Unknown);
        let (again, _) = of(&known.clone(), name, PasswordDigest::Sha256);
        assert_eq!(keys, again);
        assert_eq!(keys.iterations().get(), 4_096);
        assert_eq!(keys.salt().len(), 16);
    }
    let salt = |name, digest| of(&known, name, digest).0.salt().to_vec();
    assert_ne!(salt("x", PasswordDigest::Sha256), salt("y", PasswordDigest::Sha256));
    assert_ne!(salt("x", PasswordDigest::Sha256), salt("x", PasswordDigest::Sha512));
    // What nobody has is not offered.
    assert!(users(&[&a]).scram("a", PasswordDigest::Sha512).is_none());
    assert!(users(&[&a]).offers_scram(PasswordDigest::Sha256));
    assert!(!users(&[&a]).offers_scram(PasswordDigest::Sha512));
}

#[test]
fn debug_output_holds_no_secret() {
    let first = ClientFirst::parse(FIRST.as_bytes()).unwrap();
    assert_eq!(format!("{first:?}"), "ClientFirst { name: \"user\", .. }");
    let (_, challenge) = first.challenge(keys(KEYS), true, NONCE);
    assert_eq!(format!("{challenge:?}"), "Challenge(…)");
    assert_eq!(format!("{:?}", keys(KEYS)), "ScramKeys(SCRAM-SHA-256 …)");
}

proptest! {
    #[test]
    fn any_changed_byte_of_a_client_fails(at in 0..FIRST.len() + LAST.len(), bits in 1..=255_u8) {
        let (mut first, mut last) = (FIRST.as_bytes().to_vec(), LAST.as_bytes().to_vec());
        prop_assert_eq!(exchange(&first, &last), Ok(SIGNATURE.to_owned()));
        let byte = first.iter_mut().chain(&mut last).nth(at).unwrap();
        *byte ^= bits;
        prop_assert!(exchange(&first, &last).is_err());
    }

    #[test]
    fn any_message_is_refused_or_of_the_form(text in "[nypa,=rmx25CD3 ]{0,30}") {
        if let Ok(first) = ClientFirst::parse(text.as_bytes()) {
            prop_assert_eq!(&(first.header.clone() + &first.bare), &text);
            prop_assert!(!first.name().is_empty() && !first.nonce.is_empty());
        }
        prop_assert!(begin(FIRST, true).unwrap().1.answer(text.as_bytes()).is_err());
    }
}
