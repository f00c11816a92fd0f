//! Bytes to packets and back.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use plexus_types::{
    ClientId, Durability, Message, MessageId, MessageProperties, PacketId, ProtocolVersion, Qos,
    TopicName,
};
use plexus_wire::{Decoder, PublishHead};

use crate::{
    Path,
    packets::{self, LIMITS, PAYLOAD, TOPIC},
};

/// A read of one packet, cut off the front as the reactor does it.
struct Decode {
    decoder: Decoder,
    bytes: Bytes,
    /// Each read is the first of a connection.
    anew: bool,
    decoded: u64,
}

impl Path for Decode {
    fn walk(&mut self) {
        if self.anew {
            self.decoder = Decoder::server(LIMITS);
        }
        let mut input = BytesMut::new();
        input.extend_from_slice(&self.bytes);
        let packet = self.decoder.decode(&mut input);
        self.decoded += u64::from(matches!(black_box(packet), Ok(Some(_))));
    }

    fn check(&self, walks: u64) {
        assert_eq!(self.decoded, walks, "every packet is whole and well-formed");
    }
}

pub(crate) fn decode_publish_qos0() -> Box<dyn Path> {
    decode_publish(Qos::AtMostOnce)
}

pub(crate) fn decode_publish_qos1() -> Box<dyn Path> {
    decode_publish(Qos::AtLeastOnce)
}

pub(crate) fn decode_connect() -> Box<dyn Path> {
    let bytes = packets::connect(ProtocolVersion::V5, "robot-0042", 3_600);
    Box::new(Decode { decoder: Decoder::server(LIMITS), bytes, anew: true, decoded: 0 })
}

fn decode_publish(qos: Qos) -> Box<dyn Path> {
    let version = ProtocolVersion::V5;
    let mut decoder = Decoder::server(LIMITS);
    let mut first = BytesMut::from(packets::connect(version, "robot-0042", 0));
    let connect = decoder.decode(&mut first);
    assert!(matches!(connect, Ok(Some(_))), "the decoder knows the version from CONNECT");
    Box::new(Decode { decoder, bytes: packets::publish(version, qos), anew: false, decoded: 0 })
}

/// A delivery on its way into a connection's output.
struct Encode {
    message: Message,
    output: BytesMut,
    written: u64,
}

impl Path for Encode {
    fn walk(&mut self) {
        self.output.clear();
        let message = black_box(&self.message);
        let head = PublishHead {
            dup: false,
            qos: Qos::AtLeastOnce,
            retain: false,
            packet_id: Some(PacketId::MIN),
            topic: Some(&message.topic),
            topic_alias: None,
            message_expiry_interval: None,
            subscription_ids: &[],
        };
        plexus_wire::encode_publish(&head, message, ProtocolVersion::V5, &mut self.output);
        self.written += black_box(&self.output).len() as u64;
    }

    fn check(&self, walks: u64) {
        let expected = packets::publish(ProtocolVersion::V5, Qos::AtLeastOnce);
        assert_eq!(self.output, expected, "a delivery is the PUBLISH it comes from");
        assert_eq!(self.written, walks * expected.len() as u64);
    }
}

pub(crate) fn encode_publish() -> Box<dyn Path> {
    let message = Message {
        id: MessageId::NONE,
        topic: TopicName::try_from(TOPIC).expect("invariant: the topic is valid"),
        payload: Bytes::from_static(PAYLOAD),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::new(&packets::text("robot-0042")),
    };
    Box::new(Encode { message, output: BytesMut::new(), written: 0 })
}
