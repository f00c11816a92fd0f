//! The client role: the same sub-machines, looked at from the other side.

mod link;
mod options;
mod output;
mod publish;
mod receive;
mod requests;

use std::collections::VecDeque;

use plexus_types::{Instant, PacketId, ProtocolVersion, ReasonCode};
use plexus_wire::{
    Auth, ConnAck, Connect, Disconnect, DisconnectProperties, Packet, ProtocolError,
};

use self::{link::Link, publish::Pending, requests::Requests};
pub use self::{
    options::ClientOptions,
    output::{ClientClose, ClientOutput, Incoming, PublishRequest, RequestError, Ticket},
};
use crate::{LogPosition, inbound::Inbound, outbound::Outbound, refusal::Refusal};

/// A client's session, with or without a connection.
///
/// ```text
///  Offline ──connect──▶ CONNECT is out ──CONNACK──▶ Connected
///     ▲                       │ refused, silence       │ disconnect, lost, DISCONNECT
///     └───────────────────────┴────────────────────────┘
/// ```
/// **Every call that changes it is followed by a full drain of [`Client::poll_output`].** After
/// [`ClientOutput::Close`] it is offline; the next `connect` resumes: what is under way is sent
/// again if the server still has the session, and otherwise starts anew.
#[derive(Debug)]
pub struct Client {
    options: ClientOptions,
    link: Option<Link>,
    inbound: Inbound,
    outbound: Outbound<Pending>,
    queue: VecDeque<Pending>,
    queue_bytes: usize,
    requests: Requests,
    outputs: VecDeque<ClientOutput>,
    tickets: u64,
    /// Whether a server may hold a session of it.
    has_session: bool,
}

impl Client {
    /// A client that is offline.
    pub fn new(options: ClientOptions) -> Self {
        Self {
            options,
            link: None,
            inbound: Inbound::default(),
            outbound: Outbound::default(),
            queue: VecDeque::new(),
            queue_bytes: 0,
            requests: Requests::default(),
            outputs: VecDeque::new(),
            tickets: 0,
            has_session: false,
        }
    }

    /// The transport stands: says CONNECT. Does nothing while a connection is there.
    pub fn connect(&mut self, now: Instant) {
        if self.link.is_some() {
            return;
        }
        let outlives =
            self.options.version.is_v5() && self.options.properties.session_expiry_interval > 0;
        let clean = self.options.clean_start && !(self.has_session && outlives);
        if clean {
            self.forget_session();
        }
        let connect = Connect {
            version: self.options.version,
            bridge: self.options.bridge && !self.options.version.is_v5(),
            clean_start: clean,
            keep_alive: self.options.keep_alive,
            client_id: self.options.client_id.clone(),
            will: self.options.will.clone(),
            user_name: self.options.user_name.clone(),
            password: self.options.password.clone(),
            properties: self.options.properties.clone(),
        };
        self.link = Some(Link::new(now, clean, &self.options));
        self.send(now, Packet::Connect(Box::new(connect)));
    }

    /// Says good-bye and closes. Properties are for 5.0 only.
    pub fn disconnect(
        &mut self,
        now: Instant,
        reason: ReasonCode,
        properties: DisconnectProperties,
    ) {
        if self.link.is_none() {
            return;
        }
        if let Some(expiry) = properties.session_expiry_interval {
            self.has_session &= expiry > 0;
        }
        // [MQTT-3.14.4-1], [MQTT-3.14.4-2], [MQTT3-3.14.4-1], [MQTT3-3.14.4-2]
        self.send(now, Packet::Disconnect(Box::new(Disconnect { reason, properties })));
        self.close(ClientClose::Wanted);
    }

    /// Sends PINGREQ now; the server must answer in time.
    pub fn ping(&mut self, now: Instant) -> Result<(), RequestError> {
        self.connected()?.expect_answer(now);
        self.send(now, Packet::PingReq);
        Ok(())
    }

    /// Sends AUTH: the next step of an authentication, or the first of a new one.
    pub fn auth(&mut self, now: Instant, auth: Auth) -> Result<(), RequestError> {
        if !self.options.version.is_v5() || self.options.properties.authentication_method.is_none()
        {
            return Err(RequestError::Version); // [MQTT-4.12.0-7]
        }
        if self.link.is_none() {
            return Err(RequestError::Offline);
        }
        self.send(now, Packet::Auth(Box::new(auth)));
        Ok(())
    }

