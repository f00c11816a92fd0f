//! What goes into a client and what comes out.

use bytes::Bytes;
use plexus_types::{MessageProperties, PacketId, Qos, ReasonCode, TopicName};
use plexus_wire::{Auth, ConnAck, Disconnect, Packet, SubAck, UnsubAck};
use smallvec::SmallVec;

/// Names a message or request of a client until its fate is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub(crate) u64);

/// An Application Message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishRequest {
    /// Where to.
    pub topic: TopicName,
    /// What.
    pub payload: Bytes,
    /// How surely.
    pub qos: Qos,
    /// Whether the server keeps it.
    pub retain: bool,
    /// Message Expiry Interval in seconds; the time in the client's own queue counts.
    pub message_expiry_interval: Option<u32>,
    /// Properties that travel with it.
    pub properties: MessageProperties,
}

impl PublishRequest {
    /// A message without properties that is not kept.
    pub fn new(topic: TopicName, payload: Bytes, qos: Qos) -> Self {
        Self {
            topic,
            payload,
            qos,
            retain: false,
            message_expiry_interval: None,
            properties: MessageProperties::default(),
        }
    }
}

/// An Application Message that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Its topic, alias resolved.
    pub topic: TopicName,
    /// Its payload.
    pub payload: Bytes,
    /// Its quality of service.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Whether it was perhaps sent before.
    pub dup: bool,
    /// What [`Client::acknowledge`](crate::Client::acknowledge) wants, above QoS 0.
    pub packet_id: Option<PacketId>,
    /// Message Expiry Interval that was left, in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Subscription Identifiers.
    pub subscription_ids: SmallVec<[u32; 2]>,
    /// The other properties.
    pub properties: MessageProperties,
}

/// What a client wants done or tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientOutput {
    /// Write the packet to the server.
    Send(Packet),
    /// The server accepted CONNECT.
    Connected(Box<ConnAck>),
    /// The server refused CONNECT; `Close` follows.
    Refused(Box<ConnAck>),
    /// A message came.
    Message(Box<Incoming>),
    /// A message is out (QoS 0) or acknowledged to its end, or could not be sent for this reason.
    Published {
        /// Whose fate it is.
        ticket: Ticket,
        /// Success, or what the server or its limits say.
        reason: ReasonCode,
    },
    /// SUBACK came.
    Subscribed(Ticket, Box<SubAck>),
    /// UNSUBACK came.
    Unsubscribed(Ticket, Box<UnsubAck>),
    /// Nothing more will be heard of it: a request whose connection is gone; a message that expired
    /// while it waited in the client; a QoS 2 message that the server forgot together with the
    /// session, so that nobody knows whether it took it.
    Abandoned(Ticket),
    /// PINGRESP came: the server has read everything that was sent before PINGREQ.
    Pong,
    /// AUTH came.
    Authentication(Box<Auth>),
    /// The server said DISCONNECT; `Close` follows.
    Disconnected(Box<Disconnect>),
    /// Flush, then close the connection.
    Close(ClientClose),
}

/// Why a client closes its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientClose {
    /// By its own wish.
    Wanted,
    /// The server refused CONNECT or said DISCONNECT.
    ByServer(ReasonCode),
    /// The server broke a rule.
    Fault(ReasonCode),
    /// The server does not answer.
    Silence,
}

/// Why a message or request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RequestError {
    /// There is no connection, and it is not queued.
    #[error("not connected")]
    Offline,
    /// The queue is full.
    #[error("the queue of the client is full")]
    QueueFull,
    /// Too many requests wait for their answer.
    #[error("too many unanswered requests")]
    TooMany,
    /// The version has no such packet.
    #[error("the version of the connection has no such packet")]
    Version,
    /// The server takes no packet of that size ([MQTT-3.2.2-15]).
    #[error("the packet is larger than what the server takes")]
    TooLarge,
}
