//! The client role against the session.

use bytes::Bytes;
use plexus_session::{
    Client, ClientClose, ClientOptions, ClientOutput, Options, PublishRequest, RequestError,
};
use plexus_types::{ProtocolVersion, Qos, ReasonCode, TopicName};
use plexus_wire::{
    DisconnectProperties, Packet, ProtocolError, SubscribeFilter, SubscriptionOptions,
};

use crate::{
    pair::{Pair, lasting},
    shell::{message, publish, text},
};

fn versions() -> [ClientOptions; 3] {
    [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5]
        .map(|version| ClientOptions { version, ..lasting() })
}

fn filter(filter: &str) -> Vec<SubscribeFilter> {
    vec![SubscribeFilter { filter: text(filter), options: SubscriptionOptions::default() }]
}

#[test]
fn messages_go_both_ways_in_every_version_and_quality() {
    for options in versions() {
        let mut pair = Pair::connected(options);
        for (payload, qos) in [("a", 0), ("b", 1), ("c", 2)] {
            pair.publish(payload, qos);
            let story = pair.shell.deliver(&message(payload), qos).1;
            pair.story.extend(story);
        }
        pair.drive();
        assert_eq!(pair.entered(), ["a", "b", "c"]);
        assert_eq!(pair.payloads(), ["a", "b", "c"]);
        assert_eq!(pair.published(ReasonCode::Success), 3);
        assert_eq!((pair.client.inflight(), pair.shell.session.unwrap().inflight()), (0, 0));
    }
}

#[test]
fn requests_are_answered_by_their_ticket() {
    for options in versions() {
        let mut pair = Pair::connected(options);
        let wanted = pair.act(|client, now| client.subscribe(now, filter("a"), None)).unwrap();
        pair.drive();
        let ended = pair.act(|client, now| client.unsubscribe(now, vec![text("a")])).unwrap();
        pair.drive();
        let answers: Vec<_> = pair
            .told
            .iter()
            .filter_map(|told| match told {
                ClientOutput::Subscribed(ticket, _) | ClientOutput::Unsubscribed(ticket, _) => {
                    Some(*ticket)
                }
                _ => None,
            })
            .collect();
        assert_eq!(answers, [wanted, ended]);
    }
}

#[test]
fn requests_of_a_lost_connection_are_abandoned() {
    let mut pair = Pair::connected(lasting());
    let ticket = pair.act(|client, now| client.subscribe(now, filter("a"), None)).unwrap();
    pair.lose_connection();
    assert!(pair.told.contains(&ClientOutput::Abandoned(ticket)));
    let offline = pair.act(|client, now| client.subscribe(now, filter("a"), None));
    assert_eq!(offline, Err(RequestError::Offline));
}

/// [MQTT-4.4.0-1], [MQTT-4.3.3-10]
#[test]
fn qos2_resumes_after_a_take_over() {
    let mut pair = Pair::connected(lasting());
    pair.publish("up", 2);
    pair.shell.deliver(&message("down"), 2);
    pair.step_up(); // PUBLISH arrives, PUBREC is on its way and lost.
    pair.lose_connection();
    pair.connect();
    pair.drive();
    assert_eq!(pair.entered(), ["up"]);
    assert_eq!(pair.payloads(), ["down"]);
    assert_eq!(pair.published(ReasonCode::Success), 1);
}

#[test]
fn messages_wait_while_the_client_is_offline_and_the_queue_is_bounded() {
    let mut pair =
        Pair::new(Options::default(), ClientOptions { queue_messages_max: 2, ..lasting() });
    pair.publish("a", 1);
    pair.publish("b", 0);
    let topic = TopicName::try_from("t").unwrap();
    let request = PublishRequest::new(topic, Bytes::new(), Qos::AtMostOnce);
    let full = pair.act(|client, now| client.publish(now, request.clone()));
    assert_eq!(full, Err(RequestError::QueueFull));
    pair.connect();
    pair.drive();
    assert_eq!(pair.entered(), ["a", "b"]);
    let mut proud =
        Pair::new(Options::default(), ClientOptions { queue_messages_max: 0, ..lasting() });
    let offline = proud.act(|client, now| client.publish(now, request));
    assert_eq!(offline, Err(RequestError::Offline));
}

