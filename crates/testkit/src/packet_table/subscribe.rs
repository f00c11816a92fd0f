//! SUBSCRIBE and SUBACK.

use plexus_types::{Qos, ReasonCode};
use plexus_wire::{
    Packet, ProtocolError, RetainHandling, SubAck, Subscribe, SubscribeFilter, SubscriptionOptions,
    UserProperties,
};

use super::{ALL, Row, Rows, Sender, V3, V5, V31, V311, V311_AND_V5};
use crate::build::{packet_id, text, users};

pub(super) fn rows() -> Vec<Row> {
    [old(), new(), faults(), faults_of_options(), faults_of_properties(), answers()].concat()
}

fn filter(filter: &str, options: SubscriptionOptions) -> SubscribeFilter {
    SubscribeFilter { filter: text(filter), options }
}

fn qos(qos: Qos) -> SubscriptionOptions {
    SubscriptionOptions { qos, ..SubscriptionOptions::default() }
}

fn subscribe(filters: Vec<SubscribeFilter>) -> Subscribe {
    Subscribe {
        packet_id: packet_id(1),
        subscription_id: None,
        user_properties: UserProperties::default(),
        filters,
    }
}

fn packet(subscribe: Subscribe) -> Packet {
    Packet::Subscribe(Box::new(subscribe))
}

fn old() -> Vec<Row> {
    let one = packet(subscribe(vec![filter("a/#", qos(Qos::AtLeastOnce))]));
    let two = packet(subscribe(vec![
        filter("a", qos(Qos::AtMostOnce)),
        filter("+", qos(Qos::ExactlyOnce)),
    ]));
    let both = Rows::new(Sender::Client, V3)
        .is("[MQTT3-3.8.3-1] [MQTT3-3.8.3-3]", "82 08 0001 0003'a/#' 01", one.clone())
        .is("[MQTT3-3.8.4-4]", "82 0A 0001 0001'a' 00 0001'+' 02", two);
    let older = Rows::new(Sender::Client, V31)
        .accepted("3.1: DUP marks a repeated SUBSCRIBE", "8A 08 0001 0003'a/#' 01", one.clone())
        .accepted("3.1 reserves the other bits without a value", "82 08 0001 0003'a/#' F9", one);
    [both.table, older.table].concat()
}

fn new() -> Vec<Row> {
    let plain = subscribe(vec![filter("a", qos(Qos::AtMostOnce))]);
    let full = Subscribe {
        subscription_id: Some(128),
        user_properties: users(&[("k", "v"), ("k", "w")]),
        ..subscribe(vec![
            filter(
                "",
                SubscriptionOptions {
                    qos: Qos::ExactlyOnce,
                    no_local: true,
                    retain_as_published: true,
                    retain_handling: RetainHandling::Never,
                },
            ),
            filter(
                "$share/g/a",
                SubscriptionOptions {
                    qos: Qos::AtLeastOnce,
                    no_local: false,
                    retain_as_published: true,
                    retain_handling: RetainHandling::IfNew,
                },
            ),
        ])
    };
    Rows::new(Sender::Client, V5)
        .is("[MQTT-3.8.3-1] [MQTT-3.8.3-2]", "82 07 0001 00 0001'a' 00", packet(plain))
        .is(
            "section 3.8.3.1",
            "82 24 0001 11 0B 8001 26 0001'k'0001'v' 26 0001'k'0001'w' \
             0000 2E 000A'$share/g/a' 19",
            packet(full),
        )
        .table
}

fn faults() -> Vec<Row> {
    let utf8 = "[MQTT-3.8.3-1] [MQTT3-3.8.3-1] [MQTT-1.5.4-1] [MQTT3-1.5.3-1]";
    let empty = "[MQTT-3.8.3-2] [MQTT3-3.8.3-3]";
    let all = Rows::new(Sender::Client, ALL)
        .refused(
            "[MQTT-2.2.1-3] [MQTT3-2.3.1-1]",
            "82 07 0000 00 0001'a' 00",
            ProtocolError::PacketIdZero,
        )
        .refused("section 4.13.1", "82 00", ProtocolError::Truncated)
        .refused("section 4.13.1", "82 01 00", ProtocolError::Truncated);
    let old = Rows::new(Sender::Client, V3)
        .refused(empty, "82 02 0001", ProtocolError::SubscribeEmpty)
        .refused(utf8, "82 06 0001 0001 FF 00", ProtocolError::NotUtf8)
        .refused("section 4.13.1", "82 05 0001 0001'a'", ProtocolError::Truncated)
        .refused("section 4.13.1", "82 08 0001 0001'a' 00 0001", ProtocolError::Truncated);
    let new = Rows::new(Sender::Client, V5)
        .refused(empty, "82 03 0001 00", ProtocolError::SubscribeEmpty)
        .refused(utf8, "82 07 0001 00 0001 FF 00", ProtocolError::NotUtf8)
        .refused("[MQTT-1.5.4-2]", "82 07 0001 00 0001 00 00", ProtocolError::NullCharacter)
        .refused("section 4.13.1", "82 06 0001 00 0001'a'", ProtocolError::Truncated)
        .refused("section 4.13.1", "82 06 0001 00 0005'a'", ProtocolError::Truncated);
    [all.table, old.table, new.table].concat()
}

