//! Shared subscriptions: groups of members of which one gets each message.

mod group;

use std::{num::NonZeroU32, sync::Arc};

use plexus_stdx::{HashMap, Seed};
use plexus_types::Qos;
use smallvec::SmallVec;

use self::group::Group;
use crate::{Matches, Options, SubscriberId, Subscription, SubscriptionIndex};

/// How a group chooses the member for a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Strategy {
    /// One after the other, exact within the group.
    #[default]
    RoundRobin,
    /// Any.
    Random,
    /// The same until it is not available.
    Sticky,
    /// By the publishing client: its messages go to one member.
    HashClient,
    /// By the topic: its messages go to one member.
    HashTopic,
    /// One after the other among the members of the group's own shard, while there are any.
    Local,
    /// The one with the fewest unacknowledged messages.
    LeastInflight,
}

/// The number of a group within its shard. A later group gets another number, so that what is said of
/// a group that has ended is never taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// A member: a client of some shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// The shard that is its home.
    pub shard: u16,
    /// The client there.
    pub subscriber: SubscriberId,
}

/// The options of a member's subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberOptions {
    /// The highest quality of service that it wants.
    pub qos: Qos,
    /// Its Subscription Identifier.
    pub id: Option<NonZeroU32>,
    /// Whether RETAIN is kept as published.
    pub retain_as_published: bool,
}

/// What a member can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberState {
    /// Whether it is connected.
    pub online: bool,
    /// Whether its window and queue are full.
    pub full: bool,
    /// Its unacknowledged messages.
    pub inflight: u32,
}

impl MemberState {
    fn is_available(self) -> bool {
        self.online && !self.full
    }
}

/// What joining changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The group.
    pub group: GroupId,
    /// Whether the group began with this member.
    pub new_group: bool,
}

/// What leaving changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// Whether there was such a member.
    pub was_member: bool,
    /// Whether the group ended with it.
    pub group_ended: bool,
}

/// What the choice may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Pick<'a> {
    /// The hash of the publisher's Client Identifier.
    pub publisher_hash: u64,
    /// The topic of the message.
    pub topic: &'a str,
    /// The shard that asks.
    pub local_shard: u16,
    /// Members that have refused the message.
    pub tried: &'a [Member],
}

/// The choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Who gets the message.
    pub member: Member,
    /// Its options.
    pub options: MemberOptions,
}

#[derive(Debug, Default)]
struct Known {
    state: MemberState,
    groups: SmallVec<[u32; 2]>,
}

/// The groups that a shard owns. A member that cannot take a message now is passed over while
/// another can; one that is away is chosen only when nobody is there.
#[derive(Debug)]
pub struct SharedGroups {
    groups: HashMap<u32, Group>,
    /// The number that was given last.
    last: u32,
    names: HashMap<(Box<str>, Box<str>), u32>,
    index: SubscriptionIndex,
    members: HashMap<Member, Known>,
    memberships: usize,
    seed: Seed,
    strategy: Strategy,
    strategies: HashMap<Box<str>, Strategy>,
    matches: Matches,
}

impl SharedGroups {
    /// No groups; `strategies` are those of single share names.
    pub fn new(seed: Seed, strategy: Strategy, strategies: &[(String, Strategy)]) -> Self {
        let mut by_name = seed.map();
        by_name.extend(strategies.iter().map(|(name, it)| (Box::from(name.as_str()), *it)));
        Self {
            groups: seed.map(),
            last: 0,
            names: seed.map(),
            index: SubscriptionIndex::new(seed),
            members: seed.map(),
            memberships: 0,
            seed,
            strategy,
            strategies: by_name,
            matches: Matches::default(),
        }
    }

