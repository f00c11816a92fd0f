use std::{borrow::Cow, fmt, str::FromStr};

use plexus_stdx::calendar;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// A moment of UTC: `"2026-12-31T18:00:00Z"`, or the beginning of a day, `"2026-12-31"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no moment of UTC; write for example \"2026-12-31T18:00:00Z\" or \"2026-12-31\"")]
pub struct MomentError;

impl Moment {
    /// Seconds since 1970.
    pub const fn secs(self) -> u64 {
        self.0
    }
}

impl FromStr for Moment {
    type Err = MomentError;
    fn from_str(text: &str) -> Result<Self, MomentError> {
        calendar::parse(text.trim()).map(Self).ok_or(MomentError)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}Z", calendar::day(self.0), calendar::time(self.0))
    }
}

impl JsonSchema for Moment {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "moment",
            "type": "string",
            "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?\s*$",
        })
    }
}

text_value!(Moment, "a moment such as \"2026-12-31T18:00:00Z\", in quotes", |_number| Err(
    MomentError
));