    /// A packet of the server, or why its bytes are none.
    pub fn handle_packet(&mut self, now: Instant, packet: Result<Packet, ProtocolError>) {
        let Some(link) = &mut self.link else { return };
        link.hear(now);
        let handled = match packet {
            Ok(packet) => self.dispatch(now, packet),
            Err(error) => Err(Refusal::from(&error)),
        };
        if let Err(refusal) = handled {
            self.fail(now, &refusal);
        }
    }

    fn dispatch(&mut self, now: Instant, packet: Packet) -> Result<(), Refusal> {
        let accepted = self.link.as_ref().is_some_and(|link| link.accepted);
        match packet {
            Packet::ConnAck(connack) if !accepted => return self.on_connack(now, *connack),
            Packet::Auth(auth) => self.outputs.push_back(ClientOutput::Authentication(auth)),
            Packet::Disconnect(disconnect) => self.on_disconnect(disconnect),
            _ if !accepted => return Err(Refusal::protocol("a packet before CONNACK")),
            Packet::Publish(publish) => return self.on_publish(now, publish),
            Packet::PubAck(ack) => return self.on_puback(now, &ack),
            Packet::PubRec(ack) => return self.on_pubrec(now, &ack),
            Packet::PubRel(ack) => self.on_pubrel(now, &ack),
            Packet::PubComp(ack) => return self.on_pubcomp(now, &ack),
            Packet::SubAck(suback) => self.on_suback(suback),
            Packet::UnsubAck(unsuback) => self.on_unsuback(unsuback),
            Packet::PingResp => self.outputs.push_back(ClientOutput::Pong),
            Packet::ConnAck(_)
            | Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::PingReq => return Err(Refusal::protocol("a packet out of place")),
        }
        Ok(())
    }

    /// The connection is gone.
    pub fn handle_connection_lost(&mut self, _now: Instant) {
        self.detach();
    }

