//! Book-keeping of what was promised and what arrived: gaps, duplicates, order, open windows.

use std::collections::{BTreeSet, VecDeque};

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

    /// Messages that were left out before the last one that came.
    pub(crate) fn gaps(&self) -> u64 {
        self.missing.len() as u64 + self.forgotten
    }

    /// How many of `published` messages never came.
    pub(crate) fn lost(&self, published: u32) -> u64 {
        let tail = u64::from(published.saturating_sub(self.next));
        self.missing.len() as u64 + self.forgotten + tail
    }
}

/// The messages of one publisher that are not settled yet: each waits for its deliveries and, above
/// QoS 0, for its acknowledgement.
#[derive(Debug, Default)]
pub(crate) struct OpenWindow {
    first: u32,
    waiting: VecDeque<u32>,
}

impl OpenWindow {
    /// The next sequence number; it waits for `events` events.
    pub(crate) fn open(&mut self, events: u32) -> u32 {
        let sequence = self.published();
        self.waiting.push_back(events);
        sequence
    }

    /// Notes one event; true when it was the last one that the message waited for.
    pub(crate) fn settle(&mut self, sequence: u32) -> bool {
        let Some(offset) = sequence.checked_sub(self.first) else { return false };
        let Some(waiting) = self.waiting.get_mut(offset as usize) else { return false };
        if *waiting == 0 {
            return false;
        }
        *waiting -= 1;
        let settled = *waiting == 0;
        while self.waiting.front() == Some(&0) {
            self.waiting.pop_front();
            self.first += 1;
        }
        settled
    }

    /// Gives up on everything that is open and tells how many messages that were.
    pub(crate) fn write_off(&mut self) -> usize {
        let open = self.waiting.iter().filter(|waiting| **waiting > 0).count();
        self.first = self.published();
        self.waiting.clear();
        open
    }

    /// Messages opened so far.
    pub(crate) fn published(&self) -> u32 {
        self.first + self.waiting.len() as u32
    }

    /// Whether nothing is open.
    pub(crate) fn is_settled(&self) -> bool {
        self.waiting.is_empty()
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
        assert_eq!(stream.lost(7), 3, "3 in the gap, 5 and 6 at the end");
    }

    #[test]
    fn gaps_beyond_the_limit_still_count_as_lost() {
        let mut stream = Stream::default();
        stream.arrive(100_000);
        assert_eq!(stream.lost(100_001), 100_000);
        assert_eq!(stream.missing.len(), Stream::MISSING_MAX);
    }

    #[test]
    fn a_window_settles_each_message_once() {
        let mut window = OpenWindow::default();
        let (first, second) = (window.open(2), window.open(1));
        assert!(!window.settle(first));
        assert!(window.settle(second));
        assert!(!window.settle(second), "a message settles once");
        assert!(window.settle(first));
        assert!(window.is_settled());
        assert_eq!(window.published(), 2);
    }

    #[test]
    fn a_written_off_message_settles_no_more() {
        let mut window = OpenWindow::default();
        let first = window.open(1);
        assert_eq!(window.write_off(), 1);
        assert!(!window.settle(first));
        assert_eq!(window.open(1), 1);
    }
}
