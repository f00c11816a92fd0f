//! From CONNECT to a session: take-over, clean start.

use std::{fmt, net::IpAddr, sync::Arc};

use bytes::Bytes;
use plexus_access::{
    Certificate, Credentials, Enhanced, Exchange, Gate, Notice, Principal, Rights, Visitor,
};
use plexus_porch::{Fence, Seat, Tenant, Tenants, Who};
use plexus_session::{Action, Admitted, CloseReason, Connecting, Outbox, Output, Session};
use plexus_types::{ClientId, ProtocolVersion, ReasonCode, TenantName, Text};
use plexus_wire::Packet;

use super::{Occupant, Shard};
use crate::{
    counters::{Counter, TenantCounters},
    ports::{Arrival, ConnId, Door, Turn},
};

/// A connection whose client is not yet known.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) connecting: Connecting,
    /// Who it says it is.
    pub(super) client_id: ClientId,
    user_name: Option<Text>,
    pub(super) door: Arc<Door>,
    peer: Option<IpAddr>,
    certificate: Option<Arc<Certificate>>,
    /// The tenant whose server name it asked for.
    named: Option<TenantName>,
    pub(super) serial: u32,
    /// The question that is asked elsewhere.
    pub(super) asked: Option<Action>,
    /// Where its enhanced authentication stands.
    pub(super) exchange: Option<Exchange>,
    /// Whether it has begun one.
    pub(super) in_exchange: bool,
    /// What was found out about it.
    pub(super) rights: Option<Arc<Rights>>,
    /// What the reason code of its refusal does not tell.
    why: Option<&'static str>,
}

impl Newcomer {
    pub(super) fn credentials(
        &self,
        password: Option<Bytes>,
        enhanced: Option<Enhanced>,
    ) -> Credentials {
        Credentials {
            client_id: self.client_id.clone(),
            user_name: self.user_name.clone(),
            password,
            peer: self.peer,
            listener: Arc::clone(&self.door.name),
            tenant: self.tenant().cloned(),
            certificate: self.certificate.clone(),
            enhanced,
            wanted: None,
            gate: Gate::default(),
        }
    }

    /// The tenant that it comes in as, as far as that is known before anything is shown.
    fn tenant(&self) -> Option<&TenantName> {
        self.door.tenant.as_ref().or(self.named.as_ref())
    }

    /// The same, or what was found out.
    fn proved_tenant(&self) -> Option<&TenantName> {
        let found_out = self.rights.as_ref().and_then(|rights| rights.tenant.as_ref());
        self.tenant().or(found_out)
    }

    /// Who it says it is, for the fences.
    pub(super) fn who(&self) -> Who<'_> {
        let client = self.client_id.as_str();
        Who { client, user: self.user_name.as_deref(), peer: self.peer, tenant: self.tenant() }
    }

    /// Who it is, for the record: by the name that it has proved, if it has.
    fn visitor(&self) -> Visitor<'_> {
        let proved = self.rights.as_ref().and_then(|rights| rights.user_name.as_deref());
        Visitor {
            client: Some(self.client_id.as_str()),
            user: proved.or(self.user_name.as_deref()),
            peer: self.peer,
            listener: &self.door.name,
            tenant: self.proved_tenant().map(TenantName::as_str),
        }
    }

    /// It is not let in, for a reason that stands in no packet.
    fn refuse(&mut self, reason: ReasonCode, why: &'static str, out: &mut Outbox) {
        self.why = Some(why);
        self.connecting.refuse(reason, None, out);
    }

    /// It is gone before it was in, or is not let in.
    pub(super) fn note_end(&self, because: &dyn fmt::Display) {
        let note = |because| self.door.policy.note(self.visitor(), Notice::TurnedAway(because));
        match self.why {
            Some(why) => note(&format_args!("{because}: {why}")),
            None => note(because),
        }
    }
}

