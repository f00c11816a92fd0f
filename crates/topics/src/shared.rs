use std::sync::Arc;

use plexus_stdx::{HashMap, Seed};
use plexus_types::Qos;

use crate::{
    gradual::GradualMap,
    index::SubscriptionIndex,
    matches::Matches,
    subscription::{Options, SubscriberId, Subscription},
};

mod group;
mod order;

use group::{Group, Seat};

/// Names a group for as long as it has members; a later group does not get the name of an earlier
/// one before four thousand million others have come and gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// A subscriber of some shard in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Member {
    /// The shard where its session lives.
    pub shard: u16,
    /// The session's slot there.
    pub subscriber: SubscriberId,
}

/// What a member asked for in its subscription to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberOptions {
    /// The highest quality of service that it wants.
    pub qos: Qos,
    /// The Subscription Identifier, if the SUBSCRIBE had one.
    pub id: Option<std::num::NonZeroU32>,
    /// Whether RETAIN is to be forwarded as the publisher set it.
    pub retain_as_published: bool,
}

/// What a member can take. The same for all its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberState {
    /// Whether it is connected.
    pub online: bool,
    /// Whether it would refuse a message now.
    pub full: bool,
    /// Its unacknowledged messages; only [`Strategy::LeastInflight`] looks at them.
    pub inflight: u32,
}

impl Default for MemberState {
    /// Who has just subscribed is connected and has room.
    fn default() -> Self {
        Self { online: true, full: false, inflight: 0 }
    }
}

/// How a group shares its messages out among the members that can take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// To the one that has waited longest: exactly in turn.
    #[default]
    RoundRobin,
    /// To any.
    Random,
    /// Always to the same one, until it cannot take a message; who comes next is drawn.
    Sticky,
    /// To the one that the publisher hashes to.
    HashClient,
    /// To the one that the topic hashes to.
    HashTopic,
    /// To members of the shard that picks, in turn; without such to the other shards in turn.
    Local,
    /// To the one with the fewest unacknowledged messages, among equals in turn.
    LeastInflight,
}

/// A message that looks for a member.
#[derive(Debug, Clone, Copy)]
pub struct Pick<'a> {
    /// A hash of the publisher's Client ID.
    pub publisher_hash: u64,
    /// The topic of the message.
    pub topic: &'a str,
    /// The shard that picks.
    pub local_shard: u16,
    /// Members that have refused the message; a few.
    pub tried: &'a [Member],
}

/// The member that is to get a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    /// Who.
    pub member: Member,
    /// What it asked for.
    pub options: MemberOptions,
}

/// What [`SharedGroups::join`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// The group.
    pub group: GroupId,
    /// The group begins with this member.
    pub new_group: bool,
    /// The member was not in the group before; otherwise only its options were replaced.
    pub new_member: bool,
}

/// What [`SharedGroups::leave`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Left {
    /// It was a member.
    pub was_member: bool,
    /// It was the last one, and the group is gone.
    pub group_ended: bool,
}

/// All shared subscription groups that a shard owns: each `$share/<name>/<filter>` is one.
///
/// A member that is online and not full comes first, then one that is offline and whose session
/// still has room, at last one that was full when it was last heard of; who has refused the message
/// is passed over. Each group keeps the three kinds in lists of their own, so those that cannot
/// take a message cost nothing while others can.
#[derive(Debug)]
pub struct SharedGroups {
    draw: Seed,
    /// Hashes topics and publishers to members.
    seed: Seed,
    default: Strategy,
    by_name: HashMap<Box<str>, Strategy>,
    index: SubscriptionIndex,
    groups: GradualMap<u32, Option<Box<Group>>>,
    /// From `<name>/<filter>`; a name has no slash.
    ids: GradualMap<Box<str>, u32>,
    members: GradualMap<Member, Membership>,
    memberships: usize,
    /// The bytes of the keys of `ids`.
    texts: usize,
    next_id: u32,
    found: Matches,
}

/// A member's state and its places.
#[derive(Debug, Default)]
struct Membership {
    state: MemberState,
    seats: Vec<Place>,
}

/// A seat in a group.
#[derive(Debug, Clone, Copy)]
struct Place {
    group: u32,
    seat: u32,
}

impl SharedGroups {
    /// No groups yet. `strategies` names groups with another strategy than `default`; the first
    /// entry of a name counts.
    pub fn new(seed: Seed, default: Strategy, strategies: &[(String, Strategy)]) -> Self {
        let mut by_name = seed.map();
        for (name, strategy) in strategies {
            by_name.entry(name.as_str().into()).or_insert(*strategy);
        }
        Self {
            draw: seed.derive(1),
            seed: seed.derive(2),
            default,
            by_name,
            index: SubscriptionIndex::new(seed),
            groups: GradualMap::new(seed),
            ids: GradualMap::new(seed),
            members: GradualMap::new(seed),
            memberships: 0,
            texts: 0,
            next_id: 0,
            found: Matches::new(),
        }
    }

