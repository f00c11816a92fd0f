//! UNSUBSCRIBE and UNSUBACK.

use plexus_types::ReasonCode;
use plexus_wire::{Packet, ProtocolError, UnsubAck, Unsubscribe, UserProperties};

use super::{ALL, Row, Rows, Sender, V3, V5, V31};
use crate::build::{packet_id, text, users};

pub(super) fn rows() -> Vec<Row> {
    [requests(), faults(), answers()].concat()
}

fn unsubscribe(filters: &[&str]) -> Unsubscribe {
    Unsubscribe {
        packet_id: packet_id(1),
        user_properties: UserProperties::default(),
        filters: filters.iter().map(|filter| text(filter)).collect(),
    }
}

fn packet(unsubscribe: Unsubscribe) -> Packet {
    Packet::Unsubscribe(Box::new(unsubscribe))
}

fn requests() -> Vec<Row> {
    let two = unsubscribe(&["a/#", "b"]);
    let full = Unsubscribe { user_properties: users(&[("k", "v")]), ..two.clone() };
    let old = Rows::new(Sender::Client, V3).is(
        "[MQTT3-3.10.3-1]",
        "A2 0A 0001 0003'a/#' 0001'b'",
        packet(two.clone()),
    );
    let older = Rows::new(Sender::Client, V31).accepted(
        "3.1: DUP marks a repeated UNSUBSCRIBE",
        "AA 0A 0001 0003'a/#' 0001'b'",
        packet(two.clone()),
    );
    let new = Rows::new(Sender::Client, V5)
        .is("[MQTT-3.10.3-1]", "A2 0B 0001 00 0003'a/#' 0001'b'", packet(two))
        .is(
            "section 3.10.2.1.2",
            "A2 12 0001 07 26 0001'k'0001'v' 0003'a/#' 0001'b'",
            packet(full),
        );
    [old.table, older.table, new.table].concat()
}

fn faults() -> Vec<Row> {
    let empty = "[MQTT-3.10.3-2] [MQTT3-3.10.3-2]";
    let utf8 = "[MQTT-3.10.3-1] [MQTT3-3.10.3-1] [MQTT-1.5.4-1] [MQTT3-1.5.3-1]";
    let all = Rows::new(Sender::Client, ALL)
        .refused(
            "[MQTT-2.2.1-3] [MQTT3-2.3.1-1]",
            "A2 05 0000 00 0000",
            ProtocolError::PacketIdZero,
        )
        .refused("section 4.13.1", "A2 00", ProtocolError::Truncated);
    let old = Rows::new(Sender::Client, V3)
        .refused(empty, "A2 02 0001", ProtocolError::UnsubscribeEmpty)
        .refused(utf8, "A2 05 0001 0001 FF", ProtocolError::NotUtf8)
        .refused("section 4.13.1", "A2 05 0001 0002'a'", ProtocolError::Truncated);
    let new = Rows::new(Sender::Client, V5)
        .refused(empty, "A2 03 0001 00", ProtocolError::UnsubscribeEmpty)
        .refused(utf8, "A2 06 0001 00 0001 FF", ProtocolError::NotUtf8)
        .refused(
            "section 2.2.2.2",
            "A2 08 0001 02 0B 01 0001'a'",
            ProtocolError::PropertyNotAllowed,
        )
        .refused("section 4.13.1", "A2 05 0001 00 0001", ProtocolError::Truncated);
    [all.table, old.table, new.table].concat()
}

fn answers() -> Vec<Row> {
    let list = "[MQTT-3.11.3-2]";
    let bare = UnsubAck {
        packet_id: packet_id(1),
        reasons: Vec::new(),
        reason_string: None,
        user_properties: UserProperties::default(),
    };
    let done = UnsubAck {
        reasons: vec![ReasonCode::Success, ReasonCode::NoSubscriptionExisted],
        ..bare.clone()
    };
    let full = UnsubAck {
        reason_string: Some(text("no")),
        user_properties: users(&[("k", "v")]),
        ..done.clone()
    };
    let packet = |unsuback| Packet::UnsubAck(Box::new(unsuback));
    let old = Rows::new(Sender::Server, V3)
        .is("[MQTT3-3.10.4-4]", "B0 02 0001", packet(bare))
        .refused("section 4.13.1", "B0 03 0001 00", ProtocolError::TrailingBytes);
    let new = Rows::new(Sender::Server, V5)
        .is("[MQTT-3.11.3-1] [MQTT-3.11.3-2]", "B0 05 0001 00 00 11", packet(done))
        .is(list, "B0 11 0001 0C 1F 0002'no' 26 0001'k'0001'v' 00 11", packet(full))
        .refused(list, "B0 04 0001 00 01", ProtocolError::UnsubAckReason)
        .refused(list, "B0 04 0001 00 97", ProtocolError::UnsubAckReason)
        .refused("[MQTT-3.8.4-6]", "B0 03 0001 00", ProtocolError::ReasonsMissing)
        .refused("[MQTT-2.2.2-1]", "B0 02 0001", ProtocolError::Truncated);
    [old.table, new.table].concat()
}
