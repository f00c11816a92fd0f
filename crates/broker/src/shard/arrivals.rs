//! From CONNECT to a session: authentication, take-over, clean start.

use std::{net::IpAddr, sync::Arc};

use plexus_access::{Credentials, Principal, Verdict};
use plexus_porch::{Fence, Seat, Who};
use plexus_session::{Action, Admitted, CloseReason, Connecting, Decision, Output, Session};
use plexus_types::{ProtocolVersion, ReasonCode, Text};
use plexus_wire::Packet;

use super::{Shard, Tenant};
use crate::ports::{Arrival, ConnId, Door, Ticket, Turn};

/// A connection whose client is not yet known.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) connecting: Connecting,
    /// Who it says it is, for the log.
    client_id: Text,
    user_name: Option<Text>,
    door: Arc<Door>,
    peer: Option<IpAddr>,
    serial: u32,
    /// The question that the verifier answers.
    asked: Option<Action>,
}

impl Newcomer {
    /// Who it says it is, for the fences.
    fn who(&self) -> Who<'_> {
        Who { client: &self.client_id, user: self.user_name.as_deref(), peer: self.peer }
    }
}

impl Shard {
    /// A connection has sent its CONNECT and this shard is the client's home.
    pub fn handle_arrival(&mut self, turn: &mut Turn<'_>, conn: ConnId, arrival: Arrival) {
        let Arrival { connect, assigned, door, peer } = arrival;
        self.newcomers = self.newcomers.wrapping_add(1);
        let (client_id, user_name) = (connect.client_id.clone(), connect.user_name.clone());
        let mut connecting = Connecting::new(Arc::clone(&door.options), connect, assigned);
        connecting.start(turn.now, &mut self.outbox);
        let serial = self.newcomers;
        let newcomer =
            Newcomer { connecting, client_id, user_name, door, peer, serial, asked: None };
        *self.tenants.get(conn) = Tenant::Newcomer(Box::new(newcomer));
        self.settle_newcomer(turn, conn);
    }

    /// The verifier has looked at the credentials of a newcomer.
    pub fn handle_verified(
        &mut self,
        turn: &mut Turn<'_>,
        ticket: Ticket,
        verdict: Result<(), ReasonCode>,
    ) {
        let Tenant::Newcomer(newcomer) = self.tenants.get(ticket.conn) else { return };
        if newcomer.serial != ticket.serial {
            return;
        }
        let Some(action) = newcomer.asked.take() else { return };
        let verdict = self.context.fences.judge(turn.now, newcomer.who(), verdict);
        let decision = Decision { action, verdict };
        newcomer.connecting.handle_decision(turn.now, decision, &mut self.outbox);
        self.settle_newcomer(turn, ticket.conn);
    }

    /// Carries out what a newcomer wants until it wants nothing more.
    pub(super) fn settle_newcomer(&mut self, turn: &mut Turn<'_>, conn: ConnId) {
        while let Some(output) = self.outbox.poll() {
            match output {
                Output::Send(packet) => self.send_newcomer(turn, conn, &packet),
                Output::Authorize(action) => self.authenticate(turn, conn, action),
                Output::Admit(admitted) => self.admit(turn, conn, *admitted),
                Output::Close(reason) => self.turn_away(turn, conn, reason),
                other => unreachable!("a newcomer has no {other:?}"),
            }
        }
    }

    fn send_newcomer(&mut self, turn: &mut Turn<'_>, conn: ConnId, packet: &Packet) {
        let Tenant::Newcomer(newcomer) = self.tenants.get(conn) else { return };
        let version = newcomer.connecting.version();
        self.send(turn, conn, packet, version);
    }

    fn turn_away(&mut self, turn: &mut Turn<'_>, conn: ConnId, reason: CloseReason) {
        if let Tenant::Newcomer(newcomer) = self.tenants.take(conn)
            && let CloseReason::Refused(reason) = reason
        {
            let peer = newcomer.peer.map(tracing::field::display);
            let (client, user) = (newcomer.client_id.as_str(), newcomer.user_name.as_deref());
            let listener = &newcomer.door.name;
            tracing::warn!(%reason, client, user, peer, %listener, "client refused");
            self.counters().connections_refused.add(1);
        }
        turn.ports.close(conn, reason);
    }