/// [MQTT-3.3.4-7]: the client's window is the server's Receive Maximum.
#[test]
fn the_client_respects_the_limits_of_the_server() {
    let options = Options {
        receive_maximum: 2,
        maximum_qos: Qos::AtLeastOnce,
        retain_available: false,
        packet_size_max: 100,
        ..Options::default()
    };
    let mut pair = Pair::new(options, lasting());
    pair.connect();
    pair.drive();
    for number in 0..20 {
        pair.publish(&number.to_string(), 1);
    }
    pair.publish("qos", 2);
    pair.publish(&"x".repeat(100), 0);
    let topic = TopicName::try_from("t").unwrap();
    let mut retained = PublishRequest::new(topic, Bytes::new(), Qos::AtMostOnce);
    retained.retain = true;
    pair.act(|client, now| client.publish(now, retained)).unwrap();
    assert_eq!(pair.client.inflight(), 2);
    pair.drive();
    assert_eq!(pair.entered().len(), 20);
    assert_eq!(pair.published(ReasonCode::Success), 20);
    assert_eq!(pair.published(ReasonCode::QosNotSupported), 1, "[MQTT-3.2.2-11]");
    assert_eq!(pair.published(ReasonCode::PacketTooLarge), 1, "[MQTT-3.2.2-15]");
    assert_eq!(pair.published(ReasonCode::RetainNotSupported), 1, "[MQTT-3.2.2-14]");
    assert!(pair.closes().is_empty(), "{:?}", pair.told);
}

/// [MQTT-3.2.2-17], [MQTT-3.3.2-7]
#[test]
fn aliases_of_the_client_are_understood() {
    let options = ClientOptions { outbound_alias_maximum: 4, ..lasting() };
    let mut pair = Pair::connected(options);
    let topic = TopicName::try_from("a/rather/long/topic").unwrap();
    for round in 0..2 {
        for _ in 0..4 {
            let request = PublishRequest::new(topic.clone(), Bytes::new(), Qos::AtLeastOnce);
            pair.act(|client, now| client.publish(now, request)).unwrap();
        }
        if round == 0 {
            pair.lose_connection();
            pair.connect();
        }
    }
    pair.drive();
    assert_eq!(pair.published(ReasonCode::Success), 8);
    assert!(pair.shell.entered.iter().all(|message| message.topic == topic));
}

#[test]
fn aliases_of_the_server_are_understood() {
    let mut options = lasting();
    options.properties.topic_alias_maximum = 8;
    let mut pair = Pair::connected(options);
    let mut told = Vec::new();
    for number in 0..4 {
        told.extend(pair.shell.deliver(&message(&number.to_string()), 1).1);
    }
    assert!(told.iter().any(|told| told.contains("alias") && !told.contains("topic")));
    pair.drive();
    assert_eq!(pair.payloads(), ["0", "1", "2", "3"]);
    assert!(pair.received.iter().all(|message| message.topic.as_str() == "plant/line/1"));
}

/// [MQTT-3.1.2-20], [MQTT3-3.1.2-23]
#[test]
fn pings_keep_an_idle_connection_and_silence_ends_it() {
    let options = ClientOptions { keep_alive: 10, response_timeout: 5, ..lasting() };
    let mut pair = Pair::connected(options);
    pair.advance(100);
    assert!(pair.client.is_connected() && pair.closes().is_empty());
    // The server answers no more.
    let now = pair.shell.now;
    pair.shell.session = None;
    pair.advance(11);
    pair.shell.frames.clear();
    pair.advance(5);
    assert_eq!(pair.closes(), [ClientClose::Silence]);
    assert!(pair.shell.now > now);
}

#[test]
fn the_answer_to_a_ping_is_told_when_all_before_it_was_read() {
    for options in versions() {
        let mut pair = Pair::connected(options);
        pair.publish("a", 0);
        pair.act(Client::ping).unwrap();
        assert!(!pair.told.contains(&ClientOutput::Pong));
        pair.drive();
        assert_eq!(pair.entered(), ["a"]);
        assert!(pair.told.contains(&ClientOutput::Pong));
    }
}

