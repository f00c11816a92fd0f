//! Shared subscriptions. A group lives in the shard that its name and filter hash to: that shard
//! alone picks the member for a message, so that a strategy is exact however many shards publish.
//! It knows what each member can take; a member that refuses all the same hands the message back.

use std::sync::Arc;

use plexus_session::{Body, Delivery, Session, Taken};
use plexus_store::Group;
use plexus_topics::{GroupId, Member, MemberOptions, MemberState, Pick, Strategy, SubscriberId};
use plexus_types::{Message, TopicFilter};
use smallvec::SmallVec;

use super::{Opened, Shard, log::is_recorded, peers::Answer};
use crate::{
    envelope::{Assignment, Availability, Envelope, GivenBack, Join, Joined},
    ports::{Fetch, GroupRead, Reader, Turn},
};
use plexus_records::Audience;

/// So many members may refuse a message before it is dropped.
const TRIES_MAX: usize = 16;

type Tried = SmallVec<[Member; 2]>;

/// What a session can take now.
pub(super) fn availability(session: &Session) -> Availability {
    Availability {
        online: session.is_connected(),
        full: !session.accepts(),
        inflight: session.inflight() as u32,
    }
}

impl Shard {
    pub(super) fn owner_of_group(&self, filter: &TopicFilter) -> u16 {
        self.context.shard_of(filter.as_str())
    }

    /// Offers a message to each of the groups that match.
    pub(super) fn assign_groups(&mut self, turn: &mut Turn<'_>, message: &Arc<Message>) {
        let mut groups = std::mem::take(&mut self.group_ids);
        for group in groups.drain(..) {
            let filter = self.groups.filter(group);
            if !filter.is_some_and(|filter| self.log.has_served(message.id, filter)) {
                self.assign(turn, group, message, Tried::new());
            }
        }
        self.group_ids = groups;
    }

    fn assign(
        &mut self,
        turn: &mut Turn<'_>,
        group: GroupId,
        message: &Arc<Message>,
        mut tried: Tried,
    ) {
        while tried.len() < TRIES_MAX {
            let pick = Pick {
                publisher_hash: self.context.seed.hash(message.publisher.as_str()),
                topic: message.topic.as_str(),
                local_shard: self.id,
                tried: &tried,
            };
            let Some(chosen) = self.groups.select(group, pick) else { break };
            let Some(filter) = self.groups.filter(group).cloned() else { break };
            if chosen.member.shard != self.id {
                let assignment = Assignment {
                    filter,
                    subscriber: chosen.member.subscriber,
                    options: chosen.options,
                    message: Arc::clone(message),
                    tried,
                    tracked: self.may_be_kept_by(chosen.member.shard, message),
                };
                let to = chosen.member.shard;
                self.forward(turn, to, Envelope::Assign(Box::new(assignment)));
                return;
            }
            let SubscriberId(slot) = chosen.member.subscriber;
            let taken = self.deliver_shared(turn, slot, (&filter, chosen.options), message);
            if !taken.is_refused() {
                return;
            }
            tried.push(chosen.member);
        }
        self.counters().dropped_no_member.add(1);
    }

    fn deliver_shared(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        (filter, options): (&Arc<str>, MemberOptions),
        message: &Arc<Message>,
    ) -> Taken {
        let id = options.id.map(std::num::NonZeroU32::get);
        let delivery = Delivery {
            message,
            // [MQTT-4.8.2-3]
            qos: message.qos.min(options.qos),
            retain: message.retain && options.retain_as_published,
            subscription_ids: id.as_slice(),
            shared: Some(filter),
        };
        self.deliver(turn, slot, delivery)
    }

    /// A message of a group for a client of this shard.
    pub(super) fn take_assignment(&mut self, turn: &mut Turn<'_>, assignment: Assignment) {
        let Assignment { filter, subscriber, options, message, mut tried, .. } = assignment;
        let SubscriberId(slot) = subscriber;
        let taken = if self.is_member(slot, &filter) {
            self.deliver_shared(turn, slot, (&filter, options), &message)
        } else {
            Taken::Refused
        };
        if taken.is_refused() {
            tried.push(Member { shard: self.id, subscriber });
            self.return_to_group(turn, filter, message, tried);
        }
    }

    /// A client may have left, and its slot been taken by another, while the message was under way.
    fn is_member(&self, slot: u32, filter: &str) -> bool {
        let shares = self.clients.get(slot).and_then(|client| client.shares.as_ref());
        shares.is_some_and(|shares| shares.filters.contains(filter))
    }

    pub(super) fn take_back(&mut self, turn: &mut Turn<'_>, given_back: GivenBack) {
        let GivenBack { filter, message, tried, .. } = given_back;
        match self.groups.find(&filter) {
            Some(group) => self.assign(turn, group, &message, tried),
            None => self.counters().dropped_no_member.add(1),
        }
    }

    /// Whether that shard may record the message, or hand it to one that does.
    fn may_be_kept_by(&self, shard: u16, message: &Message) -> bool {
        shard != self.id && is_recorded(message) && self.recording_among(u64::MAX) != 0
    }

