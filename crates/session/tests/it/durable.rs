//! What a session promises beyond a crash of its node.

use plexus_session::{Body, Options, Output, Session};
use plexus_types::{Durability, ReasonCode};
use plexus_wire::{Connect, Packet, Publish};

use crate::shell::{Shell, ack, durable, fleeting, message, publish, subscribe, unsubscribe, will};

fn again(expiry: u32) -> Connect {
    Connect { clean_start: false, ..durable(expiry) }
}

/// [MQTT-4.4.0-1]: the original identifiers, in the original order.
#[test]
fn what_was_under_way_and_what_waited_comes_after_a_crash() {
    let mut shell = Shell::new(Options { inflight_max: 2, ..Options::default() });
    shell.connect(durable(60));
    for (payload, qos) in [("a", 1), ("b", 2), ("c", 1), ("d", 2)] {
        shell.deliver(&message(payload), qos);
    }
    assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH c q1 id=3"]);
    assert_eq!(shell.packet(Packet::PubRec(ack(2))), ["PUBREL 2 Success"]);
    shell.crash();
    let story = shell.connect(again(60));
    assert_eq!(story, ["CONNACK Success present", "PUBREL 2 Success", "PUBLISH c q1 id=3 dup"]);
    // Its acknowledgement may have been lost with the end of the log.
    assert_eq!(shell.packet(Packet::PubComp(ack(2))), ["PUBLISH d q2 id=4 dup"]);
    assert!(shell.packet(Packet::PubAck(ack(3))).is_empty());
    shell.packet(Packet::PubRec(ack(4)));
    shell.packet(Packet::PubComp(ack(4)));
    assert_eq!(shell.deliver(&message("e"), 1).1, ["PUBLISH e q1 id=5"]);
}

#[test]
fn a_qos_2_message_leaves_when_its_identifier_is_kept_and_nothing_passes_it() {
    let mut shell = Shell::connected(durable(60));
    shell.keeps = false;
    assert!(shell.deliver(&message("a"), 2).1.is_empty());
    assert!(shell.deliver(&message("b"), 1).1.is_empty());
    assert!(shell.deliver(&message("c"), 0).1.is_empty());
    assert_eq!(shell.keep_all(), ["PUBLISH a q2 id=1", "PUBLISH b q1 id=2", "PUBLISH c"]);
    assert_eq!(shell.deliver(&message("d"), 1).1, ["PUBLISH d q1 id=3"], "QoS 1 waits for nothing");
}

/// [MQTT-4.3.3-10]
#[test]
fn a_qos_2_identifier_is_taken_beyond_a_crash_until_it_is_released() {
    let mut shell = Shell::connected(durable(60));
    assert_eq!(shell.packet(Packet::Publish(publish("t", "a", 2, 7)))[0], "ROUTE t a");
    shell.crash();
    shell.connect(again(60));
    let story = shell.packet(Packet::Publish(publish("t", "a", 2, 7)));
    assert_eq!(story, ["PUBREC 7 Success"], "not routed a second time");
    assert_eq!(shell.packet(Packet::PubRel(ack(7))), ["PUBCOMP 7 Success"]);
    shell.crash();
    shell.connect(again(60));
    let story = shell.packet(Packet::Publish(publish("t", "b", 2, 7)));
    assert_eq!(story, ["ROUTE t b", "PUBREC 7 Success"]);
}

#[test]
fn an_answer_leaves_when_its_promise_is_kept() {
    let mut shell = Shell::new(Options::default());
    shell.keeps = false;
    assert!(shell.connect(durable(60)).is_empty(), "CONNACK");
    assert!(shell.session.as_ref().unwrap().is_blocked(), "nothing may be answered before it");
    assert_eq!(shell.keep_all(), ["CONNACK Success"]);
    assert!(shell.packet(subscribe(3, &["a"])).is_empty());
    assert_eq!(shell.keep_all(), ["SUBACK 3 [GrantedQos2]"]);
    assert_eq!(shell.packet(Packet::Publish(publish("t", "a", 2, 7))), ["ROUTE t a"]);
    assert_eq!(shell.keep_all(), ["PUBREC 7 Success"]);
    assert!(shell.packet(Packet::PubRel(ack(7))).is_empty());
    assert_eq!(shell.keep_all(), ["PUBCOMP 7 Success"]);
}

