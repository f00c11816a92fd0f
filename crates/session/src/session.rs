//! One client's session: state and dispatch. What happens on each input is in `session/*`.

mod acknowledge;
mod auth;
mod contents;
mod deliver;
mod end;
mod lifecycle;
mod log;
mod publish;
mod subscribe;

use std::sync::Arc;

pub use self::{contents::QueuedMessage, publish::objection};

use plexus_types::{ClientId, Instant, ProtocolVersion, ReasonCode, TopicFilter};
use plexus_wire::{Connect, Packet, ProtocolError, SubscriptionOptions};

use crate::{
    Action, Admitted, Decision, LogPosition, Options, Outbox, Output, Sieve, Waiting,
    inbound::Inbound,
    outbound::Outbound,
    parcel::{Parcel, Sequence},
    pending::Pending,
    phase::{Connection, Phase},
    queue::Queue,
    refusal::Refusal,
    subscriptions::Subscriptions,
    timer::{Timer, Timers},
    will::StoredWill,
};

/// One client's session, with or without a connection.
///
/// **Every `handle_*` and every other call that takes an [`Outbox`] is followed by a full drain of
/// it before the next.** After [`Output::Close`] nothing more is heard of that connection; after
/// [`Output::Ended`] the session is to be forgotten.
#[derive(Debug)]
pub struct Session {
    client_id: ClientId,
    /// Of the client that made the session: who resumes it must have the same.
    user_name: Option<Box<str>>,
    options: Arc<Options>,
    phase: Phase,
    subscriptions: Subscriptions,
    inbound: Inbound,
    /// A message is let go when PUBREC has come.
    outbound: Outbound<Parcel>,
    queue: Queue,
    will: Option<Box<StoredWill>>,
    /// Where each delivery is asked about.
    sieve: Option<Box<dyn Sieve>>,
    timers: Timers,
    pending: Pending,
    /// The log is kept up to here.
    kept: LogPosition,
    /// The place of the next QoS 1 or 2 message.
    next: Sequence,
    /// See [`crate::Image::unsent`].
    unsent: Option<Sequence>,
    /// Session Expiry Interval in seconds.
    expiry: u32,
    /// How many connections it has had: names the present one.
    connections: u32,
    /// Requests of this connection that are with the index.
    requests: u16,
    version: ProtocolVersion,
    /// Whether the log knows the session.
    recorded: bool,
    /// Decisions about a Will that are outstanding.
    wills_asked: u8,
    /// Decisions outstanding that a lost connection asked for.
    stale_decisions: u8,
}

impl Session {
    /// A session that nobody has begun.
    fn vacant(admitted: &Admitted) -> Self {
        let user_name = admitted.connect.user_name.as_ref().map(|name| Box::from(name.as_str()));
        let mut session =
            Self::empty(admitted.client_id.clone(), user_name, Arc::clone(&admitted.options));
        session.version = admitted.connect.version;
        session
    }

    fn empty(client_id: ClientId, user_name: Option<Box<str>>, options: Arc<Options>) -> Self {
        Self {
            client_id,
            user_name,
            options,
            phase: Phase::Away(Instant::ZERO),
            subscriptions: Subscriptions::default(),
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            queue: Queue::default(),
            will: None,
            sieve: None,
            timers: Timers::new(),
            pending: Pending::default(),
            kept: LogPosition::ZERO,
            next: Sequence::default(),
            unsent: None,
            expiry: 0,
            connections: 0,
            requests: 0,
            version: ProtocolVersion::default(),
            recorded: false,
            wills_asked: 0,
            stale_decisions: 0,
        }
    }

