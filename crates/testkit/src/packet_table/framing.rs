//! The fixed header, the direction of packets, PINGREQ and PINGRESP.

use plexus_types::ReasonCode;
use plexus_wire::{Ack, Packet, ProtocolError};

use super::{ALL, Row, Rows, Sender, V3, V5, V31, V311_AND_V5};
use crate::build::packet_id;

pub(super) fn rows() -> Vec<Row> {
    [strangers(), types_and_flags(), directions(), lengths()].concat()
}

fn strangers() -> Vec<Row> {
    let first = "[MQTT-3.1.0-1] [MQTT3-3.1.0-1]";
    Rows::new(Sender::Stranger, ALL)
        .refused(first, "C0", ProtocolError::FirstNotConnect)
        .refused(first, "30 FF FF FF 7F", ProtocolError::FirstNotConnect)
        .refused(first, "20 02 00 00", ProtocolError::FirstNotConnect)
        .refused(first, "00", ProtocolError::FirstNotConnect)
        .refused(first, "'GET / HTTP/1.1'", ProtocolError::FirstNotConnect)
        .refused("[MQTT-2.1.3-1] [MQTT3-2.2.2-1]", "11", ProtocolError::ReservedFlags)
        .refused("[MQTT-3.2.2-15]", "10 FF FF FF 7F", ProtocolError::PacketTooLarge)
        .refused("[MQTT-3.2.2-15]", "10 91 92 14", ProtocolError::PacketTooLarge)
        .refused("section 1.5.5", "10 FF FF FF FF", ProtocolError::VariableByteInteger)
        .table
}

fn types_and_flags() -> Vec<Row> {
    let reserved = "[MQTT-2.1.3-1] [MQTT3-2.2.2-1] [MQTT3-2.2.2-2]";
    let release = Packet::PubRel(Ack::new(packet_id(7), ReasonCode::Success));
    let client = Rows::new(Sender::Client, ALL)
        .is("[MQTT-3.12.4-1] [MQTT3-3.12.4-1]", "C0 00", Packet::PingReq)
        .refused("[MQTT-3.1.0-2] [MQTT3-3.1.0-2]", "10", ProtocolError::SecondConnect)
        .refused("section 2.1.2", "00 00", ProtocolError::ReservedType)
        .refused(reserved, "C1", ProtocolError::ReservedFlags)
        .refused(reserved, "41 02 0001", ProtocolError::ReservedFlags)
        .refused(reserved, "5F 02 0001", ProtocolError::ReservedFlags)
        .refused(reserved, "72 02 0001", ProtocolError::ReservedFlags)
        .refused("[MQTT-3.6.1-1] [MQTT3-3.6.1-1]", "60", ProtocolError::PubRelFlags)
        .refused("[MQTT-3.6.1-1] [MQTT3-3.6.1-1]", "66", ProtocolError::PubRelFlags)
        .refused("[MQTT-3.8.1-1] [MQTT3-3.8.1-1]", "80", ProtocolError::SubscribeFlags)
        .refused("[MQTT-3.8.1-1] [MQTT3-3.8.1-1]", "83", ProtocolError::SubscribeFlags)
        .refused("[MQTT-3.10.1-1] [MQTT3-3.10.1-1]", "A0", ProtocolError::UnsubscribeFlags)
        .refused("[MQTT-3.14.1-1] [MQTT3-3.14.1-1]", "E1", ProtocolError::DisconnectFlags);
    let repeated = Rows::new(Sender::Client, V31).accepted(
        "3.1: DUP marks a repeated PUBREL",
        "6A 02 0007",
        release,
    );
    let strict = Rows::new(Sender::Client, V311_AND_V5)
        .refused("[MQTT-3.6.1-1] [MQTT3-3.6.1-1]", "6A", ProtocolError::PubRelFlags)
        .refused("[MQTT-3.8.1-1] [MQTT3-3.8.1-1]", "8A", ProtocolError::SubscribeFlags)
        .refused("[MQTT-3.10.1-1] [MQTT3-3.10.1-1]", "AA", ProtocolError::UnsubscribeFlags);
    let server = Rows::new(Sender::Server, ALL)
        .is("[MQTT-3.12.4-1] [MQTT3-3.12.4-1]", "D0 00", Packet::PingResp)
        .refused(reserved, "D8", ProtocolError::ReservedFlags)
        .refused(reserved, "21", ProtocolError::ReservedFlags)
        .refused(reserved, "92", ProtocolError::ReservedFlags)
        .refused(reserved, "B2", ProtocolError::ReservedFlags);
    let old = Rows::new(Sender::Client, V3).refused(
        "section 2.1.2: type 15 came with 5.0",
        "F0 00",
        ProtocolError::ReservedType,
    );
    let new =
        Rows::new(Sender::Client, V5).refused("[MQTT-3.15.1-1]", "F1", ProtocolError::AuthFlags);
    [client.table, repeated.table, strict.table, server.table, old.table, new.table].concat()
}

fn directions() -> Vec<Row> {
    let direction = "section 2.1.2: the direction of a packet";
    let client = Rows::new(Sender::Client, ALL)
        .refused(direction, "20", ProtocolError::WrongDirection)
        .refused(direction, "90", ProtocolError::WrongDirection)
        .refused(direction, "B0", ProtocolError::WrongDirection)
        .refused(direction, "D0", ProtocolError::WrongDirection);
    let server = Rows::new(Sender::Server, ALL)
        .refused(direction, "10", ProtocolError::WrongDirection)
        .refused(direction, "82", ProtocolError::WrongDirection)
        .refused(direction, "A2", ProtocolError::WrongDirection)
        .refused(direction, "C0", ProtocolError::WrongDirection);
    let old = Rows::new(Sender::Server, V3).refused(direction, "E0", ProtocolError::WrongDirection);
    [client.table, server.table, old.table].concat()
}

fn lengths() -> Vec<Row> {
    let all = Rows::new(Sender::Client, ALL)
        .refused("section 1.5.5", "C0 FF FF FF FF", ProtocolError::VariableByteInteger)
        .refused("section 1.5.5", "30 80 80 80 80", ProtocolError::VariableByteInteger)
        .refused("[MQTT-3.2.2-15]", "30 FF FF FF 7F", ProtocolError::PacketTooLarge)
        .refused("[MQTT-3.2.2-15]", "30 FD FF 3F", ProtocolError::PacketTooLarge)
        .refused("section 4.13.1", "C0 01 00", ProtocolError::TrailingBytes);
    let old = Rows::new(Sender::Client, V3).accepted(
        "3.x asks for no shortest form",
        "C0 80 00",
        Packet::PingReq,
    );
    let new = Rows::new(Sender::Client, V5).refused(
        "[MQTT-1.5.5-1]",
        "C0 80 00",
        ProtocolError::NotMinimal,
    );
    [all.table, old.table, new.table].concat()
}