    /// A deadline of [`Client::poll_timeout`] may have come; too early does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(link) = &mut self.link else { return };
        if link.is_silent(now) {
            self.close(ClientClose::Silence);
        } else if link.ping_due() <= now {
            link.expect_answer(now);
            self.send(now, Packet::PingReq); // [MQTT-3.1.2-20], [MQTT3-3.1.2-23]
        }
    }

    /// When to call [`Client::handle_timeout`] next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let deadline = self.link.as_ref()?.deadline();
        Some(deadline).filter(|deadline| *deadline != Instant::FAR_FUTURE)
    }

    /// The next effect.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
        self.outputs.pop_front()
    }

    /// Exchanges the drained queue of effects for another empty one. Who drives many clients lends all
    /// of them the same queue, one after the other, so that a client which waits owns no memory for
    /// effects: lend before the calls, take it back after the drain.
    pub fn lend_outputs(&mut self, spare: &mut VecDeque<ClientOutput>) {
        debug_assert!(self.outputs.is_empty() && spare.is_empty(), "a queue is lent when empty");
        std::mem::swap(&mut self.outputs, spare);
    }

    /// Whether there is no connection, not even a beginning one.
    pub const fn is_offline(&self) -> bool {
        self.link.is_none()
    }

    /// Whether CONNACK has come and the connection stands.
    pub fn is_connected(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.accepted)
    }

    /// Messages under way that are not acknowledged to their end.
    pub fn inflight(&self) -> usize {
        self.outbound.len()
    }

    /// Messages that wait in the client.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// How many QoS 1 and 2 messages can be sent right now.
    pub fn window(&self) -> usize {
        match &self.link {
            Some(link) if link.accepted && self.queue.is_empty() => {
                self.outbound.room(link.receive_maximum, self.inflight_limit())
            }
            _ => 0,
        }
    }

    /// The options, with the identifier that the server assigned.
    pub const fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// The version that it speaks.
    pub const fn version(&self) -> ProtocolVersion {
        self.options.version
    }

    fn on_connack(&mut self, now: Instant, connack: ConnAck) -> Result<(), Refusal> {
        let Some(link) = &mut self.link else { return Ok(()) };
        if connack.reason.is_error() {
            let reason = connack.reason;
            self.outputs.push_back(ClientOutput::Refused(Box::new(connack)));
            self.close(ClientClose::ByServer(reason));
            return Ok(());
        }
        if connack.session_present && link.clean {
            // [MQTT-3.2.2-4]
            return Err(Refusal::protocol("a session although a clean start was asked for"));
        }
        link.accept(&connack, &self.options);
        // 3.1 has no Session Present: a session that was not to be clean is taken to be there.
        let is_v31 = self.options.version == ProtocolVersion::V31;
        let present = connack.session_present || (is_v31 && !link.clean);
        if let Some(id) = &connack.properties.assigned_client_identifier {
            self.options.client_id = id.detached(); // [MQTT-3.1.3-7]
        }
        self.has_session = true;
        self.outputs.push_back(ClientOutput::Connected(Box::new(connack)));
        if !present {
            self.forget_session(); // [MQTT-3.2.2-5]
        }
        self.outbound.begin_connection();
        self.pump(now);
        Ok(())
    }

    fn on_disconnect(&mut self, disconnect: Box<Disconnect>) {
        let reason = disconnect.reason;
        self.outputs.push_back(ClientOutput::Disconnected(disconnect));
        self.close(ClientClose::ByServer(reason));
    }

    /// The server broke a rule: it is told, if the version has words for it.
    fn fail(&mut self, now: Instant, refusal: &Refusal) {
        let accepted = self.link.as_ref().is_some_and(|link| link.accepted);
        if accepted && self.options.version.is_v5() {
            let reason_string = refusal.text();
            let properties = DisconnectProperties { reason_string, ..Default::default() };
            let mut disconnect = Disconnect { reason: refusal.reason, properties };
            let full = Packet::Disconnect(Box::new(disconnect.clone()));
            if !self.takes(&full) {
                disconnect.properties.reason_string = None; // [MQTT-3.14.2-3]
            }
            self.send(now, Packet::Disconnect(Box::new(disconnect)));
        }
        self.close(ClientClose::Fault(refusal.reason)); // [MQTT-4.13.1-1]
    }

    fn close(&mut self, reason: ClientClose) {
        self.outputs.push_back(ClientOutput::Close(reason));
        self.detach();
    }

    fn detach(&mut self) {
        if self.link.take().is_none() {
            return;
        }
        self.inbound.lose_connection();
        let abandoned = self.requests.clear().map(ClientOutput::Abandoned);
        self.outputs.extend(abandoned);
    }

    /// The session of the server is another one: what is under way starts anew.
    fn forget_session(&mut self) {
        self.inbound.clear();
        self.requeue_under_way();
    }

    fn connected(&mut self) -> Result<&mut Link, RequestError> {
        self.link.as_mut().filter(|link| link.accepted).ok_or(RequestError::Offline)
    }

    fn takes(&self, packet: &Packet) -> bool {
        self.link.as_ref().is_some_and(|link| link.takes(packet, self.options.version))
    }

    fn send(&mut self, now: Instant, packet: Packet) {
        if let Some(link) = &mut self.link {
            link.say(now);
            self.outputs.push_back(ClientOutput::Send(packet));
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Its own limit, leaving identifiers for requests.
    fn inflight_limit(&self) -> u16 {
        self.options.inflight_max.min(u16::MAX - requests::REQUESTS_MAX)
    }

    /// Sends the acknowledgements that are ready, in order.
    fn flush_acks(&mut self, now: Instant) {
        while self.is_connected() {
            let Some(answer) = self.inbound.next(LogPosition::ZERO) else { return };
            self.send(now, answer.into_packet());
        }
    }

    /// Acknowledges a message that was handed over; only without `ClientOptions::acknowledge`.
    /// Acknowledgements leave in the order of the messages, whatever the order of the calls.
    pub fn acknowledge(&mut self, now: Instant, packet_id: PacketId, reason: ReasonCode) {
        let reason = if self.options.version.is_v5() { reason } else { ReasonCode::Success };
        let reason = crate::refusal::of_publish(reason); // [MQTT-3.4.2-1], [MQTT-3.5.2-1]
        let verdict = crate::inbound::Verdict::new(reason, LogPosition::ZERO);
        self.inbound.settle(packet_id, verdict);
        self.flush_acks(now);
    }
}