    fn authenticate(&mut self, turn: &mut Turn<'_>, conn: ConnId, action: Action) {
        let Tenant::Newcomer(newcomer) = self.tenants.get(conn) else { return };
        let credentials = match &action {
            Action::Connect(asked) if asked.authentication_method.is_none() => Credentials {
                client_id: asked.client_id.clone(),
                user_name: asked.user_name.clone(),
                password: asked.password.clone(),
                peer: newcomer.peer,
                listener: Arc::clone(&newcomer.door.name),
            },
            // No method of enhanced authentication is offered yet ([MQTT-4.12.0-1]).
            Action::Connect(_)
            | Action::Authenticate(_)
            | Action::Publish(_)
            | Action::Subscribe(_) => {
                let verdict = Err(ReasonCode::BadAuthenticationMethod);
                let decision = Decision { action, verdict };
                newcomer.connecting.handle_decision(turn.now, decision, &mut self.outbox);
                return;
            }
        };
        let verdict = match newcomer.door.policy.authenticate(&credentials) {
            Verdict::Allow => Ok(()),
            Verdict::Deny(reason) => Err(reason),
            Verdict::Later => {
                let ticket = Ticket { conn, serial: newcomer.serial };
                if turn.ports.verify(ticket, Arc::clone(&newcomer.door.policy), credentials) {
                    newcomer.asked = Some(action);
                    return;
                }
                Err(ReasonCode::ServerBusy)
            }
        };
        let fences = &self.context.fences;
        fences.note_verdict(turn.now, newcomer.who(), verdict);
        let verdict = fences.judge(turn.now, newcomer.who(), verdict);
        let decision = Decision { action, verdict };
        newcomer.connecting.handle_decision(turn.now, decision, &mut self.outbox);
    }

    /// Finds or makes the session of a client that is who it says.
    fn admit(&mut self, turn: &mut Turn<'_>, conn: ConnId, mut admitted: Admitted) {
        let found = self.clients.find(&admitted.client_id);
        if let Some(slot) = found
            && self.clients.get(slot).is_some_and(|at| !at.session.may_resume(&admitted.connect))
        {
            // A Client Identifier alone is no credential: the session is another user's.
            let Tenant::Newcomer(newcomer) = self.tenants.get(conn) else { return };
            newcomer.connecting.refuse(ReasonCode::NotAuthorized, None, &mut self.outbox);
            return;
        }
        if self.log_refuses(&admitted, found) {
            let Tenant::Newcomer(newcomer) = self.tenants.get(conn) else { return };
            newcomer.connecting.refuse(ReasonCode::ServerUnavailable, None, &mut self.outbox);
            return;
        }
        if found.is_none() && self.node_is_full() {
            let limit = self.context.options.sessions_max;
            tracing::warn!(limit, "there are limits.max_sessions sessions already");
            let Tenant::Newcomer(newcomer) = self.tenants.get(conn) else { return };
            newcomer.connecting.refuse(ReasonCode::QuotaExceeded, None, &mut self.outbox);
            return;
        }
        let Ok(seat) = self.seat(conn, &admitted, found) else { return };
        let Tenant::Newcomer(newcomer) = self.tenants.take(conn) else { return };
        let principal = Arc::new(Principal {
            client_id: admitted.client_id.clone(),
            user_name: admitted.connect.user_name.clone(),
            peer: newcomer.peer,
            listener: Arc::clone(&newcomer.door.name),
            is_unplaced: false,
        });
        if let Some(slot) = found {
            self.displace(turn, slot, &admitted);
            self.review_return(turn, slot, &*newcomer.door.policy, &principal);
        }
        // Nobody else has come into the slot, if it is free now.
        let resumed = found.filter(|slot| self.clients.get(*slot).is_some());
        let slot = if let Some(slot) = resumed {
            let client = self.clients.get_mut(slot).expect("invariant: found above");
            client.principal = principal;
            client.door = newcomer.door;
            client.conn = Some(conn);
            client.session.attach(turn.now, admitted, &mut self.outbox);
            slot
        } else {
            let ended = self.log.ended.position_of(&admitted.client_id);
            admitted.after = ended.unwrap_or_default();
            let session = Session::new(turn.now, admitted, &mut self.outbox);
            let slot = self.clients.insert(session, principal, newcomer.door);
            self.clients.get_mut(slot).expect("invariant: just inserted").conn = Some(conn);
            if ended.is_some() {
                self.wait_for_log(slot);
            }
            slot
        };
        if let Some(client) = self.clients.get_mut(slot) {
            client.seat = seat;
        }
        *self.tenants.get(conn) = Tenant::Client(slot);
        self.counters().connected.add(1);
        self.settle(turn, slot);
        self.count_clients();
        turn.ports.resume(conn);
    }

