use std::{collections::VecDeque, sync::Arc};

use plexus_types::{
    ClientId, Instant, Message, MessageId, PacketId, ProtocolVersion, Qos, TopicFilter,
};
use plexus_wire::SubscriptionOptions;
use smallvec::SmallVec;

use crate::Sequence;

/// A record of a durable session: replayed in order over an image it gives the session again.
/// Only sessions that outlive their connection emit them.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The whole session: stands for everything before it.
    Image(Box<Image>),
    /// A client is connected, with that Session Expiry Interval in seconds.
    Attached(u32, ProtocolVersion),
    /// The client is gone.
    Away,
    /// The Session Expiry Interval changes, in seconds.
    Expiry(u32),
    /// A subscription is made or replaced.
    Subscribed(Held),
    /// A subscription ends.
    Unsubscribed(TopicFilter),
    /// A message is on its way to the client. Whoever writes it has the bytes, whoever reads it
    /// finds them under their name.
    Queued(Entry, Option<Arc<Message>>),
    /// A message left the queue undelivered.
    Dropped(Sequence, MessageId),
    /// PUBREC came: PUBREL is under way, the message is done with.
    Received(Sequence, MessageId),
    /// The delivery is complete.
    Completed(Sequence, MessageId),
    /// A QoS 2 message of the client was taken: its identifier is not taken again before release.
    Accepted(PacketId),
    /// PUBREL came: the identifier is free.
    Released(PacketId),
    /// The Will that is due when the connection is gone, or none.
    Will(Option<Box<WillImage>>),
    /// The session is over; it was the only one that held these messages for its client.
    Ended(Vec<MessageId>),
}

/// All that is durable of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The identifier of the client.
    pub client_id: ClientId,
    /// The User Name that made the session.
    pub user_name: Option<Box<str>>,
    /// The version of the newest connection.
    pub version: ProtocolVersion,
    /// Session Expiry Interval in seconds.
    pub expiry: u32,
    /// Since when the client is away; none while it is connected.
    pub away_since: Option<Instant>,
    /// From this place on surely nothing has been sent to the client, which was away when it came;
    /// none if that is not known.
    pub unsent: Option<Sequence>,
    /// The place of the next QoS 1 or 2 message.
    pub next: Sequence,
    /// The Will, if one is due.
    pub will: Option<Box<WillImage>>,
    /// The subscriptions.
    pub subscriptions: Vec<Held>,
    /// QoS 2 identifiers of the client that it has not released.
    pub accepted: Vec<PacketId>,
    /// What is under way and what waits, in order.
    pub entries: VecDeque<Entry>,
}

/// A subscription of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The whole filter, `$share/<name>/` included.
    pub filter: TopicFilter,
    /// Its options.
    pub options: SubscriptionOptions,
    /// Subscription Identifier.
    pub id: Option<u32>,
}

/// A QoS 1 or 2 message for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the session.
    pub sequence: Sequence,
    /// Which message.
    pub message: MessageId,
    /// The bytes of topic, payload and properties.
    pub size: u32,
    /// When it came, in seconds since 1970. In a record of its own it is the time of that.
    pub since: u32,
    /// The quality of service of the delivery.
    pub qos: Qos,
    /// RETAIN of the delivery.
    pub retain: bool,
    /// Whether PUBREC came.
    pub released: bool,
    /// Subscription Identifiers and the group.
    pub extras: Extras,
}

/// What few deliveries have: 8 bytes for most, of which a million wait.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extras(Option<Box<Rare>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rare {
    subscription_ids: SmallVec<[u32; 2]>,
    shared: Option<Arc<str>>,
}

impl Extras {
    /// Those of a delivery.
    pub fn new(subscription_ids: &[u32], shared: Option<Arc<str>>) -> Self {
        let has_none = subscription_ids.is_empty() && shared.is_none();
        let rare = || Rare { subscription_ids: SmallVec::from_slice(subscription_ids), shared };
        Self((!has_none).then(|| Box::new(rare())))
    }

    /// Subscription Identifiers of all subscriptions that match.
    pub fn subscription_ids(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |rare| &rare.subscription_ids)
    }

    /// The whole filter of the group that it came by, so that it goes to another member if the
    /// session ends before it is delivered.
    pub fn shared(&self) -> Option<&Arc<str>> {
        self.0.as_ref()?.shared.as_ref()
    }
}

/// A Will that waits.
#[derive(Debug, Clone, PartialEq)]
pub struct WillImage {
    /// The message; its expiry is counted from its publication.
    pub message: Message,
    /// Will Delay Interval in seconds.
    pub delay: u32,
    /// Message Expiry Interval in seconds.
    pub lifetime: Option<u32>,
}