    /// Puts a member into the group `$share/<name>/<filter>`, or replaces its options there.
    pub fn join(
        &mut self,
        name: &str,
        filter: &str,
        member: Member,
        options: MemberOptions,
    ) -> Joined {
        let key = key_of(name, filter);
        let known = self.ids.get(key.as_ref()).copied();
        let id = known.unwrap_or_else(|| self.found_group(name, filter, key));
        let group = GroupId(id);
        if self.members.get(&member).is_none() {
            self.members.insert(member, Membership::default());
        }
        let membership = self.members.get_mut(&member).expect("invariant: just inserted");
        let at = membership.seats.iter().find(|place| place.group == id);
        let home = self.groups.get_mut(&id).and_then(Option::as_mut);
        let home = home.expect("invariant: a group with an id exists");
        if let Some(place) = at {
            home.set_options(place.seat, options);
            return Joined { group, new_group: false, new_member: false };
        }
        let seat = home.add(Seat::new(member, options, membership.state));
        membership.seats.push(Place { group: id, seat });
        self.memberships += 1;
        Joined { group, new_group: known.is_none(), new_member: true }
    }

    /// Takes a member out of the group `$share/<name>/<filter>`.
    pub fn leave(&mut self, name: &str, filter: &str, member: Member) -> Left {
        let nothing = Left { was_member: false, group_ended: false };
        let key = key_of(name, filter);
        let Some(id) = self.ids.get(key.as_ref()).copied() else { return nothing };
        let Some(membership) = self.members.get_mut(&member) else { return nothing };
        let Some(at) = membership.seats.iter().position(|place| place.group == id) else {
            return nothing;
        };
        let Place { seat, .. } = membership.seats.swap_remove(at);
        if membership.seats.is_empty() {
            self.members.remove(&member);
        }
        self.memberships -= 1;
        let home = self.groups.get_mut(&id).and_then(Option::as_mut);
        let home = home.expect("invariant: a group with an id exists");
        home.remove(seat);
        let group_ended = home.is_empty();
        if group_ended {
            self.groups.remove(&id);
            self.ids.remove(key.as_ref());
            self.texts -= key.len();
            self.index.remove(filter, SubscriberId(id));
        }
        Left { was_member: true, group_ended }
    }

    /// Takes note of what a member can take now, in all its groups. Unknown members are ignored.
    pub fn set_state(&mut self, member: Member, state: MemberState) {
        let Some(membership) = self.members.get_mut(&member) else { return };
        membership.state = state;
        for Place { group, seat } in &membership.seats {
            if let Some(group) = self.groups.get_mut(group).and_then(Option::as_mut) {
                group.set_state(*seat, state);
            }
        }
    }

    /// Adds the groups whose filter matches `topic` to `out`.
    pub fn matches(&mut self, topic: impl AsRef<[u8]>, out: &mut Vec<GroupId>) {
        self.found.clear();
        self.index.matches(topic, &mut self.found);
        out.extend(self.found.found.iter().map(|entry| GroupId(entry.subscriber)));
    }

    /// The member that gets a message, by the strategy of the group; none if nobody can take it.
    pub fn select(&mut self, group: GroupId, pick: Pick<'_>) -> Option<Selected> {
        let GroupId(id) = group;
        let group = self.groups.get_mut(&id)?.as_mut()?;
        let key = match group.strategy() {
            Strategy::HashClient => self.seed.hash(&pick.publisher_hash),
            Strategy::HashTopic => self.seed.hash(pick.topic),
            Strategy::Random | Strategy::Sticky => self.draw.next_u64(),
            Strategy::RoundRobin | Strategy::Local | Strategy::LeastInflight => 0,
        };
        group.select(key, &pick)
    }

    /// The number of groups.
    pub const fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The number of memberships: shared subscriptions.
    pub const fn members(&self) -> usize {
        self.memberships
    }

    /// The bytes reserved, in part reckoned.
    pub fn memory(&self) -> usize {
        let tables = self.groups.memory() + self.ids.memory() + self.members.memory();
        let groups: usize = self.groups.values().flatten().map(|group| group.memory()).sum();
        let places = self.memberships * 2 * size_of::<Place>();
        tables + groups + places + self.texts + self.index.memory() + size_of::<Self>()
    }

    /// The group of that whole filter, `$share/` included.
    pub fn find(&self, filter: &str) -> Option<GroupId> {
        self.ids.get(filter.strip_prefix("$share/")?).copied().map(GroupId)
    }

    /// The whole filter of a group, `$share/` included.
    pub fn filter(&self, group: GroupId) -> Option<&Arc<str>> {
        Some(self.groups.get(&group.0)?.as_ref()?.filter())
    }

    /// The members of a group, in no order.
    pub fn members_of(&self, group: GroupId) -> impl Iterator<Item = Member> {
        let group = self.groups.get(&group.0).and_then(Option::as_ref);
        group.into_iter().flat_map(|group| group.members())
    }

    fn found_group(&mut self, name: &str, filter: &str, key: Box<str>) -> u32 {
        while self.groups.get(&self.next_id).is_some() {
            self.next_id = self.next_id.wrapping_add(1);
        }
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        let whole = ["$share/", name, "/", filter].concat();
        let strategy = self.by_name.get(name).copied().unwrap_or(self.default);
        self.groups.insert(id, Some(Box::new(Group::new(strategy, Arc::from(whole)))));
        self.texts += key.len();
        self.ids.insert(key, id);
        let subscriber = SubscriberId(id);
        let entry = Subscription { subscriber, id: None, options: Options::default() };
        self.index.insert(filter, entry);
        id
    }
}

fn key_of(name: &str, filter: &str) -> Box<str> {
    [name, "/", filter].concat().into()
}

#[cfg(test)]
mod tests;
