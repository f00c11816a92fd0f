//! CONNECT as it should be.

use bytes::Bytes;
use plexus_types::{ProtocolVersion, Qos};
use plexus_wire::{Connect, ConnectProperties, Packet, Will, property::MessagePropertiesBuilder};

use super::{Row, Rows, Sender, V5, V31, V311};
use crate::build::{connect, text, topic, users};

fn packet(connect: Connect) -> Packet {
    Packet::Connect(Box::new(connect))
}

pub(super) fn rows() -> Vec<Row> {
    [v31(), v311(), v5(), v5_properties(), v5_will()].concat()
}

fn v31() -> Vec<Row> {
    let plain = connect(ProtocolVersion::V31, "c1");
    let user = Connect {
        user_name: Some(text("u")),
        password: Some(Bytes::from_static(b"p")),
        ..plain.clone()
    };
    let bridge = Connect { bridge: true, clean_start: false, ..plain.clone() };
    let name_only = Connect { password: None, ..user.clone() };
    let lenient = "3.1: the remaining length goes before the flags";
    Rows::new(Sender::Stranger, V31)
        .is("section 3.1", "10 10 0006'MQIsdp' 03 02 003C 0002'c1'", packet(plain.clone()))
        .is(
            "[MQTT3-3.1.2-19] [MQTT3-3.1.2-21]",
            "10 16 0006'MQIsdp' 03 C2 003C 0002'c1' 0001'u' 0001'p'",
            packet(user),
        )
        .is("a bridge", "10 10 0006'MQIsdp' 83 00 003C 0002'c1'", packet(bridge))
        .accepted(lenient, "10 10 0006'MQIsdp' 03 C2 003C 0002'c1'", packet(plain.clone()))
        .accepted(lenient, "10 13 0006'MQIsdp' 03 C2 003C 0002'c1' 0001'u'", packet(name_only))
        .accepted(
            "3.1 states no rule for the bits of a Will that is not there",
            "10 10 0006'MQIsdp' 03 3B 003C 0002'c1'",
            packet(plain),
        )
        .table
}

fn v311() -> Vec<Row> {
    let plain = connect(ProtocolVersion::V311, "");
    let full = Connect {
        clean_start: false,
        keep_alive: 65_535,
        client_id: text("c1"),
        will: Some(Will {
            topic: topic("w/t"),
            payload: Bytes::from_static(b"\x00bye"),
            qos: Qos::ExactlyOnce,
            retain: true,
            delay_interval: 0,
            message_expiry_interval: None,
            properties: MessagePropertiesBuilder::new().build(),
        }),
        user_name: Some(text("ü")),
        password: Some(Bytes::from_static(b"\xFF\x00")),
        ..plain.clone()
    };
    let name_only = Connect { user_name: Some(text("")), ..plain.clone() };
    let bridge = Connect { bridge: true, ..plain.clone() };
    Rows::new(Sender::Stranger, V311)
        .is("[MQTT3-3.1.3-3]", "10 0C 0004'MQTT' 04 02 003C 0000", packet(plain.clone()))
        .is(
            "[MQTT3-3.1.3-1] [MQTT3-3.1.2-9] [MQTT3-3.1.2-19] [MQTT3-3.1.2-21]",
            "10 21 0004'MQTT' 04 F4 FFFF 0002'c1' 0003'w/t' 0004 00'bye' 0002 C3BC 0002 FF00",
            packet(full),
        )
        .is("[MQTT3-3.1.2-20]", "10 0E 0004'MQTT' 04 82 003C 0000 0000", packet(name_only))
        .is("a bridge", "10 0C 0004'MQTT' 84 02 003C 0000", packet(bridge))
        .accepted(
            "3.x asks for no shortest form",
            "10 8C 80 00 0004'MQTT' 04 02 003C 0000",
            packet(plain),
        )
        .table
}

