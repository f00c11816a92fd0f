//! What sizes and durations are allowed, once for the check and for the reference page.

use std::{fmt, time::Duration};

use crate::value::{ByteSize, Span};

/// The largest packet that the protocol can carry: a fixed header and 268,435,455 bytes.
const PACKET_SIZE_MAX: u64 = 268_435_460;
/// Smaller than this, a CONNACK with all its properties would not fit.
const PACKET_SIZE_MIN: u64 = 128;
const DAY: u64 = 24 * 60 * 60;

/// The least and the most of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// Bytes.
    Size(u64, u64),
    /// Any time between the two.
    Time(Duration, Duration),
    /// Time that MQTT carries as a number of seconds.
    Seconds(u64, u64),
}

/// The keys that have one; `*` is any back end.
const RANGES: &[(&str, Range)] = &[
    // Whom a back end does not know any more is let in for so long at most.
    ("access.*.remember", Range::Time(Duration::from_secs(1), Duration::from_secs(DAY))),
    // A newcomer has ten seconds for all of it.
    ("access.*.timeout", Range::Time(Duration::from_millis(10), Duration::from_secs(10))),
    ("access.flapping.ban", Range::Time(Duration::from_secs(1), Duration::from_secs(365 * DAY))),
    ("access.remember_answers", Range::Time(Duration::from_secs(1), Duration::from_secs(DAY))),
    ("access.jwt.key_set_refresh", Range::Time(Duration::from_secs(10), Duration::from_secs(DAY))),
    ("access.jwt.leeway", Range::Time(Duration::ZERO, Duration::from_hours(1))),
    ("access.lockout.first", Range::Time(Duration::from_millis(1), Duration::from_secs(DAY))),
    ("access.lockout.longest", Range::Time(Duration::from_millis(1), Duration::from_secs(DAY))),
    ("access.tenant.max_retained_bytes", Range::Size(0, 1 << 50)),
    ("audit.max_file_size", Range::Size(1 << 10, 1 << 30)),
    ("limits.connect_timeout", Range::Time(Duration::from_millis(1), Duration::from_secs(DAY))),
    ("limits.max_handshake_bytes", Range::Size(0, 1 << 40)),
    ("limits.max_queued_bytes", Range::Size(0, 1 << 50)),
    ("limits.max_write_buffer", Range::Size(1_024, 1 << 40)),
    ("mqtt.max_keep_alive", Range::Seconds(1, u16::MAX as u64)),
    ("mqtt.max_packet_size", Range::Size(PACKET_SIZE_MIN, PACKET_SIZE_MAX)),
    // The highest number means "never", so the longest time is one below it.
    ("mqtt.max_queue_age", Range::Seconds(1, u32::MAX as u64 - 1)),
    ("mqtt.max_queue_bytes", Range::Size(0, 1 << 50)),
    ("mqtt.max_session_expiry", Range::Seconds(0, u32::MAX as u64 - 1)),
    ("mqtt.server_keep_alive", Range::Seconds(1, u16::MAX as u64)),
    ("mqtt.session_expiry_3x", Range::Seconds(0, u32::MAX as u64 - 1)),
    ("node.shutdown_grace", Range::Time(Duration::ZERO, Duration::from_secs(DAY))),
    ("retained.max_message_size", Range::Size(0, 1 << 40)),
    ("store.max_size", Range::Size(0, 1 << 50)),
    ("store.segment_size", Range::Size(1 << 20, 1 << 30)),
    ("sys.interval", Range::Time(Duration::from_secs(1), Duration::from_secs(365 * DAY))),
    ("telemetry.metrics.interval", Range::Time(Duration::from_secs(1), Duration::from_secs(DAY))),
    ("telemetry.timeout", Range::Time(Duration::from_millis(10), Duration::from_mins(1))),
    ("tls.crl_refresh", Range::Time(Duration::from_secs(1), Duration::from_hours(24 * 7))),
    ("tls.reload_interval", Range::Time(Duration::from_secs(1), Duration::from_hours(1))),
];

/// The range of a key, whether it is the node's or a listener's own.
pub(crate) fn range_of(path: &str) -> Option<Range> {
    let path = match path.strip_prefix("listener.") {
        Some("connect_timeout") => "limits.connect_timeout",
        Some(rest) => rest,
        None => path,
    };
    RANGES.iter().find(|(key, _)| is_meant(key, path)).map(|(_, range)| *range)
}

fn is_meant(key: &str, path: &str) -> bool {
    match key.split_once('*') {
        None => key == path,
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|kind| !kind.contains('.')),
    }
}

impl Range {
    /// Why that many bytes are not allowed, if they are not.
    pub(crate) fn size(self, size: ByteSize) -> Option<&'static str> {
        match self {
            Self::Size(least, most) if (least..=most).contains(&size.get()) => None,
            Self::Size(..) | Self::Time(..) | Self::Seconds(..) => Some("out of its range"),
        }
    }

    /// Why that time is not allowed, if it is not.
    pub(crate) fn time(self, span: Span) -> Option<&'static str> {
        let fits = match self {
            Self::Time(least, most) => (least..=most).contains(&span.get()),
            Self::Seconds(least, most) => match span.whole_secs() {
                Some(seconds) => (least..=most).contains(&seconds),
                None => return Some("but MQTT carries whole seconds"),
            },
            Self::Size(..) => false,
        };
        (!fits).then_some("out of its range")
    }
}

/// As it goes on behind "duration" and "size".
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Size(least, most) => {
                write!(f, "from {} to {}", ByteSize::bytes(least), ByteSize::bytes(most))
            }
            Self::Time(least, most) => {
                write!(f, "from {} to {}", Span::from(least), Span::from(most))
            }
            Self::Seconds(least, most) => {
                write!(f, "in whole seconds from {} to {}", Span::secs(least), Span::secs(most))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RANGES, is_meant, range_of};
    use crate::{schema::keys, value::Span};

    #[test]
    fn every_size_and_duration_has_a_range() {
        let keys = keys();
        for key in keys.iter().filter(|key| !key.is_table) {
            let measured = key.kind.starts_with("size") || key.kind.starts_with("duration");
            assert_eq!(range_of(&key.path).is_some(), measured, "{}", key.path);
        }
        for (path, _) in RANGES {
            assert!(keys.iter().any(|key| is_meant(path, &key.path)), "{path} is no key");
        }
    }

    #[test]
    fn what_mqtt_carries_in_seconds_is_not_rounded() {
        let keep_alive = range_of("listener.mqtt.server_keep_alive").unwrap();
        let verdict = |text: &str| keep_alive.time(text.parse::<Span>().unwrap());
        assert_eq!(verdict("500ms"), Some("but MQTT carries whole seconds"));
        assert_eq!(verdict("1s1ms"), Some("but MQTT carries whole seconds"));
        assert_eq!(verdict("0s"), Some("out of its range"));
        assert_eq!(verdict("65536s"), Some("out of its range"));
        assert_eq!((verdict("1s"), verdict("1000ms"), verdict("65535s")), (None, None, None));
        let interval = range_of("sys.interval").unwrap();
        assert_eq!(interval.time("999ms".parse().unwrap()), Some("out of its range"));
        assert_eq!(interval.time("1500ms".parse().unwrap()), None);
    }
}