fn faults_of_options() -> Vec<Row> {
    let reserved = "[MQTT-3.8.3-5] [MQTT3-3.8.3-4]";
    let three = "[MQTT3-3.8.3-4], section 3.8.3.1";
    let reserved_error = ProtocolError::SubscriptionOptionsReserved;
    let old = Rows::new(Sender::Client, V311)
        .refused(reserved, "82 06 0001 0001'a' 04", reserved_error)
        .refused(reserved, "82 06 0001 0001'a' 80", reserved_error);
    let older = Rows::new(Sender::Client, V3).refused(
        three,
        "82 06 0001 0001'a' 03",
        ProtocolError::SubscriptionQos,
    );
    let new = Rows::new(Sender::Client, V5)
        .refused(reserved, "82 07 0001 00 0001'a' 40", reserved_error)
        .refused(reserved, "82 07 0001 00 0001'a' 80", reserved_error)
        .refused(three, "82 07 0001 00 0001'a' 03", ProtocolError::SubscriptionQos)
        .refused("section 3.8.3.1", "82 07 0001 00 0001'a' 30", ProtocolError::RetainHandling)
        .refused(
            "[MQTT-3.8.3-4]",
            "82 10 0001 00 000A'$share/g/a' 04",
            ProtocolError::NoLocalShared,
        );
    [old.table, older.table, new.table].concat()
}

fn faults_of_properties() -> Vec<Row> {
    Rows::new(Sender::Client, V5)
        .refused(
            "section 3.8.2.1.2",
            "82 09 0001 02 0B 00 0001'a' 00",
            ProtocolError::SubscriptionIdZero,
        )
        .refused(
            "section 2.2.2.2",
            "82 0B 0001 04 0B 01 0B 01 0001'a' 00",
            ProtocolError::PropertyTwice,
        )
        .refused(
            "section 2.2.2.2",
            "82 0A 0001 03 1F 0000 0001'a' 00",
            ProtocolError::PropertyNotAllowed,
        )
        .table
}

fn answers() -> Vec<Row> {
    let list = "[MQTT-3.9.3-2] [MQTT3-3.9.3-2]";
    let granted = SubAck {
        packet_id: packet_id(1),
        reasons: vec![
            ReasonCode::Success,
            ReasonCode::GrantedQos1,
            ReasonCode::GrantedQos2,
            ReasonCode::UnspecifiedError,
        ],
        reason_string: None,
        user_properties: UserProperties::default(),
    };
    let packet = |suback| Packet::SubAck(Box::new(suback));
    let full = SubAck {
        reasons: vec![ReasonCode::WildcardSubscriptionsNotSupported, ReasonCode::NotAuthorized],
        reason_string: Some(text("no")),
        user_properties: users(&[("k", "v")]),
        packet_id: packet_id(1),
    };
    let old = Rows::new(Sender::Server, V3)
        .is("[MQTT3-3.9.3-1] [MQTT3-3.9.3-2]", "90 06 0001 00 01 02 80", packet(granted.clone()))
        .refused(list, "90 03 0001 03", ProtocolError::SubAckReason)
        .refused(list, "90 03 0001 87", ProtocolError::SubAckReason)
        .refused("[MQTT-3.8.4-6]", "90 02 0001", ProtocolError::ReasonsMissing);
    let new = Rows::new(Sender::Server, V5)
        .is("[MQTT-3.9.3-1] [MQTT-3.9.3-2]", "90 07 0001 00 00 01 02 80", packet(granted))
        .is(list, "90 11 0001 0C 1F 0002'no' 26 0001'k'0001'v' A2 87", packet(full))
        .refused(list, "90 04 0001 00 03", ProtocolError::SubAckReason)
        .refused(list, "90 04 0001 00 11", ProtocolError::SubAckReason)
        .refused("[MQTT-3.8.4-6]", "90 03 0001 00", ProtocolError::ReasonsMissing);
    let all = Rows::new(Sender::Server, V311_AND_V5).refused(
        "[MQTT-2.2.1-3]",
        "90 04 0000 00 00",
        ProtocolError::PacketIdZero,
    );
    [old.table, new.table, all.table].concat()
}
