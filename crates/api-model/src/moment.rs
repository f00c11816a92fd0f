use std::{borrow::Cow, fmt};

use plexus_stdx::calendar;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A moment, written as RFC 3339 has it, in UTC: `2026-11-30T12:00:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    millis: u64,
}

impl Moment {
    /// So many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// How many that are.
    pub const fn millis(self) -> u64 {
        self.millis
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.millis / 1_000;
        let (day, time) = (calendar::day(seconds), calendar::time(seconds));
        write!(f, "{day}T{time}.{:03}Z", self.millis % 1_000)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        read(&text).ok_or_else(|| Error::custom("expected a moment such as 2026-11-30T12:00:00Z"))
    }
}

fn read(text: &str) -> Option<Moment> {
    let (whole, part) = match text.strip_suffix('Z').and_then(|text| text.split_once('.')) {
        Some((whole, part)) => (calendar::parse(&format!("{whole}Z"))?, part),
        None => (calendar::parse(text)?, "0"),
    };
    let digits = part.bytes().all(|byte| byte.is_ascii_digit()) && !part.is_empty();
    let thousandths = digits.then(|| format!("{part:0<3}"))?;
    let thousandths: u64 = thousandths.get(..3)?.parse().ok()?;
    Some(Moment::from_millis(whole.checked_mul(1_000)? + thousandths))
}

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "A moment in UTC, such as 2026-11-30T12:00:00.000Z.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, read};

    #[test]
    fn what_is_written_is_read() {
        for millis in [0, 1, 999, 1_000, 1_798_761_600_123] {
            let moment = Moment::from_millis(millis);
            assert_eq!(read(&moment.to_string()), Some(moment));
        }
        assert_eq!(read("2026-11-30T12:00:00Z"), read("2026-11-30T12:00:00.000Z"));
        assert_eq!(read("2026-11-30T12:00:00.5Z"), read("2026-11-30T12:00:00.500Z"));
        for wrong in
            ["", "yesterday", "2026-11-30T12:00:00.Z", "2026-11-30T12:00:00.-1Z", "2026-13-01"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