#[test]
fn that_there_is_no_subscription_any_more_is_said_when_that_is_kept() {
    let mut shell = Shell::connected(durable(60));
    shell.packet(subscribe(1, &["a"]));
    shell.keeps = false;
    assert!(shell.packet(unsubscribe(2, &["a"])).is_empty());
    assert!(shell.packet(unsubscribe(3, &["a"])).is_empty(), "a crash now would bring it back");
    let said = shell.keep_all();
    assert_eq!(said, ["UNSUBACK 2 [Success]", "UNSUBACK 3 [NoSubscriptionExisted]"]);
}

#[test]
fn what_is_delivered_before_connack_waits() {
    let mut shell = Shell::new(Options::default());
    shell.keeps = false;
    shell.connect(durable(60));
    assert!(shell.deliver(&message("a"), 0).1.is_empty());
    assert!(shell.deliver(&message("b"), 1).1.is_empty());
    assert_eq!(shell.keep_all(), ["CONNACK Success", "PUBLISH a", "PUBLISH b q1 id=1"]);
    let now = shell.now;
    shell.lose_connection();
    shell.connect(again(60));
    let end = |session: &mut Session, out: &mut _| {
        session.disconnect(now, ReasonCode::ServerShuttingDown, None, out);
    };
    assert_eq!(
        shell.act(end),
        ["CLOSE ByServer(ServerShuttingDown)"],
        "no DISCONNECT before CONNACK"
    );
}

/// [MQTT-3.1.2-8], [MQTT-3.1.2-23]
#[test]
fn will_and_expiry_that_fell_due_while_the_node_was_down_happen() {
    let mortal = || Connect { will: Some(will(5)), ..durable(60) };
    let mut shell = Shell::connected(mortal());
    shell.crash();
    assert_eq!(shell.advance(4), [""; 0]);
    assert_eq!(shell.advance(1), ["ROUTE will gone"]);
    shell.connect(mortal());
    shell.lose_connection();
    shell.advance(1);
    let image = shell.image.clone().unwrap();
    // Down for an hour: both are due at once when the node is back.
    let later = shell.now + std::time::Duration::from_hours(1);
    shell.session = Some(Session::restore(*image, shell.options.clone(), later));
    shell.now = later;
    let story = shell.act(|session, out| session.handle_timeout(later, out));
    assert_eq!(story, ["ROUTE will gone", "ENDED"]);
}

#[test]
fn who_may_resume_is_known_after_a_crash() {
    let named = |name: &str| Connect { user_name: Some(crate::shell::text(name)), ..again(60) };
    let mut shell = Shell::connected(named("ann"));
    shell.packet(subscribe(3, &["b", "a"]));
    shell.crash();
    let session = shell.session.as_ref().unwrap();
    assert!(session.may_resume(&named("ann")) && !session.may_resume(&named("eve")));
    assert_eq!(session.subscription_count(), 2);
    assert_eq!((session.expiry(), session.is_connected()), (60, false));
}

/// A queue of millions costs 32 bytes a message: the bytes are in the log.
#[test]
fn the_bytes_of_what_waits_are_let_go_and_fetched_when_they_are_needed() {
    let mut shell = Shell::new(Options { queue_messages_max: 3_000, ..Options::default() });
    shell.connect(durable(60));
    shell.lose_connection();
    shell.tells_fetch = true;
    let weak: Vec<_> = (0..3_000)
        .map(|number| {
            let message = message(&number.to_string());
            shell.deliver(&message, 1);
            message
        })
        .collect();
    assert!(weak.iter().all(|message| std::sync::Arc::strong_count(message) == 2), "test and log");
    let mut story = shell.connect(again(60));
    assert_eq!(story[..2], ["CONNACK Success present", "FETCH 1024"]);
    let mut seen = 0;
    while seen < 3_000 {
        for told in std::mem::take(&mut story) {
            let Some(rest) = told.strip_prefix("PUBLISH ") else { continue };
            assert!(rest.starts_with(&format!("{seen} q1 id={}", seen + 1)), "{told}");
            seen += 1;
            story.extend(shell.packet(Packet::PubAck(ack(seen))));
        }
        assert!(!story.is_empty() || seen == 3_000, "stuck at {seen}");
    }
    assert_eq!(shell.session.unwrap().queued(), (0, 0));
}

#[test]
fn a_message_of_a_group_that_is_only_in_the_log_goes_back_to_its_group() {
    let mut shell = Shell::new(Options { queue_messages_max: 1, ..Options::default() });
    shell.connect(durable(60));
    shell.lose_connection();
    let group = Some("$share/g/#");
    let shared = message("s");
    shell.deliver_with(&shared, 1, &[], group);
    let now = shell.now;
    let session = shell.session.as_mut().unwrap();
    session.end(now, &mut shell.out);
    let outputs: Vec<_> = std::iter::from_fn(|| shell.out.poll()).collect();
    let stored = |output: &Output| matches!(output, Output::Redispatch(_, Body::Stored(id)) if *id == shared.id);
    assert!(outputs.iter().any(stored), "{outputs:?}");
}