/// Whose client a newcomer is: what the listener, the server name and the credentials say of it, if they say the
/// same, and such a tenant there is.
fn tenant_of(tenants: &Tenants, newcomer: &Newcomer) -> Result<Option<Arc<Tenant>>, ()> {
    let found_out = newcomer.rights.as_ref().and_then(|rights| rights.tenant.as_ref());
    let mut said = [&newcomer.door.tenant, &newcomer.named].map(Option::as_ref).into_iter();
    let mut said = said.by_ref().chain([found_out]).flatten();
    let Some(name) = said.next() else { return Ok(None) };
    let client = newcomer.client_id.as_str();
    if let Some(other) = said.find(|other| *other != name) {
        tracing::warn!(client, %name, %other, "a client of one tenant comes in as another");
        return Err(());
    }
    let tenant = tenants.get(name.as_str()).cloned();
    if tenant.is_none() {
        tracing::warn!(client, %name, "there is no such tenant");
    }
    tenant.map(Some).ok_or(())
}

impl Shard {
    /// A connection has sent its CONNECT and this shard is the client's home.
    pub fn handle_arrival(&mut self, turn: &mut Turn<'_>, conn: ConnId, arrival: Arrival) {
        let Arrival { connect, assigned, door, peer, certificate, named } = arrival;
        self.newcomers = self.newcomers.wrapping_add(1);
        let own = || ClientId::new(&connect.client_id);
        let client_id = assigned.clone().unwrap_or_else(own);
        let user_name = connect.user_name.clone();
        let mut connecting = Connecting::new(Arc::clone(&door.options), connect, assigned);
        connecting.start(turn.now, &mut self.outbox);
        let serial = self.newcomers;
        let newcomer = Newcomer {
            connecting,
            client_id,
            user_name,
            door,
            peer,
            certificate,
            named,
            serial,
            asked: None,
            exchange: None,
            in_exchange: false,
            rights: None,
            why: None,
        };
        *self.occupants.get(conn) = Occupant::Newcomer(Box::new(newcomer));
        self.settle_newcomer(turn, conn);
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
        let Occupant::Newcomer(newcomer) = self.occupants.get(conn) else { return };
        let version = newcomer.connecting.version();
        self.send(turn, conn, packet, version);
    }

    fn turn_away(&mut self, turn: &mut Turn<'_>, conn: ConnId, reason: CloseReason) {
        if let Occupant::Newcomer(newcomer) = self.occupants.take(conn) {
            newcomer.note_end(&reason);
            if let CloseReason::Refused(reason) = reason {
                let Visitor { client, user, peer, listener, tenant } = newcomer.visitor();
                let (peer, why) = (peer.map(tracing::field::display), newcomer.why);
                tracing::warn!(%reason, why, client, user, peer, listener, tenant, "client refused");
                self.counters().connections_refused.add(1);
                if let Some(tenant) = tenant.and_then(|name| self.context.tenants.get(name)) {
                    tenant.counters(self.id).connections_refused.add(1);
                }
            }
        }
        turn.ports.close(conn, reason);
    }

