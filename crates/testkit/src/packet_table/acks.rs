//! PUBACK, PUBREC, PUBREL and PUBCOMP.

use plexus_types::ReasonCode;
use plexus_wire::{Ack, AckDetails, Packet, ProtocolError};

use super::{ALL, Row, Rows, Sender, V3, V5};
use crate::build::{packet_id, text, users};

type Make = fn(Ack) -> Packet;

/// First byte, packet, the statement about its codes, and what a wrong one violates.
const KINDS: &[(&str, Make, &str, ProtocolError)] = &[
    ("40", Packet::PubAck, "[MQTT-3.4.2-1]", ProtocolError::PubAckReason),
    ("50", Packet::PubRec, "[MQTT-3.5.2-1]", ProtocolError::PubRecReason),
    ("62", Packet::PubRel, "[MQTT-3.6.2-1]", ProtocolError::PubRelReason),
    ("70", Packet::PubComp, "[MQTT-3.7.2-1]", ProtocolError::PubCompReason),
];

pub(super) fn rows() -> Vec<Row> {
    KINDS
        .iter()
        .flat_map(|kind| [sent_by(Sender::Client, *kind), sent_by(Sender::Server, *kind)].concat())
        .collect()
}

fn sent_by(
    sender: Sender,
    (first, make, clause, error): (&str, Make, &'static str, ProtocolError),
) -> Vec<Row> {
    let success = Ack::new(packet_id(0x1234), ReasonCode::Success);
    let plain = make(success.clone());
    let failed = match error {
        ProtocolError::PubAckReason | ProtocolError::PubRecReason => ReasonCode::QuotaExceeded,
        _ => ReasonCode::PacketIdentifierNotFound,
    };
    let code = failed.get();
    let details =
        AckDetails { reason_string: Some(text("no")), user_properties: users(&[("k", "v")]) };
    let full = Ack { reason: failed, details: Some(Box::new(details)), ..success };
    let short = make(Ack::new(packet_id(0x1234), failed));
    let all = Rows::new(sender, ALL)
        .is("[MQTT-2.2.1-5] [MQTT3-2.3.1-6]", &format!("{first} 02 1234"), plain.clone())
        .refused(
            "[MQTT-2.2.1-3] [MQTT3-2.3.1-1]",
            &format!("{first} 02 0000"),
            ProtocolError::PacketIdZero,
        )
        .refused("section 4.13.1", &format!("{first} 00"), ProtocolError::Truncated)
        .refused("section 4.13.1", &format!("{first} 01 12"), ProtocolError::Truncated);
    let old = Rows::new(sender, V3).refused(
        "section 4.13.1",
        &format!("{first} 03 1234 00"),
        ProtocolError::TrailingBytes,
    );
    let new = Rows::new(sender, V5)
        .is(clause, &format!("{first} 03 1234 {code:02X}"), short.clone())
        .is(
            clause,
            &format!("{first} 10 1234 {code:02X} 0C 1F 0002'no' 26 0001'k'0001'v'"),
            make(full),
        )
        .accepted(
            "the reason code may be written out",
            &format!("{first} 03 1234 00"),
            plain.clone(),
        )
        .accepted("so may the length of no properties", &format!("{first} 04 1234 00 00"), plain)
        .accepted(
            "so may the length of no properties",
            &format!("{first} 04 1234 {code:02X} 00"),
            short,
        )
        .refused(clause, &format!("{first} 03 1234 01"), error)
        .refused(clause, &format!("{first} 03 1234 8D"), error)
        .refused(clause, &format!("{first} 03 1234 7F"), error)
        .refused("[MQTT-2.2.1-3]", &format!("{first} 03 0000 00"), ProtocolError::PacketIdZero)
        .refused(
            "section 2.2.2.2",
            &format!("{first} 07 1234 00 03 23 0001"),
            ProtocolError::PropertyNotAllowed,
        )
        .refused(
            "section 2.2.2.2",
            &format!("{first} 0A 1234 00 06 1F 0000 1F 0000"),
            ProtocolError::PropertyTwice,
        )
        .refused(
            "section 4.13.1",
            &format!("{first} 05 1234 00 00 00"),
            ProtocolError::TrailingBytes,
        );
    [all.table, old.table, new.table].concat()
}
