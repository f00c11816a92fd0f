//! Peers that send anything at any time.

use bytes::Bytes;
use plexus_session::{ClientOptions, Options, QueuePolicy};
use plexus_types::{ProtocolVersion, ReasonCode};
use plexus_wire::{
    Ack, Auth, Connect, ConnectProperties, Disconnect, DisconnectProperties, Packet, Unsubscribe,
    UserProperties,
};
use proptest::prelude::*;

use crate::{
    pair::{Pair, lasting},
    shell::{Shell, connect, id, message, publish, subscribe, text, will},
};

const REASONS: [ReasonCode; 5] = [
    ReasonCode::Success,
    ReasonCode::NoMatchingSubscribers,
    ReasonCode::NotAuthorized,
    ReasonCode::ContinueAuthentication,
    ReasonCode::ReAuthenticate,
];

fn reason() -> impl Strategy<Value = ReasonCode> {
    proptest::sample::select(REASONS.to_vec())
}

fn ack() -> impl Strategy<Value = Ack> {
    (1_u16..5, reason()).prop_map(|(number, reason)| Ack::new(id(number), reason))
}

fn any_publish() -> impl Strategy<Value = Packet> {
    let topics = proptest::sample::select(vec!["", "t", "a/b/c/d", "+", "a/rather/long/topic"]);
    let alias = proptest::option::of(0_u16..4);
    (topics, 0_u8..3, 1_u16..5, alias, any::<(bool, bool)>()).prop_map(
        |(topic, qos, number, alias, (dup, retain))| {
            let number = if qos == 0 { 0 } else { number };
            let mut publish = publish(topic, "x", qos, number);
            (publish.dup, publish.retain) = (dup && qos > 0, retain);
            publish.properties.topic_alias = alias;
            Packet::Publish(publish)
        },
    )
}

fn auth() -> impl Strategy<Value = Packet> {
    (reason(), proptest::bool::ANY).prop_map(|(reason, known)| {
        Packet::Auth(Box::new(Auth {
            reason,
            authentication_method: Some(text(if known { "m" } else { "other" })),
            authentication_data: Some(Bytes::from_static(b"x")),
            reason_string: None,
            user_properties: UserProperties::default(),
        }))
    })
}

fn requests() -> impl Strategy<Value = Packet> {
    let filters = proptest::sample::select(vec!["a", "a/#", "#/a", "$share/g/a", "$share/g", ""]);
    (1_u16..5, proptest::collection::vec(filters, 1..4), proptest::bool::ANY).prop_map(
        |(number, filters, subscribes)| {
            if subscribes {
                return subscribe(number, &filters);
            }
            Packet::Unsubscribe(Box::new(Unsubscribe {
                packet_id: id(number),
                user_properties: UserProperties::default(),
                filters: filters.into_iter().map(text).collect(),
            }))
        },
    )
}