    /// The client's connection among those of its user name: the one that it takes over, or one more. If there
    /// may be no more, it has been refused.
    fn seat(
        &mut self,
        conn: ConnId,
        admitted: &Admitted,
        found: Option<u32>,
    ) -> Result<Option<Box<Seat>>, Fence> {
        let before = found.and_then(|slot| self.clients.get_mut(slot)?.seat.take());
        if before.is_some() {
            return Ok(before);
        }
        let seat = self.context.fences.seat(admitted.connect.user_name.as_deref());
        if let (Err(fence), Tenant::Newcomer(newcomer)) = (&seat, self.tenants.get(conn)) {
            newcomer.connecting.refuse(fence.reason(), None, &mut self.outbox);
        }
        seat.map(|seat| seat.map(Box::new))
    }

    /// Whether the session of the client would have to be kept and the log does not take it. Who has
    /// one may come back to a log that is full: what waits for him makes room.
    fn log_refuses(&self, admitted: &Admitted, found: Option<u32>) -> bool {
        let log = &self.context.log;
        let found = found.and_then(|slot| self.clients.get(slot));
        let refuses = if found.is_none() { log.takes_nothing_new() } else { log.is_failing() };
        let is_recorded = found.is_some_and(|client| client.session.is_durable());
        refuses && (is_recorded || admitted.options.durable) && admitted.wants_to_last()
    }

    /// Whether the node has as many sessions as it may have. Each shard counts its own, so that two
    /// that admit at the same moment may exceed it by one.
    fn node_is_full(&self) -> bool {
        let sessions = self.context.counters.iter().map(|shard| shard.sessions.read());
        sessions.sum::<u64>() >= self.context.options.sessions_max as u64
    }

    /// Makes room: the old connection of the client is told that it lost its session
    /// ([MQTT-3.1.4-3]), and a clean start ends the old session ([MQTT-3.1.2-4],
    /// [MQTT-3.1.4-4], [MQTT3-3.1.4-3]).
    fn displace(&mut self, turn: &mut Turn<'_>, slot: u32, admitted: &Admitted) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        if client.conn.is_some() {
            client.session.take_over(turn.now, &mut self.outbox);
            self.settle(turn, slot);
        }
        if admitted.connect.clean_start {
            self.end_session(turn, slot);
        }
    }

    /// Refuses a connection whose CONNECT was read but that cannot be taken.
    pub fn refuse(
        turn: &mut Turn<'_>,
        conn: ConnId,
        arrival: Arrival,
        reason: ReasonCode,
    ) -> ProtocolVersion {
        let Arrival { connect, assigned, door, .. } = arrival;
        let version = connect.version;
        let mut connecting = Connecting::new(Arc::clone(&door.options), connect, assigned);
        let mut outbox = plexus_session::Outbox::new();
        connecting.refuse(reason, None, &mut outbox);
        while let Some(output) = outbox.poll() {
            match output {
                Output::Send(packet) => turn.ports.send(conn, &packet, version),
                Output::Close(reason) => turn.ports.close(conn, reason),
                _ => {}
            }
        }
        version
    }

    pub(super) fn count_clients(&self) {
        let counters = self.counters();
        counters.sessions.set(self.clients.len() as u64);
        let gone = counters.disconnected.read();
        counters.clients_connected.set(counters.connected.read().saturating_sub(gone));
    }
}
