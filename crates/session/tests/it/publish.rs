//! Messages of the client.

use bytes::Bytes;
use plexus_session::{LogPosition, Options, Routed};
use plexus_types::{ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{Packet, Publish, property::MessagePropertiesBuilder};

use crate::shell::{Shell, ack, connect, durable, id, publish, text};

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;

fn sent(topic: &str, payload: &str, qos: u8, packet_id: u16) -> Packet {
    Packet::Publish(publish(topic, payload, qos, packet_id))
}

/// [MQTT-3.3.4-1], [MQTT-4.3.2-4], [MQTT-4.3.3-8], [MQTT-4.3.3-11], [MQTT3-3.3.4-1]
#[test]
fn each_quality_of_service_is_answered_in_its_way() {
    for version in [ProtocolVersion::V31, V311, V5] {
        let mut shell = Shell::connected(connect(version));
        assert_eq!(shell.packet(sent("t", "a", 0, 0)), ["ROUTE t a"]);
        assert_eq!(shell.packet(sent("t", "b", 1, 7)), ["ROUTE t b", "PUBACK 7 Success"]);
        assert_eq!(shell.packet(sent("t", "c", 2, 8)), ["ROUTE t c", "PUBREC 8 Success"]);
        assert_eq!(shell.packet(Packet::PubRel(ack(8))), ["PUBCOMP 8 Success"]);
    }
}

#[test]
fn a_publisher_is_told_that_nobody_listens() {
    let mut shell = Shell::connected(connect(V5));
    shell.routed = ReasonCode::NoMatchingSubscribers;
    let story = shell.packet(sent("t", "b", 1, 7));
    assert_eq!(story[1], "PUBACK 7 NoMatchingSubscribers");
    let mut old = Shell::connected(connect(V311));
    old.routed = ReasonCode::NoMatchingSubscribers;
    assert_eq!(old.packet(sent("t", "b", 1, 7))[1], "PUBACK 7 Success");
}

/// [MQTT-4.3.3-10], [MQTT-4.3.3-12], [MQTT3-4.3.3-2]
#[test]
fn a_repeated_qos2_message_is_not_routed_again() {
    for version in [V311, V5] {
        let mut shell = Shell::connected(connect(version));
        shell.packet(sent("t", "a", 2, 3));
        let again = Packet::Publish(Publish { dup: true, ..publish("t", "a", 2, 3) });
        assert_eq!(shell.packet(again.clone()), ["PUBREC 3 Success"]);
        assert_eq!(shell.packet(again), ["PUBREC 3 Success"]);
        shell.packet(Packet::PubRel(ack(3)));
        assert_eq!(shell.packet(sent("t", "b", 2, 3)), ["ROUTE t b", "PUBREC 3 Success"]);
        assert_eq!(shell.entered.len(), 2);
    }
}

/// [MQTT-4.3.2-5]
#[test]
fn a_repeated_qos1_message_is_a_new_one() {
    let mut shell = Shell::connected(connect(V5));
    for _ in 0..2 {
        assert_eq!(shell.packet(sent("t", "a", 1, 3)), ["ROUTE t a", "PUBACK 3 Success"]);
    }
}

#[test]
fn pubrel_of_an_unknown_message_is_answered() {
    let mut shell = Shell::connected(connect(V5));
    let story = shell.packet(Packet::PubRel(ack(9)));
    assert_eq!(story, ["PUBCOMP 9 PacketIdentifierNotFound"]);
}

/// [MQTT3-3.3.5-2]: 3.x cannot be told.
#[test]
fn a_refused_message_is_answered_as_far_as_the_version_can() {
    let mut shell = Shell::connected(connect(V5));
    shell.verdict = Err(ReasonCode::NotAuthorized);
    assert!(shell.packet(sent("t", "a", 0, 0)).is_empty());
    assert_eq!(shell.packet(sent("t", "a", 1, 1)), ["PUBACK 1 NotAuthorized"]);
    assert_eq!(shell.packet(sent("t", "a", 2, 2)), ["PUBREC 2 NotAuthorized"]);
    shell.verdict = Ok(());
    // [MQTT-4.3.3-9]: the identifier is free again.
    assert_eq!(shell.packet(sent("t", "b", 2, 2)), ["ROUTE t b", "PUBREC 2 Success"]);
    let mut old = Shell::connected(connect(V311));
    old.verdict = Err(ReasonCode::NotAuthorized);
    assert_eq!(old.packet(sent("t", "a", 1, 1)), ["PUBACK 1 Success"]);
    assert_eq!(old.packet(sent("t", "a", 2, 2)), ["PUBREC 2 Success"]);
    assert_eq!(old.packet(Packet::PubRel(ack(2))), ["PUBCOMP 2 Success"]);
    assert!(old.entered.is_empty());
}

/// [MQTT-3.2.2-11], [MQTT-3.2.2-14], [MQTT-2.2.1-3], [MQTT-4.13.1-1]
#[test]
fn what_the_server_does_not_offer_ends_the_connection() {
    let options =
        Options { maximum_qos: Qos::AtLeastOnce, retain_available: false, ..Options::default() };
    let retained = Packet::Publish(Publish { retain: true, ..publish("t", "a", 0, 0) });
    let table = [
        (sent("t", "a", 2, 1), ReasonCode::QosNotSupported),
        (retained, ReasonCode::RetainNotSupported),
        (sent("", "a", 0, 0), ReasonCode::ProtocolError),
        (sent("a/+", "a", 0, 0), ReasonCode::TopicNameInvalid),
    ];
    for (packet, reason) in table {
        for version in [V311, V5] {
            let mut shell = Shell::new(options.clone());
            shell.connect(connect(version));
            let story = shell.packet(packet.clone());
            let close = format!("CLOSE ByServer({reason:?})");
            let expected = match version {
                V5 => vec![format!("DISCONNECT {reason:?}"), close, "ENDED".to_owned()],
                _ => vec![close, "ENDED".to_owned()],
            };
            assert_eq!(story, expected);
        }
    }
}

#[test]
fn limits_of_topics_and_payloads_are_told_where_there_is_a_way() {
    let options = Options {
        topic_levels_max: 2,
        topic_length_max: 10,
        validate_payload_format: true,
        ..Options::default()
    };
    let mut shell = Shell::new(options);
    shell.connect(connect(V5));
    let story = shell.packet(sent("a/b/c", "x", 1, 1));
    assert_eq!(story, ["PUBACK 1 TopicNameInvalid (topic name has too many levels)"]);
    let story = shell.packet(sent("abcdefghijk", "x", 2, 2));
    assert_eq!(story, ["PUBREC 2 TopicNameInvalid (topic name too long)"]);
    let mut bad = publish("t", "", 1, 3);
    bad.payload = Bytes::from_static(&[0xFF]);
    bad.properties.forwarded = MessagePropertiesBuilder::new().payload_format(true).build();
    let story = shell.packet(Packet::Publish(bad));
    assert_eq!(story, ["PUBACK 3 PayloadFormatInvalid (payload is not UTF-8)"]);
    assert!(shell.entered.is_empty());
    assert_eq!(shell.packet(sent("a/b/c", "x", 0, 0))[0], "DISCONNECT TopicNameInvalid");
}

/// [MQTT-3.1.2-29], [MQTT-3.4.2-2], [MQTT-3.5.2-2]
#[test]
fn reason_strings_go_only_to_who_wants_and_takes_them() {
    let words = " (topic name has too many levels)";
    for (wanted, maximum_packet_size, words) in
        [(true, None, words), (false, None, ""), (true, Some(30), ""), (true, Some(39), words)]
    {
        let mut connect = connect(V5);
        connect.properties.request_problem_information = wanted;
        connect.properties.maximum_packet_size = maximum_packet_size;
        let mut shell = Shell::new(Options { topic_levels_max: 2, ..Options::default() });
        shell.connect(connect);
        let story = shell.packet(sent("a/b/c", "x", 1, 1));
        assert_eq!(story, [format!("PUBACK 1 TopicNameInvalid{words}")]);
        let story = shell.packet(sent("a/b/c", "x", 2, 2));
        assert_eq!(story, [format!("PUBREC 2 TopicNameInvalid{words}")]);
    }
}

/// [MQTT-3.3.4-7]
#[test]
fn more_than_receive_maximum_ends_the_connection_of_a_5_0_client() {
    let options = Options { receive_maximum: 2, ..Options::default() };
    for (version, limited) in [(V5, true), (V311, false)] {
        let mut shell = Shell::new(options.clone());
        shell.connect(connect(version));
        for number in 1..=2 {
            shell.packet(sent("t", "a", 2, number));
        }
        let story = shell.packet(sent("t", "a", 1, 3));
        if limited {
            assert_eq!(story[0], "DISCONNECT ReceiveMaximumExceeded");
        } else {
            assert_eq!(story, ["ROUTE t a", "PUBACK 3 Success"]);
        }
    }
}

/// [MQTT-2.2.1-3]
#[test]
fn an_identifier_that_is_in_use_is_refused() {
    let mut shell = Shell::connected(connect(V5));
    shell.packet(sent("t", "a", 2, 1));
    assert_eq!(shell.packet(sent("t", "b", 1, 1)), ["PUBACK 1 PacketIdentifierInUse"]);
    let mut old = Shell::connected(connect(V311));
    old.packet(sent("t", "a", 2, 1));
    assert_eq!(old.packet(sent("t", "b", 1, 1))[0], "CLOSE ByServer(ProtocolError)");
}

/// [MQTT-3.3.2-7], [MQTT-3.3.2-12], [MQTT-3.3.2-9]
#[test]
fn aliases_are_resolved_until_the_connection_ends() {
    let aliased = |topic: &str, alias| {
        let mut publish = publish(topic, "x", 0, 0);
        publish.properties.topic_alias = Some(alias);
        Packet::Publish(publish)
    };
    let mut shell = Shell::new(Options { topic_alias_maximum: 3, ..Options::default() });
    shell.connect(durable(60));
    assert_eq!(shell.packet(aliased("long/topic", 3)), ["ROUTE long/topic x"]);
    assert_eq!(shell.packet(aliased("", 3)), ["ROUTE long/topic x"]);
    shell.connect(durable(60));
    assert_eq!(shell.packet(aliased("", 3))[0], "DISCONNECT ProtocolError");
    shell.connect(durable(60));
    assert_eq!(shell.packet(aliased("t", 4))[0], "DISCONNECT TopicAliasInvalid");
}

#[test]
fn a_message_enters_with_all_its_properties() {
    let mut shell = Shell::connected(connect(V5));
    let mut sent = publish("t", "a", 1, 1);
    sent.retain = true;
    sent.properties.message_expiry_interval = Some(10);
    sent.properties.forwarded =
        MessagePropertiesBuilder::new().user_property(&text("k"), &text("v")).build();
    let forwarded = sent.properties.forwarded.clone();
    shell.packet(Packet::Publish(sent));
    let message = shell.entered.pop().unwrap();
    assert_eq!(message.properties, forwarded);
    assert_eq!(message.expires, Some(shell.now + std::time::Duration::from_secs(10)));
    assert_eq!((message.qos, message.retain, &*message.publisher), (Qos::AtLeastOnce, true, "c"));
}

#[test]
fn nothing_is_acknowledged_before_the_log_is_kept() {
    let mut shell = Shell::connected(durable(60));
    shell.tells_log = true;
    shell.keeps = false;
    let story = shell.packet(sent("t", "a", 2, 1));
    assert_eq!(story, ["ASK publish t a", "LOG Accepted(1)", "ROUTE t a"]);
    assert_eq!(shell.keep_all(), ["PUBREC 1 Success"]);
    let story = shell.packet(Packet::PubRel(ack(1)));
    assert_eq!(story, ["LOG Released(1)"]);
    assert_eq!(shell.keep_all(), ["PUBCOMP 1 Success"]);
}

/// [MQTT-4.6.0-2]
#[test]
fn acknowledgements_keep_the_order_of_the_publishes() {
    let mut shell = Shell::connected(connect(V5));
    shell.routes = false;
    for number in 1..=3 {
        shell.packet(sent("t", "a", 1, number));
    }
    let now = shell.now;
    let mut route = |number, after| {
        let packet_id = id(number);
        let routed = Routed { packet_id, reason: ReasonCode::Success, after };
        shell.act(|session, out| session.handle_routed(now, routed, out))
    };
    assert!(route(3, LogPosition::ZERO).is_empty());
    assert!(route(1, LogPosition::new(5)).is_empty());
    assert!(route(2, LogPosition::ZERO).is_empty());
    let story = shell.act(|session, out| session.handle_persisted(now, LogPosition::new(5), out));
    assert_eq!(story, ["PUBACK 1 Success", "PUBACK 2 Success", "PUBACK 3 Success"]);
}

#[test]
fn repetitions_that_wait_for_the_log_are_bounded() {
    let options = Options { receive_maximum: 4, inflight_max: 4, ..Options::default() };
    let mut shell = Shell::new(options);
    shell.connect(durable(60));
    shell.keeps = false;
    let repeated = (0..100).map(|_| shell.packet(sent("t", "a", 2, 1))).find(|story| {
        story.first().is_some_and(|told| told == "DISCONNECT ReceiveMaximumExceeded")
    });
    assert!(repeated.is_some(), "a client grows the queue of acknowledgements without end");
}

/// [MQTT-3.1.0-2], [MQTT3-3.1.0-2] and the packets of servers.
#[test]
fn packets_out_of_place_end_the_connection() {
    for packet in [
        Packet::Connect(Box::new(connect(V5))),
        Packet::PingResp,
        Packet::PubAck(ack(1)),
        Packet::PubComp(ack(1)),
    ] {
        let mut shell = Shell::connected(connect(V5));
        let harmless = matches!(packet, Packet::PubAck(_) | Packet::PubComp(_));
        let story = shell.packet(packet);
        if harmless {
            assert!(story.is_empty(), "an unknown identifier is ignored");
        } else {
            assert_eq!(story[0], "DISCONNECT ProtocolError");
        }
    }
    let mut shell = Shell::connected(connect(V5));
    assert_eq!(shell.packet(Packet::PingReq), ["PINGRESP"], "[MQTT-3.12.4-1]");
}

/// [MQTT-4.13.1-1], [MQTT3-4.8.0-1]
#[test]
fn bytes_that_are_no_packet_end_the_connection_with_the_fitting_reason() {
    let error = plexus_wire::ProtocolError::NotUtf8;
    let mut shell = Shell::connected(connect(V5));
    let now = shell.now;
    let story = shell.act(|session, out| session.handle_packet(now, Err(error), out));
    assert_eq!(story[..2], ["DISCONNECT MalformedPacket", "CLOSE ByServer(MalformedPacket)"]);
    let mut old = Shell::connected(connect(V311));
    let story = old.act(|session, out| session.handle_packet(now, Err(error), out));
    assert_eq!(story[0], "CLOSE ByServer(MalformedPacket)");
}
