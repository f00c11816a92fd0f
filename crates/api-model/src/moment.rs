use std::{borrow::Cow, fmt};

use plexus_stdx::calendar;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A moment, written as RFC 3339 has it, in UTC: `2026-11-30T12:00:00.000Z`; read with other offsets, too.
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
    let Some((before, ahead)) = offset(text) else { return read_utc(text) };
    let local = read_utc(&format!("{before}Z"))?.millis;
    // Where clocks are ahead of UTC, it is earlier there.
    let there = i64::try_from(local).ok()?.checked_sub(ahead * 60_000)?;
    Some(Moment::from_millis(u64::try_from(there).ok()?))
}

/// What stands before an offset such as `+08:00`, and how many minutes clocks are ahead by it (RFC 3339, section 4.2).
fn offset(text: &str) -> Option<(&str, i64)> {
    let (before, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let sign = match zone.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') if before.contains('T') => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let number = |text: &str, below: i64| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| is_number && *number < below)
    };
    Some((before, sign * (number(hours, 24)? * 60 + number(minutes, 60)?)))
}

fn read_utc(text: &str) -> Option<Moment> {
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
        let utc = read("2026-12-31T16:00:00Z");
        assert!(utc.is_some());
        assert_eq!(read("2027-01-01T00:00:00+08:00"), utc);
        assert_eq!(read("2026-12-31T12:30:00.000-03:30"), utc);
        assert_eq!(read("2026-12-31T16:00:00+00:00"), utc);
        for wrong in
            ["2026-12-31T16:00:00+24:00", "2026-12-31T16:00:00+0800", "1970-01-01T00:00:00+00:01"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
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
