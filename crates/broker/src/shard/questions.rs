//! What others ask of a shard while it serves: who is there, what they have, and to do something about one of
//! them. Each question takes as little time as a few messages do; a long list is asked for in parts.

use std::{collections::BTreeSet, fmt, ops::ControlFlow, sync::Arc};

use plexus_access::{Policy, Principal};
use plexus_porch::Watcher;
use plexus_session::{LogPosition, Session};
use plexus_topics::{Member, RetainedCursor, SubscriberId};
use plexus_types::{ClientId, Instant, Message, Qos, ReasonCode, TopicFilter, TopicName};
use plexus_wire::SubscriptionOptions;

use super::{
    Shard,
    clients::Client,
    route::{NOT_KEPT, Taken},
};
use crate::ports::Turn;

/// Clients that are looked at for one question; whoever asks goes on where it ended.
const LOOKED_AT_MAX: u32 = 1_024;
/// Groups, and members of each, that are named as receivers.
const GROUPS_MAX: usize = 100;
const MEMBERS_MAX: usize = 100;
/// Receivers that are looked at for one question: each may have ten thousand subscriptions.
const RECEIVERS_MAX: usize = 16;

/// A client, as it is at the moment.
#[derive(Clone, Copy)]
pub struct ClientView<'a>(&'a Client, u32);

impl<'a> ClientView<'a> {
    /// Who it is: its own identifier, proved name, tenant, address and listener.
    pub fn principal(&self) -> &'a Principal {
        &self.0.principal
    }

    /// Its place in the shard: walks go by it.
    pub const fn slot(&self) -> u32 {
        self.1
    }

    /// Its session.
    pub fn session(&self) -> &'a Session {
        &self.0.session
    }

    /// What its listener allows it, and says about what it may do.
    pub fn policy(&self) -> &'a dyn Policy {
        &*self.0.door.policy
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        self.0.conn.is_some()
    }

    /// Whether its connection takes less than is sent to it.
    pub fn is_congested(&self) -> bool {
        self.0.congested
    }

    /// When it was let in last; none where that was before the node started.
    pub fn connected_at(&self) -> Option<Instant> {
        (self.0.connected_at > Instant::ZERO).then_some(self.0.connected_at)
    }
}

impl fmt::Debug for ClientView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientView").field("id", self.0.session.client_id()).finish_non_exhaustive()
    }
}

