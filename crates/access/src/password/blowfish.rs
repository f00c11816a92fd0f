use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{HashError, is_same};

/// `$2b$12$` and 53 digits of 6 bits.
const TEXT_LENGTH: usize = 60;
/// 2^14 rounds are a second.
const COST_MAX: u32 = 14;
/// The algorithm knows no fewer.
const COST_MIN: u32 = 4;
const SALT_DIGITS: usize = 22;
/// What is longer is cut, here as in every other program.
const KEY_LENGTH_MAX: usize = 72;
/// The last byte of the cipher's 24 is not kept.
const OUTPUT_LENGTH: usize = 23;

const PARAMETERS: HashError = HashError::Parameters("of bcrypt: a cost of two digits");
const COST: HashError = HashError::Cost("of bcrypt: a cost of 4 to 14");
const OUTPUT: HashError = HashError::Output("22 and 31 digits of bcrypt's base64");

/// Writers of the format fill the last digit with bits that mean nothing.
const DIGITS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// bcrypt, as `$2a$`, `$2b$` and `$2y$`: they are one algorithm, named anew after mistakes of programs.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Bcrypt {
    cost: u32,
    salt: [u8; 16],
    output: [u8; OUTPUT_LENGTH],
    /// As it was read: bits that mean nothing stay.
    text: Box<str>,
}

impl Bcrypt {
    /// Reads the whole text.
    pub(super) fn parse(text: &str) -> Result<Self, HashError> {
        let mut parts = text.split('$').skip(2);
        let cost = parts.next().filter(|cost| cost.len() == 2).ok_or(PARAMETERS)?;
        if !cost.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PARAMETERS);
        }
        let cost = cost.parse().map_err(|_| PARAMETERS)?;
        if !(COST_MIN..=COST_MAX).contains(&cost) {
            return Err(COST);
        }
        let digits = parts.next().unwrap_or_default();
        if text.len() != TEXT_LENGTH || parts.next().is_some() {
            return Err(OUTPUT);
        }
        let (salt, output) = digits.split_at_checked(SALT_DIGITS).ok_or(OUTPUT)?;
        let bytes = |digits: &str| DIGITS.decode(digits).map_err(|_| OUTPUT);
        let salt = bytes(salt)?.try_into().map_err(|_| OUTPUT)?;
        let output = bytes(output)?.try_into().map_err(|_| OUTPUT)?;
        Ok(Self { cost, salt, output, text: text.into() })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        // The key ends with a zero byte, where there is room for it.
        let key: Vec<u8> = password.iter().copied().chain([0]).take(KEY_LENGTH_MAX).collect();
        let derived = bcrypt::bcrypt(self.cost, self.salt, &key);
        derived.get(..OUTPUT_LENGTH).is_some_and(|derived| is_same(derived, &self.output))
    }
}

impl fmt::Display for Bcrypt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
