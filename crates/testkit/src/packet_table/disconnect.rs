//! DISCONNECT.

use plexus_types::ReasonCode;
use plexus_wire::{Disconnect, DisconnectProperties, Packet, ProtocolError};

use super::{ALL, Row, Rows, Sender, V3, V5};
use crate::build::{text, users};

fn packet(disconnect: Disconnect) -> Packet {
    Packet::Disconnect(Box::new(disconnect))
}

pub(super) fn rows() -> Vec<Row> {
    [from_client(), from_server()].concat()
}

fn from_client() -> Vec<Row> {
    let list = "[MQTT-3.14.2-1]";
    let normal = Disconnect::new(ReasonCode::Success);
    let with_will = Disconnect::new(ReasonCode::DisconnectWithWill);
    let full = Disconnect {
        properties: DisconnectProperties {
            session_expiry_interval: Some(0),
            reason_string: Some(text("bye")),
            user_properties: users(&[("k", "v")]),
            server_reference: None,
        },
        ..Disconnect::new(ReasonCode::Success)
    };
    let all = Rows::new(Sender::Client, ALL).is(
        "[MQTT-3.14.4-3] [MQTT3-3.14.4-3]",
        "E0 00",
        packet(normal.clone()),
    );
    let old = Rows::new(Sender::Client, V3).refused(
        "section 4.13.1",
        "E0 01 00",
        ProtocolError::TrailingBytes,
    );
    let new = Rows::new(Sender::Client, V5)
        .is(list, "E0 01 04", packet(with_will.clone()))
        .is(
            "section 3.14.2.2",
            "E0 14 00 12 11 00000000 1F 0003'bye' 26 0001'k'0001'v'",
            packet(full),
        )
        .accepted("the reason code may be written out", "E0 01 00", packet(normal.clone()))
        .accepted("so may the length of no properties", "E0 02 00 00", packet(normal))
        .accepted("so may the length of no properties", "E0 02 04 00", packet(with_will))
        .refused(list, "E0 01 01", ProtocolError::DisconnectReason)
        .refused(list, "E0 01 8E", ProtocolError::DisconnectReason)
        .refused(list, "E0 01 FF", ProtocolError::DisconnectReason)
        .refused("section 2.2.2.2", "E0 05 00 03 1C 0000", ProtocolError::PropertyNotAllowed)
        .refused(
            "section 2.2.2.2",
            "E0 0C 00 0A 11 00000000 11 00000000",
            ProtocolError::PropertyTwice,
        )
        .refused("section 4.13.1", "E0 03 00 00 00", ProtocolError::TrailingBytes)
        .refused("section 4.13.1", "E0 02 00 01", ProtocolError::Truncated);
    [all.table, old.table, new.table].concat()
}

fn from_server() -> Vec<Row> {
    let list = "[MQTT-3.14.2-1]";
    let taken_over = Disconnect::new(ReasonCode::SessionTakenOver);
    let moved = Disconnect {
        properties: DisconnectProperties {
            server_reference: Some(text("s")),
            ..DisconnectProperties::default()
        },
        ..Disconnect::new(ReasonCode::ServerMoved)
    };
    Rows::new(Sender::Server, V5)
        .is(list, "E0 01 8E", packet(taken_over))
        .is(list, "E0 06 9D 04 1C 0001's'", packet(moved))
        .refused(list, "E0 01 04", ProtocolError::DisconnectReason)
        .refused(list, "E0 01 84", ProtocolError::DisconnectReason)
        .refused(
            "[MQTT-3.14.2-2]",
            "E0 07 00 05 11 00000000",
            ProtocolError::SessionExpiryFromServer,
        )
        .table
}
