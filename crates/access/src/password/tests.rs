use proptest::prelude::*;

use super::{HashError, PasswordHash};

/// A hash with the least cost that argon2 knows, so that tests are fast.
pub(crate) fn cheap(password: &[u8]) -> PasswordHash {
    let shape = format!("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${}", "A".repeat(43));
    let mut hash = PasswordHash::parse(&shape).unwrap();
    hash.output = hash.derive(password);
    hash
}

#[test]
fn a_new_hash_reads_back_and_verifies_its_password_only() {
    let hash = PasswordHash::new(b"correct horse", [7; 16]);
    let text = hash.to_string();
    assert!(text.starts_with("$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$"), "{text}");
    let read = PasswordHash::parse(&text).unwrap();
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
    let hash = PasswordHash::parse(text).unwrap();
    assert!(hash.verify(b"password"));
    assert!(!hash.verify(b"Password"));
    assert_eq!(hash.to_string(), text);
}

#[test]
fn what_is_no_accepted_hash_says_why() {
    let salt_and_output = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let with = |head: &str| PasswordHash::parse(&format!("{head}{salt_and_output}")).unwrap_err();
    assert_eq!(with("$argon2i$v=19$m=8,t=1,p=1"), HashError::Scheme);
    assert_eq!(with("$7$101"), HashError::Scheme);
    assert_eq!(with(""), HashError::Scheme);
    assert_eq!(with("$argon2id$v=16$m=8,t=1,p=1"), HashError::Version);
    assert_eq!(with("$argon2id$m=8,t=1,p=1"), HashError::Version);
    for params in ["m=8,t=1", "t=1,m=8,p=1", "m=,t=1,p=1", "m=+8,t=1,p=1", "m=8,t=1,p=1,x=1"] {
        assert_eq!(with(&format!("$argon2id$v=19${params}")), HashError::Parameters, "{params}");
    }
    for params in ["m=262145,t=1,p=1", "m=8,t=17,p=1", "m=64,t=1,p=5", "m=8,t=1,p=2", "m=8,t=0,p=1"]
    {
        assert_eq!(with(&format!("$argon2id$v=19${params}")), HashError::Cost, "{params}");
    }
    let tail =
        |tail: &str| PasswordHash::parse(&format!("$argon2id$v=19$m=8,t=1,p=1{tail}")).unwrap_err();
    assert_eq!(tail(""), HashError::Salt);
    assert_eq!(tail("$c2hvcnQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"), HashError::Salt);
    assert_eq!(tail("$c29tZXNhbHQ"), HashError::Output);
    assert_eq!(tail("$c29tZXNhbHQ$AAAA"), HashError::Output);
    assert_eq!(tail("$c29tZXNhbHQ$AAAA=="), HashError::Output);
    let longer = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc$x";
    assert_eq!(tail(longer), HashError::Output);
}

#[test]
fn debug_shows_nothing_of_it() {
    assert_eq!(format!("{:?}", cheap(b"secret")), "PasswordHash(…)");
}

proptest! {
    #[test]
    fn any_text_is_refused_or_reads_back_as_itself(text in "\\PC{0,80}") {
        if let Ok(hash) = PasswordHash::parse(&text) {
            prop_assert_eq!(hash.to_string(), text);
        }
    }

    #[test]
    fn a_hash_verifies_only_what_it_was_made_of(one in any::<Vec<u8>>(), other in any::<Vec<u8>>()) {
        let hash = PasswordHash::parse(&cheap(&one).to_string()).unwrap();
        prop_assert!(hash.verify(&one));
        prop_assert_eq!(hash.verify(&other), one == other);
    }
}
