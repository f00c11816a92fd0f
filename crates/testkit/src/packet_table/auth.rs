//! AUTH.

use bytes::Bytes;
use plexus_types::ReasonCode;
use plexus_wire::{Auth, Packet, ProtocolError, UserProperties};

use super::{Row, Rows, Sender, V5};
use crate::build::{text, users};

fn packet(auth: Auth) -> Packet {
    Packet::Auth(Box::new(auth))
}

fn auth(reason: ReasonCode) -> Auth {
    Auth {
        reason,
        authentication_method: Some(text("m")),
        authentication_data: None,
        reason_string: None,
        user_properties: UserProperties::default(),
    }
}

pub(super) fn rows() -> Vec<Row> {
    [from_client(), from_server()].concat()
}

fn from_client() -> Vec<Row> {
    let list = "[MQTT-3.15.2-1]";
    let full = Auth {
        authentication_data: Some(Bytes::from_static(b"\0")),
        reason_string: Some(text("r")),
        user_properties: users(&[("k", "v")]),
        ..auth(ReasonCode::ReAuthenticate)
    };
    Rows::new(Sender::Client, V5)
        .is(list, "F0 06 18 04 15 0001'm'", packet(auth(ReasonCode::ContinueAuthentication)))
        .is(list, "F0 15 19 13 15 0001'm' 16 0001 00 1F 0001'r' 26 0001'k'0001'v'", packet(full))
        .refused(list, "F0 00", ProtocolError::AuthReason)
        .refused(list, "F0 06 00 04 15 0001'm'", ProtocolError::AuthReason)
        .refused(list, "F0 06 87 04 15 0001'm'", ProtocolError::AuthReason)
        .refused("section 3.15.2.2.2", "F0 02 18 00", ProtocolError::AuthenticationMethodMissing)
        .refused(
            "section 3.15.2.2.2",
            "F0 05 18 03 16 0000",
            ProtocolError::AuthenticationMethodMissing,
        )
        .refused("section 2.2.2.2", "F0 08 18 06 15 0000 15 0000", ProtocolError::PropertyTwice)
        .refused("section 2.2.2.2", "F0 04 18 02 01 00", ProtocolError::PropertyNotAllowed)
        .refused("section 4.13.1", "F0 01 18", ProtocolError::Truncated)
        .table
}

fn from_server() -> Vec<Row> {
    let list = "[MQTT-3.15.2-1]";
    let bare = Auth { authentication_method: None, ..auth(ReasonCode::Success) };
    Rows::new(Sender::Server, V5)
        .is("section 3.15.2.1", "F0 00", packet(bare))
        .is(list, "F0 06 00 04 15 0001'm'", packet(auth(ReasonCode::Success)))
        .is(list, "F0 06 18 04 15 0001'm'", packet(auth(ReasonCode::ContinueAuthentication)))
        .refused(list, "F0 06 19 04 15 0001'm'", ProtocolError::AuthReason)
        .table
}
