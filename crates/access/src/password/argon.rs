use std::{fmt, ops::RangeInclusive};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use super::{HashError, decode, is_same, number_of};

/// Bytes of salt in a new hash.
pub const SALT_LENGTH: usize = 16;

const OUTPUT_LENGTH: usize = 32;
/// 256 MiB: a file entry above it would let one login take the memory of a gateway box.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 4;
const SALT_LENGTHS: RangeInclusive<usize> = 8..=64;
const OUTPUT_LENGTHS: RangeInclusive<usize> = 16..=64;

const PARAMETERS: HashError = HashError::Parameters("m=…,t=…,p=…");
const COST: HashError = HashError::Cost("m <= 262144 (KiB), t <= 16, p <= 4, m >= 8 × p");
const SALT: HashError = HashError::Salt("base64 of 8 to 64 bytes without padding");
const OUTPUT: HashError = HashError::Output("base64 of 16 to 64 bytes without padding");

/// argon2id (RFC 9106), version 19, in the PHC string format.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Argon {
    params: Params,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Argon {
    pub(super) fn new(password: &[u8], salt: [u8; SALT_LENGTH]) -> Self {
        let output = vec![0; OUTPUT_LENGTH];
        Self { params: Params::DEFAULT, salt: salt.to_vec(), output }.made_of(password)
    }

    /// Reads what stands behind `$argon2id$`.
    pub(super) fn parse(rest: &str) -> Result<Self, HashError> {
        let mut parts = rest.split('$');
        if parts.next() != Some("v=19") {
            return Err(HashError::Version);
        }
        let cost = parse_cost(parts.next().unwrap_or_default())?;
        let salt = decode(parts.next(), &SALT_LENGTHS).ok_or(SALT)?;
        let output = decode(parts.next(), &OUTPUT_LENGTHS).ok_or(OUTPUT)?;
        if parts.next().is_some() {
            return Err(OUTPUT);
        }
        let params = cost.params(output.len())?;
        Ok(Self { params, salt, output })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        is_same(&self.derive(password), &self.output)
    }

    /// The same parameters for another password.
    pub(super) fn made_of(mut self, password: &[u8]) -> Self {
        self.output = self.derive(password);
        self
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

impl fmt::Display for Argon {
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
            return Err(COST);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output_length)).map_err(|_| COST)
    }
}

fn parse_cost(text: &str) -> Result<Cost, HashError> {
    let mut parts = text.split(',');
    let mut number = |key: &str| number_of(parts.next(), key);
    let (memory, passes, lanes) = (number("m="), number("t="), number("p="));
    match (memory, passes, lanes, parts.next()) {
        (Some(memory_kib), Some(passes), Some(lanes), None) => {
            Ok(Cost { memory_kib, passes, lanes })
        }
        _ => Err(PARAMETERS),
    }
}
