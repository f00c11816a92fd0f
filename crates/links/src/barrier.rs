//! Who owes whom: messages to other shards that must be kept there, and theirs here.
//!
//! Both ends count the tracked envelopes of each class, because a ring keeps their order, so an
//! envelope needs no number of its own. They are confirmed one by one: what an envelope waits for
//! is only what it has caused itself, its records here and its envelopes to others. If it waited for
//! what happens to stand before it, two shards could wait for each other for ever.
//!
//! Positions only ascend, and envelopes are taken one after the other: so what one of them has caused
//! lies behind all that those before it have. A confirmation finds the one that waits for it by its
//! position, and nobody looks at all that is under way.

use std::collections::{BTreeMap, VecDeque};

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

/// Something sent to another shard.
#[derive(Debug, Clone, Copy)]
struct Claim {
    position: LogPosition,
    open: bool,
}

/// What was sent to one shard in one class.
#[derive(Debug, Default)]
struct Sent {
    /// The number of the first in `claims`.
    first: u64,
    /// Those that are confirmed stay while one before them is not.
    claims: VecDeque<Claim>,
}

impl Sent {
    fn claim(&mut self, number: u64) -> Option<&mut Claim> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.claims.get_mut(at)
    }

    fn forget_confirmed(&mut self) {
        while self.claims.front().is_some_and(|claim| !claim.open) {
            self.claims.pop_front();
            self.first += 1;
        }
    }

    fn first_open(&self) -> Option<LogPosition> {
        self.claims.front().map(|claim| claim.position)
    }

    /// What was sent behind that position.
    fn behind(&self, before: LogPosition) -> impl Iterator<Item = &Claim> {
        self.claims.iter().rev().take_while(move |claim| claim.position > before)
    }
}

/// Something taken from another shard.
#[derive(Debug, Clone, Copy)]
struct Debt {
    class: Class,
    number: u64,
    /// The end of what it has caused.
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
    /// How many debts to it wait for other shards too.
    linked: usize,
    /// Debts that have waited for other shards, by the end of what they have caused.
    freed: BTreeMap<LogPosition, Debt>,
    news: Vec<Confirmed>,
}

/// A debt that waits for other shards.
#[derive(Debug)]
struct Link {
    /// Whose it is.
    creditor: u16,
    debt: Debt,
    /// What it has caused lies behind this.
    before: LogPosition,
    /// How many envelopes that it has caused are not confirmed.
    open: usize,
}

impl Peer {
    fn sent(&mut self, class: Class) -> &mut Sent {
        match class {
            Class::Request => &mut self.requests,
            Class::Final => &mut self.finals,
        }
    }

    fn is_paid(&self) -> bool {
        self.linked == 0 && self.freed.is_empty() && self.logged.is_empty()
    }

    /// The next debt that this shard's log has.
    fn pop_kept(&mut self, logged: LogPosition) -> Option<Debt> {
        if let Some(first) = self.freed.first_entry().filter(|first| *first.key() <= logged) {
            return Some(first.remove());
        }
        self.logged.pop_front_if(|debt| debt.upto <= logged)
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
pub struct Barriers {
    peers: Vec<Peer>,
    /// By the end of what they have caused.
    links: BTreeMap<LogPosition, Link>,
    /// The shards that wait for a confirmation.
    creditors: u64,
    /// Claims and debts that were looked at.
    #[cfg(test)]
    steps: usize,
}

impl Barriers {
    /// Of one of so many shards.
    pub fn new(shards: u16) -> Self {
        Self {
            peers: (0..shards).map(|_| Peer::default()).collect(),
            links: BTreeMap::new(),
            creditors: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// Something was sent to another shard; what comes behind that position waits for it.
    pub fn sent(&mut self, to: u16, class: Class, position: LogPosition) {
        if let Some(peer) = self.peers.get_mut(usize::from(to)) {
            peer.sent(class).claims.push_back(Claim { position, open: true });
        }
    }

    /// An envelope was taken; what it has caused lies behind `before`, up to `upto`.
    pub fn taken(&mut self, from: u16, class: Class, before: LogPosition, upto: LogPosition) {
        self.creditors |= 1 << from;
        let open = if upto > before { self.count_open(before, upto) } else { 0 };
        let Some(peer) = self.peers.get_mut(usize::from(from)) else { return };
        let [requests, finals] = &mut peer.taken;
        let count = if class == Class::Request { requests } else { finals };
        let debt = Debt { class, number: *count, upto };
        *count += 1;
        if upto == before {
            peer.confirm(debt);
        } else if open > 0 {
            peer.linked += 1;
            self.links.insert(upto, Link { creditor: from, debt, before, open });
        } else {
            peer.logged.push_back(debt);
        }
    }

    /// How many envelopes between two positions are not confirmed.
    fn count_open(&mut self, before: LogPosition, upto: LogPosition) -> usize {
        let sent = self.peers.iter().flat_map(|peer| [&peer.requests, &peer.finals]);
        let within = sent.flat_map(|sent| sent.behind(before));
        #[cfg(test)]
        let within = within.inspect(|_| self.steps += 1);
        within.filter(|claim| claim.open && claim.position <= upto).count()
    }

    /// That shard has kept some of what it was sent.
    pub fn confirmed(&mut self, by: u16, Confirmed { class, from, to }: Confirmed) {
        let at = usize::from(by);
        let Some(first) = self.sent_to(at, class).map(|sent| sent.first) else { return };
        for number in from.max(first)..=to {
            let claim = self.sent_to(at, class).and_then(|sent| sent.claim(number));
            let Some(claim) = claim else { break };
            if std::mem::take(&mut claim.open) {
                let position = claim.position;
                self.free(position);
            }
        }
        if let Some(sent) = self.sent_to(at, class) {
            sent.forget_confirmed();
        }
    }

    fn sent_to(&mut self, shard: usize, class: Class) -> Option<&mut Sent> {
        self.peers.get_mut(shard).map(|peer| peer.sent(class))
    }

    /// The envelope of that position is confirmed: the debt that has caused it waits for one less.
    fn free(&mut self, position: LogPosition) {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        let Some((upto, link)) = self.links.range_mut(position..).next() else { return };
        if position <= link.before {
            return; // No debt has caused it.
        }
        link.open -= 1;
        if link.open > 0 {
            return;
        }
        let upto = *upto;
        let Some(Link { creditor, debt, .. }) = self.links.remove(&upto) else { return };
        if let Some(peer) = self.peers.get_mut(usize::from(creditor)) {
            peer.linked -= 1;
            peer.freed.insert(upto, debt);
        }
    }

    /// The first position that another shard has not confirmed: nothing from there on is kept.
    pub fn limit(&self) -> LogPosition {
        let fronts = self.peers.iter().flat_map(|peer| {
            [peer.requests.first_open(), peer.finals.first_open()].into_iter().flatten()
        });
        fronts.min().unwrap_or(LogPosition::new(u64::MAX))
    }

    /// The shards that wait for a confirmation, a bit each.
    pub const fn creditors(&self) -> u64 {
        self.creditors
    }

    /// What to tell that shard, given how far this shard's own log is kept.
    pub fn settle(&mut self, shard: u16, logged: LogPosition) -> Vec<Confirmed> {
        let Some(peer) = self.peers.get_mut(usize::from(shard)) else { return Vec::new() };
        while let Some(debt) = peer.pop_kept(logged) {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            peer.confirm(debt);
        }
        if peer.is_paid() {
            self.creditors &= !(1 << shard);
        }
        std::mem::take(&mut peer.news)
    }
}

#[cfg(test)]
mod tests;
