//! Passwords as they are kept: what is read from files and back ends is checked here, so that no stored
//! text makes a login cost minutes.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use self::{argon::Argon, blowfish::Bcrypt, derived::Derived, salted::Salted};
use crate::ScramKeys;

mod argon;
mod blowfish;
mod derived;
mod digest;
mod directory;
mod salted;
mod scheme;

pub use self::{
    argon::SALT_LENGTH,
    digest::PasswordDigest,
    salted::SaltPlace,
    scheme::{PasswordScheme, SchemeError},
};

/// A password as it is kept. Its text begins with its form:
///
/// ```text
/// $argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>
/// $2b$<cost>$<salt><hash>                                    also $2a$ and $2y$
/// $pbkdf2-sha256$i=<iterations>,l=<bytes>$<salt>$<hash>      also -sha1 and -sha512
/// $sha256$salt=before$<salt>$<hash>                          also $sha512$, also salt=after
/// SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>  also SCRAM-SHA-512
/// ```
///
/// Salts and hashes are base64 without padding, those of bcrypt in its own alphabet, those of SCRAM with
/// padding.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Argon(Argon),
    Bcrypt(Bcrypt),
    Derived(Derived),
    Salted(Salted),
    Scram(ScramKeys),
}

/// Why a text is no stored password that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Another scheme, or none.
    #[error("is of no form that is known: {KNOWN_FORMS}")]
    Scheme,
    /// Not the current version of argon2.
    #[error("is of another argon2 version than v=19")]
    Version,
    /// A parameter is missing or no number.
    #[error("has no parameters {0}")]
    Parameters(&'static str),
    /// A parameter that costs too much, or that the algorithm does not allow.
    #[error("has parameters beyond the limits {0}")]
    Cost(&'static str),
    /// The salt is missing, is not written as it has to be, or is of a wrong length.
    #[error("has a salt that is not {0}")]
    Salt(&'static str),
    /// The hash is not written as it has to be, or is of a wrong length.
    #[error("has a hash that is not {0}")]
    Output(&'static str),
    /// A password that clients might change before they use it.
    #[error("has other characters than those of ASCII, or control characters: not for SCRAM")]
    Unprepared,
    /// Something behind the password that means nothing.
    #[error("is followed by something else than `superuser`")]
    Flag,
}

const KNOWN_FORMS: &str = "$argon2id$…, $2b$…, $pbkdf2-sha256$…, $pbkdf2-sha512$…, $sha256$…, $sha512$…, SCRAM-SHA-256$… and SCRAM-SHA-512$…";

impl StoredPassword {
    /// Hashes a password by argon2id, with a salt that the caller drew from a good random source.
    ///
    /// Takes some 20 ms and 19 MiB: that is its purpose.
    pub fn new(password: &[u8], salt: [u8; SALT_LENGTH]) -> Self {
        Self(Form::Argon(Argon::new(password, salt)))
    }

    /// Keeps the keys of SCRAM.
    pub fn scram(keys: ScramKeys) -> Self {
        Self(Form::Scram(keys))
    }

    /// The keys of SCRAM, if it is of that form.
    pub fn scram_keys(&self) -> Option<&ScramKeys> {
        match &self.0 {
            Form::Scram(keys) => Some(keys),
            Form::Argon(_) | Form::Bcrypt(_) | Form::Derived(_) | Form::Salted(_) => None,
        }
    }

    /// Reads the text of any form.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let method = text.split_once('$').map(|(method, _)| method);
        if let Some(digest) = method.and_then(PasswordDigest::of_scram) {
            return ScramKeys::parse(digest, text).map(Self::scram);
        }
        let (form, rest) =
            text.strip_prefix('$').and_then(|it| it.split_once('$')).ok_or(HashError::Scheme)?;
        let digest = PasswordDigest::named;
        let form = match (form, form.strip_prefix("pbkdf2-").and_then(digest), digest(form)) {
            ("argon2id", ..) => Form::Argon(Argon::parse(rest)?),
            ("2a" | "2b" | "2y", ..) => Form::Bcrypt(Bcrypt::parse(text)?),
            (_, Some(digest), _) => Form::Derived(Derived::parse(digest, rest)?),
            (_, _, Some(digest @ (PasswordDigest::Sha256 | PasswordDigest::Sha512))) => {
                Form::Salted(Salted::parse(digest, rest)?)
            }
            _ => return Err(HashError::Scheme),
        };
        Ok(Self(form))
    }

    /// As Mosquitto writes it, salt and hash in base64: PBKDF2 with SHA-512 where there are iterations, else
    /// one SHA-512 of password and salt.
    pub(crate) fn of_mosquitto(
        iterations: Option<&str>,
        salt: &str,
        hash: &str,
    ) -> Result<Self, HashError> {
        let digest = PasswordDigest::Sha512;
        let bytes = |text| decode_base64(text, |length| length > 0);
        let salt = bytes(salt).ok_or(HashError::Salt("base64"))?;
        let output = bytes(hash).ok_or(HashError::Output("base64"))?;
        Ok(Self(match iterations {
            None => Form::Salted(Salted::new(digest, SaltPlace::After, salt, output)?),
            Some(iterations) => {
                let iterations = number_of(Some(iterations), "").ok_or(derived::COST)?;
                Form::Derived(Derived::new(digest, iterations, salt, output)?)
            }
        }))
    }

    /// Whether it was made of that password. Takes as long for a wrong one as for the right.
    pub fn verify(&self, password: &[u8]) -> bool {
        match &self.0 {
            Form::Argon(hash) => hash.verify(password),
            Form::Bcrypt(hash) => hash.verify(password),
            Form::Derived(hash) => hash.verify(password),
            Form::Salted(hash) => hash.verify(password),
            Form::Scram(keys) => keys.verify(password),
        }
    }

    /// Whether who has read it can try passwords at the speed of a plain hash function: it should be
    /// made anew.
    pub fn is_weak(&self) -> bool {
        match &self.0 {
            Form::Argon(_) | Form::Bcrypt(_) | Form::Derived(_) | Form::Scram(_) => false,
            Form::Salted(_) => true,
        }
    }
}

/// The text, as a user file holds it.
impl fmt::Display for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Argon(hash) => hash.fmt(f),
            Form::Bcrypt(hash) => hash.fmt(f),
            Form::Derived(hash) => hash.fmt(f),
            Form::Salted(hash) => hash.fmt(f),
            Form::Scram(keys) => keys.fmt(f),
        }
    }
}

