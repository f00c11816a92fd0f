//! The hot path out: a PUBLISH straight from the shared message. The sizes are computed once and
//! both the bytes and the length of the packet come from them.

use bytes::{BufMut, BytesMut};
use plexus_types::{Message, PacketId, ProtocolVersion, Qos, TopicName};

use crate::{PacketType, Publish, property::PropertyId, sink::Sink, varint};

/// What a delivery says beside the message itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishHead<'a> {
    /// Sent before on another connection ([MQTT-3.3.1-1]).
    pub dup: bool,
    /// Quality of service of this delivery.
    pub qos: Qos,
    /// RETAIN of this delivery.
    pub retain: bool,
    /// Present exactly when the quality of service is above 0.
    pub packet_id: Option<PacketId>,
    /// The topic; `None` when the alias alone stands for it.
    pub topic: Option<&'a TopicName>,
    /// Topic Alias of this delivery.
    pub topic_alias: Option<u16>,
    /// Message Expiry Interval that is left, in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Subscription Identifiers.
    pub subscription_ids: &'a [u32],
}

/// Size of the whole packet. Above [`PACKET_SIZE_MAX`](crate::PACKET_SIZE_MAX) it cannot be encoded.
pub fn publish_len(head: &PublishHead<'_>, message: &Message, version: ProtocolVersion) -> usize {
    let remaining = Parts::of_head(head, message, version).sizes().remaining;
    remaining + 1 + u32::try_from(remaining).map_or(4, varint::len)
}

/// Appends the packet, payload included. The caller has compared [`publish_len`] with
/// [`PACKET_SIZE_MAX`](crate::PACKET_SIZE_MAX) or a smaller maximum.
pub fn encode_publish(
    head: &PublishHead<'_>,
    message: &Message,
    version: ProtocolVersion,
    buffer: &mut BytesMut,
) {
    let parts = Parts::of_head(head, message, version);
    let sizes = parts.sizes();
    buffer.reserve(sizes.remaining + HEADER_LENGTH_MAX);
    parts.write_head(sizes, buffer);
    buffer.put_slice(&message.payload);
}

/// Appends all of the packet but its payload, which the caller writes right behind it. The same
/// holds for the size.
pub fn encode_publish_head(
    head: &PublishHead<'_>,
    message: &Message,
    version: ProtocolVersion,
    buffer: &mut BytesMut,
) {
    let parts = Parts::of_head(head, message, version);
    let sizes = parts.sizes();
    buffer.reserve(sizes.remaining + HEADER_LENGTH_MAX - message.payload.len());
    parts.write_head(sizes, buffer);
}

/// The longest fixed header.
const HEADER_LENGTH_MAX: usize = 5;

/// What a PUBLISH consists of, wherever it comes from.
///
/// ```text
/// 0011 DUP QoS QoS RETAIN │ remaining length │ topic │ [packet id] │ [properties] │ payload
/// ```
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    dup: bool,
    qos: Qos,
    retain: bool,
    packet_id: Option<PacketId>,
    topic: &'a [u8],
    topic_alias: Option<u16>,
    message_expiry_interval: Option<u32>,
    subscription_ids: &'a [u32],
    forwarded: &'a [u8],
    payload_length: usize,
    version: ProtocolVersion,
}

/// The lengths inside a PUBLISH.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    properties: usize,
    pub(crate) remaining: usize,
}

impl<'a> Parts<'a> {
    fn of_head(head: &PublishHead<'a>, message: &'a Message, version: ProtocolVersion) -> Self {
        Self {
            dup: head.dup,
            qos: head.qos,
            retain: head.retain,
            packet_id: head.packet_id,
            topic: head.topic.map_or(&[], TopicName::shown),
            topic_alias: head.topic_alias,
            message_expiry_interval: head.message_expiry_interval,
            subscription_ids: head.subscription_ids,
            forwarded: message.properties.bytes(),
            payload_length: message.payload.len(),
            version,
        }
    }

    pub(crate) fn of_packet(publish: &'a Publish, version: ProtocolVersion) -> Self {
        Self {
            dup: publish.dup,
            qos: publish.qos,
            retain: publish.retain,
            packet_id: publish.packet_id,
            topic: publish.topic.as_bytes(),
            topic_alias: publish.properties.topic_alias,
            message_expiry_interval: publish.properties.message_expiry_interval,
            subscription_ids: &publish.properties.subscription_ids,
            forwarded: publish.properties.forwarded.bytes(),
            payload_length: publish.payload.len(),
            version,
        }
    }

    pub(crate) fn sizes(&self) -> Sizes {
        let packet_id = if self.packet_id.is_some() { 2 } else { 0 };
        let before_properties = 2 + self.topic.len() + packet_id;
        if !self.version.is_v5() {
            return Sizes { properties: 0, remaining: before_properties + self.payload_length };
        }
        let alias = if self.topic_alias.is_some() { 3 } else { 0 };
        let expiry = if self.message_expiry_interval.is_some() { 5 } else { 0 };
        let ids = self.subscription_ids.iter().map(|id| 1 + varint::len(*id)).sum::<usize>();
        let properties = alias + expiry + ids + self.forwarded.len();
        let section = u32::try_from(properties).map_or(4, varint::len) + properties;
        Sizes { properties, remaining: before_properties + section + self.payload_length }
    }

    /// Writes all but the payload.
    pub(crate) fn write_head(&self, sizes: Sizes, buffer: &mut BytesMut) {
        assert!(sizes.remaining <= varint::MAX as usize, "the caller compared the size");
        debug_assert_eq!(self.packet_id.is_some(), self.qos != Qos::AtMostOnce, "[MQTT-2.2.1-2]");
        let flags = u8::from(self.dup) << 3 | self.qos.get() << 1 | u8::from(self.retain);
        buffer.put_u8(PacketType::Publish.first_byte() | flags);
        buffer.varint(sizes.remaining as u32);
        buffer.put_u16(self.topic.len() as u16);
        buffer.put_slice(self.topic);
        if let Some(id) = self.packet_id {
            buffer.put_u16(id.get());
        }
        if self.version.is_v5() {
            self.write_properties(sizes, buffer);
        }
    }

    fn write_properties(&self, sizes: Sizes, buffer: &mut BytesMut) {
        buffer.varint(sizes.properties as u32); // [MQTT-2.2.2-1]
        buffer.property_u16(PropertyId::TopicAlias, self.topic_alias);
        buffer.property_u32(PropertyId::MessageExpiryInterval, self.message_expiry_interval);
        for id in self.subscription_ids {
            buffer.property_varint(PropertyId::SubscriptionIdentifier, Some(*id));
        }
        // Unaltered and in order: [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-18],
        // [MQTT-3.3.2-20].
        buffer.put_slice(self.forwarded);
    }
}
