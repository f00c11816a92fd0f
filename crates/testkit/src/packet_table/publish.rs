//! PUBLISH as it should be.

use bytes::Bytes;
use plexus_types::Qos;
use plexus_wire::{Packet, Publish, PublishProperties, property::MessagePropertiesBuilder};

use super::{Row, Rows, Sender, V3, V5, V31};
use crate::build::{packet_id, publish, text, topic};

pub(super) fn rows() -> Vec<Row> {
    [old(), new(), from_server()].concat()
}

fn old() -> Vec<Row> {
    let first = publish("a/b", 10, b"hi");
    let again = Publish { dup: true, qos: Qos::ExactlyOnce, retain: true, ..first.clone() };
    let empty = publish("/", 0, b"");
    let both = Rows::new(Sender::Client, V3)
        .is(
            "[MQTT3-2.3.1-5] [MQTT3-3.3.2-1]",
            "30 07 0003'a/b' 'hi'",
            Packet::Publish(publish("a/b", 0, b"hi")),
        )
        .is("[MQTT3-2.3.1-1]", "32 09 0003'a/b' 000A 'hi'", Packet::Publish(first))
        .is("[MQTT3-3.3.1-1]", "3D 09 0003'a/b' 000A 'hi'", Packet::Publish(again))
        .is("an empty payload", "30 03 0001'/'", Packet::Publish(empty.clone()))
        .accepted(
            "3.x asks for no shortest form",
            "30 83 00 0001'/'",
            Packet::Publish(empty.clone()),
        );
    let older = Rows::new(Sender::Client, V31).accepted(
        "3.1 gives DUP no meaning at QoS 0",
        "38 03 0001'/'",
        Packet::Publish(empty),
    );
    [both.table, older.table].concat()
}

fn new() -> Vec<Row> {
    let plain = publish("a/b", 0, b"hi");
    let retained = Publish { retain: true, ..publish("a/b", 65_535, b"") };
    let alias = Publish {
        topic: text(""),
        properties: PublishProperties { topic_alias: Some(9), ..PublishProperties::default() },
        ..plain.clone()
    };
    let forwarded = MessagePropertiesBuilder::new()
        .payload_format(true)
        .content_type(text("t"))
        .response_topic(topic("r"))
        .correlation_data(Bytes::from_static(b"\0\xFF"))
        .expect("invariant: short")
        .user_property(&text("z"), &text("1"))
        .user_property(&text("a"), &text("1"))
        .build();
    let full = Publish {
        properties: PublishProperties {
            topic_alias: Some(1),
            message_expiry_interval: Some(60),
            forwarded,
            ..PublishProperties::default()
        },
        ..plain.clone()
    };
    let mixed = full.clone();
    Rows::new(Sender::Client, V5)
        .is("[MQTT-2.2.1-2] [MQTT-2.2.2-1]", "30 08 0003'a/b' 00 'hi'", Packet::Publish(plain))
        .is("[MQTT-2.2.1-3]", "33 08 0003'a/b' FFFF 00", Packet::Publish(retained))
        .is("section 3.3.2.3.4", "30 08 0000 03 23 0009 'hi'", Packet::Publish(alias))
        .is(
            "[MQTT-3.3.2-4] [MQTT-3.3.2-13] [MQTT-3.3.2-16] [MQTT-3.3.2-18] [MQTT-3.3.2-19]",
            "30 2D 0003'a/b' 25 23 0001 02 0000003C 01 01 03 0001't' 08 0001'r' 09 0002 00FF \
             26 0001'z'0001'1' 26 0001'a'0001'1' 'hi'",
            Packet::Publish(full),
        )
        .accepted(
            "[MQTT-3.3.2-18]: what travels on is gathered around what does not",
            "30 2D 0003'a/b' 25 01 01 23 0001 03 0001't' 08 0001'r' 02 0000003C 09 0002 00FF \
             26 0001'z'0001'1' 26 0001'a'0001'1' 'hi'",
            Packet::Publish(mixed),
        )
        .table
}

fn from_server() -> Vec<Row> {
    let ids = Publish {
        packet_id: Some(packet_id(1)),
        qos: Qos::ExactlyOnce,
        properties: PublishProperties {
            subscription_ids: [1, 268_435_455, 1].into_iter().collect(),
            ..PublishProperties::default()
        },
        ..publish("t", 0, b"")
    };
    let new = Rows::new(Sender::Server, V5).is(
        "[MQTT-3.3.4-3] [MQTT-3.3.4-4]",
        "34 0F 0001't' 0001 09 0B 01 0B FFFFFF7F 0B 01",
        Packet::Publish(ids),
    );
    new.table
}
