use std::{fmt, num::NonZeroU32, ops::RangeInclusive};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::{HashError, PasswordDigest, decode, is_same, number_of};

/// Ten times what is advised for SHA-256 today; some seconds.
pub(super) const ITERATIONS_MAX: u32 = 5_000_000;
pub(super) const SALT_LENGTH_MAX: usize = 256;
pub(super) const OUTPUT_LENGTHS: RangeInclusive<usize> = 16..=64;

const PARAMETERS: HashError = HashError::Parameters("i=<iterations>,l=<bytes of the hash>");
pub(super) const COST: HashError = HashError::Cost("of PBKDF2: 1 to 5000000 iterations");
const SALT: HashError = HashError::Salt("base64 of at most 256 bytes without padding");
const OUTPUT: HashError = HashError::Output("base64 of l bytes, 16 to 64, without padding");

/// PBKDF2 (RFC 8018), in the PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Derived {
    digest: PasswordDigest,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Derived {
    pub(super) fn new(
        digest: PasswordDigest,
        iterations: u32,
        salt: Vec<u8>,
        output: Vec<u8>,
    ) -> Result<Self, HashError> {
        let iterations = NonZeroU32::new(iterations).ok_or(COST)?;
        if iterations.get() > ITERATIONS_MAX {
            return Err(COST);
        }
        if salt.len() > SALT_LENGTH_MAX {
            return Err(SALT);
        }
        if !OUTPUT_LENGTHS.contains(&output.len()) {
            return Err(OUTPUT);
        }
        Ok(Self { digest, iterations, salt, output })
    }

    /// Reads what stands behind `$pbkdf2-…$`.
    pub(super) fn parse(digest: PasswordDigest, rest: &str) -> Result<Self, HashError> {
        let mut parts = rest.split('$');
        let mut numbers = parts.next().unwrap_or_default().split(',');
        let iterations = number_of(numbers.next(), "i=");
        let length = number_of(numbers.next(), "l=");
        let (Some(iterations), Some(length), None) = (iterations, length, numbers.next()) else {
            return Err(PARAMETERS);
        };
        let salt = decode(parts.next(), &(0..=SALT_LENGTH_MAX)).ok_or(SALT)?;
        let output = decode(parts.next(), &OUTPUT_LENGTHS).ok_or(OUTPUT)?;
        if parts.next().is_some() || output.len() != length as usize {
            return Err(OUTPUT);
        }
        Self::new(digest, iterations, salt, output)
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let length = self.output.len();
        is_same(&self.digest.derive(password, &self.salt, self.iterations, length), &self.output)
    }
}

impl fmt::Display for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "$pbkdf2-{}$i={},l={}${}${}",
            self.digest.name(),
            self.iterations,
            self.output.len(),
            STANDARD_NO_PAD.encode(&self.salt),
            STANDARD_NO_PAD.encode(&self.output)
        )
    }
}