    /// A recorded message leaves its session for others of its group: until one of them has it, it
    /// is the node's.
    pub(super) fn open_redispatch(
        &mut self,
        slot: u32,
        filter: &Arc<str>,
        body: &Body,
    ) -> Option<Opened> {
        let client = self.clients.get(slot).filter(|client| client.key != 0)?;
        let opened = Opened {
            group: Group(self.context.slot_of(client.session.client_id())),
            audience: Audience::Group(Arc::clone(filter)),
        };
        match body {
            Body::Here(message) if !is_recorded(message) => return None,
            Body::Here(message) => self.open_message(&opened, message),
            Body::Stored(id) => self.open_stored(&opened, *id),
        }
        Some(opened)
    }

    /// Gives a message that a session did not complete back to its group.
    pub(super) fn redispatch(
        &mut self,
        turn: &mut Turn<'_>,
        filter: Arc<str>,
        body: Body,
        open: Option<Opened>,
    ) {
        match (body, open) {
            (Body::Here(message), open) => self.give_back(turn, filter, message, open),
            (Body::Stored(id), Some(open)) => {
                let number = self.log.reads.begin();
                let reader = Reader::Group(GroupRead { number, filter, open });
                turn.ports.fetch(Fetch { reader, ids: vec![id] });
            }
            // Whatever is only in the log was recorded by a session that the log knows.
            (Body::Stored(_), None) => self.counters().dropped_no_member.add(1),
        }
    }

    /// Hands a message to the owner of its group; if it is open in the log, it is with the others
    /// when that is kept.
    pub(super) fn give_back(
        &mut self,
        turn: &mut Turn<'_>,
        filter: Arc<str>,
        message: Arc<Message>,
        open: Option<Opened>,
    ) {
        let id = message.id;
        self.return_to_group(turn, filter, message, Tried::new());
        if let Some(open) = open {
            self.close_message(open, id);
        }
    }

    fn return_to_group(
        &mut self,
        turn: &mut Turn<'_>,
        filter: Arc<str>,
        message: Arc<Message>,
        tried: Tried,
    ) {
        let owner = self.context.shard_of(&filter);
        let tracked = self.may_be_kept_by(owner, &message);
        let given_back = GivenBack { filter, message, tried, tracked };
        self.forward(turn, owner, Envelope::Return(Box::new(given_back)));
    }

    pub(super) fn take_join(&mut self, turn: &mut Turn<'_>, from: u16, join: Join) {
        let Join { filter, member, options, availability, ticket } = join;
        let Some(shared) = filter.shared() else { return };
        let joined = self.groups.join(shared.name, shared.filter, member, options);
        self.groups.set_state(member, state_of(availability));
        if joined.new_group
            && let Some(delta) = self.interest.add_local(shared.filter)
        {
            self.announce(turn, delta);
        }
        if joined.new_group && self.groups.groups() == 1 {
            self.context.set_groups(self.id, true);
        }
        let answer = Answer::Joined(from, Joined { ticket });
        self.awaiting.open(answer, 0);
        self.finish_ready(turn);
        self.count_subscriptions();
    }

    pub(super) fn take_leave(
        &mut self,
        turn: &mut Turn<'_>,
        from: u16,
        filter: &TopicFilter,
        subscriber: SubscriberId,
    ) {
        let Some(shared) = filter.shared() else { return };
        let member = Member { shard: from, subscriber };
        let left = self.groups.leave(shared.name, shared.filter, member);
        if left.group_ended
            && let Some(delta) = self.interest.remove_local(shared.filter)
        {
            self.announce(turn, delta);
        }
        if left.group_ended && self.groups.groups() == 0 {
            self.context.set_groups(self.id, false);
        }
        self.count_subscriptions();
    }

    pub(super) fn set_member(&mut self, from: u16, subscriber: SubscriberId, state: Availability) {
        self.groups.set_state(Member { shard: from, subscriber }, state_of(state));
    }

    /// Tells the owners of a client's groups when it can take more or less than they know.
    pub(super) fn tell_owners(&mut self, turn: &mut Turn<'_>, slot: u32) {
        if self.clients.get(slot).is_none_or(|client| client.shares.is_none()) {
            return; // Nearly all.
        }
        let counts = self.counts_inflight();
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(shares) = &mut client.shares else { return };
        let mut now = availability(&client.session);
        if !counts {
            now.inflight = 0;
        }
        if now == shares.told {
            return;
        }
        shares.told = now;
        let mut owners = shares.owners;
        while owners != 0 {
            let owner = owners.trailing_zeros() as u16;
            owners &= owners - 1;
            self.forward(turn, owner, Envelope::MemberState(SubscriberId(slot), now));
        }
    }

    fn counts_inflight(&self) -> bool {
        let options = &self.context.options;
        let strategies = options.shared_strategies.iter().map(|(_, strategy)| strategy);
        strategies.chain([&options.shared_strategy]).any(|it| *it == Strategy::LeastInflight)
    }
}

fn state_of(availability: Availability) -> MemberState {
    let Availability { online, full, inflight } = availability;
    MemberState { online, full, inflight }
}
