//! Short constructors for tests; they panic on what is not valid.

use bytes::Bytes;
use plexus_types::{PacketId, ProtocolVersion, Qos, Text, TopicName};
use plexus_wire::{Connect, ConnectProperties, Publish, PublishProperties, UserProperties};

/// Every version, oldest first.
pub const VERSIONS: &[ProtocolVersion] =
    &[ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5];

/// A text.
pub fn text(text: &str) -> Text {
    Text::try_from(text).expect("invariant: a test writes valid text")
}

/// A topic name.
pub fn topic(topic: &str) -> TopicName {
    TopicName::try_from(topic).expect("invariant: a test writes valid topics")
}

/// A packet identifier.
pub fn packet_id(number: u16) -> PacketId {
    PacketId::new(number).expect("invariant: a test writes identifiers above zero")
}

/// User Properties.
pub fn users(pairs: &[(&str, &str)]) -> UserProperties {
    UserProperties::from_pairs(pairs.iter().map(|(name, value)| (text(name), text(value))))
}

/// A CONNECT with a clean start, a keep alive of 60 seconds and nothing else.
pub fn connect(version: ProtocolVersion, client_id: &str) -> Connect {
    Connect {
        version,
        bridge: false,
        clean_start: true,
        keep_alive: 60,
        client_id: text(client_id),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

/// A PUBLISH; QoS 0 when `number` is zero, QoS 1 with that identifier otherwise.
pub fn publish(topic: &str, number: u16, payload: &'static [u8]) -> Publish {
    let packet_id = PacketId::new(number);
    Publish {
        dup: false,
        qos: if packet_id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce },
        retain: false,
        topic: text(topic),
        packet_id,
        properties: PublishProperties::default(),
        payload: Bytes::from_static(payload),
    }
}