/// Shows nothing of it but its form.
impl fmt::Debug for StoredPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Form::Argon(_) => "StoredPassword(argon2id …)",
            Form::Bcrypt(_) => "StoredPassword(bcrypt …)",
            Form::Derived(_) => "StoredPassword(pbkdf2 …)",
            Form::Salted(_) => "StoredPassword(sha …)",
            Form::Scram(_) => "StoredPassword(scram …)",
        })
    }
}

/// Whether two texts of bytes are the same, in a time that depends on their lengths only.
pub(crate) fn is_same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}

/// The digits after the key, without a sign.
fn number_of(text: Option<&str>, key: &str) -> Option<u32> {
    let digits = text?.strip_prefix(key)?;
    let is_canonical = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    is_canonical.then(|| digits.parse().ok())?
}

/// Longer texts are none of any length that could fit.
const TEXT_LENGTH_MAX: usize = 1_024;

/// A hash as other programs write it: in hexadecimal digits, or else in base64. `fits` says which lengths
/// in bytes can be.
fn decode_any(text: &str, fits: impl Fn(usize) -> bool) -> Option<Vec<u8>> {
    if text.len() > TEXT_LENGTH_MAX {
        return None;
    }
    let hex = decode_hex(text).filter(|bytes| fits(bytes.len()));
    hex.or_else(|| decode_base64(text, fits))
}

/// Base64 with or without padding.
fn decode_base64(text: &str, fits: impl Fn(usize) -> bool) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &alphabet::STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    if text.len() > TEXT_LENGTH_MAX {
        return None;
    }
    LENIENT.decode(text).ok().filter(|bytes| fits(bytes.len()))
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(digit(high)? << 4 | digit(low)?).ok()).collect()
}

/// Bytes in base64 without padding, of one of those lengths.
fn decode(part: Option<&str>, lengths: &std::ops::RangeInclusive<usize>) -> Option<Vec<u8>> {
    let bytes = base64::engine::general_purpose::STANDARD_NO_PAD.decode(part?).ok()?;
    lengths.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
