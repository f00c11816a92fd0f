//! SUBSCRIBE and UNSUBSCRIBE.

use plexus_session::{Options, Output};
use plexus_types::{ProtocolVersion, ReasonCode};
use plexus_wire::{Connect, Packet};

use crate::shell::{Shell, connect, durable, publish, subscribe, unsubscribe};

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;

fn filters(shell: &Shell) -> Vec<String> {
    let session = shell.session.as_ref().unwrap();
    session.subscriptions().map(|(filter, ..)| filter.to_string()).collect()
}

/// [MQTT-3.8.4-1], [MQTT-3.8.4-2], [MQTT-3.8.4-6], [MQTT-3.9.3-1], [MQTT3-3.8.4-5]
#[test]
fn each_filter_gets_its_own_answer_in_order() {
    let options = Options {
        topic_levels_max: 3,
        wildcard_available: false,
        shared_available: false,
        subscriptions_max: 2,
        maximum_qos: plexus_types::Qos::AtLeastOnce,
        ..Options::default()
    };
    let mut shell = Shell::new(options);
    shell.connect(connect(V5));
    let wanted = ["a", "a/#", "a/#/b", "$share/g/a", "$share/g", "a/b/c/d", "b", "a", "c"];
    let story = shell.packet(subscribe(7, &wanted));
    let expected = [
        "GrantedQos1",
        "WildcardSubscriptionsNotSupported",
        "TopicFilterInvalid",
        "SharedSubscriptionsNotSupported",
        "TopicFilterInvalid",
        "TopicFilterInvalid",
        "GrantedQos1",
        "GrantedQos1",
        "QuotaExceeded",
    ];
    assert_eq!(story, [format!("SUBACK 7 [{}]", expected.join(", "))]);
    assert_eq!(filters(&shell), ["a", "b"]);
}

#[test]
fn what_access_control_refuses_is_not_subscribed() {
    let mut shell = Shell::connected(connect(V5));
    shell.verdict = Err(ReasonCode::NotAuthorized);
    assert_eq!(shell.packet(subscribe(1, &["a"])), ["SUBACK 1 [NotAuthorized]"]);
    assert!(filters(&shell).is_empty());
}

/// [MQTT-3.10.4-1], [MQTT-3.10.4-4], [MQTT-3.10.4-5], [MQTT-3.10.4-6], [MQTT-3.11.3-1],
/// [MQTT3-3.10.4-5]
#[test]
fn unsubscribing_says_what_was_there() {
    let mut shell = Shell::connected(connect(V5));
    shell.packet(subscribe(1, &["a/+", "$share/g/a"]));
    let story = shell.packet(unsubscribe(2, &["a/+", "a/+", "a", "a/#/b", "$share/g/a"]));
    let expected = "UNSUBACK 2 [Success, NoSubscriptionExisted, NoSubscriptionExisted, \
                    TopicFilterInvalid, Success]";
    assert_eq!(story, [expected]);
    assert!(filters(&shell).is_empty());
    assert_eq!(shell.packet(unsubscribe(3, &["x"])), ["UNSUBACK 3 [NoSubscriptionExisted]"]);
}

/// [MQTT-3.8.3-4]
#[test]
fn no_local_on_a_shared_subscription_ends_the_connection() {
    let Packet::Subscribe(mut wanted) = subscribe(1, &["$share/g/a"]) else { unreachable!() };
    wanted.filters[0].options.no_local = true;
    let mut shell = Shell::connected(connect(V5));
    let story = shell.packet(Packet::Subscribe(wanted));
    assert_eq!(story[0], "DISCONNECT ProtocolError");
}

/// A bridge of 3.x gets no message back and keeps RETAIN.
#[test]
fn a_bridge_is_known_by_its_connect() {
    for bridge in [false, true] {
        let mut shell = Shell::connected(Connect { bridge, ..connect(V311) });
        shell.packet(subscribe(1, &["a", "$share/g/a"]));
        let session = shell.session.as_ref().unwrap();
        let options: Vec<_> = session.subscriptions().map(|(_, options, _)| options).collect();
        assert!(!options[0].no_local, "a shared subscription never");
        assert_eq!((options[1].no_local, options[1].retain_as_published), (bridge, bridge));
    }
}

/// [MQTT-3.8.4-3]: the index learns whether a subscription is new.
#[test]
fn a_replaced_subscription_is_not_new() {
    let mut shell = Shell::connected(durable(60));
    let now = shell.now;
    let mut seen = Vec::new();
    for _ in 0..2 {
        let session = shell.session.as_mut().unwrap();
        session.handle_packet(now, Ok(subscribe(1, &["a", "b", "a"])), &mut shell.out);
        while let Some(output) = shell.out.poll() {
            let session = shell.session.as_mut().unwrap();
            match output {
                Output::Authorize(action) => {
                    let decision = plexus_session::Decision { action, verdict: Ok(()) };
                    session.handle_decision(now, decision, &mut shell.out);
                }
                Output::Subscribe(request) => {
                    seen.push(request.items.iter().map(|item| item.is_new).collect::<Vec<_>>());
                    session.handle_subscribed(now, request, &mut shell.out);
                }
                _ => {}
            }
        }
    }
    assert_eq!(seen, [[true, true, false], [false, false, false]]);
}

#[test]
fn an_answer_of_the_index_for_a_lost_connection_is_not_sent_to_the_next() {
    let mut shell = Shell::connected(durable(60));
    let now = shell.now;
    let session = shell.session.as_mut().unwrap();
    session.handle_packet(now, Ok(subscribe(1, &["a", "b"])), &mut shell.out);
    let Some(Output::Authorize(action)) = shell.out.poll() else { unreachable!("asked") };
    let decision = plexus_session::Decision { action, verdict: Ok(()) };
    session.handle_decision(now, decision, &mut shell.out);
    let mut requests = Vec::new();
    while let Some(output) = shell.out.poll() {
        match output {
            Output::Subscribe(request) => requests.push(request),
            output => drop(shell.carry_out(output)),
        }
    }
    shell.lose_connection();
    shell.connect(durable(60));
    let request = requests.pop().unwrap();
    let story = shell.act(|session, out| session.handle_subscribed(now, request, out));
    assert!(story.is_empty(), "{story:?}");
    assert_eq!(filters(&shell), ["a", "b"], "the subscription stands all the same");
    assert_eq!(shell.packet(subscribe(1, &["c"])), ["SUBACK 1 [GrantedQos2]"]);
}

/// [MQTT-2.2.1-3]
#[test]
fn a_request_with_an_identifier_in_use_is_refused() {
    let mut shell = Shell::connected(connect(V5));
    shell.packet(Packet::Publish(publish("t", "a", 2, 5)));
    let story = shell.packet(subscribe(5, &["a"]));
    assert_eq!(story, ["SUBACK 5 [PacketIdentifierInUse]"]);
}

#[test]
fn subscriptions_outlive_the_connection() {
    let mut shell = Shell::connected(durable(60));
    shell.packet(subscribe(1, &["a"]));
    shell.lose_connection();
    shell.connect(durable(60));
    assert_eq!(filters(&shell), ["a"]);
}
