//! What a subscribing client has asked for and received. Pure.

use std::collections::{BTreeMap, VecDeque};

use plexus_session::Ticket;
use plexus_types::Instant;

use crate::ledger::{Arrival, Stream};

/// The receiving side of one client.
#[derive(Debug, Default)]
pub(super) struct Subscriber {
    /// Whether it is to subscribe although it is ready: in a step of its own.
    pub(super) is_on: bool,
    /// Filters asked for so far.
    pub(super) asked: u32,
    /// Filters answered so far.
    pub(super) answered: u32,
    /// SUBSCRIBEs without answer, and how many filters each has.
    pub(super) pending: VecDeque<(Ticket, Instant, u32)>,
    streams: Streams,
}

/// What came, by publisher. Most subscribers hear of one.
#[derive(Debug, Default)]
struct Streams {
    one: Option<(u32, Stream)>,
    more: Option<Box<BTreeMap<u32, Stream>>>,
}

impl Subscriber {
    /// A message came. The first of a publisher that is `joined` may be any.
    pub(super) fn arrive(&mut self, publisher: u32, sequence: u32, joined: bool) -> Arrival {
        let begin = || if joined { Stream::starting_at(sequence) } else { Stream::default() };
        let Streams { one, more } = &mut self.streams;
        let stream = match one {
            Some((known, stream)) if *known == publisher => stream,
            Some(_) => more.get_or_insert_default().entry(publisher).or_insert_with(begin),
            None => &mut one.insert((publisher, begin())).1,
        };
        stream.arrive(sequence)
    }

    /// Messages that were left out before the last that came, of publishers that `counts` names.
    pub(super) fn gaps(&self, counts: impl Fn(u32) -> bool) -> u64 {
        let one = self.streams.one.iter().map(|(publisher, stream)| (*publisher, stream));
        let more = self.streams.more.iter().flat_map(|more| more.iter());
        let all = one.chain(more.map(|(publisher, stream)| (*publisher, stream)));
        all.filter(|(publisher, _)| counts(*publisher)).map(|(_, stream)| stream.gaps()).sum()
    }

    /// SUBACK came; when it was asked for and for how many filters.
    pub(super) fn settled(&mut self, ticket: Ticket) -> Option<(Instant, u32)> {
        let place = self.pending.iter().position(|(open, ..)| *open == ticket)?;
        let (_, asked, filters) = self.pending.remove(place)?;
        self.answered += filters;
        Some((asked, filters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_of_publishers_are_apart() {
        let mut subscriber = Subscriber::default();
        for publisher in [7, 3, 9] {
            assert_eq!(subscriber.arrive(publisher, 0, false), Arrival::Fresh);
            assert_eq!(subscriber.arrive(publisher, 2, false), Arrival::Fresh);
            assert_eq!(subscriber.arrive(publisher, 2, false), Arrival::Duplicate);
        }
        assert_eq!(subscriber.arrive(9, 1, false), Arrival::Late);
        assert_eq!(subscriber.gaps(|_| true), 2);
        assert_eq!(subscriber.gaps(|publisher| publisher == 3), 1);
    }

    #[test]
    fn who_joins_late_has_missed_nothing() {
        let mut subscriber = Subscriber::default();
        assert_eq!(subscriber.arrive(7, 1_000, true), Arrival::Fresh);
        assert_eq!(subscriber.arrive(7, 1_002, true), Arrival::Fresh);
        assert_eq!(subscriber.gaps(|_| true), 1);
    }
}
