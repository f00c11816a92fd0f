//! The node's side: calls into shards, and carrying out what they want.

use std::{sync::Arc, time::Duration};

use plexus_access::Outcome;
use plexus_broker::{
    envelope::Envelope,
    ports::{Arrival, ConnId, Query, Ticket, Turn},
    shard::Shard,
};
use plexus_types::Instant;
use plexus_wire::{Connect, Packet, ProtocolError};

use super::World;
use crate::{
    agenda::{ActorNo, Event, Lane, LinkNo},
    dock::Effect,
    seen::{Seen, Terms},
};

impl World {
    /// Calls a shard, then does what it wants.
    pub(super) fn call(&mut self, shard: u16, act: impl FnOnce(&mut Shard, &mut Turn<'_>)) {
        if self.dying {
            return;
        }
        self.act(shard, act);
        if self.logger.is_some() && !self.dying {
            self.pass_turn(shard);
        }
    }

    /// Calls a shard, which may be the last that the node does: then only some of what the shard
    /// wants comes to pass.
    pub(super) fn act(&mut self, shard: u16, act: impl FnOnce(&mut Shard, &mut Turn<'_>)) {
        let now = self.node_now();
        let home = self.home(shard);
        let mut turn = Turn { now, ports: &mut home.dock };
        act(&mut home.shard, &mut turn);
        let mut effects = std::mem::take(&mut home.dock.effects);
        self.tempt_fate();
        let last = if self.dying { self.dice.below(effects.len() + 1) } else { effects.len() };
        for effect in effects.drain(..).take(last) {
            self.carry_out(shard, effect);
        }
        if self.dying {
            return;
        }
        self.home(shard).dock.effects = effects;
        self.audit(shard);
        self.arm(shard);
    }

    fn carry_out(&mut self, shard: u16, effect: Effect) {
        match effect {
            Effect::Said(link, packet, size) => self.said(shard, link, &packet, size),
            Effect::Delivered(link, outgoing, size) => {
                if let Some(actor) = self.link(link).actor() {
                    self.see(&Seen::Delivered { actor, outgoing: &outgoing, size });
                }
                self.push_down(link);
            }
            Effect::Closed(conn, link, reason) => {
                self.story.tell(self.now, &(20, link), || {
                    format!("server closes link {link}: {reason:?}")
                });
                self.detached(link);
                let (cut, empty) = (self.link(link).cut, self.home(shard).dock.conn(conn));
                let empty = empty.is_none_or(|conn| conn.output.is_empty());
                if cut {
                    self.release(link);
                } else if empty {
                    self.release(link);
                    self.agenda.enter(self.now, Event::ClientLoses(link));
                } else {
                    self.push_down(link);
                }
            }
            Effect::Resumed(link) => self.agenda.enter(self.now, Event::Serve(link)),
            Effect::Forwarded(to, envelope) if self.logger.is_some() => {
                self.home(shard).outgoing.push((to, *envelope));
            }
            Effect::Forwarded(to, envelope) => self.post(shard, to, *envelope),
            Effect::Asked(ticket) => {
                let at = self.now + self.dice.millis(0, 500);
                self.agenda.enter(at, Event::Verified(shard, ticket));
            }
            Effect::AskedAbout(query) => {
                let at = self.now + self.dice.millis(0, 500);
                self.agenda.enter(at, Event::Advised(shard, query));
            }
            Effect::Recorded(batch, upto) => self.record(shard, batch, upto),
            Effect::Wanted(fetch) => self.want(shard, fetch),
            Effect::WroteAfterClose(link) => {
                if let Some(actor) = self.link(link).actor() {
                    self.see(&Seen::WroteAfterClose { actor });
                }
            }
        }
    }

    fn said(&mut self, shard: u16, link: LinkNo, packet: &Packet, size: usize) {
        self.push_down(link);
        let Some(actor) = self.link(link).actor() else { return };
        if let Packet::ConnAck(connack) = packet
            && !connack.reason.is_error()
        {
            self.link(link).accepted = true;
            let cleaned = self.history.asked_clean(link);
            let resumed = self.update_serial(shard, actor, cleaned);
            let resumed = self.tell_resident(shard, actor, (resumed, connack.session_present));
            self.see(&Seen::Accepted { actor, link, resumed, connack });
            self.story.tell(self.now, &(21, actor, link, resumed), || {
                format!("server accepts c{actor} on link {link}, resumed: {resumed}")
            });
        }
        if let Packet::PubAck(ack) | Packet::PubRec(ack) = packet
            && let Some(order) = self.history.answer(actor, ack.packet_id)
        {
            let refused = ack.reason.is_error();
            self.see(&if refused { Seen::Refused(order) } else { Seen::Promised(order) });
        }
        self.see(&Seen::Said { actor, packet, size });
    }

    /// CONNACK tells of a session: says whether it was there before. Nobody but the node knows this
    /// of one that no CONNACK has told of yet: it may have been made for an earlier connection.
    fn tell_resident(&mut self, shard: u16, actor: ActorNo, (resumed, told): (bool, bool)) -> bool {
        let Some(resident) = self.home(shard).residents.get_mut(&actor) else { return resumed };
        if std::mem::replace(&mut resident.untold, false) { told } else { resumed }
    }

    /// Looks which session the client has now; says whether it is still the one that it had.
    fn update_serial(&mut self, shard: u16, actor: ActorNo, cleaned: bool) -> bool {
        let home = self.homes.get_mut(usize::from(shard)).expect("invariant: shards are numbered");
        let id = self.actors.get(actor).map(|actor| &actor.id);
        let now = id.and_then(|id| home.shard.session(id)).map(|(serial, _)| serial);
        let Some(known) = home.residents.get_mut(&actor) else { return false };
        let before = std::mem::replace(&mut known.serial, now);
        // Nobody was told how long a session lasts of which no CONNACK has told.
        let cleaned = cleaned || known.untold;
        known.untold |= before != now && self.logger.is_some();
        if before.is_some() && before != now {
            self.story.tell(self.now, &(22, actor), || format!("the session of c{actor} ended"));
            self.see(&Seen::Ended { actor, cleaned });
        }
        before.is_some() && before == now
    }

    /// After a call: which sessions are gone, and what the others hold.
    fn audit(&mut self, shard: u16) {
        let residents: Vec<_> = self.home(shard).residents.keys().copied().collect();
        for actor in residents {
            let links = &self.links;
            let is_his =
                |link: LinkNo| links.get(link).and_then(crate::link::Link::actor) == Some(actor);
            let cleaned = self.logger.is_some() && self.history.is_cleaning(is_his);
            self.update_serial(shard, actor, cleaned);
            let home = self.homes.get(usize::from(shard)).expect("invariant: shards are numbered");
            let id = self.actors.get(actor).map(|actor| &actor.id);
            let Some((_, session)) = id.and_then(|id| home.shard.session(id)) else { continue };
            let ((queued, bytes), inflight) = (session.queued(), session.inflight());
            self.see(&Seen::Gauged { actor, queued, bytes, inflight });
        }
    }

    fn arm(&mut self, shard: u16) {
        let lag = if self.calm { Duration::ZERO } else { self.dice.micros(0, 2_000) };
        let now = self.now;
        let due = self.home(shard).shard.poll_timeout();
        let Some(due) = due.map(|due| self.moment_of(due)) else { return };
        let home = self.home(shard);
        if due < home.tick {
            home.tick = due;
            self.agenda.enter(due.max(now) + lag, Event::Tick(shard));
        }
    }

    pub(super) fn tick(&mut self, shard: u16) {
        self.home(shard).tick = Instant::FAR_FUTURE;
        let worked = self.dice.between(0, 400_000);
        self.home(shard).shard.counters().busy_micros.add(worked as u64);
        self.call(shard, Shard::handle_timeout);
    }

    pub(super) fn verified(&mut self, shard: u16, ticket: Ticket) {
        self.call(shard, |shard, turn| shard.handle_verified(turn, ticket, Outcome::allow()));
    }

    /// It is allowed: what the simulation watches is that it comes late.
    pub(super) fn advised(&mut self, shard: u16, query: Query) {
        self.call(shard, |shard, turn| shard.handle_advised(turn, query, Outcome::allow()));
    }

    /// Gives a shard what has arrived on a connection, packet by packet.
    pub(super) fn serve(&mut self, number: LinkNo) {
        while self.violation.is_none() && !self.dying {
            let link = self.links.get_mut(number).expect("invariant: links stay");
            if !link.server_open {
                return;
            }
            let Some((shard, conn)) = link.conn else {
                match link.server.decode(&mut link.arrived) {
                    Ok(None) => return,
                    Ok(Some(Packet::Connect(connect))) => self.knock(number, connect),
                    Ok(Some(_)) | Err(_) => self.hang_up(number),
                }
                continue;
            };
            if self.is_held(number, shard, conn) {
                return;
            }
            let link = self.link(number);
            let packet = match link.server.decode(&mut link.arrived) {
                Ok(None) => return,
                Ok(Some(packet)) => Ok(packet),
                Err(fault) => Err(fault),
            };
            self.take(number, (shard, conn), packet);
        }
    }

    /// Whether the next packet must wait: the shard wants none, or publishers are held back.
    fn is_held(&mut self, number: LinkNo, shard: u16, conn: ConnId) -> bool {
        let first = self.link(number).arrived.first().copied();
        let is_publish = first.is_some_and(|byte| byte >> 4 == 3);
        let (now, holds) = (self.now, !self.calm && self.dice.chance(self.plan.faults.holds));
        let hold = self.dice.millis(1, 800);
        let home = self.home(shard);
        let closing = home.dock.conn(conn).is_none_or(|conn| conn.closing);
        if closing || !home.shard.wants_packets(conn, first) {
            return true;
        }
        if holds && home.held_until <= now {
            home.held_until = now + hold;
        }
        let until = home.held_until;
        if is_publish && until > now {
            self.agenda.enter(until, Event::Serve(number));
            return true;
        }
        false
    }

    fn arrive(&mut self, number: LinkNo, shard: u16, connect: Box<Connect>) {
        let id = plexus_types::ClientId::new(&connect.client_id);
        let conn = self.home(shard).dock.open(number);
        self.link(number).conn = Some((shard, conn));
        if let Some(actor) = self.link(number).actor() {
            let terms = Terms::new(&connect, &self.plan.session);
            self.see(&Seen::Asked { actor, link: number, terms });
        }
        self.story.tell(self.now, &(23, number, shard), || {
            format!("CONNECT of {id} on link {number} comes to shard {shard}")
        });
        let door = Arc::clone(&self.door);
        let arrival =
            Arrival { connect, assigned: None, door, peer: None, certificate: None, named: None };
        self.call(shard, |shard, turn| shard.handle_arrival(turn, conn, arrival));
    }

    /// The porch hands the connection to the client's home. While that is not open nobody listens.
    fn knock(&mut self, number: LinkNo, connect: Box<Connect>) {
        let id = plexus_types::ClientId::new(&connect.client_id);
        let shard = self.common.home(&id);
        if self.home(shard).open {
            self.arrive(number, shard, connect);
        } else {
            self.hang_up(number);
        }
    }

    fn take(
        &mut self,
        number: LinkNo,
        (shard, conn): (u16, ConnId),
        packet: Result<Packet, ProtocolError>,
    ) {
        let actor = self.link(number).actor();
        if let (Some(actor), Ok(packet)) = (actor, &packet) {
            self.see(&Seen::Heard { actor, packet });
            if let Packet::Publish(publish) = packet
                && let Some(entry) = self.history.enter(actor, publish)
            {
                self.see(&Seen::Entered(&entry));
            }
            self.story.tell(self.now, &(24, number, packet.packet_type() as u8), || {
                format!("shard {shard} hears c{actor}: {}", brief(packet))
            });
        }
        self.call(shard, |shard, turn| shard.handle_packet(turn, conn, packet));
    }

    /// The porch closes a connection that does not begin with CONNECT.
    fn hang_up(&mut self, number: LinkNo) {
        self.link(number).server_open = false;
        self.agenda.enter(self.now, Event::ClientLoses(number));
    }

    /// The server notices that a connection is over.
    pub(super) fn server_loses(&mut self, number: LinkNo) {
        let link = self.link(number);
        if !std::mem::replace(&mut link.server_open, false) {
            return;
        }
        let Some((shard, conn)) = link.conn else { return };
        let closing = self.home(shard).dock.conn(conn).is_none_or(|conn| conn.closing);
        self.home(shard).dock.free(conn);
        if closing {
            return;
        }
        self.story.tell(self.now, &(25, number), || format!("server loses link {number}"));
        self.detached(number);
        self.call(shard, |shard, turn| shard.handle_lost(turn, conn));
    }

    pub(super) fn detached(&mut self, number: LinkNo) {
        let link = self.link(number);
        let seen = std::mem::replace(&mut link.detached, true);
        if let (true, false, Some(actor)) = (link.accepted, seen, link.actor()) {
            self.see(&Seen::Detached { actor, link: number });
        }
    }

    /// The server's end of a connection is free again.
    pub(super) fn release(&mut self, number: LinkNo) {
        let link = self.link(number);
        link.server_open = false;
        if let Some((shard, conn)) = link.conn {
            self.home(shard).dock.free(conn);
        }
    }

    pub(super) fn post(&mut self, from: u16, to: u16, envelope: Envelope) {
        let stalls = !self.calm && self.dice.chance(self.plan.faults.stalls);
        let delay = if stalls { self.dice.millis(1, 400) } else { self.dice.micros(1, 300) };
        let lane = Lane { from, to, request: envelope.is_request() };
        let (queue, last) = self.lanes.entry(lane).or_default();
        queue.push_back(envelope);
        *last = (self.now + delay).max(*last);
        self.agenda.enter(*last, Event::Envelope(lane));
    }

    pub(super) fn deliver_envelope(&mut self, lane: Lane) {
        let Some((queue, _)) = self.lanes.get_mut(&lane) else { return };
        let Some(envelope) = queue.pop_front() else { return };
        self.story.tell(self.now, &(26, lane), || {
            let about = about(&envelope);
            format!("shard {} tells shard {}: {}{about}", lane.from, lane.to, kind(&envelope))
        });
        self.call(lane.to, |shard, turn| shard.handle_envelope(turn, lane.from, envelope));
    }
}

/// A packet in a few words.
pub(super) fn brief(packet: &Packet) -> String {
    match packet {
        Packet::Publish(publish) => {
            let number = crate::history::MessageNo::of(&publish.payload);
            let number = number.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            let (qos, id) = (publish.qos.get(), publish.packet_id);
            let dup = if publish.dup { " again" } else { "" };
            let retain = if publish.retain { ", retained" } else { "" };
            format!("PUBLISH {number} on \"{}\" QoS {qos} id {id:?}{dup}{retain}", publish.topic)
        }
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            format!("{:?} {} {}", packet.packet_type(), ack.packet_id, ack.reason)
        }
        Packet::Subscribe(subscribe) => {
            let filters: Vec<_> = subscribe.filters.iter().map(|it| it.filter.as_str()).collect();
            format!("SUBSCRIBE {} {filters:?}", subscribe.packet_id)
        }
        Packet::Unsubscribe(unsubscribe) => {
            format!("UNSUBSCRIBE {} {:?}", unsubscribe.packet_id, unsubscribe.filters)
        }
        other => format!("{:?}", other.packet_type()),
    }
}

/// The kind of an envelope.
/// The message that an envelope brings, if it is one.
fn about(envelope: &Envelope) -> String {
    let message = match envelope {
        Envelope::Publish(message, _) | Envelope::Retain(message) => message,
        Envelope::Assign(assignment) => &assignment.message,
        Envelope::Return(given_back) => &given_back.message,
        _ => return String::new(),
    };
    format!(" {}", message.id.get())
}

fn kind(envelope: &Envelope) -> &'static str {
    match envelope {
        Envelope::Publish(..) => "Publish",
        Envelope::Kept(..) => "Kept",
        Envelope::Credit(..) => "Credit",
        Envelope::Retain(_) => "Retain",
        Envelope::Assign(_) => "Assign",
        Envelope::Return(_) => "Return",
        Envelope::Join(_) => "Join",
        Envelope::Joined(_) => "Joined",
        Envelope::Leave(..) => "Leave",
        Envelope::MemberState(..) => "MemberState",
        Envelope::Interest(..) => "Interest",
        Envelope::Interests(..) => "Interests",
        Envelope::InterestSeen(..) => "InterestSeen",
        Envelope::AskNamed => "AskNamed",
        Envelope::Named(_) => "Named",
        Envelope::Replay(_) => "Replay",
        Envelope::ReplayMore(_) => "ReplayMore",
        Envelope::ReplayStop(_) => "ReplayStop",
        Envelope::Replayed(_) => "Replayed",
    }
}
