use std::{borrow::Cow, fmt, str::FromStr};

use plexus_otlp::Ratio;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// Digits behind the point of a percentage.
const DIGITS_MAX: usize = 7;
/// Billionths in one percent.
const PERCENT: u32 = 10_000_000;
const SHAPE: &str = r"^\s*[0-9]{1,3}(\.[0-9]{1,7})?\s*%\s*$";

/// A part of all, as a percentage: `"10%"`, `"0.1%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatioText {
    /// Billionths.
    parts: u32,
}

/// Why a text is no part of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RatioError {
    /// No number with a percent sign.
    #[error("is no percentage; write for example \"10%\" or \"0.1%\"")]
    Shape,
    /// A number alone says nothing: of one, of a hundred?
    #[error("has no percent sign; write for example \"{0}%\"")]
    NoSign(u64),
    /// More than everything.
    #[error("is more than \"100%\"")]
    Range,
}

impl RatioText {
    /// So many percent; for constants.
    pub(crate) const fn percent(percent: u8) -> Self {
        Self { parts: percent as u32 * PERCENT }
    }

    /// The part.
    pub const fn get(self) -> Ratio {
        Ratio::billionths(self.parts)
    }
}

impl FromStr for RatioText {
    type Err = RatioError;
    fn from_str(text: &str) -> Result<Self, RatioError> {
        let text = text.trim();
        let Some(number) = text.strip_suffix('%') else {
            return Err(text.parse().map_or(RatioError::Shape, RatioError::NoSign));
        };
        let split = number.trim_end().split_once('.');
        let (whole, part) = split.unwrap_or_else(|| (number.trim_end(), "0"));
        let is_number = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 3) || !is_number(part, DIGITS_MAX) {
            return Err(RatioError::Shape);
        }
        let read = |digits: &str| digits.parse::<u32>().map_err(|_| RatioError::Shape);
        let (whole, part) = (read(whole)?, read(&format!("{part:0<DIGITS_MAX$}"))?);
        match whole {
            0..100 => Ok(Self { parts: whole * PERCENT + part }),
            100 if part == 0 => Ok(Self::percent(100)),
            _ => Err(RatioError::Range),
        }
    }
}

impl fmt::Display for RatioText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.parts / PERCENT, self.parts % PERCENT);
        let part = format!("{part:0DIGITS_MAX$}");
        match part.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            part => write!(f, "{whole}.{part}%"),
        }
    }
}

impl JsonSchema for RatioText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "RatioText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "percentage", "type": "string", "pattern": SHAPE })
    }
}

text_value!(RatioText, "a percentage such as \"10%\"", |number| Err(RatioError::NoSign(number)));

#[cfg(test)]
mod tests {
    use super::{RatioError, RatioText};

    #[test]
    fn a_ratio_is_a_percentage() {
        for (text, billionths, shown) in [
            ("100%", 1_000_000_000, "100%"),
            ("10%", 100_000_000, "10%"),
            (" 0.10 % ", 1_000_000, "0.1%"),
            ("0.0000001%", 1, "0.0000001%"),
            ("0%", 0, "0%"),
            ("12.5%", 125_000_000, "12.5%"),
        ] {
            let ratio = text.parse::<RatioText>();
            assert_eq!(ratio.map(|it| it.parts), Ok(billionths), "{text}");
            assert_eq!(ratio.map(|it| it.to_string()).as_deref(), Ok(shown));
        }
        for (text, error) in [
            ("", RatioError::Shape),
            ("%", RatioError::Shape),
            (".5%", RatioError::Shape),
            ("5.%", RatioError::Shape),
            ("-1%", RatioError::Shape),
            ("1e1%", RatioError::Shape),
            ("0.1", RatioError::Shape),
            ("0.00000001%", RatioError::Shape),
            ("7", RatioError::NoSign(7)),
            ("100.1%", RatioError::Range),
            ("999%", RatioError::Range),
            ("1000%", RatioError::Shape),
        ] {
            assert_eq!(text.parse::<RatioText>(), Err(error), "{text}");
        }
    }
}
