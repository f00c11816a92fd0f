use bytes::{Bytes, BytesMut};

use crate::{ClientId, Durability, Instant, MessageId, Qos, TopicName};

/// The properties that travel with an Application Message unaltered from publisher to subscriber:
/// Payload Format Indicator, Content Type, Response Topic, Correlation Data and the User Properties
/// in their order ([MQTT-3.3.2-17], [MQTT-3.3.2-18]).
///
/// Held as the property bytes of MQTT 5.0 without their length, checked by `wire` when they came in,
/// so that forwarding is a copy of bytes. Only `wire` makes and reads them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageProperties(Bytes);

impl MessageProperties {
    /// Takes property bytes that the caller has checked.
    pub const fn from_checked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The encoded properties.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An Application Message on its way through the node. Shared by reference among its receivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its name within the node; `NONE` until it is routed.
    pub id: MessageId,
    /// The topic it was published to, alias resolved.
    pub topic: TopicName,
    /// The payload, opaque to the node.
    pub payload: Bytes,
    /// The quality of service that the publisher chose.
    pub qos: Qos,
    /// The RETAIN flag as published ([MQTT-3.3.1-12]).
    pub retain: bool,
    /// The properties that are forwarded.
    pub properties: MessageProperties,
    /// When the message expires, `None` for never ([MQTT-3.3.2-5]).
    pub expires: Option<Instant>,
    /// What its acknowledgement promises.
    pub durability: Durability,
    /// Whose message it is: the No Local option looks at it ([MQTT-3.8.3-3]).
    pub publisher: ClientId,
}

impl Message {
    /// Whether the Message Expiry Interval has passed.
    pub fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// The bytes of topic, payload and properties: what a queue counts for it.
    pub fn size(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.bytes().len()
    }

    /// The same without what stands before the topic inside the node: what its tenant has of it.
    pub fn shown_size(&self) -> usize {
        self.size() - self.topic.len() + self.topic.shown().len()
    }

    /// Moves the bytes into one allocation of their own, so that a message that is kept does not
    /// keep the much larger read buffer alive that it was cut from.
    #[must_use]
    pub fn detached(mut self) -> Self {
        let mut buffer = BytesMut::with_capacity(self.size());
        buffer.extend_from_slice(self.topic.as_bytes());
        buffer.extend_from_slice(self.properties.bytes());
        buffer.extend_from_slice(&self.payload);
        let mut whole = buffer.freeze();
        self.topic = self.topic.with_bytes_of(whole.split_to(self.topic.len()));
        let properties = whole.split_to(self.properties.bytes().len());
        self.properties = MessageProperties::from_checked(properties);
        self.payload = whole;
        self
    }
}