fn goodbye() -> impl Strategy<Value = Packet> {
    (reason(), proptest::option::of(0_u32..3)).prop_map(|(reason, session_expiry_interval)| {
        let properties = DisconnectProperties { session_expiry_interval, ..Default::default() };
        Packet::Disconnect(Box::new(Disconnect { reason, properties }))
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    prop_oneof![
        8 => any_publish(),
        3 => ack().prop_map(Packet::PubAck),
        3 => ack().prop_map(Packet::PubRec),
        3 => ack().prop_map(Packet::PubRel),
        3 => ack().prop_map(Packet::PubComp),
        3 => requests(),
        1 => auth(),
        1 => goodbye(),
        2 => Just(Packet::PingReq),
        1 => Just(Packet::PingResp),
        1 => Just(Packet::Connect(Box::new(connect(ProtocolVersion::V5)))),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Packet(Packet),
    Connect(ProtocolVersion, bool, u32, u16),
    Deliver(u8, bool),
    Lose,
    Advance(u64),
    Verdict(bool),
    Keep(bool),
    Congest(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let version = proptest::sample::select(vec![
        ProtocolVersion::V31,
        ProtocolVersion::V311,
        ProtocolVersion::V5,
        ProtocolVersion::V5,
    ]);
    prop_oneof![
        12 => packet().prop_map(Step::Packet),
        3 => (version, any::<bool>(), 0_u32..4, 1_u16..4)
            .prop_map(|(version, clean, expiry, window)| {
                Step::Connect(version, clean, expiry, window)
            }),
        6 => (0_u8..3, any::<bool>()).prop_map(|(qos, shared)| Step::Deliver(qos, shared)),
        1 => Just(Step::Lose),
        1 => (0_u64..4).prop_map(Step::Advance),
        1 => any::<bool>().prop_map(Step::Verdict),
        1 => any::<bool>().prop_map(Step::Keep),
        1 => any::<bool>().prop_map(Step::Congest),
    ]
}

fn options() -> Options {
    Options {
        receive_maximum: 3,
        inflight_max: 2,
        queue_messages_max: 3,
        topic_levels_max: 3,
        topic_alias_maximum: 2,
        subscriptions_max: 2,
        queue_policy: QueuePolicy::Disconnect,
        ..Options::default()
    }
}

fn take(shell: &mut Shell, step: Step) -> Vec<String> {
    let now = shell.now;
    match step {
        Step::Packet(packet) => shell.packet(packet),
        Step::Connect(version, clean_start, expiry, window) => {
            let properties = ConnectProperties {
                session_expiry_interval: expiry,
                receive_maximum: window,
                topic_alias_maximum: window,
                maximum_packet_size: Some(40 + u32::from(window)),
                authentication_method: (window == 1).then(|| text("m")),
                ..ConnectProperties::default()
            };
            let asked = if version.is_v5() { properties } else { ConnectProperties::default() };
            let will = (expiry > 0).then(|| will(expiry - 1));
            let keep_alive = window;
            let connect = connect(version);
            let properties = asked;
            shell.connect(Connect { clean_start, will, keep_alive, properties, ..connect })
        }
        Step::Deliver(qos, shared) => {
            let group = shared.then_some("$share/g/#");
            shell.deliver_with(&message("x"), qos, &[], group).1
        }
        Step::Lose => shell.lose_connection(),
        Step::Advance(seconds) => shell.advance(seconds),
        Step::Verdict(allows) => {
            shell.verdict = if allows { Ok(()) } else { Err(ReasonCode::NotAuthorized) };
            Vec::new()
        }
        Step::Keep(keeps) => {
            shell.keeps = keeps;
            if keeps { shell.keep_all() } else { Vec::new() }
        }
        Step::Congest(congested) => {
            shell.act(|session, out| session.handle_congestion(now, congested, out))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_session_survives_any_client_within_its_limits(
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let mut shell = Shell::new(options());
        for step in steps {
            let story = take(&mut shell, step);
            // [MQTT-3.14.4-1]: nothing is sent behind a DISCONNECT or a close, up to the next CONNACK.
            let mut closed = false;
            for told in &story {
                let sends = !["CLOSE", "ROUTE", "DROPPED", "REDISPATCH", "ENDED"]
                    .iter()
                    .any(|word| told.starts_with(word));
                closed &= !told.starts_with("CONNACK");
                prop_assert!(!(closed && sends), "{:?}", story);
                closed |= told.starts_with("CLOSE By");
            }
            let Some(session) = &shell.session else { continue };
            let connected = session.is_connected();
            // A CONNACK that waits for the log has not been told.
            prop_assert!(!(closed && connected && shell.keeps));
            prop_assert!(session.inflight() <= 2);
            prop_assert!(session.queued().0 <= 3);
            prop_assert!(session.subscription_count() <= 2);
            prop_assert!(
                !session.is_blocked() || !shell.keeps,
                "every question was answered"
            );
            prop_assert!(connected || session.poll_timeout().is_some(), "it ends some day");
        }
        // Left alone, nothing of it stays.
        shell.lose_connection();
        shell.verdict = Ok(());
        shell.advance(10_000);
        prop_assert!(shell.session.is_none());
    }

    #[test]
    fn a_client_survives_any_server(
        packets in proptest::collection::vec(packet(), 1..60),
        acknowledge in any::<bool>(),
    ) {
        let options = ClientOptions { acknowledge, inflight_max: 3, ..lasting() };
        let mut pair = Pair::connected(options);
        for (number, packet) in packets.into_iter().enumerate() {
            pair.act(|client, now| client.handle_packet(now, Ok(packet)));
            if pair.client.is_offline() {
                pair.connect();
                pair.drive();
            }
            if pair.client.queued() < 10 {
                pair.publish(&number.to_string(), 1 + number as u8 % 2);
            }
            prop_assert!(pair.client.inflight() <= 3);
        }
    }
}
