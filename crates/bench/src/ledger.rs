//! Book-keeping of what arrived: gaps, duplicates, order.

use std::collections::BTreeSet;

/// What one arrival says about the stream that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The expected message, or one after a gap.
    Fresh,
    /// A message that an earlier gap left out: it came, but after its successor.
    Late,
    /// A message that had come before.
    Duplicate,
}

/// The messages of one publisher as one subscriber sees them.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    next: u32,
    missing: BTreeSet<u32>,
    /// Gaps that no longer fit into `missing`; they count as lost for good.
    forgotten: u64,
}

impl Stream {
    /// Gaps remembered one by one for a stream; beyond this a late message counts as duplicate.
    pub(crate) const MISSING_MAX: usize = 65_536;

    /// Takes note of the message with that sequence number.
    pub(crate) fn arrive(&mut self, sequence: u32) -> Arrival {
        if sequence < self.next {
            return if self.missing.remove(&sequence) { Arrival::Late } else { Arrival::Duplicate };
        }
        for gap in self.next..sequence {
            if self.missing.len() < Self::MISSING_MAX {
                self.missing.insert(gap);
            } else {
                self.forgotten += u64::from(sequence - gap);
                break;
            }
        }
        self.next = sequence.saturating_add(1);
        Arrival::Fresh
    }

    /// A stream that is joined at that message.
    pub(crate) fn starting_at(sequence: u32) -> Self {
        Self { next: sequence, ..Self::default() }
    }

    /// Joined once more at that message: what lies between was not for it.
    pub(crate) fn join(&mut self, sequence: u32) {
        self.next = self.next.max(sequence);
    }

    /// Messages that were left out before the last one that came.
    pub(crate) fn gaps(&self) -> u64 {
        self.missing.len() as u64 + self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Arrival::{Duplicate, Fresh, Late},
        *,
    };

    #[test]
    fn a_stream_tells_gap_late_and_duplicate_apart() {
        let mut stream = Stream::default();
        let arrivals: Vec<_> = [0, 1, 4, 2, 2, 4].map(|n| stream.arrive(n)).into();
        assert_eq!(arrivals, [Fresh, Fresh, Fresh, Late, Duplicate, Duplicate]);
        assert_eq!(stream.gaps(), 1, "3 never came");
    }

    #[test]
    fn gaps_beyond_the_limit_still_count_as_lost() {
        let mut stream = Stream::default();
        stream.arrive(100_000);
        assert_eq!(stream.gaps(), 100_000);
        assert_eq!(stream.missing.len(), Stream::MISSING_MAX);
    }
}