/// What is promised to live in memory alone is not written at QoS 1, and its loss leaves the rest as
/// it was.
#[test]
fn what_lives_in_memory_alone_is_gone_after_a_crash_and_nothing_else() {
    let mut shell = Shell::new(Options { inflight_max: 2, ..Options::default() });
    (shell.forgets, shell.tells_log) = (true, true);
    shell.connect(durable(60));
    assert_eq!(shell.deliver(&fleeting("a"), 1).1, ["PUBLISH a q1 id=1"], "no record");
    assert_eq!(shell.deliver(&message("b"), 1).1, ["LOG Queued b", "PUBLISH b q1 id=2"]);
    for payload in ["c", "d"] {
        assert_eq!(shell.deliver(&fleeting(payload), 1), (plexus_session::Taken::Queued, vec![]));
    }
    shell.deliver(&message("e"), 1);
    assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH c q1 id=3"], "no record");
    shell.lose_connection();
    let story = shell.connect(again(60));
    assert_eq!(story[2..], ["PUBLISH b q1 id=2 dup", "PUBLISH c q1 id=3 dup"]);
    shell.crash();
    let story = shell.connect(again(60));
    assert_eq!(story[2..], ["PUBLISH b q1 id=2 dup", "PUBLISH e q1 id=5 dup"]);
}

/// Its identifier follows from the queue and must not become another message's.
#[test]
fn a_qos_2_delivery_is_recorded_whatever_its_publisher_was_promised() {
    let mut shell = Shell::connected(durable(60));
    (shell.forgets, shell.keeps) = (true, false);
    assert!(shell.deliver(&fleeting("a"), 2).1.is_empty(), "it waits for its record");
    assert_eq!(shell.keep_all(), ["PUBLISH a q2 id=1"]);
    shell.crash();
    shell.keeps = true;
    assert_eq!(shell.connect(again(60))[1], "PUBLISH a q2 id=1 dup");
    assert_eq!(shell.deliver(&message("b"), 2).1, ["PUBLISH b q2 id=2"]);
}

/// PUBREC of a message in memory promises nothing that would have to be kept.
#[test]
fn a_qos_2_message_in_memory_is_acknowledged_at_once() {
    let mut shell = Shell::connected(durable(60));
    (shell.keeps, shell.forgets, shell.tells_log) = (false, true, true);
    shell.durability = Durability::Memory;
    let story = shell.packet(Packet::Publish(publish("t", "a", 2, 7)));
    assert_eq!(story, ["ASK publish t a", "ROUTE t a", "PUBREC 7 Success"]);
    let again_sent = Publish { dup: true, ..publish("t", "a", 2, 7) };
    assert_eq!(shell.packet(Packet::Publish(again_sent)), ["PUBREC 7 Success"], "not routed again");
    assert_eq!(shell.packet(Packet::PubRel(ack(7))), ["PUBCOMP 7 Success"]);
    shell.crash();
    shell.connect(again(60));
    shell.keep_all();
    let story = shell.packet(Packet::Publish(publish("t", "b", 2, 7)));
    assert!(story.contains(&"ROUTE t b".to_owned()), "the identifier is free: {story:?}");
}

/// A session that the log knows stays there when its client comes in through a listener without
/// durable sessions, and one that it does not know is written when it comes in through one with.
#[test]
fn a_session_that_the_log_knows_stays_in_it() {
    let mut shell = Shell::connected(durable(60));
    shell.deliver(&message("a"), 1);
    shell.options = Options { durable: false, ..Options::default() }.into();
    shell.connect(again(60));
    shell.deliver(&message("b"), 1);
    shell.crash();
    assert_eq!(shell.connect(again(60))[1..], ["PUBLISH a q1 id=1 dup", "PUBLISH b q1 id=2 dup"]);

    let mut shell = Shell::new(Options::default());
    shell.options = Options { durable: false, ..Options::default() }.into();
    shell.connect(durable(60));
    shell.deliver(&message("a"), 1);
    assert_eq!(shell.image, None);
    shell.lose_connection();
    shell.options = Options { durable: true, ..Options::default() }.into();
    assert_eq!(shell.connect(again(60))[1], "PUBLISH a q1 id=1 dup");
    shell.deliver(&message("b"), 1);
    shell.crash();
    assert_eq!(
        shell.connect(again(60))[1..],
        ["PUBLISH b q1 id=2 dup"],
        "what came before is gone"
    );
}
