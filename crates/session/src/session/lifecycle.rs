//! How a session begins, loses and regains its connection, and ends.

use std::time::Duration;

use plexus_types::{Instant, ReasonCode, Text};
use plexus_wire::{Disconnect, DisconnectProperties, Packet};

use super::Session;
use crate::{
    Admitted, Change, CloseReason, Outbox, Output,
    connack::{self, Terms},
    keepalive::KeepAlive,
    phase::{Connection, Phase},
    refusal::{self, Refusal},
    timer::{Timer, Timers},
    will::StoredWill,
};

/// The Session Expiry Interval that means never.
const NEVER: u32 = u32::MAX;

impl Session {
    /// The session of a client that has none yet, connected: CONNACK without Session Present
    /// ([MQTT-3.1.2-6], [MQTT-3.2.2-2], [MQTT-3.2.2-3], [MQTT3-3.2.2-1], [MQTT3-3.2.2-3]).
    pub fn new(now: Instant, admitted: Admitted, out: &mut Outbox) -> Self {
        let mut session = Self::vacant(&admitted);
        session.begin(now, admitted, false, out);
        if !session.is_connected() {
            session.finish(now, out);
        }
        session
    }

    /// Resumes with a new connection: CONNACK with Session Present, then what is under way in its
    /// order, then the queue as the window allows ([MQTT-3.1.2-5], [MQTT-4.4.0-1], [MQTT-4.8.2-4],
    /// [MQTT3-3.1.2-4], [MQTT3-3.2.2-2]). The old connection must have been detached before, and
    /// the session must not be over.
    pub fn attach(&mut self, now: Instant, admitted: Admitted, out: &mut Outbox) {
        debug_assert!(matches!(self.phase, Phase::Away(_)), "the old connection is detached first");
        if matches!(self.phase, Phase::Away(_)) {
            self.begin(now, admitted, true, out);
        } else {
            out.push(Output::Close(CloseReason::Refused(ReasonCode::UnspecifiedError)));
        }
    }

    /// Another connection takes the session: the old one is told Session taken over and closed
    /// ([MQTT-3.1.4-3], [MQTT3-3.1.4-2]). Its Will is published, or armed if it has a delay. A
    /// session whose expiry is zero is over with it.
    pub fn take_over(&mut self, now: Instant, out: &mut Outbox) {
        self.disconnect(now, ReasonCode::SessionTakenOver, None, out);
    }

    /// The connection is gone without DISCONNECT ([MQTT-3.1.2-8], [MQTT3-3.1.2-8]).
    pub fn handle_connection_lost(&mut self, now: Instant, out: &mut Outbox) {
        if self.is_connected() {
            self.detach(now, out);
        }
    }

    /// The server ends the connection.
    pub fn disconnect(
        &mut self,
        now: Instant,
        reason: ReasonCode,
        server_reference: Option<Text>,
        out: &mut Outbox,
    ) {
        if self.is_connected() {
            self.close(now, &Refusal::by_server(reason), server_reference, out);
        }
    }

    /// What the client showed holds until then, or for as long as it likes: its connection ends with
    /// Maximum connect time (0xA0).
    pub fn set_authorization(&mut self, until: Option<Instant>) {
        self.timers.set(Timer::Authorization, until.unwrap_or(Instant::FAR_FUTURE));
    }

    /// Ends the session: a clean start of a new connection, or the operator. The Will comes first,
    /// then what others of a group may still deliver, then `Ended`.
    pub fn end(&mut self, now: Instant, out: &mut Outbox) {
        self.disconnect(now, ReasonCode::AdministrativeAction, None, out);
        self.finish(now, out);
    }

    fn begin(&mut self, now: Instant, admitted: Admitted, present: bool, out: &mut Outbox) {
        let terms = Terms::new(&admitted.connect, &admitted.options);
        let Some(connack) = connack::accept(&admitted, &terms, present) else {
            out.push(Output::Close(CloseReason::Refused(ReasonCode::PacketTooLarge)));
            return;
        };
        let Admitted { connect, options, after, expires, .. } = admitted;
        // [MQTT-3.1.3-9]: the client is back, the old Will is not sent.
        self.timers = Timers::new();
        self.options = options;
        self.version = connect.version;
        self.expiry = terms.expiry;
        self.connections = self.connections.wrapping_add(1).max(1);
        self.requests = 0;
        let keep_alive = KeepAlive::new(terms.keep_alive, now);
        self.timers.set(Timer::KeepAlive, keep_alive.deadline());
        self.set_authorization(expires);
        self.phase = Phase::Connected(Connection::new(keep_alive, &connect, &self.options));
        let will = connect.will.map(|will| StoredWill::new(will, self.client_id.clone()));
        let after = self.record_attached(will, out).max(after);
        let before = self.queue.waiting();
        self.take_up();
        out.note_change(before, self.queue.waiting());
        self.outbound.begin_connection();
        // First, and once a connection: [MQTT-3.1.4-5], [MQTT-3.2.0-1], [MQTT-3.2.0-2],
        // [MQTT3-3.1.4-4], [MQTT3-3.2.0-1].
        if after > self.kept {
            return self.pending.hold_connack(after, connack);
        }
        out.push(Output::Send(connack));
        self.pump(now, out);
    }