    /// Adds a member, or replaces its options.
    pub fn join(
        &mut self,
        name: &str,
        filter: &str,
        member: Member,
        options: MemberOptions,
    ) -> Joined {
        let key = (Box::from(name), Box::from(filter));
        let found = self.names.get(&key).copied();
        let number = found.unwrap_or_else(|| self.begin(key, filter));
        let known = self.members.entry(member).or_default();
        if !known.groups.contains(&number) {
            known.groups.push(number);
            self.memberships += 1;
        }
        let available = known.state.is_available();
        let group = self.groups.get_mut(&number).expect("invariant: named groups live");
        group.put(member, options, available);
        Joined { group: GroupId(number), new_group: found.is_none() }
    }

    /// Takes a member out.
    pub fn leave(&mut self, name: &str, filter: &str, member: Member) -> Left {
        let nothing = Left { was_member: false, group_ended: false };
        let key = (Box::from(name), Box::from(filter));
        let Some(number) = self.names.get(&key).copied() else { return nothing };
        let Some(group) = self.groups.get_mut(&number) else { return nothing };
        if !group.take_out(member) {
            return nothing;
        }
        let group_ended = group.is_empty();
        self.memberships -= 1;
        if let Some(known) = self.members.get_mut(&member) {
            known.groups.retain(|other| *other != number);
            if known.groups.is_empty() {
                self.members.remove(&member);
            }
        }
        if group_ended {
            self.groups.remove(&number);
            self.names.remove(&key);
            self.index.remove(filter, SubscriberId(number));
        }
        Left { was_member: true, group_ended }
    }

    /// What a member can take has changed; unknown members are none of this shard's.
    pub fn set_state(&mut self, member: Member, state: MemberState) {
        let Some(known) = self.members.get_mut(&member) else { return };
        let turned = known.state.is_available() != state.is_available();
        known.state = state;
        if !turned {
            return;
        }
        for number in &known.groups {
            if let Some(group) = self.groups.get_mut(number) {
                group.set_available(member, state.is_available());
            }
        }
    }

    /// The groups whose filter matches the topic.
    pub fn matches(&mut self, topic: &str, out: &mut Vec<GroupId>) {
        if self.groups.is_empty() {
            return;
        }
        self.matches.clear();
        self.index.matches(topic, &mut self.matches);
        out.extend(self.matches.subscriptions().map(|it| GroupId(it.subscriber.0)));
    }

    /// Chooses the member for a message; `None` when nobody is left.
    pub fn select(&mut self, group: GroupId, pick: Pick<'_>) -> Option<Selected> {
        let members = &self.members;
        let inflight = |member: &Member| members.get(member).map_or(0, |it| it.state.inflight);
        let chosen = self.groups.get_mut(&group.0)?.select(&pick, self.seed, inflight)?;
        if let Some(known) = self.members.get_mut(&chosen.member) {
            // Until the member's shard says otherwise, the message is under way.
            known.state.inflight = known.state.inflight.saturating_add(1);
        }
        Some(chosen)
    }

    /// The whole filter of a group, `$share/…` included.
    pub fn filter(&self, group: GroupId) -> Option<&Arc<str>> {
        self.groups.get(&group.0).map(Group::filter)
    }

    /// Memberships of all groups.
    pub fn members(&self) -> usize {
        self.memberships
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    fn begin(&mut self, key: (Box<str>, Box<str>), filter: &str) -> u32 {
        let strategy = self.strategies.get(&key.0).copied().unwrap_or(self.strategy);
        let number = self.number();
        let seed = self.seed.derive(u64::from(number));
        let name = format!("$share/{}/{filter}", key.0);
        self.groups.insert(number, Group::new(Arc::from(name), strategy, seed));
        let options = Options::new(Qos::AtMostOnce, false, false);
        let subscription = Subscription { subscriber: SubscriberId(number), id: None, options };
        self.index.insert(filter, subscription);
        self.names.insert(key, number);
        number
    }

    /// A number that no group has; one that ended long ago may have had it.
    fn number(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1);
            if !self.groups.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

#[cfg(test)]
mod tests;
