//! CONNACK.

use bytes::Bytes;
use plexus_types::{Qos, ReasonCode};
use plexus_wire::{ConnAck, ConnAckProperties, Packet, ProtocolError};

use super::{ALL, Row, Rows, Sender, V3, V5, V31, V311, V311_AND_V5};
use crate::build::{text, users};

fn connack(session_present: bool, reason: ReasonCode) -> ConnAck {
    ConnAck { session_present, reason, properties: ConnAckProperties::default() }
}

fn packet(connack: ConnAck) -> Packet {
    Packet::ConnAck(Box::new(connack))
}

pub(super) fn rows() -> Vec<Row> {
    [return_codes(), reason_codes(), properties(), faults()].concat()
}

fn return_codes() -> Vec<Row> {
    let codes = "section 3.2.2.3 of 3.1.1";
    let present = packet(connack(true, ReasonCode::Success));
    let refused = |reason| packet(connack(false, reason));
    let both = Rows::new(Sender::Server, V3)
        .is("[MQTT3-3.1.4-4]", "20 02 00 00", refused(ReasonCode::Success))
        .is(codes, "20 02 00 01", refused(ReasonCode::UnsupportedProtocolVersion))
        .is(codes, "20 02 00 02", refused(ReasonCode::ClientIdentifierNotValid))
        .is(codes, "20 02 00 03", refused(ReasonCode::ServerUnavailable))
        .is(codes, "20 02 00 04", refused(ReasonCode::BadUserNameOrPassword))
        .is(codes, "20 02 00 05", refused(ReasonCode::NotAuthorized))
        .refused("section 3.2.2.3", "20 02 00 06", ProtocolError::ReturnCode)
        .refused("section 3.2.2.3", "20 02 00 87", ProtocolError::ReturnCode)
        .refused("section 4.13.1", "20 03 00 00 00", ProtocolError::TrailingBytes);
    let newer =
        Rows::new(Sender::Server, V311).is("[MQTT3-3.2.2-2]", "20 02 01 00", present).refused(
            "[MQTT3-3.2.2-4] [MQTT-3.2.2-6]",
            "20 02 01 05",
            ProtocolError::SessionPresentOnError,
        );
    let older = Rows::new(Sender::Server, V31).accepted(
        "3.1 reserves the first byte",
        "20 02 01 00",
        refused(ReasonCode::Success),
    );
    [both.table, newer.table, older.table].concat()
}

fn reason_codes() -> Vec<Row> {
    let list = "[MQTT-3.2.2-8]";
    let refused = |reason| packet(connack(false, reason));
    Rows::new(Sender::Server, V5)
        .is("[MQTT-3.1.4-5] [MQTT-2.2.2-1]", "20 03 00 00 00", refused(ReasonCode::Success))
        .is("[MQTT-3.2.2-3]", "20 03 01 00 00", packet(connack(true, ReasonCode::Success)))
        .is(list, "20 03 00 84 00", refused(ReasonCode::UnsupportedProtocolVersion))
        .is(list, "20 03 00 8A 00", refused(ReasonCode::Banned))
        .is(list, "20 03 00 9F 00", refused(ReasonCode::ConnectionRateExceeded))
        .accepted(
            "a server without 5.0 answers in the form of 3.x",
            "20 02 00 01",
            refused(ReasonCode::UnsupportedProtocolVersion),
        )
        .refused(list, "20 03 00 01 00", ProtocolError::ConnAckReason)
        .refused(list, "20 03 00 8B 00", ProtocolError::ConnAckReason)
        .refused(list, "20 03 00 FF 00", ProtocolError::ConnAckReason)
        .refused("[MQTT-3.2.2-6]", "20 03 01 87 00", ProtocolError::SessionPresentOnError)
        .refused("[MQTT-2.2.2-1]", "20 02 00 00", ProtocolError::Truncated)
        .table
}

fn properties() -> Vec<Row> {
    let full = ConnAck {
        properties: ConnAckProperties {
            session_expiry_interval: Some(0),
            receive_maximum: Some(65_535),
            maximum_qos: Some(Qos::AtLeastOnce),
            retain_available: Some(false),
            maximum_packet_size: Some(1),
            assigned_client_identifier: Some(text("c")),
            topic_alias_maximum: Some(0),
            reason_string: Some(text("why")),
            user_properties: users(&[("", "")]),
            wildcard_subscription_available: Some(true),
            subscription_identifiers_available: Some(false),
            shared_subscription_available: Some(true),
            server_keep_alive: Some(10),
            response_information: Some(text("r")),
            server_reference: Some(text("s")),
            authentication_method: Some(text("m")),
            authentication_data: Some(Bytes::from_static(b"d")),
        },
        ..connack(false, ReasonCode::Success)
    };
    Rows::new(Sender::Server, V5)
        .is(
            "sections 3.2.2.3.2 to 3.2.2.3.18",
            "20 3F 00 00 3C 11 00000000 21 FFFF 24 01 25 00 27 00000001 12 0001'c' 22 0000 \
             1F 0003'why' 26 0000 0000 28 01 29 00 2A 01 13 000A 1A 0001'r' 1C 0001's' \
             15 0001'm' 16 0001'd'",
            packet(full),
        )
        .refused("section 3.2.2.3.4", "20 05 00 00 02 24 02", ProtocolError::MaximumQos)
        .refused("section 3.1.2.11.6", "20 05 00 00 02 25 02", ProtocolError::BooleanProperty)
        .refused("section 3.1.2.11.6", "20 05 00 00 02 2A 10", ProtocolError::BooleanProperty)
        .refused("section 3.1.2.11.3", "20 06 00 00 03 21 0000", ProtocolError::ReceiveMaximumZero)
        .refused(
            "section 3.1.2.11.4",
            "20 08 00 00 05 27 00000000",
            ProtocolError::MaximumPacketSizeZero,
        )
        .refused(
            "section 3.1.2.11.10",
            "20 06 00 00 03 16 0000",
            ProtocolError::AuthenticationDataAlone,
        )
        .refused("section 2.2.2.2", "20 07 00 00 04 25 01 25 01", ProtocolError::PropertyTwice)
        .refused("section 2.2.2.2", "20 05 00 00 02 17 01", ProtocolError::PropertyNotAllowed)
        .table
}

fn faults() -> Vec<Row> {
    let all = Rows::new(Sender::Server, ALL)
        .refused("section 4.13.1", "20 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "20 01 00", ProtocolError::Truncated);
    let flags = Rows::new(Sender::Server, V311_AND_V5)
        .refused("[MQTT-3.2.2-1]", "20 03 02 00 00", ProtocolError::ConnAckFlags)
        .refused("[MQTT-3.2.2-1]", "20 03 81 00 00", ProtocolError::ConnAckFlags);
    [all.table, flags.table].concat()
}
