//! What others ask of a shard while it serves: who is there, what they have, and to do something about one of
//! them. Each question takes as little time as a few messages do; a long list is asked for in parts.

use std::{fmt, ops::ControlFlow};

use plexus_access::Principal;
use plexus_session::Session;
use plexus_types::{ClientId, Instant, Message, ReasonCode};

use super::{
    Shard,
    clients::Client,
    route::{NOT_KEPT, Taken},
};
use crate::ports::Turn;

/// Clients that are looked at for one question; whoever asks goes on where it ended.
const LOOKED_AT_MAX: u32 = 1_024;

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

/// What is asked.
pub enum Question {
    /// Clients from that place on; the answer is where to go on, if there are more.
    Walk(u32, Visit, Told<Option<u32>>),
    /// A client, by the name under which the node knows it.
    Find(ClientId, Look),
    /// To disconnect a client and end its session; whether there was one.
    Kick(ClientId, Told<bool>),
    /// To publish a message that somebody who may has brought; the answer comes when it is kept as promised.
    Publish(Box<Message>, Told<ReasonCode>),
}

impl Question {
    /// Whether it brings something that takes room.
    pub(crate) const fn brings(&self) -> bool {
        matches!(self, Self::Publish(..))
    }

    /// Whether it may take long.
    pub(crate) const fn is_long(&self) -> bool {
        matches!(self, Self::Walk(..))
    }

    /// Nothing is done about it for want of room.
    pub(crate) fn refuse(self) {
        if let Self::Publish(_, told) = self {
            told(ReasonCode::ServerBusy);
        }
    }
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Walk(from, ..) => f.debug_tuple("Walk").field(from).finish_non_exhaustive(),
            Self::Find(client, _) => f.debug_tuple("Find").field(client).finish_non_exhaustive(),
            Self::Kick(client, _) => f.debug_tuple("Kick").field(client).finish_non_exhaustive(),
            Self::Publish(message, _) => {
                f.debug_tuple("Publish").field(&message.topic).finish_non_exhaustive()
            }
        }
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
