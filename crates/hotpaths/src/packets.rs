//! What clients send, as bytes.

use bytes::{Bytes, BytesMut};
use plexus_types::{PacketId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{
    Connect, ConnectProperties, Disconnect, Limits, Packet, Publish, PublishProperties, Subscribe,
    SubscribeFilter, SubscriptionOptions, UserProperties, encode,
};

/// The topic of every message between clients.
pub(crate) const TOPIC: &str = "site/berlin/robot-0042/state";

/// The payload of every message: 256 bytes.
pub(crate) const PAYLOAD: &[u8] = &[b'x'; 256];

/// As the porch sets them.
pub(crate) const LIMITS: Limits =
    Limits { packet_size: 1024 * 1024, user_properties: 1_024, filters: 10_000 };

/// The packet on the wire.
pub(crate) fn bytes_of(packet: &Packet, version: ProtocolVersion) -> Bytes {
    let mut bytes = BytesMut::new();
    encode(packet, version, &mut bytes).expect("invariant: the packets here can be encoded");
    bytes.freeze()
}

/// A text.
pub(crate) fn text(text: &str) -> Text {
    Text::try_from(text).expect("invariant: the texts here are valid")
}

/// A CONNECT whose session lasts so many seconds beyond its connection; none at all with a clean
/// start.
pub(crate) fn connect(version: ProtocolVersion, client_id: &str, expiry: u32) -> Bytes {
    let properties =
        ConnectProperties { session_expiry_interval: expiry, ..ConnectProperties::default() };
    let connect = Connect {
        version,
        bridge: false,
        clean_start: expiry == 0,
        keep_alive: 60,
        client_id: text(client_id),
        will: None,
        user_name: None,
        password: None,
        properties,
    };
    bytes_of(&Packet::Connect(Box::new(connect)), version)
}

/// The DISCONNECT of a client that leaves as it should.
pub(crate) fn disconnect(version: ProtocolVersion) -> Bytes {
    bytes_of(&Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::Success))), version)
}

/// A SUBSCRIBE to one filter.
pub(crate) fn subscribe(version: ProtocolVersion, filter: &str, qos: Qos) -> Bytes {
    let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
    let subscribe = Subscribe {
        packet_id: PacketId::MIN,
        subscription_id: None,
        user_properties: UserProperties::default(),
        filters: vec![SubscribeFilter { filter: text(filter), options }],
    };
    bytes_of(&Packet::Subscribe(Box::new(subscribe)), version)
}

/// A PUBLISH of [`PAYLOAD`] to [`TOPIC`]; above QoS 0 with the identifier 1.
pub(crate) fn publish(version: ProtocolVersion, qos: Qos) -> Bytes {
    let publish = Publish {
        dup: false,
        qos,
        retain: false,
        topic: text(TOPIC),
        packet_id: (qos != Qos::AtMostOnce).then_some(PacketId::MIN),
        properties: PublishProperties::default(),
        payload: Bytes::from_static(PAYLOAD),
    };
    bytes_of(&Packet::Publish(publish), version)
}

/// An acknowledgement that is nothing else, by its first byte.
pub(crate) fn ack(first: u8, id: PacketId) -> [u8; 4] {
    let [high, low] = id.get().to_be_bytes();
    [first, 2, high, low]
}
