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
    /// Connections so far.
    joins: u32,
    /// When the latest of them was accepted.
    joined: Instant,
    streams: Streams,
}

/// What came, by publisher and the number of its topic. Most subscribers hear of one.
#[derive(Debug, Default)]
struct Streams {
    one: Option<(Lane, Track)>,
    more: BTreeMap<Lane, Track>,
}

/// A publisher, and which of its topics.
type Lane = (u32, u32);

/// What is remembered of a publisher's messages.
#[derive(Debug)]
enum Track {
    /// They come in order.
    Ordered(Stream),
    /// They come in order while the client is there; with the number of the connection that got the
    /// last one.
    Passing(Stream, u32),
    /// The same where the broker may have kept some of what came meanwhile, and need not: no gap is a loss.
    Kept(Stream, u32),
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
    /// From whichever comes first on each connection: what came meanwhile was not for it.
    Passing,
    /// The same, though some of it may come.
    Kept,
    /// In whatever order.
    Spread,
}

impl Subscriber {
    /// A message came, with its number on its topic. The order is asked for the first one of each.
    pub(super) fn arrive(
        &mut self,
        lane: Lane,
        sequence: u32,
        order: impl FnOnce() -> Order,
    ) -> Arrival {
        let joins = self.joins;
        let begin = || match order() {
            Order::Passing => Track::Passing(Stream::starting_at(sequence), joins),
            Order::Kept => Track::Kept(Stream::starting_at(sequence), joins),
            Order::Whole => Track::Ordered(Stream::default()),
            Order::Joined => Track::Ordered(Stream::starting_at(sequence)),
            Order::Spread => Track::Spread(Seen::default()),
        };
        let Streams { one, more } = &mut self.streams;
        let track = match one {
            Some((known, track)) if *known == lane => track,
            Some(_) => more.entry(lane).or_insert_with(begin),
            None => &mut one.insert((lane, begin())).1,
        };
        match track {
            Track::Ordered(stream) => stream.arrive(sequence),
            Track::Passing(stream, joined) | Track::Kept(stream, joined) => {
                if *joined != joins {
                    *joined = joins;
                    stream.join(sequence);
                }
                stream.arrive(sequence)
            }
            Track::Spread(seen) => {
                let is_new = seen.note(sequence);
                if is_new { Arrival::Fresh } else { Arrival::Duplicate }
            }
        }
    }

    /// It is connected once more, and what it missed meanwhile was not for it.
    pub(super) fn join(&mut self, now: Instant) {
        self.joins += 1;
        self.joined = now;
    }

    /// Whether it was there when a message was due, so that the time until it came is one of delivery.
    pub(super) fn was_there(&self, due: Instant) -> bool {
        due >= self.joined
    }

    /// By publisher, messages that were left out before the last that came: of publishers that `counts`
    /// names and of those whose messages it hears only while it is there.
    pub(super) fn gaps(&self, counts: impl Fn(u32) -> bool) -> impl Iterator<Item = (u32, u64)> {
        let one = self.streams.one.iter().map(|(lane, track)| (lane, track));
        let all = one.chain(&self.streams.more);
        all.map(move |((publisher, _), track)| match track {
            Track::Passing(stream, _) => (*publisher, stream.gaps()),
            Track::Ordered(stream) if counts(*publisher) => (*publisher, stream.gaps()),
            // How many were to come is known, or they may have gone to topics that nobody asked for.
            Track::Ordered(_) | Track::Spread(_) | Track::Kept(..) => (*publisher, 0),
        })
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
    use super::{
        Arrival::{Duplicate, Fresh, Late},
        *,
    };

    fn gaps(subscriber: &Subscriber, counts: impl Fn(u32) -> bool) -> u64 {
        subscriber.gaps(counts).map(|(_, gaps)| gaps).sum()
    }

    #[test]
    fn the_streams_of_publishers_are_apart() {
        let mut subscriber = Subscriber::default();
        for publisher in [7, 3, 9] {
            let mut arrive =
                |sequence| subscriber.arrive((publisher, 0), sequence, || Order::Whole);
            assert_eq!([0, 2, 2].map(&mut arrive), [Fresh, Fresh, Duplicate]);
        }
        assert_eq!(subscriber.arrive((9, 0), 1, || Order::Whole), Late);
        assert_eq!(subscriber.arrive((9, 1), 0, || Order::Whole), Fresh, "another topic");
        assert_eq!(gaps(&subscriber, |_| true), 2);
        assert_eq!(gaps(&subscriber, |publisher| publisher == 3), 1);
    }

    #[test]
    fn messages_of_several_topics_come_in_any_order() {
        let mut subscriber = Subscriber::default();
        let arrivals =
            [5, 0, 3, 5].map(|sequence| subscriber.arrive((7, 0), sequence, || Order::Spread));
        let [.., last] = arrivals;
        assert_eq!(last, Duplicate);
        assert_eq!(arrivals[..3], [Fresh; 3]);
        assert_eq!(gaps(&subscriber, |_| true), 0);
    }

    #[test]
    fn who_comes_and_goes_has_missed_only_what_came_while_it_was_there() {
        let mut subscriber = Subscriber::default();
        let arrive =
            |subscriber: &mut Subscriber, n| subscriber.arrive((7, 0), n, || Order::Passing);
        assert_eq!([3, 4, 6].map(|n| arrive(&mut subscriber, n)), [Fresh; 3], "5 is lost");
        subscriber.join(Instant::from_secs(9));
        assert_eq!([20, 21].map(|n| arrive(&mut subscriber, n)), [Fresh; 2]);
        subscriber.join(Instant::from_secs(9));
        assert_eq!([21, 22].map(|n| arrive(&mut subscriber, n)), [Duplicate, Fresh]);
        assert_eq!(gaps(&subscriber, |_| false), 1);
    }

    #[test]
    fn the_time_of_what_was_due_while_nobody_was_there_is_none_of_delivery() {
        let mut subscriber = Subscriber::default();
        subscriber.join(Instant::from_secs(5));
        subscriber.join(Instant::from_secs(9));
        let dues = [6, 8, 9, 10].map(Instant::from_secs);
        assert_eq!(dues.map(|due| subscriber.was_there(due)), [false, false, true, true]);
    }

    #[test]
    fn what_a_broker_kept_of_qos_0_was_owed_to_nobody() {
        let mut subscriber = Subscriber::default();
        let arrive = |subscriber: &mut Subscriber, n| subscriber.arrive((7, 0), n, || Order::Kept);
        arrive(&mut subscriber, 3);
        subscriber.join(Instant::from_secs(9));
        // It kept two, and the rest is of after the client came.
        let arrivals = [4, 5, 90, 90].map(|n| arrive(&mut subscriber, n));
        assert_eq!(arrivals, [Fresh, Fresh, Fresh, Duplicate]);
        assert_eq!(gaps(&subscriber, |_| true), 0);
    }

    #[test]
    fn who_joins_late_has_missed_nothing() {
        let mut subscriber = Subscriber::default();
        let arrivals = [1_000, 1_002].map(|n| subscriber.arrive((7, 0), n, || Order::Joined));
        assert_eq!(arrivals, [Fresh; 2]);
        assert_eq!(gaps(&subscriber, |_| true), 1);
    }
}
