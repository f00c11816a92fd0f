use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// Bytes of salt in a new hash.
pub const SALT_LENGTH: usize = 16;

const OUTPUT_LENGTH: usize = 32;
/// 256 MiB: a file entry above it would let one login take the memory of a gateway box.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 4;
const SALT_LENGTHS: std::ops::RangeInclusive<usize> = 8..=64;
const OUTPUT_LENGTHS: std::ops::RangeInclusive<usize> = 16..=64;

/// A password as it is kept: argon2id, version 19, in the PHC string format
/// `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`, both last parts in base64 without
/// padding.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

/// Why a text is no password hash that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// Another scheme, or none.
    #[error("is not an argon2id hash; it reads $argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>")]
    Scheme,
    /// Not the current version of argon2.
    #[error("is of another argon2 version than v=19")]
    Version,
    /// `m`, `t` or `p` is missing or no number.
    #[error("has no parameters m=…,t=…,p=…")]
    Parameters,
    /// A parameter that costs too much, or that argon2 does not allow.
    #[error("has parameters beyond the limits m <= 262144 (KiB), t <= 16, p <= 4, m >= 8 × p")]
    Cost,
    /// The salt is no base64 or of a wrong length.
    #[error("has a salt that is not base64 of 8 to 64 bytes without padding")]
    Salt,
    /// The hash is no base64 or of a wrong length.
    #[error("has a hash that is not base64 of 16 to 64 bytes without padding")]
    Output,
}

impl PasswordHash {
    /// Hashes a password with a salt that the caller drew from a good random source.
    ///
    /// Takes some 20 ms and 19 MiB: that is its purpose.
    pub fn new(password: &[u8], salt: [u8; SALT_LENGTH]) -> Self {
        let mut hash =
            Self { params: Params::DEFAULT, salt: salt.to_vec(), output: vec![0; OUTPUT_LENGTH] };
        hash.output = hash.derive(password);
        hash
    }

    /// Reads the PHC string format.
    pub fn parse(text: &str) -> Result<Self, HashError> {
        let rest = text.strip_prefix("$argon2id$").ok_or(HashError::Scheme)?;
        let mut parts = rest.split('$');
        if parts.next() != Some("v=19") {
            return Err(HashError::Version);
        }
        let cost = parse_cost(parts.next().unwrap_or_default())?;
        let salt = decode(parts.next(), &SALT_LENGTHS).ok_or(HashError::Salt)?;
        let output = decode(parts.next(), &OUTPUT_LENGTHS).ok_or(HashError::Output)?;
        if parts.next().is_some() {
            return Err(HashError::Output);
        }
        let params = cost.params(output.len())?;
        Ok(Self { params, salt, output })
    }

    /// Whether the hash was made of that password. Takes as long for a wrong one as for the right.
    pub fn verify(&self, password: &[u8]) -> bool {
        let derived = self.derive(password);
        // Every byte is looked at, so the time says nothing about the place of a difference.
        let difference =
            derived.iter().zip(&self.output).fold(0, |all, (one, other)| all | (one ^ other));
        derived.len() == self.output.len() && difference == 0
    }

    fn derive(&self, password: &[u8]) -> Vec<u8> {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let mut output = vec![0; self.output.len()];
        argon2
            .hash_password_into(password, &self.salt, &mut output)
            .expect("invariant: parameters, salt and output length were checked in `parse`");
        output
    }
}

/// The PHC string, as the user file holds it.
impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, passes, lanes) =
            (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        write!(
            f,
            "$argon2id$v=19$m={memory},t={passes},p={lanes}${}${}",
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.output)
        )
    }
}

/// Shows nothing of the hash.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn params(&self, output_length: usize) -> Result<Params, HashError> {
        let cheap = self.memory_kib <= MEMORY_KIB_MAX
            && self.passes <= PASSES_MAX
            && self.lanes <= LANES_MAX;
        if !cheap {
            return Err(HashError::Cost);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output_length))
            .map_err(|_| HashError::Cost)
    }
}

fn parse_cost(text: &str) -> Result<Cost, HashError> {
    let mut parts = text.split(',');
    let mut number = |key: &str| {
        let digits = parts.next()?.strip_prefix(key)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
    };
    let (memory, passes, lanes) = (number("m="), number("t="), number("p="));
    match (memory, passes, lanes, parts.next()) {
        (Some(memory_kib), Some(passes), Some(lanes), None) => {
            Ok(Cost { memory_kib, passes, lanes })
        }
        _ => Err(HashError::Parameters),
    }
}

fn decode(part: Option<&str>, lengths: &std::ops::RangeInclusive<usize>) -> Option<Vec<u8>> {
    let bytes = STANDARD_NO_PAD.decode(part?).ok()?;
    lengths.contains(&bytes.len()).then_some(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
