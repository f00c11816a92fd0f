//! What leaves a session and what answers it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use plexus_types::{ClientId, Instant, Message, PacketId, Qos, ReasonCode, Text, TopicFilter};
use plexus_wire::{Connect, Packet, PublishHead, SubscriptionOptions};
use smallvec::SmallVec;

use crate::LogPosition;

/// An effect that the shell carries out.
#[derive(Debug)]
pub enum Output {
    /// Write the packet to the peer.
    Send(Packet),
    /// Write the message to the peer as PUBLISH.
    Deliver(Outgoing),
    /// Ask who may; `handle_decision` brings the action back. Until then the session is blocked and
    /// must not be given packets.
    Authorize(Action),
    /// The client is who it says: find or make its session and attach it (`Connecting` only).
    Admit(Box<Admitted>),
    /// A message has passed all checks: route it, then call `handle_routed`.
    Publish(Publication),
    /// Enter the granted items into the index, then call `handle_subscribed`.
    Subscribe(Box<SubscribeRequest>),
    /// Take the filters out of the index, then call `handle_unsubscribed`.
    Unsubscribe(Box<UnsubscribeRequest>),
    /// Append a record to the log at this position; `handle_persisted` says when it is kept.
    Persist(LogPosition, Box<crate::Change>),
    /// Read these messages from the log; `handle_fetched` brings them.
    Fetch(Vec<plexus_types::MessageId>),
    /// A shared message that this session did not complete: offer it to the rest of its group, named
    /// by its whole filter.
    Redispatch(Arc<str>, crate::Body),
    /// Count messages that were dropped.
    Dropped(DropReason, u32),
    /// Flush, then close the connection.
    Close(CloseReason),
    /// The session is over: take its subscriptions out of the index and forget it.
    Ended,
}

/// A PUBLISH towards the peer, straight from the shared message.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The message.
    pub message: Arc<Message>,
    /// Sent before on another connection ([MQTT-3.3.1-1]).
    pub dup: bool,
    /// Quality of service of this delivery.
    pub qos: Qos,
    /// RETAIN of this delivery.
    pub retain: bool,
    /// Present exactly when the quality of service is above 0.
    pub packet_id: Option<PacketId>,
    /// Topic Alias of this delivery.
    pub topic_alias: Option<u16>,
    /// Whether the topic is written; not when the alias is known to the peer.
    pub with_topic: bool,
    /// Message Expiry Interval that is left, in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Subscription Identifiers.
    pub subscription_ids: SmallVec<[u32; 2]>,
}

impl Outgoing {
    /// What of the packet is not the message's own.
    #[inline]
    pub fn head(&self) -> PublishHead<'_> {
        PublishHead {
            dup: self.dup,
            qos: self.qos,
            retain: self.retain,
            packet_id: self.packet_id,
            topic: self.with_topic.then_some(&self.message.topic),
            topic_alias: self.topic_alias,
            message_expiry_interval: self.message_expiry_interval,
            subscription_ids: &self.subscription_ids,
        }
    }
}

/// What access control and guard are asked.
#[derive(Debug)]
pub enum Action {
    /// Is the client who it says?
    Connect(Box<Credentials>),
    /// The next step of an enhanced authentication.
    Authenticate(Box<plexus_wire::Auth>),
    /// May the client publish it? Also asked for a Will when it takes effect.
    Publish(Publication),
    /// May the client subscribe to them? Refused items are marked by the answer.
    Subscribe(Box<SubscribeRequest>),
}

/// The answer to [`Action`]: the action comes back with the verdict. For
/// [`Action::Subscribe`] the items carry their own verdicts and `verdict` is `Ok`.
#[derive(Debug)]
pub struct Decision {
    /// What was asked.
    pub action: Action,
    /// Allowed, or the reason of the refusal.
    pub verdict: Result<(), ReasonCode>,
}

/// What CONNECT says about who the client is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The identifier of the client, assigned if it had none.
    pub client_id: ClientId,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Bytes>,
    /// Authentication Method of an enhanced authentication.
    pub authentication_method: Option<Text>,
    /// Its first data.
    pub authentication_data: Option<Bytes>,
}

/// Without the password and the data of a method: what is asked may end up in a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("user_name", &self.user_name)
            .field("authentication_method", &self.authentication_method)
            .finish_non_exhaustive()
    }
}

/// A client that passed authentication and is to be attached to its session.
#[derive(Debug)]
pub struct Admitted {
    /// Its identifier.
    pub client_id: ClientId,
    /// Whether the server chose the identifier.
    pub assigned: bool,
    /// The CONNECT that it sent.
    pub connect: Box<Connect>,
    /// What its listener allows.
    pub options: Arc<crate::Options>,
    /// CONNACK leaves when the log is kept up to here: without Session Present it promises that an
    /// older session is gone.
    pub after: LogPosition,
    /// When its connection has to end, because what it showed holds no longer.
    pub expires: Option<Instant>,
}