/// [MQTT-3.1.2-21]
#[test]
fn the_servers_keep_alive_replaces_the_clients() {
    let options = Options { server_keep_alive: Some(4), ..Options::default() };
    let mut pair = Pair::new(options, ClientOptions { keep_alive: 600, ..lasting() });
    pair.connect();
    pair.drive();
    pair.advance(60);
    assert!(pair.client.is_connected(), "{:?}", pair.story);
}

#[test]
fn a_refused_client_is_told_and_closed() {
    let mut pair = Pair::new(Options::default(), lasting());
    pair.shell.verdict = Err(ReasonCode::NotAuthorized);
    pair.connect();
    pair.drive();
    assert!(matches!(pair.told.first(), Some(ClientOutput::Refused(_))));
    assert_eq!(pair.closes(), [ClientClose::ByServer(ReasonCode::NotAuthorized)]);
}

/// [MQTT-3.1.3-7]
#[test]
fn an_assigned_identifier_is_used_from_then_on() {
    let mut pair = Pair::connected(ClientOptions { client_id: text(""), ..lasting() });
    assert_eq!(pair.client.options().client_id, text("assigned-1"));
    pair.lose_connection();
    pair.connect();
    pair.drive();
    assert!(pair.story.iter().any(|told| told == "CONNACK Success present"));
}

/// [MQTT-3.2.2-5]: the server lost the session.
#[test]
fn what_was_under_way_starts_anew_when_the_server_forgot_it() {
    let mut pair = Pair::connected(lasting());
    pair.publish("one", 1);
    pair.publish("two", 2);
    pair.lose_connection();
    pair.shell.session = None;
    pair.connect();
    pair.drive();
    assert_eq!(pair.entered(), ["one"], "nobody knows of QoS 2 whether it was taken");
    assert_eq!(pair.published(ReasonCode::Success), 1);
    let abandoned = pair.told.iter().filter(|told| matches!(told, ClientOutput::Abandoned(_)));
    assert_eq!(abandoned.count(), 1);
}

/// The server lost the session, and the CONNACK that said so was lost too: what it now gives an
/// identifier to is a new message, whatever the client still holds of the old one.
#[test]
fn an_identifier_of_a_session_that_is_gone_is_the_new_ones() {
    let mut pair = Pair::connected(lasting());
    pair.shell.deliver(&message("old"), 2);
    pair.step_down();
    pair.lose_connection();
    pair.shell.session = None;
    pair.connect();
    pair.step_up(); // CONNECT arrives, CONNACK is on its way and lost.
    pair.lose_connection();
    pair.connect();
    pair.drive();
    pair.shell.deliver(&message("new"), 1);
    pair.drive();
    assert_eq!(pair.payloads(), ["old", "new"]);
    assert!(pair.closes().is_empty(), "{:?}", pair.told);
    // Of one connection, it is in use ([MQTT-2.2.1-4]).
    pair.shell.deliver(&message("whole"), 2);
    pair.step_down();
    let id = pair.received.last().and_then(|message| message.packet_id);
    let publish = plexus_wire::Publish { packet_id: id, ..publish("b", "b", 1, 1) };
    pair.act(|client, now| client.handle_packet(now, Ok(Packet::Publish(publish))));
    assert_eq!(pair.closes(), [ClientClose::Fault(ReasonCode::ProtocolError)]);
}

/// [MQTT-3.14.4-1], [MQTT-3.14.4-3]
#[test]
fn a_client_that_says_good_bye_leaves_no_will() {
    for version in [ProtocolVersion::V311, ProtocolVersion::V5] {
        let will = Some(crate::shell::will(0));
        let mut pair = Pair::connected(ClientOptions { version, will, ..lasting() });
        pair.act(|client, now| {
            client.disconnect(now, ReasonCode::Success, DisconnectProperties::default());
        });
        pair.drive();
        assert!(pair.entered().is_empty());
        assert_eq!(pair.closes(), [ClientClose::Wanted]);
    }
}

/// [MQTT-4.6.0-2], [MQTT-4.5.0-2]
#[test]
fn messages_acknowledged_by_hand_are_acknowledged_in_order() {
    let mut pair = Pair::connected(ClientOptions { acknowledge: false, ..lasting() });
    for payload in ["a", "b"] {
        pair.shell.deliver(&message(payload), 1);
    }
    pair.drive();
    let ids: Vec<_> = pair.received.iter().filter_map(|message| message.packet_id).collect();
    pair.act(|client, now| client.acknowledge(now, ids[1], ReasonCode::Success));
    pair.drive();
    assert_eq!(pair.shell.session.as_ref().unwrap().inflight(), 2);
    pair.act(|client, now| client.acknowledge(now, ids[0], ReasonCode::Success));
    pair.drive();
    assert_eq!(pair.shell.session.as_ref().unwrap().inflight(), 0);
}

