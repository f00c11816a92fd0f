//! One group: its members, those that can take a message in front.

use std::sync::Arc;

use plexus_stdx::{HashMap, Seed};

use super::{Member, MemberOptions, Pick, Selected, Strategy};

#[derive(Debug)]
pub(super) struct Group {
    filter: Arc<str>,
    strategy: Strategy,
    /// ```text
    /// members: [ available … | away or full … ]
    ///          0             ^ self.available
    /// ```
    members: Vec<(Member, MemberOptions)>,
    available: usize,
    positions: HashMap<Member, u32>,
    next: usize,
    sticky: Option<Member>,
    random: Seed,
}

impl Group {
    pub(super) fn new(filter: Arc<str>, strategy: Strategy, random: Seed) -> Self {
        Self {
            filter,
            strategy,
            members: Vec::new(),
            available: 0,
            positions: random.map(),
            next: 0,
            sticky: None,
            random,
        }
    }

    pub(super) const fn filter(&self) -> &Arc<str> {
        &self.filter
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn put(&mut self, member: Member, options: MemberOptions, available: bool) {
        if let Some(at) = self.positions.get(&member) {
            if let Some(entry) = self.members.get_mut(*at as usize) {
                entry.1 = options;
            }
            return;
        }
        self.positions.insert(member, self.members.len() as u32);
        self.members.push((member, options));
        if available {
            self.set_available(member, true);
        }
    }

    pub(super) fn take_out(&mut self, member: Member) -> bool {
        if !self.positions.contains_key(&member) {
            return false;
        }
        self.set_available(member, false);
        let Some(at) = self.positions.remove(&member) else { return false };
        self.members.swap_remove(at as usize);
        if let Some((moved, _)) = self.members.get(at as usize) {
            self.positions.insert(*moved, at);
        }
        true
    }

    /// Moves a member across the border between those that can and those that cannot.
    pub(super) fn set_available(&mut self, member: Member, available: bool) {
        let Some(at) = self.positions.get(&member).map(|at| *at as usize) else { return };
        if (at < self.available) == available {
            return;
        }
        let border = if available { self.available } else { self.available - 1 };
        self.members.swap(at, border);
        for moved in [at, border] {
            if let Some((member, _)) = self.members.get(moved) {
                self.positions.insert(*member, moved as u32);
            }
        }
        self.available = if available { border + 1 } else { border };
    }

    pub(super) fn select(
        &mut self,
        pick: &Pick<'_>,
        seed: Seed,
        inflight: impl Fn(&Member) -> u32,
    ) -> Option<Selected> {
        let (front, back) = self.members.split_at_checked(self.available)?;
        let untried = |(member, _): &&(Member, MemberOptions)| !pick.tried.contains(member);
        let pool = if front.iter().any(|it| untried(&it)) { front } else { back };
        let count = pool.len();
        if count == 0 {
            return None;
        }
        let start = match self.strategy {
            Strategy::Random => self.random.below(count),
            Strategy::Sticky => {
                let stuck = self.sticky.and_then(|member| self.positions.get(&member));
                stuck.map_or(0, |at| *at as usize)
            }
            _ => self.next % count,
        };
        let mut candidates = pool.iter().cycle().skip(start % count).take(count).filter(untried);
        let chosen = match self.strategy {
            Strategy::RoundRobin | Strategy::Random | Strategy::Sticky => candidates.next(),
            Strategy::Local => {
                let near = candidates.clone().find(|(member, _)| member.shard == pick.local_shard);
                near.or_else(|| candidates.next())
            }
            // The highest of the hashes: when a member comes or goes, only its share moves.
            Strategy::HashClient => {
                candidates.max_by_key(|(member, _)| weight(seed, pick.publisher_hash, *member))
            }
            Strategy::HashTopic => {
                let topic = seed.hash(pick.topic);
                candidates.max_by_key(|(member, _)| weight(seed, topic, *member))
            }
            Strategy::LeastInflight => candidates.min_by_key(|(member, _)| inflight(member)),
        };
        let (member, options) = *chosen?;
        self.sticky = Some(member);
        let at = self.positions.get(&member).map_or(0, |at| *at as usize);
        self.next = if pool.as_ptr_range() == front.as_ptr_range() {
            at + 1
        } else {
            at + 1 - self.available
        };
        Some(Selected { member, options })
    }
}

/// The weight of a member for a key (rendezvous hashing; Thaler, Ravishankar 1996).
fn weight(seed: Seed, key: u64, member: Member) -> u64 {
    let place = u64::from(member.shard) << 32 | u64::from(member.subscriber.0);
    seed.derive(key).derive(place).next_u64()
}
