//! Who is in the store and what waits for whom, as a function of numbers: what is written and what has
//! to come back are computed from the same place.

use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Message, MessageId, MessageProperties, Qos, TopicFilter, TopicName,
};

pub(crate) const PAYLOAD_BYTES: usize = 256;
pub(crate) const PUBLISHER: &str = "control";
/// Sessions that share a filter.
const AREA: u64 = 100;

/// How large a store is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) sessions: u64,
    /// References: messages that wait, counted for each session.
    pub(crate) messages: u64,
    /// Sessions that one message waits for.
    pub(crate) fan_out: u64,
}

impl Shape {
    pub(crate) fn new(sessions: u64, messages: u64, fan_out: u64) -> Result<Self, String> {
        if sessions == 0 || fan_out == 0 || fan_out > sessions {
            return Err(format!("{fan_out} of {sessions} sessions cannot share a message"));
        }
        Ok(Self { sessions, messages, fan_out })
    }

    pub(crate) fn client(session: u64) -> ClientId {
        ClientId::try_from(format!("device-{session:07}").as_str()).expect("a client")
    }

    /// Four filters of its own and one that it has in common with a hundred others.
    pub(crate) fn filters(session: u64) -> [TopicFilter; 5] {
        [
            format!("device/{session:07}/command/#"),
            format!("device/{session:07}/config"),
            format!("device/{session:07}/+/answer"),
            format!("device/{session:07}/firmware/+"),
            format!("area/{:05}/alarm", session / AREA),
        ]
        .map(|filter| TopicFilter::try_from(filter.as_str()).expect("a filter"))
    }

    /// Which session a reference belongs to, and its place there.
    pub(crate) const fn owner(&self, reference: u64) -> (u64, u64) {
        (reference % self.sessions, reference / self.sessions)
    }

    /// The message that a reference names.
    pub(crate) const fn message_of(&self, reference: u64) -> u64 {
        reference / self.fan_out
    }

    /// The messages that wait for a session, in order.
    pub(crate) fn waiting(&self, session: u64) -> impl Iterator<Item = u64> {
        let references = (session..self.messages).step_by(self.sessions as usize);
        references.map(|reference| self.message_of(reference))
    }

    /// Every eighth message is of QoS 2.
    pub(crate) const fn qos(message: u64) -> Qos {
        if message % 8 == 7 { Qos::ExactlyOnce } else { Qos::AtLeastOnce }
    }

    pub(crate) fn message(&self, message: u64) -> Message {
        let (session, _) = self.owner(message * self.fan_out);
        let topic = format!("device/{session:07}/command/run");
        Message {
            id: MessageId::new(message + 1),
            topic: TopicName::try_from(topic.as_str()).expect("a topic"),
            payload: payload(message),
            qos: Self::qos(message),
            retain: false,
            properties: MessageProperties::default(),
            expires: None,
            durability: Durability::Synced,
            publisher: ClientId::try_from(PUBLISHER).expect("a client"),
        }
    }
}

/// No two messages have the same, and no half of one passes for another.
pub(crate) fn payload(message: u64) -> Bytes {
    let word = message.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
    Bytes::from(word.repeat(PAYLOAD_BYTES / word.len()))
}
