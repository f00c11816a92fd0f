//! Who owes whom: messages to other shards that must be kept there, and theirs here.

use std::collections::VecDeque;

use plexus_session::LogPosition;

/// The counters of one class of envelopes between this shard and another. Both ends count the same
/// envelopes, because a ring keeps their order.
#[derive(Debug, Default)]
struct Class {
    /// The positions of what was sent and not confirmed, and how many were confirmed before.
    sent: VecDeque<LogPosition>,
    confirmed: u64,
    /// Where this shard's log must be kept for what it took, and how many were settled before.
    taken: VecDeque<LogPosition>,
    settled: u64,
}

impl Class {
    fn confirm(&mut self, upto: u64) {
        while self.confirmed < upto && self.sent.pop_front().is_some() {
            self.confirmed += 1;
        }
    }

    /// Whether more of it may be confirmed now than before.
    fn settle(&mut self, kept: LogPosition) -> bool {
        let before = self.settled;
        while self.taken.front().is_some_and(|after| *after <= kept) {
            self.taken.pop_front();
            self.settled += 1;
        }
        self.settled > before
    }
}

#[derive(Debug, Default)]
struct Peer {
    requests: Class,
    finals: Class,
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

    fn class(&mut self, shard: u16, is_request: bool) -> Option<&mut Class> {
        let peer = self.peers.get_mut(usize::from(shard))?;
        Some(if is_request { &mut peer.requests } else { &mut peer.finals })
    }

    pub(super) fn sent(&mut self, to: u16, is_request: bool, position: LogPosition) {
        if let Some(class) = self.class(to, is_request) {
            class.sent.push_back(position);
        }
    }

    pub(super) fn taken(&mut self, from: u16, is_request: bool, after: LogPosition) {
        self.creditors |= 1 << from;
        if let Some(class) = self.class(from, is_request) {
            class.taken.push_back(after);
        }
    }

    pub(super) fn confirmed(&mut self, by: u16, requests: u64, finals: u64) {
        if let Some(peer) = self.peers.get_mut(usize::from(by)) {
            peer.requests.confirm(requests);
            peer.finals.confirm(finals);
        }
    }

    /// The first position that another shard has not confirmed: nothing from there on is kept.
    pub(super) fn limit(&self) -> LogPosition {
        let fronts = self.peers.iter().flat_map(|peer| {
            [peer.requests.sent.front(), peer.finals.sent.front()].into_iter().flatten()
        });
        fronts.min().copied().unwrap_or(LogPosition::new(u64::MAX))
    }

    pub(super) const fn creditors(&self) -> u64 {
        self.creditors
    }

    /// What to tell that shard, if there is something new.
    pub(super) fn settle(&mut self, shard: u16, kept: LogPosition) -> Option<(u64, u64)> {
        let peer = self.peers.get_mut(usize::from(shard))?;
        let news = peer.requests.settle(kept) | peer.finals.settle(kept);
        if peer.requests.taken.is_empty() && peer.finals.taken.is_empty() {
            self.creditors &= !(1 << shard);
        }
        news.then_some((peer.requests.settled, peer.finals.settled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u64) -> LogPosition {
        LogPosition::new(number)
    }

    #[test]
    fn nothing_is_kept_from_the_first_unconfirmed_message_on() {
        let mut barriers = Barriers::new(3);
        assert_eq!(barriers.limit(), at(u64::MAX));
        barriers.sent(1, true, at(4));
        barriers.sent(2, true, at(6));
        barriers.sent(1, false, at(7));
        assert_eq!(barriers.limit(), at(4));
        barriers.confirmed(1, 1, 0);
        assert_eq!(barriers.limit(), at(6));
        barriers.confirmed(2, 1, 0);
        assert_eq!(barriers.limit(), at(7));
        barriers.confirmed(1, 1, 1);
        assert_eq!(barriers.limit(), at(u64::MAX));
    }

    #[test]
    fn what_was_taken_is_confirmed_in_order_when_it_is_kept() {
        let mut barriers = Barriers::new(2);
        barriers.taken(1, true, at(3));
        barriers.taken(1, true, at(5));
        barriers.taken(1, false, at(4));
        assert_eq!(barriers.creditors(), 0b10);
        assert_eq!(barriers.settle(1, at(2)), None);
        assert_eq!(barriers.settle(1, at(4)), Some((1, 1)));
        assert_eq!(barriers.settle(1, at(4)), None, "nothing new");
        assert_eq!(barriers.settle(1, at(5)), Some((2, 1)));
        assert_eq!(barriers.creditors(), 0);
    }
}
