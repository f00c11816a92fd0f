use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// A length of time: `"15s"`, `"250ms"`, `"2h"`, `"1d12h"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(Duration);

/// A length of time, or `"never"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpanOrNever {
    /// After that time.
    After(Span),
    /// Not at all.
    Never,
}

const UNITS: &[(&str, u64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

const SHAPE: &str = r"^\s*([0-9]+\s*(d|h|m|s|ms)\s*)+$";

/// Why a text is no length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Not numbers with units.
    #[error("is no duration; write for example \"250ms\", \"15s\", \"2h\" or \"1d12h\"")]
    Shape,
    /// A number alone says nothing: seconds, milliseconds?
    #[error("has no unit; write for example \"{0}s\" for seconds")]
    NoUnit(u64),
    /// More than 64 bits of milliseconds.
    #[error("is longer than anybody will wait")]
    TooLong,
}

impl Span {
    /// That many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self(Duration::from_secs(secs))
    }

    /// As the standard library has it.
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Whole seconds, a begun one counted.
    pub const fn secs_ceil(self) -> u64 {
        self.0.as_secs() + if self.0.subsec_nanos() > 0 { 1 } else { 0 }
    }

    /// The number of seconds, if they are whole.
    pub const fn whole_secs(self) -> Option<u64> {
        if self.0.subsec_nanos() == 0 { Some(self.0.as_secs()) } else { None }
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl SpanOrNever {
    /// That many seconds.
    pub const fn secs(secs: u64) -> Self {
        Self::After(Span::secs(secs))
    }

    /// The time, if there is one.
    pub const fn get(self) -> Option<Span> {
        match self {
            Self::After(span) => Some(span),
            Self::Never => None,
        }
    }
}

impl FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let mut rest = text.trim();
        let mut millis = 0_u64;
        if rest.is_empty() {
            return Err(SpanError::Shape);
        }
        while !rest.is_empty() {
            let (number, tail) = take(rest, |c| c.is_ascii_digit());
            let (unit, tail) = take(tail.trim_start(), |c| c.is_ascii_alphabetic());
            let number = match number.parse::<u64>() {
                Ok(number) => number,
                Err(_) if number.is_empty() => return Err(SpanError::Shape),
                Err(_) => return Err(SpanError::TooLong),
            };
            if unit.is_empty() && tail.is_empty() {
                return Err(SpanError::NoUnit(number));
            }
            let factor = UNITS.iter().find(|(name, _)| *name == unit).ok_or(SpanError::Shape)?.1;
            millis = number
                .checked_mul(factor)
                .and_then(|part| millis.checked_add(part))
                .ok_or(SpanError::TooLong)?;
            rest = tail.trim_start();
        }
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl FromStr for SpanOrNever {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        if text.trim() == "never" { Ok(Self::Never) } else { text.parse().map(Self::After) }
    }
}

fn take(text: &str, wanted: fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0s");
        }
        for (unit, factor) in UNITS {
            if millis >= *factor {
                write!(f, "{}{unit}", millis / factor)?;
                millis %= factor;
            }
        }
        Ok(())
    }
}

impl fmt::Display for SpanOrNever {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => fmt::Display::fmt(span, f),
            Self::Never => f.write_str("never"),
        }
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "duration", "type": "string", "pattern": SHAPE })
    }
}

impl JsonSchema for SpanOrNever {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "SpanOrNever".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "duration or \"never\"",
            "anyOf": [
                { "type": "string", "pattern": SHAPE },
                { "const": "never" },
            ],
        })
    }
}

text_value!(Span, "a duration such as \"15s\" or \"2h\"", |number| Err(SpanError::NoUnit(number)));
text_value!(SpanOrNever, "a duration such as \"15s\", or \"never\"", |number| Err(
    SpanError::NoUnit(number)
));
