//! Names of traces and spans that follow from the message alone, so that no shard has to tell another.

use aws_lc_rs::digest::{SHA256, digest};
use plexus_stdx::Seed;

use crate::context::{SpanId, TraceId};

/// Makes the names of a node's traces and spans.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids(Seed);

/// What a number is drawn for.
#[derive(Debug, Clone, Copy)]
enum Draw {
    Chance,
    TraceHigh,
    TraceLow,
    Publish,
}

impl Ids {
    /// Those of a node that hashes with that seed. From what everybody sees of it nobody learns the seed, by which he
    /// could make others' names collide.
    pub(crate) fn new(seed: Seed) -> Self {
        let mut input = b"plexus trace".to_vec();
        input.extend_from_slice(&seed.value().to_be_bytes());
        let hashed = digest(&SHA256, &input);
        let first = hashed.as_ref().first_chunk().copied().unwrap_or_default();
        Self(Seed::new(u64::from_be_bytes(first)))
    }

    fn draw(self, message: u64, what: Draw) -> u64 {
        self.0.hash(&(message, what as u8))
    }

    /// A number by which it is decided whether the message is sampled: each value is as likely as any other.
    pub(crate) fn chance(self, message: u64) -> u64 {
        self.draw(message, Draw::Chance)
    }

    /// The trace of a message that belongs to no other.
    pub(crate) fn trace(self, message: u64) -> TraceId {
        let (high, low) = (self.draw(message, Draw::TraceHigh), self.draw(message, Draw::TraceLow));
        TraceId((u128::from(high) << 64 | u128::from(low)).max(1).to_be_bytes())
    }

    /// The span in which the node took the message.
    pub(crate) fn publish(self, message: u64) -> SpanId {
        span(self.draw(message, Draw::Publish))
    }

    /// Another span, of which that is known.
    pub(crate) fn other(self, known: &impl std::hash::Hash) -> SpanId {
        span(self.0.hash(known))
    }
}

fn span(number: u64) -> SpanId {
    SpanId(number.max(1).to_be_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use plexus_stdx::Seed;

    use super::Ids;

    #[test]
    fn names_follow_from_the_message_and_differ() {
        let (one, other) = (Ids::new(Seed::new(1)), Ids::new(Seed::new(2)));
        assert_eq!(one.trace(7), Ids::new(Seed::new(1)).trace(7));
        assert_ne!(one.trace(7), other.trace(7));
        let all: BTreeSet<_> =
            (0..1_000).flat_map(|id| [one.publish(id).0, other.publish(id).0]).collect();
        assert_eq!(all.len(), 2_000);
        let half = (0..10_000).filter(|id| one.chance(*id) < u64::MAX / 2).count();
        assert!((4_700..5_300).contains(&half), "{half}");
    }
}
