//! How a session begins, loses and regains its connection, and ends.

use std::{sync::Arc, time::Duration};

use plexus_types::{Instant, Qos, ReasonCode, Text};
use plexus_wire::{Auth, Disconnect, DisconnectProperties, Packet};

use super::{Requests, Session};
use crate::{
    Action, Admitted, Change, CloseReason, DropReason, LogPosition, Outbox, Output, Publication,
    connack::{self, Terms},
    inbound::Inbound,
    keepalive::KeepAlive,
    outbound::Outbound,
    phase::{Connection, Phase},
    queue::Queue,
    refusal::{self, Refusal},
    subscriptions::Subscriptions,
    timer::{Timer, Timers},
    will::StoredWill,
};

/// The Session Expiry Interval that means never.
const NEVER: u32 = u32::MAX;

impl Session {
    /// The session of a client that has none yet, connected: CONNACK without Session Present
    /// ([MQTT-3.1.2-6], [MQTT-3.2.2-3]).
    pub fn new(now: Instant, admitted: Admitted, out: &mut Outbox) -> Self {
        let mut session = Self {
            client_id: admitted.client_id.clone(),
            user_name: admitted.connect.user_name.as_ref().map(|name| Box::from(name.as_str())),
            options: Arc::clone(&admitted.options),
            phase: Phase::Away,
            subscriptions: Subscriptions::default(),
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            queue: Queue::default(),
            will: None,
            requests: Requests::default(),
            timers: Timers::new(),
            kept: LogPosition::ZERO,
            expiry: 0,
            version: admitted.connect.version,
            recorded: false,
            wills_asked: 0,
            stale_decisions: 0,
        };
        session.begin(now, admitted, false, out);
        if !session.is_connected() {
            session.finish(now, out);
        }
        session
    }

    /// Resumes with a new connection: CONNACK with Session Present, then what is under way in its
    /// order, then the queue as the window allows ([MQTT-3.1.2-5], [MQTT-4.4.0-1]). The old
    /// connection must have been detached before, and the session must not be over.
    pub fn attach(&mut self, now: Instant, admitted: Admitted, out: &mut Outbox) {
        debug_assert!(matches!(self.phase, Phase::Away), "the old connection is detached first");
        if matches!(self.phase, Phase::Away) {
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
            self.close(now, &Refusal::bare(reason), server_reference, out);
        }
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
        let Admitted { connect, options, .. } = admitted;
        // [MQTT-3.1.3-9]: the client is back, the old Will is not sent.
        self.timers = Timers::new();
        self.options = options;
        self.version = connect.version;
        self.set_expiry(terms.expiry, out);
        let keep_alive = KeepAlive::new(terms.keep_alive, now);
        self.timers.set(Timer::KeepAlive, keep_alive.deadline());
        self.phase = Phase::Connected(Connection::new(keep_alive, &connect, &self.options));
        let will = connect.will.map(|will| StoredWill::new(will, self.client_id.clone()));
        self.store_will(will, out);
        out.push(Output::Send(connack)); // [MQTT-3.1.4-5], [MQTT3-3.2.0-1]
        self.outbound.begin_connection();
        self.pump(now, out);
    }

    /// [MQTT-3.1.2-23]
    fn set_expiry(&mut self, expiry: u32, out: &mut Outbox) {
        let changed = self.expiry != expiry;
        self.expiry = expiry;
        if changed {
            self.record(Change::Expiry(expiry), out);
        }
    }

