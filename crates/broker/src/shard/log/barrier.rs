//! Who owes whom: messages to other shards that must be kept there, and theirs here.
//!
//! Both ends count the tracked envelopes of each class, because a ring keeps their order, so an
//! envelope needs no number of its own. They are confirmed one by one: what an envelope waits for
//! is only what it has caused itself, its records here and its envelopes to others. If it waited for
//! what happens to stand before it, two shards could wait for each other for ever.

use std::collections::VecDeque;

use plexus_session::LogPosition;

/// The class of an envelope, as far as counting goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What may make its receiver send more.
    Request,
    /// What ends in a session or a table.
    Final,
}

/// Envelopes of one class that are kept, by their numbers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// The class.
    pub class: Class,
    /// The first.
    pub from: u64,
    /// The last.
    pub to: u64,
}

/// What was sent to one shard in one class.
#[derive(Debug, Default)]
struct Sent {
    /// The number of the first in `positions`.
    first: u64,
    /// `None` for those that are confirmed.
    positions: VecDeque<Option<LogPosition>>,
}

impl Sent {
    fn confirm(&mut self, from: u64, to: u64) {
        for number in from.max(self.first)..=to {
            let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
            let Some(position) = self.positions.get_mut(at) else { break };
            *position = None;
        }
        while let Some(None) = self.positions.front() {
            self.positions.pop_front();
            self.first += 1;
        }
    }

    fn first_open(&self) -> Option<LogPosition> {
        self.positions.front().copied().flatten()
    }

    fn has_open_within(&self, after: LogPosition, upto: LogPosition) -> bool {
        let within = |position: &LogPosition| *position > after && *position <= upto;
        self.positions.iter().flatten().any(within)
    }
}

/// Something taken from another shard.
#[derive(Debug, Clone, Copy)]
struct Debt {
    class: Class,
    number: u64,
    /// What it has caused has positions behind the first, up to the second.
    before: LogPosition,
    upto: LogPosition,
}

#[derive(Debug, Default)]
struct Peer {
    requests: Sent,
    finals: Sent,
    /// How many of each class were taken.
    taken: [u64; 2],
    /// Debts that wait for this shard's log alone: they come true in order.
    logged: VecDeque<Debt>,
    /// Debts that wait for other shards too.
    linked: Vec<Debt>,
    news: Vec<Confirmed>,
}

impl Peer {
    fn sent(&mut self, class: Class) -> &mut Sent {
        match class {
            Class::Request => &mut self.requests,
            Class::Final => &mut self.finals,
        }
    }

    fn confirm(&mut self, debt: Debt) {
        let Debt { class, number, .. } = debt;
        if let Some(last) = self.news.last_mut()
            && last.class == class
            && last.to + 1 == number
        {
            last.to = number;
        } else {
            self.news.push(Confirmed { class, from: number, to: number });
        }
    }
}

/// One shard's debts and claims.
#[derive(Debug)]
pub(super) struct Barriers {
    peers: Vec<Peer>,
    /// The shards that wait for a confirmation.
    creditors: u64,
}

impl Barriers {
    pub(super) fn new(shards: u16) -> Self {
        Self { peers: (0..shards).map(|_| Peer::default()).collect(), creditors: 0 }
    }

    pub(super) fn sent(&mut self, to: u16, class: Class, position: LogPosition) {
        if let Some(peer) = self.peers.get_mut(usize::from(to)) {
            peer.sent(class).positions.push_back(Some(position));
        }
    }

    /// An envelope was taken; what it has caused lies behind `before`, up to `upto`.
    pub(super) fn taken(
        &mut self,
        from: u16,
        class: Class,
        before: LogPosition,
        upto: LogPosition,
    ) {
        self.creditors |= 1 << from;
        let linked = self.has_open_within(before, upto);
        let Some(peer) = self.peers.get_mut(usize::from(from)) else { return };
        let [requests, finals] = &mut peer.taken;
        let count = if class == Class::Request { requests } else { finals };
        let debt = Debt { class, number: *count, before, upto };
        *count += 1;
        if upto == before {
            peer.confirm(debt);
        } else if linked {
            peer.linked.push(debt);
        } else {
            peer.logged.push_back(debt);
        }
    }

    fn has_open_within(&self, before: LogPosition, upto: LogPosition) -> bool {
        upto > before
            && self.peers.iter().any(|peer| {
                peer.requests.has_open_within(before, upto)
                    || peer.finals.has_open_within(before, upto)
            })
    }

    pub(super) fn confirmed(&mut self, by: u16, confirmed: Confirmed) {
        if let Some(peer) = self.peers.get_mut(usize::from(by)) {
            peer.sent(confirmed.class).confirm(confirmed.from, confirmed.to);
        }
    }

