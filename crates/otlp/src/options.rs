use std::time::Duration;

use plexus_access::Wildcard;
use plexus_types::TopicFilter;

/// What is sent, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// `service.name`.
    pub service: String,
    /// `service.instance.id`: the name of the node.
    pub instance: String,
    /// `service.version`.
    pub version: String,
    /// How long a request may take.
    pub timeout: Duration,
    /// Traces of messages, if any.
    pub traces: Option<TraceOptions>,
    /// How often metrics are sent, if they are.
    pub metrics: Option<Duration>,
    /// Whether the log of the node is sent.
    pub logs: bool,
}

/// Which messages are traced.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// How many of those of which nobody else has decided.
    pub ratio: Ratio,
    /// What a message with `traceparent` means.
    pub follow: Follow,
    /// The topics, as clients know them; all where there is no filter.
    pub topics: Vec<TopicFilter>,
    /// The clients whose messages are meant; all where nothing is said.
    pub clients: Vec<Wildcard>,
}

/// What is made of a message that says by `traceparent` to which trace it belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Follow {
    /// It is traced where its sampled flag is set.
    #[default]
    Sampled,
    /// It is traced.
    Always,
    /// As of one without.
    Never,
}

/// A part of all, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio(u32);

const WHOLE: u32 = 1_000_000_000;

impl Ratio {
    /// Everything.
    pub const ALL: Self = Self(WHOLE);

    /// So many billionths; what is more than all is all.
    pub const fn billionths(parts: u32) -> Self {
        Self(if parts > WHOLE { WHOLE } else { parts })
    }

    /// Whether a number that is anywhere with the same chance is within this part.
    pub(crate) fn holds(self, chance: u64) -> bool {
        // The highest part of the product is the number stretched to billionths.
        let stretched = (u128::from(chance) * u128::from(WHOLE)) >> 64;
        stretched < u128::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Ratio, WHOLE};

    #[test]
    fn a_ratio_holds_its_part() {
        assert!(Ratio::ALL.holds(u64::MAX) && Ratio::ALL.holds(0));
        assert!(!Ratio::billionths(0).holds(0));
        assert!(Ratio::billionths(1).holds(0) && !Ratio::billionths(1).holds(1 << 40));
        assert!(Ratio::billionths(WHOLE / 2).holds(u64::MAX / 2 - 1));
        assert!(!Ratio::billionths(WHOLE / 2).holds(u64::MAX / 2 + 1));
        assert_eq!(Ratio::billionths(u32::MAX), Ratio::ALL);
    }
}