    /// A packet of the client, or why its bytes are none.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        packet: Result<Packet, ProtocolError>,
        out: &mut Outbox,
    ) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        connection.keep_alive.hear(now);
        let handled = match packet {
            Ok(packet) => self.dispatch(now, packet, out),
            Err(error) => Err(Refusal::from(&error)),
        };
        if let Err(refusal) = handled {
            self.close(now, &refusal, None, out); // [MQTT-4.13.1-1], [MQTT3-4.8.0-1]
        }
    }

    fn dispatch(&mut self, now: Instant, packet: Packet, out: &mut Outbox) -> Result<(), Refusal> {
        match packet {
            Packet::Publish(publish) => self.on_publish(now, publish, out),
            Packet::PubAck(ack) => self.on_puback(now, &ack, out),
            Packet::PubRec(ack) => self.on_pubrec(now, &ack, out),
            Packet::PubRel(ack) => self.on_pubrel(&ack, out),
            Packet::PubComp(ack) => self.on_pubcomp(now, &ack, out),
            Packet::Subscribe(subscribe) => self.on_subscribe(*subscribe, out),
            Packet::Unsubscribe(unsubscribe) => {
                self.on_unsubscribe(*unsubscribe, out);
                Ok(())
            }
            Packet::PingReq => {
                out.push(Output::Send(Packet::PingResp)); // [MQTT-3.12.4-1], [MQTT3-3.12.4-1]
                Ok(())
            }
            Packet::Disconnect(disconnect) => self.on_disconnect(now, &disconnect, out),
            Packet::Auth(auth) => self.on_auth(auth, out),
            // [MQTT-3.1.0-2], [MQTT3-3.1.0-2]
            Packet::Connect(_) => Err(Refusal::protocol("a second CONNECT")),
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => {
                Err(Refusal::protocol("a packet that only a server sends"))
            }
        }
    }

    /// The answer to what was asked; also after the connection that asked is gone.
    pub fn handle_decision(&mut self, now: Instant, decision: Decision, out: &mut Outbox) {
        let Decision { action, verdict } = decision;
        if let Action::Publish(publication) = action {
            if publication.will {
                return self.decide_will(publication, verdict.is_ok(), out);
            }
            self.unblock();
            return self.decide_publish(publication, verdict, out);
        }
        let current = self.unblock();
        match action {
            Action::Subscribe(request) if current => self.decide_subscribe(request, verdict, out),
            Action::Authenticate(auth) if current => self.decide_auth(now, auth, verdict, out),
            // A SUBSCRIBE that was not answered leaves no trace; the others are not asked here.
            Action::Subscribe(_)
            | Action::Authenticate(_)
            | Action::Connect(_)
            | Action::Publish(_) => {}
        }
    }

    /// A deadline of [`Session::poll_timeout`] may have come; too early does no harm.
    pub fn handle_timeout(&mut self, now: Instant, out: &mut Outbox) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::KeepAlive => self.on_silence(now, out),
                Timer::WillDelay => self.publish_will(now, out),
                Timer::SessionExpiry => self.finish(now, out), // [MQTT-4.1.0-2]
                Timer::Authorization => {
                    self.disconnect(now, ReasonCode::MaximumConnectTime, None, out);
                }
            }
        }
        self.drop_overdue(now, out);
    }

    /// The client is alive although its packets are not taken: its connection has bytes that wait
    /// because reading is held back.
    pub fn handle_activity(&mut self, now: Instant) {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.keep_alive.hear(now);
        }
    }

    /// When to call [`Session::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let (timer, overdue) = (self.timers.next(), self.next_overdue());
        if overdue.is_none() { timer } else { timer.into_iter().chain(overdue).min() }
    }

    /// Has each message asked about before it goes to the client, or none.
    pub fn set_sieve(&mut self, sieve: Option<Box<dyn Sieve>>) {
        self.sieve = sieve;
    }

    /// Whether a client is connected.
    pub const fn is_connected(&self) -> bool {
        matches!(self.phase, Phase::Connected(_))
    }

    /// Whether the end of the session is decided: it is not to be resumed any more.
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ending | Phase::Over)
    }

    /// Whether an [`Output::Authorize`] of the connection is outstanding: no packets until then.
    pub fn is_blocked(&self) -> bool {
        self.connection().is_some_and(|connection| connection.blocked) || self.pending.is_opening()
    }

    /// Whether that client may resume this session: a Client Identifier alone is no credential, the
    /// User Name must be the one that made it.
    pub fn may_resume(&self, connect: &Connect) -> bool {
        self.user_name.as_deref() == connect.user_name.as_deref()
    }

    /// Whether it is connected and has room for another message of any quality of service.
    pub fn accepts(&self) -> bool {
        self.connection().is_some_and(|connection| {
            !self.queue_is_full() || (self.queue.is_empty() && self.window(connection) > 0)
        })
    }

    /// How many messages may be handed over now without filling more than half of the queue: for
    /// whoever has many at once. None while the connection is congested.
    pub fn room(&self) -> usize {
        let Some(connection) = self.connection().filter(|connection| !connection.congested) else {
            return 0;
        };
        let (messages, bytes) = self.queue.len();
        let half = self.options.queue_messages_max / 2;
        let window = if messages == 0 { self.window(connection) } else { 0 };
        if bytes >= self.options.queue_bytes_max / 2 {
            return window;
        }
        half.saturating_sub(messages) + window
    }

    /// Unacknowledged QoS 1 and 2 messages towards the client.
    pub fn inflight(&self) -> usize {
        self.outbound.len() + self.queue.begun()
    }

    /// Messages and bytes that wait.
    pub fn queued(&self) -> (usize, usize) {
        self.queue.len()
    }

    /// The same, as it is counted for the node.
    pub fn waiting(&self) -> Waiting {
        self.queue.waiting()
    }

    /// Whether waiting messages could be sent now: call `handle_congestion(now, false, …)` again
    /// when there is time.
    pub fn has_backlog(&self) -> bool {
        let Some(connection) = self.connection().filter(|connection| !connection.congested) else {
            return false;
        };
        self.queue
            .front()
            .is_some_and(|parcel| parcel.message().is_some() && self.may_leave(parcel, connection))
    }

    /// The subscriptions with their options and Subscription Identifiers, sorted by filter.
    pub fn subscriptions(
        &self,
    ) -> impl Iterator<Item = (TopicFilter, SubscriptionOptions, Option<u32>)> {
        self.subscriptions.iter().map(|held| (held.filter, held.options, held.id))
    }

    /// Whether it has a subscription to that filter.
    pub fn is_subscribed(&self, filter: &TopicFilter) -> bool {
        self.subscriptions.contains(filter)
    }

    /// About the bytes that the subscriptions take when they are written down.
    pub const fn subscription_bytes(&self) -> usize {
        self.subscriptions.bytes()
    }

    /// How many subscriptions there are.
    pub fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    /// The identifier of the client.
    pub const fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The User Name that made the session.
    pub fn user_name(&self) -> Option<&str> {
        self.user_name.as_deref()
    }

    /// The version of the newest connection.
    pub const fn version(&self) -> ProtocolVersion {
        self.version
    }

    /// Session Expiry Interval in seconds; 0xFFFF_FFFF for never.
    pub const fn expiry(&self) -> u32 {
        self.expiry
    }

    /// Keep Alive of the connection in seconds, zero for none; of a session without one, too.
    pub fn keep_alive(&self) -> u16 {
        self.connection().map_or(0, |connection| connection.keep_alive.seconds())
    }

    /// QoS 1 and 2 messages that may be under way to the client; none while it is away.
    pub fn window_max(&self) -> Option<u16> {
        self.connection().map(|connection| connection.receive_maximum)
    }

    /// QoS 2 messages of the client whose PUBREL has not come.
    pub fn unreleased(&self) -> usize {
        self.inbound.taken()
    }

    /// Since when the client is away.
    pub const fn away_since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Away(since) => Some(since),
            _ => None,
        }
    }

    /// What it is allowed.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether a Will is due when the client is gone.
    pub const fn has_will(&self) -> bool {
        self.will.is_some()
    }

    fn connection(&self) -> Option<&Connection> {
        match &self.phase {
            Phase::Connected(connection) => Some(connection),
            Phase::Away(_) | Phase::Ending | Phase::Over => None,
        }
    }

    /// Whether the session outlives its connection, hence is in the log. What the log knows stays
    /// there, through whatever listener its client comes back.
    pub fn is_durable(&self) -> bool {
        self.expiry > 0 && (self.options.durable || self.recorded)
    }

    /// A decision has come; says whether the present connection asked for it.
    fn unblock(&mut self) -> bool {
        if self.stale_decisions > 0 {
            self.stale_decisions -= 1;
            return false;
        }
        if let Phase::Connected(connection) = &mut self.phase {
            connection.blocked = false;
        }
        self.is_connected()
    }

    /// Asks; no packets until the answer.
    fn authorize(&mut self, action: Action, out: &mut Outbox) {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.blocked = true;
        }
        out.push(Output::Authorize(action));
    }

    /// Sends if the client takes a packet of that size; else it is dropped and counted
    /// ([MQTT-3.1.2-24], [MQTT-3.1.2-25]).
    fn send(&self, packet: Packet, out: &mut Outbox) {
        let Phase::Connected(connection) = &self.phase else { return };
        if connection.takes(&packet, self.version) {
            out.push(Output::Send(packet));
        } else {
            out.push(Output::Dropped(crate::DropReason::TooLarge, 1));
        }
    }

    /// Ends the connection because of what the client did.
    fn close(
        &mut self,
        now: Instant,
        refusal: &Refusal,
        server_reference: Option<plexus_types::Text>,
        out: &mut Outbox,
    ) {
        self.say_disconnect(refusal, server_reference, out);
        out.push(Output::Close(crate::CloseReason::ByServer(refusal.reason)));
        self.detach(now, out);
    }
}