    /// [MQTT-3.1.2-23]
    fn set_expiry(&mut self, expiry: u32, out: &mut Outbox) {
        let changed = self.expiry != expiry;
        self.expiry = expiry;
        if changed && self.recorded {
            self.record(Change::Expiry(expiry), out);
        }
    }

    pub(super) fn on_disconnect(
        &mut self,
        now: Instant,
        disconnect: &Disconnect,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if let Some(asked) = disconnect.properties.session_expiry_interval {
            let expiry = asked.min(self.options.session_expiry_max);
            if self.expiry == 0 && expiry != 0 {
                // Section 3.14.2.2.2: a session that was to end with its connection does.
                return Err(Refusal::protocol("Session Expiry Interval raised from zero"));
            }
            self.set_expiry(expiry, out);
        }
        if disconnect.reason == ReasonCode::Success {
            self.store_will(None, out); // [MQTT-3.14.4-3], [MQTT3-3.14.4-3], [MQTT-3.1.2-10]
        }
        out.push(Output::Close(CloseReason::ByClient));
        self.detach(now, out);
        Ok(())
    }

    /// Keep Alive came due, perhaps too early.
    pub(super) fn on_silence(&mut self, now: Instant, out: &mut Outbox) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        if connection.blocked || self.pending.is_opening() {
            connection.keep_alive.hear(now); // We take no packets: the silence is ours.
        }
        let deadline = connection.keep_alive.deadline();
        if deadline <= now {
            // [MQTT-3.1.2-22], [MQTT3-3.1.2-24]
            self.close(now, &Refusal::by_server(ReasonCode::KeepAliveTimeout), None, out);
        } else {
            self.timers.set(Timer::KeepAlive, deadline);
        }
    }

    /// DISCONNECT to a 5.0 client; 3.x servers have none.
    pub(super) fn say_disconnect(
        &self,
        refusal: &Refusal,
        server_reference: Option<Text>,
        out: &mut Outbox,
    ) {
        let told = self.version.is_v5() && !self.pending.is_opening();
        let Some(connection) = self.connection().filter(|_| told) else { return };
        let reason = refusal::of_disconnect(refusal.reason);
        let reason_string = refusal.text();
        let properties =
            DisconnectProperties { reason_string, server_reference, ..Default::default() };
        let full = Packet::Disconnect(Box::new(Disconnect { reason, properties }));
        if connection.takes(&full, self.version) {
            out.push(Output::Send(full));
        } else {
            // [MQTT-3.14.2-3], [MQTT-3.14.2-4]
            self.send(Packet::Disconnect(Box::new(Disconnect::new(reason))), out);
        }
    }

    /// The connection is closed or gone: the session waits for another, or ends ([MQTT-4.1.0-1],
    /// [MQTT3-4.1.0-1], [MQTT3-4.1.0-2]).
    pub(super) fn detach(&mut self, now: Instant, out: &mut Outbox) {
        let Phase::Connected(connection) = &self.phase else { return };
        self.stale_decisions += u8::from(connection.blocked);
        self.phase = Phase::Away(now);
        self.inbound.lose_connection();
        self.pending.lose_connection();
        self.timers.stop(Timer::KeepAlive);
        self.timers.stop(Timer::Authorization);
        if self.expiry == 0 {
            return self.finish(now, out); // [MQTT-4.1.0-2], [MQTT3-3.1.2-6]
        }
        if self.is_durable() {
            self.unsent = Some(self.next);
            self.record(Change::Away, out);
        }
        self.queue.sweep_again();
        self.let_bodies_go();
        self.await_client(now);
        if self.will.as_ref().is_some_and(|will| will.delay == 0) {
            self.publish_will(now, out); // [MQTT-3.1.2-8]
        }
    }

    /// Sets the deadlines of a session whose client is away since then ([MQTT3-3.1.2-12]).
    pub(super) fn await_client(&mut self, since: Instant) {
        let seconds = |seconds: u32| since + Duration::from_secs(u64::from(seconds));
        if self.expiry != NEVER {
            self.timers.set(Timer::SessionExpiry, seconds(self.expiry));
        }
        if let Some(will) = &self.will {
            self.timers.set(Timer::WillDelay, seconds(will.delay.min(self.expiry)));
        }
    }
}
