//! Passwords as directories keep them: a form in braces, and what it is made of behind it (RFC 2307, OpenLDAP).

use super::{
    Form, HashError, PasswordDigest, SaltPlace, StoredPassword, decode_base64,
    derived::{COST, Derived},
    number_of,
    salted::Salted,
};

const OUTPUT: HashError = HashError::Output("base64 of a hash and, if it has one, of its salt");

/// Reads a text such as `{SSHA256}<base64 of hash and salt>`.
pub(super) fn read(text: &str) -> Result<StoredPassword, HashError> {
    let parts = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    let (form, rest) = parts.ok_or(HashError::Scheme)?;
    let form = form.to_ascii_uppercase();
    if let "ARGON2" | "CRYPT" | "BCRYPT" = form.as_str() {
        // What follows names its own form.
        return StoredPassword::parse(rest);
    }
    if let Some(digest) = form.strip_prefix("PBKDF2") {
        let digest = match digest {
            "" | "-SHA1" => PasswordDigest::Sha1,
            "-SHA256" => PasswordDigest::Sha256,
            "-SHA512" => PasswordDigest::Sha512,
            _ => return Err(HashError::Scheme),
        };
        return derived(digest, rest);
    }
    let (is_salted, digest) = match form.as_str() {
        "SHA" => (false, PasswordDigest::Sha1),
        "SHA256" => (false, PasswordDigest::Sha256),
        "SHA512" => (false, PasswordDigest::Sha512),
        "SSHA" => (true, PasswordDigest::Sha1),
        "SSHA256" => (true, PasswordDigest::Sha256),
        "SSHA512" => (true, PasswordDigest::Sha512),
        _ => return Err(HashError::Scheme),
    };
    let length = digest.length();
    let fits = |bytes: usize| if is_salted { bytes > length } else { bytes == length };
    let mut output = decode_base64(rest, fits).ok_or(OUTPUT)?;
    let salt = output.split_off(length);
    Salted::new(digest, SaltPlace::After, salt, output).map(|it| StoredPassword(Form::Salted(it)))
}

/// `<iterations>$<salt>$<hash>`, in base64 with `.` in place of `+`.
fn derived(digest: PasswordDigest, text: &str) -> Result<StoredPassword, HashError> {
    let mut parts = text.split('$');
    let iterations = number_of(parts.next(), "").ok_or(COST)?;
    let mut bytes = || decode_base64(&parts.next()?.replace('.', "+"), |_| true);
    let (Some(salt), Some(output)) = (bytes(), bytes()) else { return Err(OUTPUT) };
    if parts.next().is_some() {
        return Err(OUTPUT);
    }
    Derived::new(digest, iterations, salt, output).map(|it| StoredPassword(Form::Derived(it)))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::HashError;

    /// Each of the password `right`; made by `slappasswd` and by Python's hashlib.
    #[test]
    fn forms_of_directories_verify_their_password_only() {
        for text in [
            "{SSHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0",
            "{ssha}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0",
            "{SHA}0nofEXcSAJSXFLGvmfBIpBb11vQ=",
            "{SHA256}JwQvTm7KfQsqfuQCbfLs+lHTM55tEiqgmRGOzYVjutk=",
            "{SSHA256}GqW2NsRvNhUmWkUh12o6omJqYlbRlP1yXCwuBl3ZktlzYWx0",
            "{SSHA512}akeNEeKigph6cnKksPtzP6ESv8q4U+0tR+4UOQ8QmCfWyKAw38DwUf6X+DaRlV/wVChEz1Gno72R4rXlabVdKnNhbHQ=",
            "{PBKDF2}1000$c2FsdA$bjtMX8.9IJNjk11rbcDZmV8NQ8c",
            "{PBKDF2-SHA256}1000$c2FsdA$Q/9Kvus9r/Z5pRD/V9eBFX31v5LhSkQG2Q44eDQAprk",
            "{CRYPT}$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC",
        ] {
            let stored = read(text).unwrap_or_else(|error| panic!("{text} {error}"));
            assert!(stored.verify(b"right"), "{text}");
            assert!(!stored.verify(b"Right") && !stored.verify(b""), "{text}");
        }
    }

    #[test]
    fn what_is_none_says_why() {
        for text in ["right", "", "{", "{SSHA", "{MD5}AAAA", "{CRYPT}$6$a$b", "{CLEARTEXT}right"] {
            assert_eq!(read(text).unwrap_err(), HashError::Scheme, "{text}");
        }
        for text in [
            "{SSHA}",
            "{SSHA}????",
            // A hash alone, where a salt has to follow; and the other way round.
            "{SSHA}0nofEXcSAJSXFLGvmfBIpBb11vQ=",
            "{SHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0",
            "{PBKDF2}1000$c2FsdA",
        ] {
            assert!(matches!(read(text), Err(HashError::Output(_))), "{text}");
        }
        for text in ["{PBKDF2}0$c2FsdA$QUFBQUFBQUFBQUFBQUFBQQ", "{PBKDF2}x$a$b", "{PBKDF2}"] {
            assert!(matches!(read(text), Err(HashError::Cost(_))), "{text}");
        }
    }
}
