//! CONNECT as it must not be.

use plexus_wire::ProtocolError;

use super::{ALL, Row, Rows, Sender, V3, V5, V31, V311, V311_AND_V5};

pub(super) fn rows() -> Vec<Row> {
    [versions(), flags(), payload(), properties(), will_properties()].concat()
}

fn versions() -> Vec<Row> {
    let name = "[MQTT-3.1.2-1] [MQTT3-3.1.2-1]";
    let version = "[MQTT-3.1.2-2] [MQTT3-3.1.2-2]";
    Rows::new(Sender::Stranger, ALL)
        .refused(name, "10 0C 0004'MQtt' 04 02 003C 0000", ProtocolError::ProtocolName)
        .refused(name, "10 0B 0003'MQT' 04 02 003C 0000", ProtocolError::ProtocolName)
        .refused(name, "10 02 0000", ProtocolError::ProtocolName)
        .refused(version, "10 0C 0004'MQTT' 03 02 003C 0000", unsupported(3))
        .refused(version, "10 0C 0004'MQTT' 00 02 003C 0000", unsupported(0))
        .refused(version, "10 0C 0004'MQTT' 06 02 003C 0000", unsupported(6))
        .refused(version, "10 0D 0004'MQTT' 85 02 003C 00 0000", unsupported(0x85))
        .refused(version, "10 0C 0004'MQTT' FF 02 003C 0000", unsupported(0xFF))
        .refused(version, "10 0E 0006'MQIsdp' 04 02 003C 0000", unsupported(4))
        .refused("section 4.13.1", "10 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "10 06 0004'MQTT'", ProtocolError::Truncated)
        .table
}

const fn unsupported(level: u8) -> ProtocolError {
    ProtocolError::UnsupportedVersion { level }
}

fn flags() -> Vec<Row> {
    let reserved = "[MQTT-3.1.2-3] [MQTT3-3.1.2-3]";
    let will_qos = "[MQTT-3.1.2-11] [MQTT3-3.1.2-11] [MQTT3-3.1.2-13]";
    let will_retain = "[MQTT-3.1.2-13] [MQTT3-3.1.2-15]";
    let qos_three = "[MQTT-3.1.2-12] [MQTT3-3.1.2-14]";
    let password = "[MQTT3-3.1.2-22]";
    let (qos, retain) = (ProtocolError::WillQosWithoutWill, ProtocolError::WillRetainWithoutWill);
    let old = Rows::new(Sender::Stranger, V311)
        .refused(reserved, "10 0C 0004'MQTT' 04 03 003C 0000", ProtocolError::ConnectReservedFlag)
        .refused(will_qos, "10 0C 0004'MQTT' 04 0A 003C 0000", qos)
        .refused(will_retain, "10 0C 0004'MQTT' 04 22 003C 0000", retain)
        .refused(qos_three, "10 11 0004'MQTT' 04 1E 003C 0000 0001'w' 0000", ProtocolError::WillQos)
        .refused(
            password,
            "10 0F 0004'MQTT' 04 42 003C 0000 0001'p'",
            ProtocolError::PasswordWithoutUserName,
        );
    let older = Rows::new(Sender::Stranger, V31)
        .refused(
            qos_three,
            "10 13 0006'MQIsdp' 03 1E 003C 0000 0001'w' 0000",
            ProtocolError::WillQos,
        )
        .refused(
            password,
            "10 11 0006'MQIsdp' 03 42 003C 0000 0001'p'",
            ProtocolError::PasswordWithoutUserName,
        );
    let new = Rows::new(Sender::Stranger, V5)
        .refused(
            reserved,
            "10 0D 0004'MQTT' 05 03 003C 00 0000",
            ProtocolError::ConnectReservedFlag,
        )
        .refused(will_qos, "10 0D 0004'MQTT' 05 12 003C 00 0000", qos)
        .refused(will_retain, "10 0D 0004'MQTT' 05 22 003C 00 0000", retain)
        .refused(
            qos_three,
            "10 13 0004'MQTT' 05 1E 003C 00 0000 00 0001'w' 0000",
            ProtocolError::WillQos,
        )
        .refused(
            "[MQTT-1.5.5-1]",
            "10 8D 00 0004'MQTT' 05 02 003C 00 0000",
            ProtocolError::NotMinimal,
        );
    [old.table, older.table, new.table].concat()
}

fn payload() -> Vec<Row> {
    let utf8 = "[MQTT-1.5.4-1] [MQTT3-1.5.3-1] [MQTT-3.1.3-4] [MQTT3-3.1.3-4]";
    let null = "[MQTT-1.5.4-2] [MQTT3-1.5.3-2]";
    let truncated = "[MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.4-1]";
    let topic = "[MQTT-4.7.3-1] [MQTT3-4.7.3-1]";
    let wildcard = "[MQTT-4.7.0-1] [MQTT3-4.7.1-1] [MQTT-3.3.2-2]";
    let old = Rows::new(Sender::Stranger, V311)
        .refused(utf8, "10 0E 0004'MQTT' 04 02 003C 0002 C328", ProtocolError::NotUtf8)
        .refused(utf8, "10 0F 0004'MQTT' 04 02 003C 0003 EDA080", ProtocolError::NotUtf8)
        .refused(utf8, "10 10 0004'MQTT' 04 02 003C 0004 F8808080", ProtocolError::NotUtf8)
        .refused(null, "10 0F 0004'MQTT' 04 02 003C 0003'a' 00 'b'", ProtocolError::NullCharacter)
        .refused("[MQTT-3.1.4-1]", "10 0A 0004'MQTT' 04 02 003C", ProtocolError::Truncated)
        .refused(truncated, "10 0C 0004'MQTT' 04 06 003C 0000", ProtocolError::Truncated)
        .refused(truncated, "10 0C 0004'MQTT' 04 82 003C 0000", ProtocolError::Truncated)
        .refused(truncated, "10 0E 0004'MQTT' 04 C2 003C 0000 0000", ProtocolError::Truncated)
        .refused(
            "[MQTT-3.1.2-16] [MQTT3-3.1.2-18]",
            "10 0F 0004'MQTT' 04 02 003C 0000 0001'u'",
            ProtocolError::TrailingBytes,
        )
        .refused(
            "[MQTT-3.1.2-18] [MQTT3-3.1.2-20]",
            "10 12 0004'MQTT' 04 82 003C 0000 0001'u' 0001'p'",
            ProtocolError::TrailingBytes,
        )
        .refused(topic, "10 10 0004'MQTT' 04 06 003C 0000 0000 0000", ProtocolError::TopicEmpty)
        .refused(
            wildcard,
            "10 13 0004'MQTT' 04 06 003C 0000 0003'w/#' 0000",
            ProtocolError::TopicWildcard,
        )
        .refused(
            "[MQTT-3.1.3-11] [MQTT3-3.1.3-10] [MQTT-1.5.4-1]",
            "10 11 0004'MQTT' 04 06 003C 0000 0001 FF 0000",
            ProtocolError::NotUtf8,
        )
        .refused(
            "[MQTT-3.1.3-12] [MQTT3-3.1.3-11] [MQTT-1.5.4-1]",
            "10 0F 0004'MQTT' 04 82 003C 0000 0001 FF",
            ProtocolError::NotUtf8,
        );
    let all = Rows::new(Sender::Stranger, V311_AND_V5).refused(
        "[MQTT-3.1.4-1] [MQTT3-3.1.4-1]",
        "10 0C 0004'MQTT' 04 02 003C FFFF",
        ProtocolError::Truncated,
    );
    let older = Rows::new(Sender::Stranger, V3).refused(
        "[MQTT3-1.5.3-2] [MQTT-1.5.4-2]",
        "10 0F 0006'MQIsdp' 03 02 003C 0001 00",
        ProtocolError::NullCharacter,
    );
    [old.table, all.table, older.table].concat()
}

fn properties() -> Vec<Row> {
    let twice = "section 2.2.2.2: a property that stands twice";
    let kind = "section 2.2.2.2: the properties of a packet";
    let boolean = "section 3.1.2.11.6";
    Rows::new(Sender::Stranger, V5)
        .refused("[MQTT-2.2.2-1]", "10 0A 0004'MQTT' 05 02 003C", ProtocolError::Truncated)
        .refused(kind, &connect(2, "7F 00"), ProtocolError::PropertyUnknown)
        .refused(kind, &connect(2, "01 00"), ProtocolError::PropertyNotAllowed)
        .refused(kind, &connect(5, "18 00000000"), ProtocolError::PropertyNotAllowed)
        .refused("[MQTT-1.5.5-1]", &connect(3, "A6 00 00"), ProtocolError::NotMinimal)
        .refused(
            "[MQTT-1.5.5-1]",
            "10 0E 0004'MQTT' 05 02 003C 80 00 0000",
            ProtocolError::NotMinimal,
        )
        .refused(twice, &connect(10, "11 00000000 11 00000000"), ProtocolError::PropertyTwice)
        .refused(twice, &connect(8, "15 0001'm' 15 0001'm'"), ProtocolError::PropertyTwice)
        .refused("section 3.1.2.11.3", &connect(3, "21 0000"), ProtocolError::ReceiveMaximumZero)
        .refused(
            "section 3.1.2.11.4",
            &connect(5, "27 00000000"),
            ProtocolError::MaximumPacketSizeZero,
        )
        .refused(boolean, &connect(2, "17 02"), ProtocolError::BooleanProperty)
        .refused(boolean, &connect(2, "19 FF"), ProtocolError::BooleanProperty)
        .refused(
            "section 3.1.2.11.10",
            &connect(3, "16 0000"),
            ProtocolError::AuthenticationDataAlone,
        )
        .refused(
            "[MQTT-1.5.7-1] [MQTT-1.5.4-1]",
            &connect(6, "26 0001 FF 0000"),
            ProtocolError::NotUtf8,
        )
        .refused(
            "[MQTT-1.5.7-1] [MQTT-1.5.4-2]",
            &connect(6, "26 0000 0001 00"),
            ProtocolError::NullCharacter,
        )
        .refused("section 4.13.1", &connect(3, "26 0001"), ProtocolError::Truncated)
        .refused("section 4.13.1", &connect(1, "11"), ProtocolError::Truncated)
        .refused("section 4.13.1", "10 0D 0004'MQTT' 05 02 003C 7F 0000", ProtocolError::Truncated)
        .refused(
            "section 1.5.5",
            "10 11 0004'MQTT' 05 02 003C FF FF FF FF 01 0000",
            ProtocolError::VariableByteInteger,
        )
        .table
}

/// A CONNECT of 5.0 whose property section of `length` bytes is written in `notation`.
fn connect(length: usize, notation: &str) -> String {
    let remaining = 13 + length;
    format!("10 {remaining:02X} 0004'MQTT' 05 02 003C {length:02X} {notation} 0000")
}

/// The same with a Will that has these properties.
fn will(length: usize, notation: &str) -> String {
    let remaining = 19 + length;
    let will = format!("{length:02X} {notation} 0001'w' 0000");
    format!("10 {remaining:02X} 0004'MQTT' 05 06 003C 00 0000 {will}")
}

fn will_properties() -> Vec<Row> {
    let kind = "section 2.2.2.2: the properties of a Will";
    Rows::new(Sender::Stranger, V5)
        .refused(kind, &will(3, "23 0001"), ProtocolError::PropertyNotAllowed)
        .refused(kind, &will(2, "0B 01"), ProtocolError::PropertyNotAllowed)
        .refused(kind, &will(5, "11 00000000"), ProtocolError::PropertyNotAllowed)
        .refused(
            "section 2.2.2.2: a property that stands twice",
            &will(10, "18 00000000 18 00000000"),
            ProtocolError::PropertyTwice,
        )
        .refused("section 3.3.2.3.2", &will(2, "01 02"), ProtocolError::PayloadFormat)
        .refused("[MQTT-3.3.2-14]", &will(4, "08 0001'#'"), ProtocolError::ResponseTopic)
        .refused("[MQTT-3.3.2-19] [MQTT-1.5.4-1]", &will(4, "03 0001 FF"), ProtocolError::NotUtf8)
        .table
}