impl Admitted {
    /// Whether the client asks for a session that outlives its connection.
    pub fn wants_to_last(&self) -> bool {
        crate::connack::Terms::new(&self.connect, &self.options).expiry > 0
    }
}

/// An Application Message that enters the node, with the identifier its acknowledgement needs.
#[derive(Debug)]
pub struct Publication {
    /// The message, its topic resolved.
    pub message: Message,
    /// Present when the publisher waits for PUBACK or PUBREC; absent for QoS 0 and for Wills.
    pub packet_id: Option<PacketId>,
    /// Whether it is a Will.
    pub will: bool,
}

/// What became of a [`Publication`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Routed {
    /// Its identifier.
    pub packet_id: PacketId,
    /// Success, No matching subscribers, or why it was refused.
    pub reason: ReasonCode,
    /// The acknowledgement leaves when the log is kept up to here; ZERO for at once.
    pub after: LogPosition,
}

/// Subscriptions on their way through access control into the index.
#[derive(Debug)]
pub struct SubscribeRequest {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// Which connection of the session asked: only that one is answered.
    pub connection: u32,
    /// Subscription Identifier.
    pub subscription_id: Option<u32>,
    /// Each filter of the packet, in order.
    pub items: Vec<SubscribeItem>,
    /// SUBACK leaves when the log is kept up to here.
    pub after: LogPosition,
}

/// One filter of SUBSCRIBE.
#[derive(Debug)]
pub struct SubscribeItem {
    /// The filter, or why it is refused.
    pub filter: Result<TopicFilter, ReasonCode>,
    /// Its options; the quality of service is the granted one.
    pub options: SubscriptionOptions,
    /// Whether the client had no such subscription before: decides about retained messages.
    pub is_new: bool,
}

/// Subscriptions that leave the index.
#[derive(Debug)]
pub struct UnsubscribeRequest {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// Which connection of the session asked: only that one is answered.
    pub connection: u32,
    /// The filters that the client did have.
    pub filters: Vec<TopicFilter>,
    /// The reasons of UNSUBACK.
    pub reasons: Vec<ReasonCode>,
    /// UNSUBACK leaves when the log is kept up to here.
    pub after: LogPosition,
}

/// A message for this session, as the index found it.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The message.
    pub message: &'a Arc<Message>,
    /// The lower of the message's and the subscription's quality of service.
    pub qos: Qos,
    /// RETAIN as it is to be sent: set for retained replay, and kept where Retain As Published asks.
    pub retain: bool,
    /// Subscription Identifiers of all subscriptions that match.
    pub subscription_ids: &'a [u32],
    /// The whole filter of the group, if it comes by a shared subscription.
    pub shared: Option<&'a Arc<str>>,
}

/// What a session did with a [`Delivery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is on its way to the peer.
    Sent,
    /// It waits in the queue.
    Queued,
    /// Not taken (queue full, too large for the peer, expired …): a group may offer it to another.
    Refused,
    /// Not taken because too much waits in the whole node.
    NoRoom,
    /// Not taken because the client may not have it ([`crate::Sieve`]); said here alone.
    Withheld,
}

impl Taken {
    /// Whether the session does not have it.
    pub const fn is_refused(self) -> bool {
        matches!(self, Self::Refused | Self::NoRoom | Self::Withheld)
    }
}

/// Why messages were dropped, for the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// The queue of the receiver was full.
    QueueFull,
    /// Too much waits in the whole node.
    NodeFull,
    /// The message expired.
    Expired,
    /// Larger than the receiver's Maximum Packet Size ([MQTT-3.1.2-25]).
    TooLarge,
    /// QoS 0 for a client that is away, by option.
    Offline,
    /// The client may not have it any more: it lost the right while the message waited.
    Withheld,
    /// The session ended before it was delivered.
    SessionEnded,
}

impl DropReason {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NodeFull => "node_full",
            Self::Expired => "expired",
            Self::TooLarge => "too_large",
            Self::Offline => "offline",
            Self::Withheld => "not_allowed",
            Self::SessionEnded => "session_ended",
        }
    }
}

/// Why a connection is closed, for the log and the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The client said DISCONNECT.
    ByClient,
    /// The server ends it for this reason (told to 5.0 clients).
    ByServer(ReasonCode),
    /// CONNECT was refused.
    Refused(ReasonCode),
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByClient => f.write_str("by the client"),
            Self::ByServer(reason) | Self::Refused(reason) => reason.fmt(f),
        }
    }
}
