use std::{borrow::Cow, fmt, num::NonZeroU64, str::FromStr, time::Duration};

use plexus_fences::Rate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{ByteSize, Span, text_value};

/// The most of a rate.
const AMOUNT_MAX: u64 = 1 << 40;
/// The longest time of a rate.
const PER_MAX: Duration = Duration::from_hours(24);

/// So many, or so many bytes, in a time (`"100/s"`, `"30/10m"`, `"1MiB/s"`), or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateText {
    /// No limit.
    #[default]
    Off,
    /// A limit.
    On {
        /// So much,
        rate: Rate,
        /// written as bytes or as a plain number.
        is_bytes: bool,
    },
}

/// Why a text is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not an amount and a time.
    #[error("is no rate; write for example \"100/s\", \"30/10m\", \"1MiB/s\" or \"off\"")]
    Shape,
    /// A number alone says nothing: in a second, in a minute?
    #[error("has no time; write for example \"{0}/s\"")]
    NoTime(u64),
    /// Nothing, or more than a node can count.
    #[error("is out of its range: 1 to 1TiB in 1ms to 1d")]
    Range,
}

impl RateText {
    /// So many in that time; for constants within the range.
    pub(crate) const fn of(amount: u64, per: Duration) -> Self {
        let amount = NonZeroU64::new(amount).expect("invariant: a constant above zero");
        Self::On { rate: Rate::new(amount, per), is_bytes: false }
    }

    /// The rate, if there is a limit.
    pub const fn get(self) -> Option<Rate> {
        match self {
            Self::Off => None,
            Self::On { rate, .. } => Some(rate),
        }
    }
}

impl FromStr for RateText {
    type Err = RateError;
    fn from_str(text: &str) -> Result<Self, RateError> {
        let text = text.trim();
        if text == "off" {
            return Ok(Self::Off);
        }
        let Some((amount, per)) = text.split_once('/') else {
            return Err(text.parse().map_or(RateError::Shape, RateError::NoTime));
        };
        let (amount, per) = (amount.trim(), per.trim());
        let is_bytes = !amount.bytes().all(|byte| byte.is_ascii_digit());
        let amount = amount.parse::<ByteSize>().map_err(|_| RateError::Shape)?.get();
        let per = if per.starts_with(|c: char| c.is_ascii_digit()) {
            per.parse::<Span>()
        } else {
            format!("1{per}").parse::<Span>()
        };
        let per = per.map_err(|_| RateError::Shape)?.get();
        let amount = NonZeroU64::new(amount).filter(|amount| amount.get() <= AMOUNT_MAX);
        match amount {
            Some(amount) if !per.is_zero() && per <= PER_MAX => {
                Ok(Self::On { rate: Rate::new(amount, per), is_bytes })
            }
            Some(_) | None => Err(RateError::Range),
        }
    }
}

impl fmt::Display for RateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::On { rate, is_bytes } = self else { return f.write_str("off") };
        let per = Span::from(rate.per()).to_string();
        let one =
            per.strip_prefix('1').filter(|unit| unit.bytes().all(|b| b.is_ascii_alphabetic()));
        let per = one.unwrap_or(&per);
        if *is_bytes {
            write!(f, "{}/{per}", ByteSize::bytes(rate.amount()))
        } else {
            write!(f, "{}/{per}", rate.amount())
        }
    }
}

impl JsonSchema for RateText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "rate or \"off\"",
            "anyOf": [
                {
                    "type": "string",
                    "pattern": r"^\s*[0-9]+\s*([KMGTkmgt]?[Ii]?[Bb])?\s*/\s*[0-9]*\s*(d|h|m|s|ms)\s*$",
                },
                { "const": "off" },
            ],
        })
    }
}

text_value!(RateText, "a rate such as \"100/s\", or \"off\"", |number| Err(RateError::NoTime(
    number
)));

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RateError, RateText};

    #[test]
    fn a_rate_is_an_amount_in_a_time() {
        let parts = |text: &str| {
            let rate = text.parse::<RateText>().unwrap().get().unwrap();
            (rate.amount(), rate.per())
        };
        assert_eq!(parts("100/s"), (100, Duration::from_secs(1)));
        assert_eq!(parts(" 30 / 10m "), (30, Duration::from_mins(10)));
        assert_eq!(parts("1MiB/s"), (1 << 20, Duration::from_secs(1)));
        assert_eq!("off".parse(), Ok(RateText::Off));
        let fault = |text: &str| text.parse::<RateText>().unwrap_err();
        assert_eq!(fault("100"), RateError::NoTime(100));
        for text in ["", "s", "/s", "100/", "100/x", "x/s", "-1/s", "1.5/s", "never"] {
            assert_eq!(fault(text), RateError::Shape, "{text}");
        }
        for text in ["0/s", "1/0s", "1/25h", "2TiB/s"] {
            assert_eq!(fault(text), RateError::Range, "{text}");
        }
    }

    #[test]
    fn a_rate_is_shown_as_it_would_be_written() {
        for text in ["100/s", "30/10m", "5/h", "1MiB/s", "500/250ms", "15/1m30s", "off"] {
            assert_eq!(text.parse::<RateText>().unwrap().to_string(), text);
        }
    }
}
