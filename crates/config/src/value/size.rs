use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// A number of bytes: `"64KiB"`, `"1MB"`, or a plain integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteSize(u64);

const UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// Why a text is no number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Not a number with a unit.
    #[error("is no size; write for example \"64KiB\", \"1MB\" or a plain number of bytes")]
    Shape,
    /// More bytes than fit in 64 bits.
    #[error("is larger than any machine can hold")]
    TooLarge,
}

impl ByteSize {
    /// That many bytes.
    pub const fn bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// That many times 1,024 bytes.
    pub const fn kib(kib: u64) -> Self {
        Self(kib * 1_024)
    }

    /// That many times 1,048,576 bytes.
    pub const fn mib(mib: u64) -> Self {
        Self(mib * 1_024 * 1_024)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; the longest one where it does not fit.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl FromStr for ByteSize {
    type Err = SizeError;
    fn from_str(text: &str) -> Result<Self, SizeError> {
        let text = text.trim();
        let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        if digits.is_empty() {
            return Err(SizeError::Shape);
        }
        let unit = unit.trim_start();
        let factor = match unit {
            "" => Some(1),
            _ => UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|unit| unit.1),
        };
        let number = digits.parse::<u64>().map_err(|_| SizeError::TooLarge)?;
        let factor = factor.ok_or(SizeError::Shape)?;
        number.checked_mul(factor).map(Self).ok_or(SizeError::TooLarge)
    }
}

/// In the unit that divides it and leaves the shortest number, as a person would have written it.
impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |(_, factor): &&(&str, u64)| self.0.is_multiple_of(*factor);
        let count = |(_, factor): &&(&str, u64)| self.0 / factor;
        match UNITS.iter().filter(divides).min_by_key(count) {
            Some((name, factor)) if self.0 > 0 => write!(f, "{}{name}", self.0 / factor),
            Some(_) | None => write!(f, "{}B", self.0),
        }
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "size",
            "anyOf": [
                { "type": "integer", "minimum": 0 },
                { "type": "string", "pattern": r"^\s*[0-9]+\s*([KMGTkmgt]?[Ii]?[Bb])?\s*$" },
            ],
        })
    }
}

text_value!(ByteSize, "a size such as \"64KiB\" or a number of bytes", |bytes| Ok(
    ByteSize::bytes(bytes)
));
