//! A message as the log keeps it.

use std::time::Duration;

use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TopicName,
};

use plexus_stdx::varint::{self, Cursor};

const QOS: u8 = 0b0000_0011;
const RETAIN: u8 = 0b0000_0100;
const EXPIRES: u8 = 0b0000_1000;
/// The checksum before the message.
const CHECKSUM_BYTES: usize = 4;

/// What the node's monotonic clock is in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockMap {
    /// The time since 1970 at which the monotonic clock began.
    pub unix_millis_at_zero: u64,
}

impl ClockMap {
    /// The milliseconds since 1970 of a moment.
    pub const fn to_unix(&self, moment: Instant) -> u64 {
        self.unix_millis_at_zero.saturating_add(moment.as_nanos() / 1_000_000)
    }

    /// The moment of the milliseconds since 1970; what lies before the clock began is its zero.
    pub fn to_instant(&self, unix_millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(unix_millis.saturating_sub(self.unix_millis_at_zero))
    }
}

/// What was stored of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its name within the node.
    pub id: MessageId,
    /// The topic it was published to.
    pub topic: TopicName,
    /// The payload.
    pub payload: Bytes,
    /// The quality of service that the publisher chose.
    pub qos: Qos,
    /// The RETAIN flag as published.
    pub retain: bool,
    /// The properties that are forwarded.
    pub properties: MessageProperties,
    /// When it expires, in milliseconds since 1970.
    pub expires: Option<u64>,
    /// Whose message it is.
    pub publisher: ClientId,
}

impl StoredMessage {
    /// The message as the node has it in memory.
    pub fn into_message(self, clock: &ClockMap) -> Message {
        Message {
            id: self.id,
            topic: self.topic,
            payload: self.payload,
            qos: self.qos,
            retain: self.retain,
            properties: self.properties,
            expires: self.expires.map(|millis| clock.to_instant(millis)),
            durability: Durability::default(),
            publisher: self.publisher,
        }
    }

    /// Reads what [`put`] wrote; the parts stay slices of the content.
    pub(crate) fn decode(id: MessageId, content: &Bytes) -> Result<Self, &'static str> {
        const SHAPE: &str = "a message of unknown shape";
        if !is_whole(id, content) {
            return Err("the message's checksum is wrong");
        }
        let mut cursor = Cursor::new(content);
        cursor.take(CHECKSUM_BYTES).ok_or(SHAPE)?;
        let flags = cursor.byte().ok_or(SHAPE)?;
        let expires = match flags & EXPIRES {
            0 => None,
            _ => Some(cursor.varint().ok_or(SHAPE)?),
        };
        let mut part = || cursor.counted().map(|part| content.slice_ref(part)).ok_or(SHAPE);
        let (topic, publisher, properties) = (part()?, part()?, part()?);
        let text = std::str::from_utf8(&publisher).map_err(|_| SHAPE)?;
        Ok(Self {
            id,
            topic: TopicName::from_node(topic).map_err(|_| SHAPE)?,
            payload: content.slice_ref(cursor.rest()),
            qos: Qos::new(flags & QOS).ok_or(SHAPE)?,
            retain: flags & RETAIN != 0,
            properties: MessageProperties::from_checked(properties),
            expires,
            publisher: ClientId::from_node(text).map_err(|_| SHAPE)?,
        })
    }
}

/// The bytes that [`put`] appends.
pub(crate) fn content_bytes(message: &Message, clock: ClockMap) -> usize {
    let counted = |length: usize| varint::length(length as u64) + length;
    CHECKSUM_BYTES
        + 1
        + message.expires.map_or(0, |moment| varint::length(clock.to_unix(moment)))
        + counted(message.topic.len())
        + counted(message.publisher.len())
        + counted(message.properties.bytes().len())
        + message.payload.len()
}

/// Appends a checksum and the message. The frame has a checksum too, but a body is read alone.
pub(crate) fn put(out: &mut Vec<u8>, message: &Message, clock: ClockMap) {
    let begin = out.len();
    out.extend_from_slice(&[0; CHECKSUM_BYTES]);
    let retain = if message.retain { RETAIN } else { 0 };
    let expires = if message.expires.is_some() { EXPIRES } else { 0 };
    out.push(message.qos.get() | retain | expires);
    if let Some(moment) = message.expires {
        varint::put(out, clock.to_unix(moment));
    }
    for part in [
        message.topic.as_bytes(),
        message.publisher.as_bytes(),
        message.properties.bytes().as_ref(),
    ] {
        varint::put(out, part.len() as u64);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&message.payload);
    let sum = checksum(message.id, out.get(begin + CHECKSUM_BYTES..).unwrap_or_default());
    if let Some(place) = out.get_mut(begin..begin + CHECKSUM_BYTES) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Whether the content is the unaltered body of that message.
pub(crate) fn is_whole(id: MessageId, content: &[u8]) -> bool {
    content
        .split_at_checked(CHECKSUM_BYTES)
        .is_some_and(|(sum, message)| sum == checksum(id, message).to_le_bytes())
}

/// The identifier is in it, so that a wrong place in the table is found out too.
fn checksum(id: MessageId, message: &[u8]) -> u32 {
    let seed = id.get() as u32 ^ (id.get() >> 32) as u32;
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(message);
    hasher.finalize()
}

#[cfg(test)]
mod tests;