    /// [MQTT-3.1.2-7]
    fn store_will(&mut self, will: Option<StoredWill>, out: &mut Outbox) {
        let had = self.will.take().is_some();
        self.will = will.map(Box::new);
        if !self.is_durable() || !(had || self.will.is_some()) {
            return;
        }
        let change = match &self.will {
            Some(will) => Change::Will(Some(Arc::clone(&will.message)), will.delay),
            None => Change::Will(None, 0),
        };
        self.record(change, out);
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
        if connection.blocked {
            connection.keep_alive.hear(now); // We take no packets: the silence is ours.
        }
        let deadline = connection.keep_alive.deadline();
        if deadline <= now {
            // [MQTT-3.1.2-22], [MQTT3-3.1.2-24]
            self.close(now, &Refusal::bare(ReasonCode::KeepAliveTimeout), None, out);
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
        let Some(connection) = self.connection().filter(|_| self.version.is_v5()) else { return };
        let reason = refusal::of_disconnect(refusal.reason);
        let reason_string = refusal.text();
        let properties =
            DisconnectProperties { reason_string, server_reference, ..Default::default() };
        let full = Packet::Disconnect(Box::new(Disconnect { reason, properties }));
        if connection.takes(&full, self.version) {
            out.push(Output::Send(full));
        } else {
            self.send(Packet::Disconnect(Box::new(Disconnect::new(reason))), out); // [MQTT-3.14.2-3]
        }
    }

    /// The connection is closed or gone: the session waits for another, or ends.
    pub(super) fn detach(&mut self, now: Instant, out: &mut Outbox) {
        let Phase::Connected(connection) = &self.phase else { return };
        self.stale_decisions += u8::from(connection.blocked);
        self.phase = Phase::Away;
        self.inbound.lose_connection();
        self.requests.lose_connection();
        self.timers.stop(Timer::KeepAlive);
        if self.expiry == 0 {
            return self.finish(now, out); // [MQTT-4.1.0-2], [MQTT3-3.1.2-6]
        }
        let seconds = |seconds: u32| now + Duration::from_secs(u64::from(seconds));
        if self.expiry != NEVER {
            self.timers.set(Timer::SessionExpiry, seconds(self.expiry));
        }
        match &self.will {
            // [MQTT-3.1.2-8]
            Some(will) if will.delay == 0 => self.publish_will(now, out),
            Some(will) => self.timers.set(Timer::WillDelay, seconds(will.delay.min(self.expiry))),
            None => {}
        }
    }

    /// The Will goes the way of every message: access control first.
    pub(super) fn publish_will(&mut self, now: Instant, out: &mut Outbox) {
        self.timers.stop(Timer::WillDelay);
        let Some(will) = self.will.take() else { return };
        if self.is_durable() {
            self.record(Change::Will(None, 0), out); // [MQTT-3.1.2-10], [MQTT3-3.1.2-10]
        }
        self.wills_asked += 1;
        let publication = will.into_publication(now);
        out.push(Output::Authorize(Action::Publish(publication)));
    }

    pub(super) fn decide_will(
        &mut self,
        publication: Publication,
        allowed: bool,
        out: &mut Outbox,
    ) {
        self.wills_asked = self.wills_asked.saturating_sub(1);
        if allowed {
            out.push(Output::Publish(publication));
        }
        if matches!(self.phase, Phase::Ending) && self.wills_asked == 0 {
            self.complete_end(out);
        }
    }

    /// The session is over; `Ended` waits for the decision about its Will.
    pub(super) fn finish(&mut self, now: Instant, out: &mut Outbox) {
        if self.is_over() {
            return;
        }
        self.publish_will(now, out);
        self.timers = Timers::new();
        self.phase = Phase::Ending;
        if self.wills_asked == 0 {
            self.complete_end(out);
        }
    }

    fn complete_end(&mut self, out: &mut Outbox) {
        let mut dropped = 0;
        let under_way = self.outbound.drain().flatten().map(|parcel| (parcel, true));
        let waiting = std::iter::from_fn(|| self.queue.pop()).map(|parcel| (parcel, false));
        for (parcel, begun) in under_way.chain(waiting) {
            match parcel.shared {
                // [MQTT-4.8.2-5]: a QoS 2 delivery that has begun goes to nobody else.
                Some(shared) if !(begun && parcel.qos == Qos::ExactlyOnce) => {
                    out.push(Output::Redispatch(shared, parcel.message));
                }
                _ => dropped += 1,
            }
        }
        if dropped > 0 {
            out.push(Output::Dropped(DropReason::SessionEnded, dropped));
        }
        if self.recorded {
            self.record(Change::Ended, out);
        }
        self.phase = Phase::Over;
        out.push(Output::Ended);
    }

    pub(super) fn on_auth(&mut self, auth: Box<Auth>, out: &mut Outbox) -> Result<(), Refusal> {
        let Phase::Connected(connection) = &mut self.phase else { return Ok(()) };
        let Some(method) = connection.authentication_method.as_deref() else {
            // [MQTT-4.12.0-7]
            return Err(Refusal::protocol("AUTH without authentication method in CONNECT"));
        };
        if auth.authentication_method.as_ref() != Some(method) {
            // [MQTT-4.12.0-5], [MQTT-4.12.1-1]
            let words = "the authentication method changed";
            return Err(Refusal::new(ReasonCode::BadAuthenticationMethod, words));
        }
        let expected = if connection.in_exchange {
            ReasonCode::ContinueAuthentication // [MQTT-4.12.0-3]
        } else {
            ReasonCode::ReAuthenticate
        };
        if auth.reason != expected {
            return Err(Refusal::protocol("AUTH out of turn"));
        }
        connection.in_exchange = true;
        self.authorize(Action::Authenticate(auth), out);
        Ok(())
    }

    pub(super) fn decide_auth(
        &mut self,
        now: Instant,
        mut auth: Box<Auth>,
        verdict: Result<(), ReasonCode>,
        out: &mut Outbox,
    ) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        auth.reason = match verdict {
            Ok(()) => {
                connection.in_exchange = false;
                ReasonCode::Success
            }
            Err(ReasonCode::ContinueAuthentication) => ReasonCode::ContinueAuthentication,
            Err(reason) => return self.close(now, &Refusal::bare(reason), None, out), // [MQTT-4.12.1-2]
        };
        self.send(Packet::Auth(auth), out);
    }
}