fn v5() -> Vec<Row> {
    let plain = connect(ProtocolVersion::V5, "c1");
    let bom = Connect { client_id: text("\u{FEFF}"), ..plain.clone() };
    let password = Connect { password: Some(Bytes::from_static(b"p")), ..plain.clone() };
    Rows::new(Sender::Stranger, V5)
        .is(
            "[MQTT-2.2.2-1] [MQTT-3.1.3-3] [MQTT-3.1.3-4]",
            "10 0F 0004'MQTT' 05 02 003C 00 0002'c1'",
            packet(plain),
        )
        .is("[MQTT-1.5.4-3]", "10 10 0004'MQTT' 05 02 003C 00 0003 EFBBBF", packet(bom))
        .is(
            "[MQTT-3.1.2-16] [MQTT-3.1.2-19]",
            "10 12 0004'MQTT' 05 42 003C 00 0002'c1' 0001'p'",
            packet(password),
        )
        .table
}

fn v5_properties() -> Vec<Row> {
    let plain = connect(ProtocolVersion::V5, "");
    let full = Connect {
        properties: ConnectProperties {
            session_expiry_interval: 0xFFFF_FFFF,
            receive_maximum: 1,
            maximum_packet_size: Some(256),
            topic_alias_maximum: 10,
            request_response_information: true,
            request_problem_information: false,
            authentication_method: Some(text("m")),
            authentication_data: Some(Bytes::from_static(b"\0")),
            user_properties: users(&[("a", "1"), ("a", "2")]),
        },
        ..plain.clone()
    };
    let gathered = Connect {
        properties: ConnectProperties {
            topic_alias_maximum: 10,
            user_properties: users(&[("a", "1"), ("b", "")]),
            ..ConnectProperties::default()
        },
        ..plain.clone()
    };
    Rows::new(Sender::Stranger, V5)
        .is(
            "sections 3.1.2.11.2 to 3.1.2.11.10",
            "10 37 0004'MQTT' 05 02 003C 2A 11 FFFFFFFF 21 0001 27 00000100 22 000A 19 01 17 00 \
             26 0001'a'0001'1' 26 0001'a'0001'2' 15 0001'm' 16 0001 00 0000",
            packet(full),
        )
        .accepted(
            "absent properties may be written out",
            "10 1C 0004'MQTT' 05 02 003C 0F 11 00000000 21 FFFF 22 0000 19 00 17 01 0000",
            packet(plain),
        )
        .accepted(
            "User Properties need not stand together",
            "10 1D 0004'MQTT' 05 02 003C 10 26 0001'a'0001'1' 22 000A 26 0001'b'0000 0000",
            packet(gathered),
        )
        .table
}

fn v5_will() -> Vec<Row> {
    let will = Will {
        topic: topic("w"),
        payload: Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay_interval: 5,
        message_expiry_interval: Some(60),
        properties: MessagePropertiesBuilder::new()
            .payload_format(true)
            .content_type(text("t"))
            .response_topic(topic("r"))
            .correlation_data(Bytes::from_static(b"\xFF"))
            .expect("invariant: short")
            .user_property(&text("a"), &text("1"))
            .user_property(&text("a"), &text("0"))
            .build(),
    };
    let plain = connect(ProtocolVersion::V5, "");
    let full = Connect { will: Some(will.clone()), ..plain.clone() };
    let split = Will {
        delay_interval: 1,
        message_expiry_interval: None,
        properties: MessagePropertiesBuilder::new()
            .user_property(&text("b"), &text(""))
            .user_property(&text("a"), &text(""))
            .build(),
        ..will
    };
    let split = Connect { will: Some(split), ..plain };
    Rows::new(Sender::Stranger, V5)
        .is(
            "[MQTT-3.1.3-1] [MQTT-3.1.2-9] [MQTT-3.1.3-10] [MQTT-3.1.3-11]",
            "10 39 0004'MQTT' 05 0E 003C 00 0000 26 18 00000005 02 0000003C 01 01 03 0001't' \
             08 0001'r' 09 0001 FF 26 0001'a'0001'1' 26 0001'a'0001'0' 0001'w' 0000",
            packet(full),
        )
        .accepted(
            "[MQTT-3.1.3-10]",
            "10 24 0004'MQTT' 05 0E 003C 00 0000 11 26 0001'b'0000 18 00000001 26 0001'a'0000 \
             0001'w' 0000",
            packet(split),
        )
        .table
}