/// [MQTT-3.2.2-4], [MQTT-4.13.1-1]
#[test]
fn a_server_that_breaks_the_rules_is_left() {
    let mut pair = Pair::connected(lasting());
    pair.act(|client, now| client.handle_packet(now, Err(ProtocolError::NotUtf8)));
    assert_eq!(pair.closes(), [ClientClose::Fault(ReasonCode::MalformedPacket)]);
    let mut pair = Pair::connected(lasting());
    pair.act(|client, now| client.handle_packet(now, Ok(Packet::PingReq)));
    assert_eq!(pair.closes(), [ClientClose::Fault(ReasonCode::ProtocolError)]);
    let mut pair = Pair::new(Options::default(), lasting());
    pair.act(|client, now| {
        client.connect(now);
        let connack = plexus_wire::ConnAck {
            session_present: true,
            reason: ReasonCode::Success,
            properties: plexus_wire::ConnAckProperties::default(),
        };
        client.handle_packet(now, Ok(Packet::ConnAck(Box::new(connack))));
    });
    assert_eq!(pair.closes(), [ClientClose::Fault(ReasonCode::ProtocolError)]);
}

#[test]
fn a_server_that_never_accepts_is_given_up() {
    let mut pair =
        Pair::new(Options::default(), ClientOptions { response_timeout: 5, ..lasting() });
    pair.act(Client::connect);
    let due = pair.client.poll_timeout().unwrap();
    assert_eq!(due, pair.shell.now + std::time::Duration::from_secs(5));
    pair.act(|client, _| client.handle_timeout(due));
    assert_eq!(pair.closes(), [ClientClose::Silence]);
}

/// [MQTT-4.12.0-3], [MQTT-4.12.0-7]
#[test]
fn a_client_takes_part_in_an_authentication_exchange() {
    let auth = plexus_wire::Auth {
        reason: ReasonCode::ContinueAuthentication,
        authentication_method: Some(text("m")),
        authentication_data: Some(Bytes::from_static(b"challenge")),
        reason_string: None,
        user_properties: plexus_wire::UserProperties::default(),
    };
    let mut options = lasting();
    let mut plain = Pair::connected(options.clone());
    let refused = plain.act(|client, now| client.auth(now, auth.clone()));
    assert_eq!(refused, Err(RequestError::Version));
    options.properties.authentication_method = Some(text("m"));
    let mut pair = Pair::new(Options::default(), options);
    pair.act(|client, now| {
        client.connect(now);
        client.handle_packet(now, Ok(Packet::Auth(Box::new(auth.clone()))));
    });
    let asked = ClientOutput::Authentication(Box::new(auth.clone()));
    assert_eq!(pair.told, [asked]);
    assert_eq!(pair.act(|client, now| client.auth(now, auth)), Ok(()));
}

#[test]
fn passwords_do_not_show_in_debug_output() {
    let password = Some(Bytes::from_static(b"secret"));
    let options = ClientOptions { password: password.clone(), ..lasting() };
    let credentials = plexus_session::Credentials {
        client_id: plexus_types::ClientId::try_from("c").unwrap(),
        user_name: None,
        password,
        authentication_method: None,
        authentication_data: None,
    };
    assert!(!format!("{options:?}{credentials:?}").contains("secret"));
}

#[test]
fn clients_share_one_queue_of_effects() {
    let mut spare = std::collections::VecDeque::new();
    let mut clients = [lasting(), lasting()].map(Client::new);
    for client in &mut clients {
        client.lend_outputs(&mut spare);
        client.connect(plexus_types::Instant::ZERO);
        let first = client.poll_output();
        assert!(matches!(first, Some(ClientOutput::Send(Packet::Connect(_)))), "{first:?}");
        assert_eq!(client.poll_output(), None);
        client.lend_outputs(&mut spare);
        assert!(spare.is_empty() && spare.capacity() > 0, "its memory came back");
    }
}