    /// The first position that another shard has not confirmed: nothing from there on is kept.
    pub(super) fn limit(&self) -> LogPosition {
        let fronts = self.peers.iter().flat_map(|peer| {
            [peer.requests.first_open(), peer.finals.first_open()].into_iter().flatten()
        });
        fronts.min().unwrap_or(LogPosition::new(u64::MAX))
    }

    pub(super) const fn creditors(&self) -> u64 {
        self.creditors
    }

    /// What to tell that shard, given how far this shard's own log is kept.
    pub(super) fn settle(&mut self, shard: u16, logged: LogPosition) -> Vec<Confirmed> {
        let at = usize::from(shard);
        let linked = match self.peers.get_mut(at) {
            Some(peer) => std::mem::take(&mut peer.linked),
            None => return Vec::new(),
        };
        let (open, done): (Vec<_>, Vec<_>) = linked
            .into_iter()
            .partition(|debt| debt.upto > logged || self.has_open_within(debt.before, debt.upto));
        let Some(peer) = self.peers.get_mut(at) else { return Vec::new() };
        peer.linked = open;
        for debt in done {
            peer.confirm(debt);
        }
        while let Some(debt) = peer.logged.front().copied().filter(|debt| debt.upto <= logged) {
            peer.logged.pop_front();
            peer.confirm(debt);
        }
        if peer.linked.is_empty() && peer.logged.is_empty() {
            self.creditors &= !(1 << shard);
        }
        std::mem::take(&mut peer.news)
    }
}

#[cfg(test)]
mod tests {
    use super::{Class::*, *};

    fn at(number: u64) -> LogPosition {
        LogPosition::new(number)
    }

    fn some(class: Class, from: u64, to: u64) -> Confirmed {
        Confirmed { class, from, to }
    }

    #[test]
    fn nothing_is_kept_from_the_first_unconfirmed_message_on() {
        let mut barriers = Barriers::new(3);
        assert_eq!(barriers.limit(), at(u64::MAX));
        barriers.sent(1, Request, at(4));
        barriers.sent(2, Request, at(6));
        barriers.sent(1, Final, at(7));
        barriers.sent(1, Request, at(8));
        assert_eq!(barriers.limit(), at(4));
        barriers.confirmed(1, some(Request, 1, 1));
        assert_eq!(barriers.limit(), at(4), "a later one does not help");
        barriers.confirmed(1, some(Request, 0, 0));
        assert_eq!(barriers.limit(), at(6));
        barriers.confirmed(2, some(Request, 0, 0));
        assert_eq!(barriers.limit(), at(7));
        barriers.confirmed(1, some(Final, 0, 0));
        assert_eq!(barriers.limit(), at(u64::MAX));
    }

    #[test]
    fn what_was_taken_is_confirmed_when_what_it_caused_is_kept() {
        let mut barriers = Barriers::new(3);
        barriers.taken(1, Request, at(1), at(3));
        barriers.taken(1, Request, at(3), at(3));
        barriers.taken(1, Request, at(3), at(5));
        barriers.taken(1, Final, at(5), at(6));
        assert_eq!(barriers.creditors(), 0b10);
        assert_eq!(barriers.settle(1, at(2)), [some(Request, 1, 1)], "it caused nothing");
        assert_eq!(barriers.settle(1, at(5)), [some(Request, 0, 0), some(Request, 2, 2)]);
        assert_eq!(barriers.settle(1, at(5)), []);
        assert_eq!(barriers.settle(1, at(6)), [some(Final, 0, 0)]);
        assert_eq!(barriers.creditors(), 0);
    }

    /// Two shards that send to each other at the same moment do not wait for each other.
    #[test]
    fn a_confirmation_does_not_wait_for_what_it_did_not_cause() {
        let mut barriers = Barriers::new(2);
        barriers.sent(1, Request, at(1));
        barriers.taken(1, Request, at(1), at(2));
        assert_eq!(barriers.settle(1, at(2)), [some(Request, 0, 0)]);
    }

    #[test]
    fn what_is_passed_on_is_confirmed_when_the_other_has_it() {
        let mut barriers = Barriers::new(3);
        barriers.sent(2, Final, at(2));
        barriers.taken(1, Request, at(1), at(2));
        barriers.taken(1, Request, at(2), at(3));
        assert_eq!(barriers.settle(1, at(9)), [some(Request, 1, 1)]);
        barriers.confirmed(2, some(Final, 0, 0));
        assert_eq!(barriers.settle(1, at(9)), [some(Request, 0, 0)]);
    }
}
