//! Carrying out what sessions want. First the outbox is emptied: what goes to the peer goes at once,
//! what needs the shard (routing, decisions, the index) becomes work. Then the work is done, piece
//! by piece, each followed by the next emptying. So a session is never called while its effects are
//! pending, and one session's effects never mix with another's.

use std::{collections::VecDeque, fmt};

use plexus_access::{Notice, Verdict, Visitor};
use plexus_session::{
    Action, CloseReason, Decision, DropReason, Output, Publication, SubscribeRequest,
};
use plexus_types::{Instant, PacketId, ProtocolVersion, Qos, ReasonCode, TenantName};
use plexus_wire::Packet;

use super::{Occupant, Shard, Work, clients::Client, route::NOT_KEPT};
use crate::{
    counters::TenantCounters,
    ports::{ConnId, Turn},
};

impl Shard {
    /// Carries out everything that follows from the last call of that client's session.
    pub(super) fn settle(&mut self, turn: &mut Turn<'_>, slot: u32) {
        self.drain(turn, slot);
        self.work_off(turn);
        self.arm(slot);
    }

    /// Empties the outbox, whose effects are all of the client in `slot`.
    pub(super) fn drain(&mut self, turn: &mut Turn<'_>, slot: u32) {
        loop {
            self.drain_once(turn, slot);
            if !self.relieve(turn, slot) {
                break;
            }
        }
        if self.clients.get(slot).is_some_and(Client::is_plain) {
            return; // Nearly all.
        }
        self.tell_owners(turn, slot);
        self.advance_replays(turn, slot);
        self.relieve_crowd(turn, slot);
    }

    fn drain_once(&mut self, turn: &mut Turn<'_>, slot: u32) {
        while let Some(output) = self.outbox.poll() {
            match output {
                Output::Send(packet) => self.send_client(turn, slot, &packet),
                Output::Deliver(outgoing) => self.write(turn, slot, &outgoing),
                Output::Authorize(action) => self.work.push_back(Work::Decide(slot, action)),
                Output::Publish(publication) => {
                    self.work.push_back(Work::Route(Some(slot), publication));
                }
                Output::Subscribe(request) => self.work.push_back(Work::Subscribe(slot, request)),
                Output::Unsubscribe(request) => {
                    self.work.push_back(Work::Unsubscribe(slot, request));
                }
                Output::Persist(_, change) => self.record(slot, &change),
                Output::Fetch(ids) => self.fetch(turn, slot, ids),
                Output::Redispatch(group, body) => {
                    let open = self.open_redispatch(slot, &group, &body);
                    self.work.push_back(Work::Redispatch(group, body, open));
                }
                Output::Dropped(reason, count) => {
                    self.count_dropped(slot, reason, count);
                    if self.is_watched() {
                        self.show_dropped(turn.now, slot, reason, count);
                    }
                }
                Output::Close(reason) => self.close(turn, slot, reason),
                Output::Ended => self.work.push_back(Work::Ended(slot)),
                Output::Admit(admitted) => unreachable!("a session admits nobody: {admitted:?}"),
            }
        }
    }

