//! CONNECT and CONNACK.

use std::sync::Arc;

use plexus_session::{Action, CloseReason, Connecting, Decision, Options, Outbox, Output};
use plexus_types::{Instant, ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{Auth, ConnAck, Connect, ConnectProperties, Packet, UserProperties};

use crate::shell::{Shell, connect, durable, publish, text, will};

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;
const V31: ProtocolVersion = ProtocolVersion::V31;

fn with_id(version: ProtocolVersion, client_id: &str, clean_start: bool) -> Connect {
    Connect { client_id: text(client_id), clean_start, ..connect(version) }
}

/// The CONNACK that a CONNECT gets.
fn connack(options: Options, connect: Connect) -> ConnAck {
    let version = connect.version;
    let mut shell = Shell::new(options);
    shell.connect(connect);
    let mut bytes = shell.frames.pop_front().expect("CONNACK").into();
    let limits = plexus_wire::Limits::default();
    let mut decoder = plexus_wire::Decoder::client(version, limits);
    match decoder.decode(&mut bytes).unwrap() {
        Some(Packet::ConnAck(connack)) => *connack,
        other => unreachable!("not a CONNACK: {other:?}"),
    }
}

/// [MQTT-3.1.3-6], [MQTT-3.1.3-8], [MQTT3-3.1.3-6], [MQTT3-3.1.3-7], [MQTT3-3.1.3-8],
/// [MQTT3-3.1.3-9]; 3.1 allows 1 to 23 characters.
#[test]
fn the_client_identifier_follows_the_rules_of_its_version() {
    let accepted = ["CONNACK Success"].as_slice();
    let refused =
        ["CONNACK ClientIdentifierNotValid", "CLOSE Refused(ClientIdentifierNotValid)"].as_slice();
    let long = "a".repeat(24);
    let longest = "a".repeat(1_025);
    let table = [
        (V5, "", true, accepted),
        (V5, "", false, accepted),
        (V311, "", true, accepted),
        (V311, "", false, refused),
        (V31, "", true, refused),
        (V31, &long[1..], true, accepted),
        (V31, &long, true, refused),
        (V311, &long, true, accepted),
        (V5, &longest[1..], true, accepted),
        (V5, &longest, true, refused),
    ];
    for (version, client_id, clean, expected) in table {
        let story = Shell::new(Options::default()).connect(with_id(version, client_id, clean));
        assert_eq!(story, expected, "{version:?} {} {clean}", client_id.len());
    }
}

/// [MQTT-3.1.3-7], [MQTT-3.2.2-16]
#[test]
fn an_assigned_identifier_is_told() {
    let connack = connack(Options::default(), with_id(V5, "", true));
    assert_eq!(connack.properties.assigned_client_identifier, Some(text("assigned-1")));
}

#[test]
fn connack_names_every_capability() {
    let properties = connack(Options::default(), connect(V5)).properties;
    let options = Options::default();
    assert_eq!(properties.receive_maximum, Some(options.receive_maximum));
    assert_eq!(properties.maximum_packet_size, Some(options.packet_size_max));
    assert_eq!(properties.topic_alias_maximum, Some(options.topic_alias_maximum));
    assert_eq!(properties.retain_available, Some(true));
    assert_eq!(properties.wildcard_subscription_available, Some(true));
    assert_eq!(properties.shared_subscription_available, Some(true));
    assert_eq!(properties.subscription_identifiers_available, Some(true));
    assert_eq!(properties.maximum_qos, None, "[MQTT-3.2.2-9]: only when below 2");
    assert_eq!(properties.session_expiry_interval, None);
    assert_eq!(properties.server_keep_alive, None);
    assert_eq!(properties.assigned_client_identifier, None);
    assert_eq!(properties.response_information, None);
}

#[test]
fn connack_tells_what_the_server_changed() {
    let options = Options {
        maximum_qos: Qos::AtLeastOnce,
        session_expiry_max: 60,
        keep_alive_max: 30,
        ..Options::default()
    };
    let asked = Connect { keep_alive: 100, ..durable(61) };
    let properties = connack(options.clone(), asked).properties;
    assert_eq!(properties.maximum_qos, Some(Qos::AtLeastOnce), "[MQTT-3.2.2-9]");
    assert_eq!(properties.session_expiry_interval, Some(60));
    assert_eq!(properties.server_keep_alive, Some(30), "[MQTT-3.1.2-21]");
    let within = Connect { keep_alive: 30, ..durable(60) };
    let properties = connack(options, within).properties;
    assert_eq!(properties.session_expiry_interval, None);
    assert_eq!(properties.server_keep_alive, None, "[MQTT-3.2.2-22]");
}

/// Each row: the server's keep alive, its cap, the client's wish, what holds.
#[test]
fn keep_alive_is_the_servers_or_capped() {
    let table = [
        (None, 0, 60, 60),
        (None, 0, 0, 0),
        (None, 30, 60, 30),
        (None, 30, 0, 30),
        (None, 30, 20, 20),
        (Some(10), 0, 60, 10),
        (Some(0), 0, 60, 0),
        (Some(40), 30, 60, 30),
    ];
    for (server_keep_alive, keep_alive_max, keep_alive, expected) in table {
        let mut shell =
            Shell::new(Options { server_keep_alive, keep_alive_max, ..Options::default() });
        shell.connect(Connect { keep_alive, ..connect(V311) });
        assert_eq!(shell.session.unwrap().keep_alive(), expected, "{server_keep_alive:?}");
    }
}

/// [MQTT-3.1.2-28]
#[test]
fn response_information_comes_only_when_asked_for() {
    let options =
        Options { response_information: Some(text("answers/{client_id}")), ..Options::default() };
    let mut asked = connect(V5);
    assert_eq!(connack(options.clone(), asked.clone()).properties.response_information, None);
    asked.properties.request_response_information = true;
    let told = connack(options, asked).properties.response_information;
    assert_eq!(told, Some(text("answers/c")));
}

/// [MQTT-3.2.2-12], [MQTT-3.2.2-13], and the limits of a topic.
#[test]
fn a_will_that_the_server_cannot_publish_is_refused() {
    let options = Options {
        maximum_qos: Qos::AtMostOnce,
        retain_available: false,
        topic_levels_max: 2,
        ..Options::default()
    };
    let levels = plexus_types::TopicName::try_from("a/b/c").unwrap();
    let plain = plexus_wire::Will { qos: Qos::AtMostOnce, ..will(0) };
    let table = [
        (will(0), ReasonCode::QosNotSupported),
        (plexus_wire::Will { retain: true, ..plain.clone() }, ReasonCode::RetainNotSupported),
        (plexus_wire::Will { topic: levels, ..plain.clone() }, ReasonCode::TopicNameInvalid),
        (plain, ReasonCode::Success),
    ];
    for (will, reason) in table {
        let connack = connack(options.clone(), Connect { will: Some(will), ..connect(V5) });
        assert_eq!(connack.reason, reason);
    }
}

/// [MQTT-3.1.4-2], [MQTT-3.2.2-7], [MQTT3-3.2.2-5]
#[test]
fn a_client_that_is_not_who_it_says_is_refused_and_closed() {
    for version in [V31, V311, V5] {
        let mut shell = Shell::new(Options::default());
        shell.verdict = Err(ReasonCode::BadUserNameOrPassword);
        let story = shell.connect(connect(version));
        let expected = ["CONNACK BadUserNameOrPassword", "CLOSE Refused(BadUserNameOrPassword)"];
        assert_eq!(story, expected);
        assert!(shell.session.is_none());
    }
}

/// [MQTT-3.1.2-24], [MQTT-3.2.2-19]
#[test]
fn connack_fits_the_clients_maximum_packet_size_or_is_not_sent() {
    let sized = |size| {
        let mut connect = with_id(V5, "", true);
        connect.properties.maximum_packet_size = Some(size);
        connect.properties.request_response_information = true;
        connect
    };
    let options =
        Options { response_information: Some(text(&"x".repeat(100))), ..Options::default() };
    let connack = connack(options.clone(), sized(60));
    assert_eq!(connack.properties.response_information, None);
    assert_eq!(connack.properties.assigned_client_identifier, Some(text("assigned-1")));
    let story = Shell::new(options).connect(sized(10));
    assert_eq!(story, ["CLOSE Refused(PacketTooLarge)", "ENDED"]);
}

/// [MQTT-3.14.0-1], [MQTT-3.2.2-6]
#[test]
fn a_packet_before_the_decision_is_refused_by_connack() {
    let options = Arc::new(Options::default());
    let (now, mut out) = (Instant::ZERO, Outbox::new());
    let mut connecting = Connecting::new(options, Box::new(connect(V5)), None);
    connecting.start(now, &mut out);
    assert!(matches!(out.poll(), Some(Output::Authorize(Action::Connect(_)))));
    connecting.handle_packet(now, Ok(Packet::Publish(publish("t", "x", 0, 0))), &mut out);
    match out.poll() {
        Some(Output::Send(Packet::ConnAck(connack))) => {
            assert_eq!(connack.reason, ReasonCode::ProtocolError);
            assert!(!connack.session_present);
        }
        other => unreachable!("{other:?}"),
    }
    let refused = CloseReason::Refused(ReasonCode::ProtocolError);
    assert!(matches!(out.poll(), Some(Output::Close(reason)) if reason == refused));
}

/// The shell may learn only now that the session belongs to somebody else.
#[test]
fn a_client_may_be_refused_after_it_was_admitted() {
    let (now, mut out) = (Instant::ZERO, Outbox::new());
    let options = Arc::new(Options::default());
    let mut connecting = Connecting::new(options, Box::new(connect(V311)), None);
    connecting.start(now, &mut out);
    let Some(Output::Authorize(action)) = out.poll() else { unreachable!("asked first") };
    connecting.handle_decision(now, Decision { action, verdict: Ok(()) }, &mut out);
    assert!(matches!(out.poll(), Some(Output::Admit(_))));
    connecting.refuse(ReasonCode::NotAuthorized, None, &mut out);
    assert!(matches!(out.poll(), Some(Output::Send(Packet::ConnAck(_)))));
    let refused = CloseReason::Refused(ReasonCode::NotAuthorized);
    assert!(matches!(out.poll(), Some(Output::Close(reason)) if reason == refused));
    connecting.refuse(ReasonCode::NotAuthorized, None, &mut out);
    assert!(out.poll().is_none(), "once is enough");
}

/// [MQTT3-3.2.2-6], [MQTT3-3.1.4-1]
#[test]
fn a_3_1_1_client_that_breaks_the_rules_is_only_closed() {
    let (now, mut out) = (Instant::ZERO, Outbox::new());
    let options = Arc::new(Options::default());
    let mut connecting = Connecting::new(options, Box::new(connect(V311)), None);
    connecting.start(now, &mut out);
    assert!(matches!(out.poll(), Some(Output::Authorize(_))));
    let fault = plexus_wire::ProtocolError::NotUtf8;
    connecting.handle_packet(now, Err(fault), &mut out);
    let refused = CloseReason::Refused(ReasonCode::MalformedPacket);
    assert!(matches!(out.poll(), Some(Output::Close(reason)) if reason == refused));
}

#[test]
fn a_server_that_is_elsewhere_says_where() {
    let options = Arc::new(Options::default());
    let mut out = Outbox::new();
    let mut connecting = Connecting::new(options, Box::new(connect(V5)), None);
    connecting.refuse(ReasonCode::UseAnotherServer, Some(text("b.example")), &mut out);
    match out.poll() {
        Some(Output::Send(Packet::ConnAck(connack))) => {
            assert_eq!(connack.reason, ReasonCode::UseAnotherServer);
            assert_eq!(connack.properties.server_reference, Some(text("b.example")));
        }
        other => unreachable!("{other:?}"),
    }
}

fn auth(reason: ReasonCode, method: &str, data: &'static [u8]) -> Box<Auth> {
    Box::new(Auth {
        reason,
        authentication_method: Some(text(method)),
        authentication_data: Some(bytes::Bytes::from_static(data)),
        reason_string: None,
        user_properties: UserProperties::default(),
    })
}

fn with_method() -> Connect {
    let properties =
        ConnectProperties { authentication_method: Some(text("m")), ..Default::default() };
    Connect { properties, ..connect(V5) }
}

/// [MQTT-4.12.0-2], [MQTT-4.12.0-3], [MQTT-4.12.0-5]
#[test]
fn an_authentication_exchange_goes_through_its_port() {
    let (now, mut out) = (Instant::ZERO, Outbox::new());
    let options = Arc::new(Options::default());
    let mut connecting = Connecting::new(options, Box::new(with_method()), None);
    connecting.start(now, &mut out);
    let Some(Output::Authorize(Action::Connect(credentials))) = out.poll() else {
        unreachable!("asked first")
    };
    assert_eq!(credentials.authentication_method, Some(text("m")));
    let action = Action::Authenticate(auth(ReasonCode::Success, "m", b"challenge"));
    let verdict = Err(ReasonCode::ContinueAuthentication);
    connecting.handle_decision(now, Decision { action, verdict }, &mut out);
    match out.poll() {
        Some(Output::Send(Packet::Auth(sent))) => {
            assert_eq!(sent.reason, ReasonCode::ContinueAuthentication);
        }
        other => unreachable!("{other:?}"),
    }
    let answer = auth(ReasonCode::ContinueAuthentication, "m", b"answer");
    connecting.handle_packet(now, Ok(Packet::Auth(answer)), &mut out);
    assert!(matches!(out.poll(), Some(Output::Authorize(Action::Authenticate(_)))));
    let action = Action::Authenticate(auth(ReasonCode::Success, "m", b"proof"));
    connecting.handle_decision(now, Decision { action, verdict: Ok(()) }, &mut out);
    let Some(Output::Admit(admitted)) = out.poll() else { unreachable!("admitted") };
    let data = admitted.connect.properties.authentication_data.clone();
    assert_eq!(data.as_deref(), Some(b"proof".as_slice()), "goes with CONNACK");
}

/// [MQTT-4.12.0-3], [MQTT-4.12.0-5]
#[test]
fn an_exchange_with_another_method_or_reason_is_refused() {
    let table = [
        (
            auth(ReasonCode::ContinueAuthentication, "other", b""),
            ReasonCode::BadAuthenticationMethod,
        ),
        (auth(ReasonCode::ReAuthenticate, "m", b""), ReasonCode::ProtocolError),
    ];
    for (answer, reason) in table {
        let (now, mut out) = (Instant::ZERO, Outbox::new());
        let options = Arc::new(Options::default());
        let mut connecting = Connecting::new(options, Box::new(with_method()), None);
        connecting.start(now, &mut out);
        let action = Action::Authenticate(auth(ReasonCode::Success, "m", b""));
        let verdict = Err(ReasonCode::ContinueAuthentication);
        connecting.handle_decision(now, Decision { action, verdict }, &mut out);
        while out.poll().is_some() {}
        connecting.handle_packet(now, Ok(Packet::Auth(answer)), &mut out);
        match out.poll() {
            Some(Output::Send(Packet::ConnAck(connack))) => assert_eq!(connack.reason, reason),
            other => unreachable!("{other:?}"),
        }
    }
}

/// [MQTT-4.12.1-1], [MQTT-4.12.1-2], [MQTT-4.12.0-7]
#[test]
fn a_client_may_authenticate_itself_anew() {
    let mut shell = Shell::connected(with_method());
    let story = shell.packet(Packet::Auth(auth(ReasonCode::ReAuthenticate, "m", b"x")));
    assert_eq!(story, ["AUTH Success"]);
    shell.verdict = Err(ReasonCode::ContinueAuthentication);
    let story = shell.packet(Packet::Auth(auth(ReasonCode::ReAuthenticate, "m", b"x")));
    assert_eq!(story, ["AUTH ContinueAuthentication"]);
    shell.verdict = Err(ReasonCode::NotAuthorized);
    let story = shell.packet(Packet::Auth(auth(ReasonCode::ContinueAuthentication, "m", b"x")));
    let refused = ["DISCONNECT NotAuthorized", "CLOSE ByServer(NotAuthorized)", "ENDED"];
    assert_eq!(story, refused);
    let mut without = Shell::connected(connect(V5));
    let story = without.packet(Packet::Auth(auth(ReasonCode::ReAuthenticate, "m", b"x")));
    assert_eq!(story[0], "DISCONNECT ProtocolError");
}
