//! What a subscribing client has asked for and received. Pure.

use std::collections::{BTreeMap, VecDeque};

use plexus_session::Ticket;
use plexus_types::Instant;

use crate::{
    ledger::{Arrival, Stream},
    seen::Seen,
};

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
    one: Option<(u32, Track)>,
    more: BTreeMap<u32, Track>,
}

/// What is remembered of a publisher's messages.
#[derive(Debug)]
enum Track {
    /// They come in order.
    Ordered(Stream),
    /// They come over several topics, in whatever order.
    Spread(Seen),
}

/// How to look at a publisher's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// From the first one on.
    Whole,
    /// From whichever comes first: it began before.
    Joined,
    /// In whatever order.
    Spread,
}

impl Subscriber {
    /// A message came. The order is asked for the first one of each publisher.
    pub(super) fn arrive(
        &mut self,
        publisher: u32,
        sequence: u32,
        order: impl FnOnce() -> Order,
    ) -> Arrival {
        let begin = || match order() {
            Order::Whole => Track::Ordered(Stream::default()),
            Order::Joined => Track::Ordered(Stream::starting_at(sequence)),
            Order::Spread => Track::Spread(Seen::default()),
        };
        let Streams { one, more } = &mut self.streams;
        let track = match one {
            Some((known, track)) if *known == publisher => track,
            Some(_) => more.entry(publisher).or_insert_with(begin),
            None => &mut one.insert((publisher, begin())).1,
        };
        match track {
            Track::Ordered(stream) => stream.arrive(sequence),
            Track::Spread(seen) => {
                let is_new = seen.note(sequence);
                if is_new { Arrival::Fresh } else { Arrival::Duplicate }
            }
        }
    }

    /// Messages that were left out before the last that came, of publishers that `counts` names.
    pub(super) fn gaps(&self, counts: impl Fn(u32) -> bool) -> u64 {
        let one = self.streams.one.iter().map(|(publisher, track)| (*publisher, track));
        let all = one.chain(self.streams.more.iter().map(|(publisher, track)| (*publisher, track)));
        let gaps = all.filter(|(publisher, _)| counts(*publisher)).map(|(_, track)| match track {
            Track::Ordered(stream) => stream.gaps(),
            // What lies between may have gone to topics that nobody asked for.
            Track::Spread(_) => 0,
        });
        gaps.sum()
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
            assert_eq!(subscriber.arrive(publisher, 0, || Order::Whole), Arrival::Fresh);
            assert_eq!(subscriber.arrive(publisher, 2, || Order::Whole), Arrival::Fresh);
            assert_eq!(subscriber.arrive(publisher, 2, || Order::Whole), Arrival::Duplicate);
        }
        assert_eq!(subscriber.arrive(9, 1, || Order::Whole), Arrival::Late);
        assert_eq!(subscriber.gaps(|_| true), 2);
        assert_eq!(subscriber.gaps(|publisher| publisher == 3), 1);
    }

    #[test]
    fn messages_of_several_topics_come_in_any_order() {
        let mut subscriber = Subscriber::default();
        let arrivals =
            [5, 0, 3, 5].map(|sequence| subscriber.arrive(7, sequence, || Order::Spread));
        let [.., last] = arrivals;
        assert_eq!(last, Arrival::Duplicate);
        assert_eq!(arrivals[..3], [Arrival::Fresh; 3]);
        assert_eq!(subscriber.gaps(|_| true), 0);
    }

    #[test]
    fn who_joins_late_has_missed_nothing() {
        let mut subscriber = Subscriber::default();
        assert_eq!(subscriber.arrive(7, 1_000, || Order::Joined), Arrival::Fresh);
        assert_eq!(subscriber.arrive(7, 1_002, || Order::Joined), Arrival::Fresh);
        assert_eq!(subscriber.gaps(|_| true), 1);
    }
}
