//! The clients' side: what the client role of the session wants done.

use plexus_session::{ClientOutput, Incoming, Ticket};
use plexus_types::{ProtocolVersion, ReasonCode};
use plexus_wire::{ConnAck, Packet, ProtocolError, SubscribeFilter};

use super::World;
use crate::{
    agenda::{ActorNo, Event, LinkNo},
    history::MessageNo,
    link::Peer,
    seen::Seen,
};

impl World {
    /// Opens a connection; whatever the actor had before is abandoned.
    pub(super) fn connect(&mut self, number: ActorNo) {
        if let Some(old) = self.actor(number).link.take() {
            self.abandon(old);
            let now = self.now;
            self.actor(number).client.handle_connection_lost(now);
            self.drain(number);
        }
        self.lose_unaccepted(Peer::Actor(number));
        let version = self.actor(number).client.version();
        let link = self.open_link(Peer::Actor(number), version);
        let now = self.now;
        let actor = self.actor(number);
        actor.link = Some(link);
        actor.may_be_known |= actor.expiry > 0;
        actor.client.connect(now);
        self.story
            .tell(self.now, &(30, number, link), || format!("c{number} connects by link {link}"));
        self.drain(number);
    }

    pub(super) fn client_hears(&mut self, number: ActorNo, packet: Result<Packet, ProtocolError>) {
        let now = self.now;
        if let Ok(packet) = &packet {
            self.story.tell(now, &(31, number, packet.packet_type() as u8), || {
                format!("c{number} hears {}", super::server::brief(packet))
            });
        }
        self.actor(number).client.handle_packet(now, packet);
        self.drain(number);
    }

    /// The client notices that a connection is over.
    pub(super) fn client_loses(&mut self, link: LinkNo) {
        let Some(number) = self.link(link).actor() else {
            self.link(link).client_open = false;
            return;
        };
        self.link(link).client_open = false;
        let now = self.now;
        let actor = self.actor(number);
        if actor.link != Some(link) {
            return;
        }
        actor.link = None;
        actor.client.handle_connection_lost(now);
        self.story.tell(now, &(32, number, link), || format!("c{number} lost link {link}"));
        self.drain(number);
    }

    pub(super) fn client_timeout(&mut self, number: ActorNo) {
        let now = self.now;
        let actor = self.actor(number);
        if actor.asleep_until > now {
            let until = actor.asleep_until;
            self.agenda.enter(until, Event::Timeout(number));
            return;
        }
        if actor.client.poll_timeout().is_some_and(|due| due <= now) {
            actor.client.handle_timeout(now);
            self.drain(number);
        }
    }

    /// Carries out what a client wants.
    pub(super) fn drain(&mut self, number: ActorNo) {
        while let Some(output) = self.actor(number).client.poll_output() {
            match output {
                ClientOutput::Send(packet) => {
                    if let Some(link) = self.actor(number).link {
                        self.write_up(link, &packet);
                    }
                }
                ClientOutput::Connected(connack) => self.welcomed(number, &connack),
                ClientOutput::Message(incoming) => self.received(number, &incoming),
                ClientOutput::Published { ticket, reason } => {
                    self.published(number, ticket, reason);
                }
                ClientOutput::Subscribed(ticket, _) | ClientOutput::Unsubscribed(ticket, _) => {
                    self.answered(number, ticket);
                }
                ClientOutput::Abandoned(ticket) => self.answered(number, ticket),
                ClientOutput::Close(reason) => {
                    self.story.tell(self.now, &(33, number), || {
                        format!("c{number} closes its connection: {reason:?}")
                    });
                    self.finish(number);
                }
                ClientOutput::Refused(_)
                | ClientOutput::Pong
                | ClientOutput::Authentication(_)
                | ClientOutput::Disconnected(_) => {}
            }
        }
        let now = self.now;
        if let Some(due) = self.actor(number).client.poll_timeout() {
            self.agenda.enter(due.max(now), Event::Timeout(number));
        }
    }

    fn answered(&mut self, number: ActorNo, ticket: Ticket) {
        let actor = self.actor(number);
        if actor.tickets.remove(&ticket).is_none() {
            actor.requests = actor.requests.saturating_sub(1);
        }
    }

    fn published(&mut self, number: ActorNo, ticket: Ticket, reason: ReasonCode) {
        let Some(message) = self.actor(number).tickets.remove(&ticket) else { return };
        let qos = self.history.message(message).map_or(0, |sent| sent.qos.get());
        if qos > 0 && !reason.is_error() {
            self.see(&Seen::Acknowledged(message));
        }
    }

    fn received(&mut self, actor: ActorNo, incoming: &Incoming) {
        let number = MessageNo::of(&incoming.payload);
        self.see(&Seen::Received { actor, number, incoming });
        let ponders = !self.actor(actor).client.options().acknowledge;
        if let (true, Some(id)) = (ponders, incoming.packet_id) {
            let at = if self.calm { self.now } else { self.now + self.dice.millis(0, 2_000) };
            self.actor(actor).pondered.push_back(id);
            self.agenda.enter(at, Event::Acknowledge(actor));
        }
        if actor == self.witness() && incoming.retain {
            self.probe(incoming);
        }
    }

    pub(super) fn acknowledge(&mut self, number: ActorNo) {
        let now = self.now;
        let actor = self.actor(number);
        let Some(id) = actor.pondered.pop_front() else { return };
        actor.client.acknowledge(now, id, ReasonCode::Success);
        self.drain(number);
    }

    /// CONNACK: whoever has no session subscribes anew; 3.1 does not say, so it always does.
    fn welcomed(&mut self, number: ActorNo, connack: &ConnAck) {
        let actor = self.actor(number);
        let version = actor.client.version();
        actor.may_be_known = actor.expiry > 0;
        if connack.session_present && version != ProtocolVersion::V31 {
            return;
        }
        for at in 0..self.actor(number).wishes.len() {
            self.subscribe(number, at);
        }
    }

    pub(super) fn subscribe(&mut self, number: ActorNo, wish: usize) {
        let now = self.now;
        let identified = self.dice.chance(40);
        let actor = self.actor(number);
        let Some((filter, options)) = actor.wishes.get(wish).cloned() else { return };
        let id = (identified && actor.client.version().is_v5()).then_some(wish as u32 + 1);
        let filters = vec![SubscribeFilter { filter, options }];
        if actor.client.subscribe(now, filters, id).is_ok() {
            actor.requests += 1;
        }
        self.drain(number);
    }

    pub(super) fn unsubscribe(&mut self, number: ActorNo, wish: usize) {
        let now = self.now;
        let actor = self.actor(number);
        if wish >= actor.wishes.len() || !actor.client.is_connected() {
            return;
        }
        let (filter, _) = actor.wishes.remove(wish);
        if actor.client.unsubscribe(now, vec![filter]).is_ok() {
            actor.requests += 1;
        }
        self.drain(number);
    }

    /// The client's end of its connection closes once everything is written.
    fn finish(&mut self, number: ActorNo) {
        let Some(link) = self.actor(number).link.take() else { return };
        let at = self.link(link);
        at.client_open = false;
        at.finished = true;
        self.push_up(link);
    }
}
