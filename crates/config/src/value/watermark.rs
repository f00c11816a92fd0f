use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{ByteSize, size::SizeError, text_value};

/// A level of memory use: `"75%"` of what the node may have, a size, or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Watermark {
    /// So much of the memory of the machine, or of the control group where that is less.
    Percent(u8),
    /// So many bytes.
    Bytes(ByteSize),
    /// No level.
    Off,
}

/// Why a text is no level of memory use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WatermarkError {
    /// Neither percent nor size.
    #[error("is no level of memory; write for example \"75%\", \"512MiB\" or \"off\"")]
    Shape,
    /// Not within 1 to 100.
    #[error("must be from 1% to 100%; write \"off\" for no level")]
    Percent,
    /// A size that is none.
    #[error("{0}")]
    Size(#[from] SizeError),
}

impl Watermark {
    /// In bytes, when `total` is what the node may have; zero for no level.
    pub fn bytes_of(self, total: u64) -> u64 {
        match self {
            Self::Percent(percent) => (total / 100).saturating_mul(u64::from(percent)),
            Self::Bytes(size) => size.get(),
            Self::Off => 0,
        }
    }
}

impl FromStr for Watermark {
    type Err = WatermarkError;
    fn from_str(text: &str) -> Result<Self, WatermarkError> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self::Off);
        }
        let Some(percent) = text.strip_suffix('%') else {
            return match text.parse() {
                Err(SizeError::Shape) => Err(WatermarkError::Shape),
                size => Ok(Self::Bytes(size?)),
            };
        };
        let digits = percent.trim_end();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(WatermarkError::Shape);
        }
        match digits.parse() {
            Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
            Ok(_) | Err(_) => Err(WatermarkError::Percent),
        }
    }
}

impl fmt::Display for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::Bytes(size) => fmt::Display::fmt(size, f),
            Self::Off => f.write_str("off"),
        }
    }
}

impl JsonSchema for Watermark {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Watermark".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "percent, size or \"off\"",
            "anyOf": [
                { "type": "string", "pattern": r"^\s*[0-9]+\s*%\s*$" },
                generator.subschema_for::<ByteSize>(),
                { "const": "off" },
            ],
        })
    }
}

text_value!(Watermark, "a level such as \"75%\", \"512MiB\" or \"off\"", |bytes| Ok(
    Watermark::Bytes(ByteSize::bytes(bytes))
));