    /// Finds or makes the session of a client that is who it says.
    fn admit(&mut self, turn: &mut Turn<'_>, conn: ConnId, mut admitted: Admitted) {
        let Occupant::Newcomer(newcomer) = self.occupants.get(conn) else { return };
        let rights = newcomer.rights.clone();
        if let Some(rights) = &rights {
            go_by(rights, &mut admitted);
        }
        let Ok(tenant) = tenant_of(&self.context.tenants, newcomer) else {
            newcomer.refuse(ReasonCode::NotAuthorized, "its tenant", &mut self.outbox);
            return;
        };
        let client_id = admitted.client_id.clone();
        if let Some(tenant) = &tenant {
            admitted.client_id = tenant.name().client(&client_id);
        }
        let found = self.clients.find(&admitted.client_id);
        if let Some((reason, why)) = self.objection(&admitted, tenant.as_deref(), found) {
            let Occupant::Newcomer(newcomer) = self.occupants.get(conn) else { return };
            newcomer.refuse(reason, why, &mut self.outbox);
            return;
        }
        let Ok(seat) = self.seat(conn, &admitted, tenant.as_deref(), found) else { return };
        let Occupant::Newcomer(newcomer) = self.occupants.take(conn) else { return };
        let principal = Principal {
            client_id,
            user_name: admitted.connect.user_name.clone(),
            peer: newcomer.peer,
            listener: Arc::clone(&newcomer.door.name),
            tenant: tenant.as_ref().map(|tenant| tenant.name().clone()),
            is_unplaced: false,
            rights,
        };
        if let Some(slot) = found {
            self.displace(turn, slot, &admitted);
            self.review_return(turn, slot, &*newcomer.door.policy, &principal);
        }
        newcomer.door.policy.note(Visitor::from(&principal), Notice::LetIn);
        let slot = self.seat_client(turn, admitted, (Arc::new(principal), newcomer.door, tenant));
        if let Some(client) = self.clients.get_mut(slot) {
            client.conn = Some(conn);
            client.connected_at = turn.now;
            if let Some(tenant) = &client.tenant {
                let counters = tenant.counters(self.id);
                counters.connected.add(1);
                counters.clients_connected.add(1);
            }
        }
        self.share(turn, conn, slot, seat);
        *self.occupants.get(conn) = Occupant::Client(slot);
        self.counters().connected.add(1);
        self.settle(turn, slot);
        self.count_clients();
        turn.ports.resume(conn);
    }

    /// Why a client that is who it says does not get the session that it wants: the reason, and what that does not tell.
    fn objection(
        &self,
        admitted: &Admitted,
        tenant: Option<&Tenant>,
        found: Option<u32>,
    ) -> Option<(ReasonCode, &'static str)> {
        let session = found.and_then(|slot| self.clients.get(slot)).map(|it| &it.session);
        if session.is_some_and(|session| !session.may_resume(&admitted.connect)) {
            // A Client Identifier alone is no credential.
            return Some((ReasonCode::NotAuthorized, "its session is another user's"));
        }
        if self.log_refuses(admitted, found) {
            return Some((ReasonCode::ServerUnavailable, "its session cannot be kept"));
        }
        let is_new = session.is_none();
        if is_new && self.node_is_full() {
            let limit = self.context.options.sessions_max;
            tracing::warn!(limit, "there are limits.max_sessions sessions already");
            return Some((ReasonCode::QuotaExceeded, "limits.max_sessions"));
        }
        let Tenant { options, .. } = tenant?;
        let total = |of: fn(&TenantCounters) -> &Counter| {
            tenant.map_or(0, |tenant| tenant.total(|counters| of(counters).read()))
        };
        let limit = options.sessions_max;
        if is_new && total(|it| &it.sessions) >= limit as u64 {
            tracing::warn!(limit, tenant = %options.name, "the tenant has all its sessions already");
            return Some((ReasonCode::QuotaExceeded, "access.tenant.max_sessions"));
        }
        let limit = options.connections_max;
        let takes_over = session.is_some_and(Session::is_connected);
        if !takes_over && total(|it| &it.clients_connected) >= limit as u64 {
            tracing::warn!(limit, tenant = %options.name, "the tenant has all its connections already");
            return Some((ReasonCode::QuotaExceeded, "access.tenant.max_connections"));
        }
        None
    }

    /// Gives a client its session, the one that it has or a new one; yields where it is.
    fn seat_client(
        &mut self,
        turn: &Turn<'_>,
        mut admitted: Admitted,
        (principal, door, tenant): (Arc<Principal>, Arc<Door>, Option<Arc<Tenant>>),
    ) -> u32 {
        // What came between has ended it, or nobody else has come into the slot.
        if let Some(slot) = self.clients.find(&admitted.client_id)
            && let Some(client) = self.clients.get_mut(slot)
        {
            client.act_as(self.context.seed, principal, door);
            client.session.attach(turn.now, admitted, &mut self.outbox);
            return slot;
        }
        let ended = self.log.ended.position_of(&admitted.client_id);
        admitted.after = ended.unwrap_or_default();
        let session = Session::new(turn.now, admitted, &mut self.outbox);
        if let Some(tenant) = &tenant {
            tenant.counters(self.id).sessions.add(1);
        }
        let slot = self.clients.insert(session, principal, door, tenant);
        if ended.is_some() {
            self.wait_for_log(slot);
        }
        slot
    }