    /// Does the pending work until there is none.
    pub(super) fn work_off(&mut self, turn: &mut Turn<'_>) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Decide(slot, action) => self.decide(turn, slot, action),
                Work::Route(slot, publication) => self.route(turn, slot, publication),
                Work::Subscribe(slot, request) => self.subscribe(turn, slot, request),
                Work::Unsubscribe(slot, request) => self.unsubscribe(turn, slot, request),
                Work::Redispatch(group, body, open) => self.redispatch(turn, group, body, open),
                Work::Ended(slot) => self.forget(turn, slot),
                Work::Envelope(from, envelope) => self.take_envelope(turn, from, envelope),
            }
        }
    }

    /// One door: every publish and subscription of a client is asked here.
    fn decide(&mut self, turn: &mut Turn<'_>, slot: u32, mut action: Action) {
        if let Action::Authenticate(auth) = action {
            self.reauthenticate(turn, slot, auth);
            return self.drain(turn, slot);
        }
        let (mut refused, mut later) = (0, None);
        let verdict = match &mut action {
            Action::Publish(publication) => match self.may_publish(turn.now, slot, publication) {
                Verdict::Allow => Ok(()),
                Verdict::Deny(reason) => Err(reason),
                Verdict::Later => {
                    later = Some(VecDeque::new());
                    Ok(())
                }
            },
            Action::Subscribe(request) => {
                let items = self.may_subscribe(slot, request, &mut refused);
                later = Some(items).filter(|items| !items.is_empty());
                Ok(())
            }
            Action::Connect(_) => unreachable!("invariant: asked before the session is attached"),
            Action::Authenticate(_) => unreachable!("invariant: taken out above"),
        };
        if refused > 0 {
            self.count_refused(slot, refused);
        }
        match later {
            Some(items) => self.ask(turn, slot, action, items),
            None => self.decided(turn, slot, action, verdict),
        }
    }

    /// The session hears what was decided.
    pub(super) fn decided(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        mut action: Action,
        mut verdict: Result<(), ReasonCode>,
    ) {
        if let Action::Publish(publication) = &mut action {
            if verdict.is_err() {
                self.count_refused(slot, 1);
            } else {
                self.place(slot, publication);
                if let Some(id) = self.keeps_not(slot, publication) {
                    verdict = Err(NOT_KEPT);
                    self.counters().dropped_store_full.add(1);
                    self.gave_up_on(turn, slot, id);
                }
            }
        }
        let Some(client) = self.clients.get_mut(slot) else { return };
        client.session.handle_decision(turn.now, Decision { action, verdict }, &mut self.outbox);
        self.drain(turn, slot);
    }

    /// From here on the topic is one of the client's tenant. By the name: also where the tenant is none of the
    /// node any more.
    fn place(&self, slot: u32, publication: &mut Publication) {
        let client = self.clients.get(slot);
        if let Some(tenant) = client.and_then(|client| client.principal.tenant.as_ref()) {
            publication.message.topic = tenant.topic(&publication.message.topic);
        }
    }

    fn may_publish(&mut self, now: Instant, slot: u32, publication: &mut Publication) -> Verdict {
        let Some(client) = self.clients.get_mut(slot) else { return Verdict::Allow };
        let message = &mut publication.message;
        // Of QoS 0 only what is retained is ever kept.
        if self.log.enabled && (message.retain || message.qos != Qos::AtMostOnce) {
            message.durability = self.context.durability_of(&message.topic, client.door.durability);
        }
        client.may_publish(now, self.context.seed, message)
    }

    /// The identifier of a publication for which the log has no room, where that has to be known before
    /// anything is recorded of it.
    fn keeps_not(&self, slot: u32, publication: &mut Publication) -> Option<PacketId> {
        let makes_room = self.makes_room(&publication.message);
        let message = &mut publication.message;
        if !message.durability.is_kept() || !self.context.log.takes_nothing_new() {
            return None;
        }
        let is_lost = message.retain && !publication.will && !makes_room;
        if is_lost && message.qos == Qos::AtMostOnce {
            // Nobody was promised anything: it is delivered, and what was acknowledged before stays.
            message.retain = false;
            self.counters().dropped_store_full.add(1);
        }
        let is_durable = self.clients.get(slot).is_some_and(|it| it.session.is_durable());
        publication.packet_id.filter(|_| is_durable && message.qos == Qos::ExactlyOnce)
    }

    /// Leaves the filters in the request that the client may have, and counts those that it may not; yields
    /// those about which somebody is to be asked.
    pub(super) fn may_subscribe(
        &self,
        slot: u32,
        request: &mut SubscribeRequest,
        refused: &mut u64,
    ) -> VecDeque<usize> {
        let mut later = VecDeque::new();
        let Some(client) = self.clients.get(slot) else { return later };
        let log = &self.context.log;
        let durable = client.session.is_durable();
        let (full, failing) = (durable && log.takes_nothing_new(), durable && log.is_failing());
        let mut room = client.room();
        for (at, item) in request.items.iter_mut().enumerate() {
            let Ok(filter) = &item.filter else { continue };
            let (policy, principal) = (&client.door.policy, &client.principal);
            // To say again what is kept already takes no room.
            if failing || (full && item.is_new) {
                item.filter = Err(ReasonCode::QuotaExceeded); // It could not be kept.
                continue;
            }
            match policy.subscribe(principal, filter, item.options.qos) {
                Verdict::Deny(reason) => {
                    item.filter = Err(reason);
                    *refused += 1;
                }
                Verdict::Allow | Verdict::Later if item.is_new && room == 0 => {
                    item.filter = Err(ReasonCode::QuotaExceeded);
                }
                verdict => {
                    room -= u64::from(item.is_new);
                    if verdict == Verdict::Later {
                        later.push_back(at);
                    }
                }
            }
        }
        later
    }

    /// Keeps a slow connection's output short: its session queues until it has drained.
    fn relieve(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let limit = self.context.options.write_buffer_max;
        let Some(client) = self.clients.get_mut(slot) else { return false };
        let Some(conn) = client.conn else { return false };
        let over = turn.ports.backlog(conn) > limit;
        if over == client.congested && (over || !client.session.has_backlog()) {
            return false;
        }
        if client.congested && !over {
            // Output drains in the shell; `handle_flushed` says when.
            return false;
        }
        client.congested = over;
        client.session.handle_congestion(turn.now, over, &mut self.outbox);
        true
    }

    fn send_client(&mut self, turn: &mut Turn<'_>, slot: u32, packet: &Packet) {
        let Some(client) = self.clients.get(slot) else { return };
        let Some(conn) = client.conn else { return };
        let version = client.session.version();
        self.send(turn, conn, packet, version);
    }

    pub(super) fn send(
        &mut self,
        turn: &mut Turn<'_>,
        conn: ConnId,
        packet: &Packet,
        version: ProtocolVersion,
    ) {
        self.counters().packets_sent.add(1);
        turn.ports.send(conn, packet, version);
    }

    fn close(&mut self, turn: &mut Turn<'_>, slot: u32, reason: CloseReason) {
        let conn = self.clients.get(slot).and_then(|client| client.conn);
        let renewal = conn.and_then(|conn| self.take_renewal(conn));
        let Some(conn) = self.detach(slot) else { return };
        self.give_up(turn.now, slot, renewal);
        self.note_disconnected(slot, &reason);
        if let (CloseReason::ByServer(reason), Some(client)) = (reason, self.clients.get(slot)) {
            let tenant = client.principal.tenant.as_ref().map(TenantName::as_str);
            let client = client.principal.client_id.as_str();
            tracing::info!(%reason, client, tenant, "client disconnected by the server");
        }
        *self.occupants.get(conn) = Occupant::Nobody;
        self.counters().disconnected.add(1);
        self.count_clients();
        turn.ports.close(conn, reason);
    }

    /// Has it recorded that the connection of a client has ended.
    pub(super) fn note_disconnected(&self, slot: u32, because: &dyn fmt::Display) {
        let Some(client) = self.clients.get(slot) else { return };
        let visitor = Visitor::from(&*client.principal);
        client.door.policy.note(visitor, Notice::Disconnected(because));
    }

    /// Parts a client from its connection.
    pub(super) fn detach(&mut self, slot: u32) -> Option<ConnId> {
        let client = self.clients.get_mut(slot)?;
        client.congested = false;
        drop(client.leave_seat());
        let conn = client.conn.take()?;
        if let Some(tenant) = &client.tenant {
            let counters = tenant.counters(self.id);
            counters.disconnected.add(1);
            counters.clients_connected.sub(1);
        }
        Some(conn)
    }

    /// The session is over: nothing of it stays.
    fn forget(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get(slot) else { return };
        let filters: Vec<_> = client.session.subscriptions().map(|(filter, ..)| filter).collect();
        self.end_crowd(turn, slot);
        // First: with all of them gone no filter has any to stop.
        self.stop_replays(turn, slot);
        for filter in &filters {
            self.take_out_filter(turn, slot, filter);
        }
        if let Some(conn) = self.detach(slot) {
            drop(self.take_renewal(conn));
            *self.occupants.get(conn) = Occupant::Nobody;
            self.counters().disconnected.add(1);
            let reason = CloseReason::ByServer(ReasonCode::AdministrativeAction);
            self.note_disconnected(slot, &reason);
            turn.ports.close(conn, reason);
        }
        if let Some(tenant) = self.clients.remove(slot).and_then(|client| client.tenant) {
            tenant.counters(self.id).sessions.sub(1);
        }
        self.count_clients();
    }

    fn count_dropped(&self, slot: u32, reason: DropReason, count: u32) {
        let counters = self.counters();
        let count = u64::from(count);
        let tenant = self.clients.get(slot).and_then(|client| client.tenant.as_ref());
        let own = tenant.map(|tenant| tenant.counters(self.id));
        let (all, own) = match reason {
            DropReason::QueueFull => {
                (&counters.dropped_queue_full, own.map(|own| &own.dropped_queue_full))
            }
            DropReason::NodeFull => {
                (&counters.dropped_node_full, own.map(|own| &own.dropped_node_full))
            }
            DropReason::Expired => (&counters.dropped_expired, own.map(|own| &own.dropped_expired)),
            DropReason::TooLarge => {
                (&counters.dropped_too_large, own.map(|own| &own.dropped_too_large))
            }
            DropReason::Offline => (&counters.dropped_offline, own.map(|own| &own.dropped_offline)),
            DropReason::Withheld => (&counters.withheld, own.map(|own| &own.withheld)),
            DropReason::SessionEnded => {
                (&counters.dropped_session_ended, own.map(|own| &own.dropped_session_ended))
            }
        };
        [Some(all), own].into_iter().flatten().for_each(|counter| counter.add(count));
    }

    /// Counts acts of the client that are not allowed.
    pub(super) fn count_refused(&self, slot: u32, acts: u64) {
        self.counters().refused.add(acts);
        self.count_for_tenant(slot, |counters| counters.refused.add(acts));
    }

    /// Counts something of the client's tenant, if it has one.
    #[inline]
    pub(super) fn count_for_tenant(&self, slot: u32, count: impl FnOnce(&TenantCounters)) {
        if let Some(tenant) = self.clients.get(slot).and_then(|client| client.tenant.as_ref()) {
            count(tenant.counters(self.id));
        }
    }

    fn write(&mut self, turn: &mut Turn<'_>, slot: u32, outgoing: &plexus_session::Outgoing) {
        let Some(client) = self.clients.get(slot) else { return };
        let Some(conn) = client.conn else { return };
        turn.ports.deliver(conn, outgoing, client.session.version());
        if let Some(tenant) = &client.tenant {
            tenant.counters(self.id).messages_sent.add(1);
        }
        self.counters().messages_sent.add(1);
        if self.is_watched() {
            self.show_delivered(turn.now, slot, &outgoing.message, outgoing.qos);
        }
    }

    pub(super) fn forward(
        &mut self,
        turn: &mut Turn<'_>,
        to: u16,
        envelope: crate::envelope::Envelope,
    ) {
        if to == self.id {
            self.work.push_back(Work::Envelope(to, envelope));
            return;
        }
        if envelope.is_tracked(self.log.enabled) {
            self.track(to, &envelope);
        }
        turn.ports.forward(to, envelope);
    }
}