/// Takes clients one by one, and says whether it wants more.
pub type Visit = Box<dyn FnMut(ClientView<'_>) -> ControlFlow<()> + Send>;

/// Takes what was asked for; it is not called where the shard has stopped.
pub type Told<T> = Box<dyn FnOnce(T) + Send>;

/// Looks at a client, if it is there.
pub type Look = Box<dyn FnOnce(Option<ClientView<'_>>) + Send>;

/// What became of the subscriptions that somebody wants for a client: the quality of service of each, or why not.
pub type Granted = Vec<Result<Qos, ReasonCode>>;

/// Some of those that a message would go to.
#[derive(Debug)]
pub struct ReceiversPart {
    /// Where to go on, if there may be more.
    pub next: Option<u32>,
    /// The shared groups that the shard owns: the whole filter of each, and its members, one more than are to be named
    /// where there are more.
    pub groups: Vec<(Arc<str>, Vec<Member>)>,
}

/// Where a list of retained messages begins or goes on.
#[derive(Debug)]
pub enum RetainedFrom {
    /// Those that the filter matches, from behind that topic on.
    Behind(Box<str>, Option<Box<str>>),
    /// Where the part before has ended.
    Cursor(RetainedCursor),
}

/// Some of the retained messages of a shard.
#[derive(Debug)]
pub struct RetainedPart {
    /// The messages, in the order of their topics.
    pub messages: Vec<Arc<Message>>,
    /// Where to go on, if there may be more.
    pub next: Option<RetainedCursor>,
}

/// A level of the tree of retained topics.
#[derive(Debug, Clone)]
pub struct TopicLevel {
    /// Its name.
    pub name: Box<str>,
    /// The retained message of the topic that ends with it.
    pub message: Option<Arc<Message>>,
    /// Whether there are topics below it.
    pub has_more: bool,
}

/// What is asked.
pub enum Question {
    /// Clients from that place on; the answer is where to go on, if there are more.
    Walk(u32, Visit, Told<Option<u32>>),
    /// A client, by the name under which the node knows it.
    Find(ClientId, Look),
    /// To disconnect a client and end its session; whether there was one.
    Kick(ClientId, Told<bool>),
    /// Those of the shard that a message of that topic would go to; of shared groups that the shard owns, their whole
    /// filters and where the members are.
    /// Some of them, from that place on; the answer is where to go on, if there are more, and the groups.
    Receivers(TopicName, u32, Visit, Told<ReceiversPart>),
    /// The client in that place.
    At(u32, Look),
    /// The retained message of a topic, of the shard that owns it.
    Retained(TopicName, Told<Option<Arc<Message>>>),
    /// Some of the shard's retained messages.
    RetainedPart(RetainedFrom, Told<RetainedPart>),
    /// The levels of the shard's retained topics below that one, so many from behind that level on.
    Levels(Option<Box<str>>, Option<Box<str>>, usize, Told<Vec<TopicLevel>>),
    /// To subscribe a client to filters, as its rules allow; what became of each, none if there is no such client.
    Subscribe(ClientId, Vec<(TopicFilter, SubscriptionOptions)>, Told<Option<Granted>>),
    /// To take subscriptions of a client back; whether it had each, none if there is no such client.
    Unsubscribe(ClientId, Vec<TopicFilter>, Told<Option<Vec<bool>>>),
    /// To show somebody what goes on from now on.
    Watch(Arc<dyn Watcher>),
    /// To publish a message that somebody who may has brought; the answer comes when it is kept as promised.
    Publish(Box<Message>, Told<ReasonCode>),
}

impl Question {
    /// Whether it brings something that takes room.
    pub(crate) const fn brings(&self) -> bool {
        matches!(self, Self::Publish(..) | Self::Subscribe(..))
    }

    /// Whether it may take long.
    pub(crate) const fn is_long(&self) -> bool {
        matches!(
            self,
            Self::Walk(..) | Self::Receivers(..) | Self::RetainedPart(..) | Self::Levels(..)
        )
    }

    /// Nothing is done about it for want of room.
    pub(crate) fn refuse(self) {
        match self {
            Self::Publish(_, told) => told(ReasonCode::ServerBusy),
            Self::Subscribe(_, filters, told) => {
                told(Some(vec![Err(ReasonCode::ServerBusy); filters.len()]));
            }
            _ => {}
        }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Walk(..) => "Walk",
            Self::Find(..) => "Find",
            Self::Kick(..) => "Kick",
            Self::Receivers(..) => "Receivers",
            Self::At(..) => "At",
            Self::Retained(..) => "Retained",
            Self::RetainedPart(..) => "RetainedPart",
            Self::Levels(..) => "Levels",
            Self::Subscribe(..) => "Subscribe",
            Self::Unsubscribe(..) => "Unsubscribe",
            Self::Watch(..) => "Watch",
            Self::Publish(..) => "Publish",
        };
        f.debug_struct(name).finish_non_exhaustive()
    }
}

impl Shard {
    /// Answers, or does what is asked.
    pub fn handle_question(&mut self, turn: &mut Turn<'_>, question: Question) {
        match question {
            Question::Walk(from, visit, told) => told(self.visit_clients(from, visit)),
            Question::Find(client, told) => {
                let slot = self.clients.find(&client);
                told(slot.and_then(|slot| Some(ClientView(self.clients.get(slot)?, slot))));
            }
            Question::Kick(client, told) => told(self.kick(turn, &client)),
            Question::Receivers(topic, from, visit, told) => {
                told(self.visit_receivers(&topic, from, visit));
            }
            Question::At(slot, told) => {
                told(self.clients.get(slot).map(|client| ClientView(client, slot)));
            }
            Question::Retained(topic, told) => told(self.retained.get(&topic).cloned()),
            Question::RetainedPart(from, told) => told(self.retained.part(from)),
            Question::Levels(parent, last, count, told) => {
                told(self.retained.levels(parent.as_deref(), last.as_deref(), count));
            }
            Question::Subscribe(client, filters, told) => {
                self.subscribe_for(turn, &client, filters, told);
            }
            Question::Unsubscribe(client, filters, told) => {
                self.unsubscribe_for(turn, &client, &filters, told);
            }
            Question::Watch(watcher) => self.add_watcher(watcher),
            Question::Publish(message, told) => self.publish_for(turn, *message, told),
        }
    }

    fn visit_clients(&self, from: u32, mut visit: Visit) -> Option<u32> {
        let bound = self.clients.bound();
        let until = from.saturating_add(LOOKED_AT_MAX).min(bound);
        for slot in from..until {
            let Some(client) = self.clients.get(slot) else { continue };
            if visit(ClientView(client, slot)).is_break() {
                return Some(slot + 1).filter(|next| *next < bound);
            }
        }
        (until < bound).then_some(until)
    }

    fn visit_receivers(&mut self, topic: &TopicName, from: u32, mut visit: Visit) -> ReceiversPart {
        self.matches.clear();
        self.group_ids.clear();
        self.index.matches(topic.as_bytes(), &mut self.matches);
        self.groups.matches(topic.as_bytes(), &mut self.group_ids);
        // The first ones from there on, each once, whatever the order of the matches.
        let mut slots = BTreeSet::new();
        for subscription in self.matches.subscriptions() {
            let SubscriberId(slot) = subscription.subscriber;
            if slot >= from && slots.insert(slot) && slots.len() > RECEIVERS_MAX {
                slots.pop_last();
            }
        }
        let next = slots.last().filter(|_| slots.len() == RECEIVERS_MAX).map(|last| last + 1);
        for slot in slots {
            let Some(client) = self.clients.get(slot) else { continue };
            if visit(ClientView(client, slot)).is_break() {
                break;
            }
        }
        let groups = self.group_ids.iter().filter_map(|group| {
            let members = self.groups.members_of(*group).take(MEMBERS_MAX + 1).collect();
            Some((Arc::clone(self.groups.filter(*group)?), members))
        });
        ReceiversPart { next, groups: groups.take(GROUPS_MAX).collect() }
    }

    fn subscribe_for(
        &mut self,
        turn: &mut Turn<'_>,
        client: &ClientId,
        filters: Vec<(TopicFilter, SubscriptionOptions)>,
        told: Told<Option<Granted>>,
    ) {
        let slot = self.clients.find(client);
        let Some((slot, found)) = slot.and_then(|slot| Some((slot, self.clients.get(slot)?)))
        else {
            return told(None);
        };
        let (mut request, mut refused) = (found.session.wanted_for(filters), 0);
        let later = self.may_subscribe(slot, &mut request, &mut refused);
        for at in later {
            // Nobody waits here for what somebody elsewhere would say.
            if let Some(item) = request.items.get_mut(at) {
                item.filter = Err(ReasonCode::NotAuthorized);
            }
        }
        let before = self.outbox.appended();
        let Some(client) = self.clients.get_mut(slot) else { return told(None) };
        let granted = client.session.subscribe_for(request, &mut self.outbox);
        self.settle(turn, slot);
        self.tell_when_since_kept(before, move || told(Some(granted)));
    }

    fn unsubscribe_for(
        &mut self,
        turn: &mut Turn<'_>,
        client: &ClientId,
        filters: &[TopicFilter],
        told: Told<Option<Vec<bool>>>,
    ) {
        let slot = self.clients.find(client);
        let found = slot.and_then(|slot| Some((slot, self.clients.get_mut(slot)?)));
        let Some((slot, client)) = found else { return told(None) };
        let before = self.outbox.appended();
        let had = client.session.unsubscribe_for(filters, &mut self.outbox);
        self.settle(turn, slot);
        self.tell_when_since_kept(before, move || told(Some(had)));
    }

    /// Tells it when what was appended since then is kept, or at once where that was nothing.
    fn tell_when_since_kept(&mut self, before: LogPosition, tell: impl FnOnce() + Send + 'static) {
        let at = self.outbox.appended();
        if at > before {
            self.log.tell_when_kept(at, tell);
        } else {
            tell();
        }
    }

    fn kick(&mut self, turn: &mut Turn<'_>, client: &ClientId) -> bool {
        let Some(slot) = self.clients.find(client) else { return false };
        let Some(found) = self.clients.get_mut(slot) else { return false };
        if found.conn.is_some() {
            let (now, reason) = (turn.now, ReasonCode::AdministrativeAction);
            found.session.disconnect(now, reason, None, &mut self.outbox);
            self.settle(turn, slot);
        }
        // A session that ended with its connection has left its slot.
        if self.clients.find(client) == Some(slot) {
            self.end_session(turn, slot, "an administrator ended it");
        }
        true
    }

    fn publish_for(&mut self, turn: &mut Turn<'_>, mut message: Message, told: Told<ReasonCode>) {
        let durability = self.context.options.durability;
        message.durability = self.context.durability_of(&message.topic, durability);
        let is_kept = self.log.enabled && message.durability.is_kept();
        // As with clients: what is retained and could not be kept leaves what was kept before.
        let takes_nothing = message.durability.is_kept() && self.context.log.takes_nothing_new();
        if takes_nothing && message.retain && !self.makes_room(&message) {
            self.counters().dropped_store_full.add(1);
            return told(NOT_KEPT);
        }
        let before = self.outbox.appended();
        self.counters().messages_received.add(1);
        let reason = self.distribute(turn, None, message, Taken { once: None, may_refuse: true });
        self.work_off(turn);
        if is_kept && self.outbox.appended() > before {
            self.log.tell_when_kept(self.outbox.appended(), move || told(reason));
        } else {
            told(reason);
        }
    }
}