    /// The client's connection among those of its user name: the one that it takes over, or one more. If there
    /// may be no more, it has been refused.
    fn seat(
        &mut self,
        conn: ConnId,
        admitted: &Admitted,
        tenant: Option<&Tenant>,
        found: Option<u32>,
    ) -> Result<Option<Seat>, Fence> {
        let before = found.and_then(|slot| self.clients.get_mut(slot)?.leave_seat());
        if before.is_some() {
            return Ok(before);
        }
        let user = admitted.connect.user_name.as_deref();
        let seat = self.context.fences.seat(tenant.map(Tenant::name), user);
        if let (Err(fence), Occupant::Newcomer(newcomer)) = (&seat, self.occupants.get(conn)) {
            newcomer.refuse(fence.reason(), fence.name(), &mut self.outbox);
        }
        seat
    }

    /// What a client that is let in has together with others: it publishes at their pace, and its subscriptions
    /// are among theirs.
    fn share(&mut self, turn: &mut Turn<'_>, conn: ConnId, slot: u32, seat: Option<Seat>) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let fences = &self.context.fences;
        let shares = client.shared.is_some() || client.tenant.is_some();
        let limited = fences.have_pools() || client.door.meter.is_some();
        if seat.is_none() && !shares && !limited {
            return; // Nearly all.
        }
        let Principal { tenant, user_name, peer, .. } = &*client.principal;
        let mut pools: Vec<_> =
            fences.pools(turn.now, tenant.as_ref(), user_name.as_deref(), *peer).collect();
        let of_tenant = client.tenant.as_ref().and_then(|tenant| tenant.pool.as_ref());
        for pool in pools.iter().chain(of_tenant).filter(|pool| pool.has_pace()) {
            turn.ports.share_pace(conn, pool);
        }
        // The porch has told the connection of these.
        let of_door = client.door.meter.iter().flat_map(|meter| &meter.pools);
        pools.extend(of_door.cloned());
        pools.retain(|pool| pool.limits_subscriptions());
        client.share(seat, pools);
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
            self.end_session(turn, slot, "a new one was begun");
        }
    }

    /// Refuses a connection whose CONNECT was read but that cannot be taken.
    pub fn refuse(
        turn: &mut Turn<'_>,
        conn: ConnId,
        arrival: Arrival,
        reason: ReasonCode,
    ) -> ProtocolVersion {
        let Arrival { connect, assigned, door, peer, named, .. } = arrival;
        let visitor = Visitor {
            client: Some(assigned.as_ref().map_or(&*connect.client_id, ClientId::as_str)),
            user: connect.user_name.as_deref(),
            peer,
            listener: &door.name,
            tenant: door.tenant.as_ref().or(named.as_ref()).map(TenantName::as_str),
        };
        door.policy.note(visitor, Notice::TurnedAway(&reason));
        let version = connect.version;
        let mut connecting = Connecting::new(Arc::clone(&door.options), connect, assigned);
        let mut outbox = Outbox::new();
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

/// What was found out about a client is what its session goes by.
fn go_by(rights: &Rights, admitted: &mut Admitted) {
    admitted.expires = rights.expires;
    if rights.is_name_unproved {
        // What a client only says is no name that a session, a rule or a limit goes by.
        admitted.connect.user_name = None;
    }
    if let Some(proved) = &rights.user_name {
        admitted.connect.user_name = Some(proved.clone());
    }
}
