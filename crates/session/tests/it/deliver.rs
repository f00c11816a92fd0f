//! Messages towards the client.

use std::{sync::Arc, time::Duration};

use plexus_session::{Options, QueuePolicy, Taken};
use plexus_types::{Message, ProtocolVersion, ReasonCode};
use plexus_wire::{Connect, Packet};

use crate::shell::{Shell, ack, connect, durable, message, refusing_ack};

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;
const GROUP: Option<&str> = Some("$share/g/#");

fn expiring(shell: &Shell, payload: &str, seconds: u64) -> Arc<Message> {
    let mut message = Arc::unwrap_or_clone(message(payload));
    message.expires = Some(shell.now + Duration::from_secs(seconds));
    Arc::new(message)
}

fn congest(shell: &mut Shell, congested: bool) -> Vec<String> {
    let now = shell.now;
    shell.act(|session, out| session.handle_congestion(now, congested, out))
}

#[test]
fn each_quality_of_service_goes_its_way() {
    for version in [V311, V5] {
        let mut shell = Shell::connected(connect(version));
        assert_eq!(shell.deliver(&message("a"), 0), (Taken::Sent, vec!["PUBLISH a".to_owned()]));
        assert_eq!(shell.deliver(&message("b"), 1).1, ["PUBLISH b q1 id=1"]);
        assert_eq!(shell.deliver(&message("c"), 2).1, ["PUBLISH c q2 id=2"]);
        assert!(shell.packet(Packet::PubAck(ack(1))).is_empty());
        assert_eq!(shell.packet(Packet::PubRec(ack(2))), ["PUBREL 2 Success"]);
        assert_eq!(shell.packet(Packet::PubRec(ack(2))), ["PUBREL 2 Success"]);
        assert!(shell.packet(Packet::PubComp(ack(2))).is_empty());
        assert_eq!(shell.session.unwrap().inflight(), 0);
    }
}

/// [MQTT-4.3.3-6]: nothing is left that could be sent again.
#[test]
fn a_message_is_let_go_when_it_is_known_to_have_arrived() {
    let mut shell = Shell::connected(durable(60));
    let message = message("a");
    shell.deliver(&message, 2);
    let before = Arc::strong_count(&message);
    shell.packet(Packet::PubRec(ack(1)));
    assert_eq!(Arc::strong_count(&message), before - 1);
}

/// [MQTT-3.3.4-9], [MQTT-4.9.0-2], [MQTT-3.3.4-10], [MQTT-4.9.0-3]
#[test]
fn the_window_is_the_smaller_of_receive_maximum_and_option() {
    for (receive_maximum, inflight_max) in [(2, 32), (100, 2)] {
        let mut shell = Shell::new(Options { inflight_max, ..Options::default() });
        let mut connect = connect(V5);
        connect.properties.receive_maximum = receive_maximum;
        shell.connect(connect);
        shell.deliver(&message("a"), 1);
        shell.deliver(&message("b"), 2);
        assert_eq!(shell.deliver(&message("c"), 1), (Taken::Queued, vec![]));
        assert_eq!(shell.packet(Packet::PubRec(ack(2))), ["PUBREL 2 Success"]);
        assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH c q1 id=3"]);
        assert_eq!(shell.packet(Packet::PingReq), ["PINGRESP"]);
    }
}

/// [MQTT-4.6.0-5], [MQTT3-4.6.0-6]
#[test]
fn nothing_overtakes_what_waits() {
    let mut shell = Shell::new(Options { inflight_max: 1, ..Options::default() });
    shell.connect(connect(V5));
    shell.deliver(&message("a"), 1);
    shell.deliver(&message("b"), 1);
    assert_eq!(shell.deliver(&message("c"), 0).0, Taken::Queued);
    assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH b q1 id=2", "PUBLISH c"]);
}

/// [MQTT-4.4.0-2]
#[test]
fn a_refusal_of_the_client_ends_the_delivery() {
    let mut shell = Shell::new(Options { inflight_max: 1, ..Options::default() });
    shell.connect(connect(V5));
    shell.deliver(&message("a"), 2);
    shell.deliver(&message("b"), 1);
    let refusal = refusing_ack(1, ReasonCode::QuotaExceeded);
    assert_eq!(shell.packet(Packet::PubRec(refusal.clone())), ["PUBLISH b q1 id=2"]);
    let refusal = plexus_wire::Ack { packet_id: crate::shell::id(2), ..refusal };
    shell.packet(Packet::PubAck(refusal));
    assert_eq!(shell.session.unwrap().inflight(), 0);
}

#[test]
fn acknowledgements_of_the_wrong_kind_end_the_connection() {
    let table = [
        (1, Packet::PubRec(ack(1))),
        (1, Packet::PubComp(ack(1))),
        (2, Packet::PubAck(ack(1))),
        (2, Packet::PubComp(ack(1))),
    ];
    for (qos, packet) in table {
        let mut shell = Shell::connected(connect(V5));
        shell.deliver(&message("a"), qos);
        assert_eq!(shell.packet(packet)[0], "DISCONNECT ProtocolError");
    }
    let mut shell = Shell::connected(connect(V5));
    let story = shell.packet(Packet::PubRec(ack(5)));
    assert_eq!(story, ["PUBREL 5 PacketIdentifierNotFound"]);
}

/// [MQTT-4.4.0-1], [MQTT-3.3.1-1], [MQTT3-4.4.0-1], [MQTT3-3.3.1-1], [MQTT-3.1.2-5]
#[test]
fn a_resumed_session_sends_what_is_under_way_again_in_order() {
    let mut shell = Shell::connected(durable(60));
    for (payload, qos) in [("a", 1), ("b", 2), ("c", 2), ("d", 1)] {
        shell.deliver(&message(payload), qos);
    }
    shell.packet(Packet::PubRec(ack(2)));
    shell.lose_connection();
    assert_eq!(shell.deliver(&message("e"), 1).0, Taken::Queued);
    let story = shell.connect(durable(60));
    let expected = [
        "CONNACK Success present",
        "PUBLISH a q1 id=1 dup",
        "PUBLISH c q2 id=3 dup",
        "PUBLISH d q1 id=4 dup",
        "PUBLISH e q1 id=5",
        "PUBREL 2 Success",
    ];
    let mut sorted = story.clone();
    sorted.sort();
    let mut wanted = expected.map(str::to_owned);
    wanted.sort();
    assert_eq!(sorted, wanted);
    let publishes = story.iter().filter(|told| told.starts_with("PUBLISH"));
    assert!(publishes.eq(expected.iter().filter(|told| told.starts_with("PUBLISH"))));
}

/// [MQTT-3.3.4-9] on the new connection.
#[test]
fn a_smaller_window_after_resuming_is_respected() {
    let mut shell = Shell::connected(durable(60));
    for payload in ["a", "b", "c"] {
        shell.deliver(&message(payload), 1);
    }
    let mut narrow = durable(60);
    narrow.properties.receive_maximum = 1;
    let story = shell.connect(narrow);
    assert_eq!(story.last().unwrap(), "PUBLISH a q1 id=1 dup");
    assert_eq!(shell.deliver(&message("d"), 0).0, Taken::Queued, "nothing new before the old");
    assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH b q1 id=2 dup"]);
    let story = shell.packet(Packet::PubAck(ack(2)));
    assert_eq!(story, ["PUBLISH c q1 id=3 dup", "PUBLISH d"]);
}

#[test]
fn pubrel_waits_until_the_log_knows_of_pubrec() {
    let mut shell = Shell::connected(durable(60));
    shell.tells_log = true;
    assert_eq!(shell.deliver(&message("a"), 2).1, ["LOG Queued a", "PUBLISH a q2 id=1"]);
    shell.keeps = false;
    assert_eq!(shell.packet(Packet::PubRec(ack(1))), ["LOG Received 1"]);
    shell.lose_connection();
    assert_eq!(shell.connect(durable(60)), ["LOG Attached 60"], "nothing before it is kept");
    assert_eq!(shell.keep_all(), ["CONNACK Success present", "PUBREL 1 Success"]);
    assert_eq!(shell.packet(Packet::PubComp(ack(1))), ["LOG Completed 1"]);
}

#[test]
fn a_congested_connection_queues_and_goes_on_later() {
    let mut shell = Shell::connected(connect(V5));
    assert!(congest(&mut shell, true).is_empty());
    for payload in ["a", "b"] {
        assert_eq!(shell.deliver(&message(payload), 0).0, Taken::Queued);
    }
    assert_eq!(shell.session.as_ref().unwrap().room(), 0);
    assert_eq!(congest(&mut shell, false), ["PUBLISH a", "PUBLISH b"]);
    assert!(shell.session.as_ref().unwrap().room() > 0);
}

#[test]
fn a_long_queue_leaves_in_bounded_batches() {
    let mut shell = Shell::connected(connect(V5));
    congest(&mut shell, true);
    for _ in 0..200 {
        shell.deliver(&message("x"), 0);
    }
    let mut sizes = Vec::new();
    loop {
        sizes.push(congest(&mut shell, false).len());
        if !shell.session.as_ref().unwrap().has_backlog() {
            break;
        }
    }
    assert_eq!(sizes.iter().sum::<usize>(), 200);
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= 100), "{sizes:?}");
}

#[test]
fn qos0_waits_for_an_absent_client_only_if_the_option_says_so() {
    for (queue_qos0_offline, taken) in [(true, Taken::Queued), (false, Taken::Refused)] {
        let mut shell = Shell::new(Options { queue_qos0_offline, ..Options::default() });
        shell.connect(durable(60));
        shell.lose_connection();
        let (got, story) = shell.deliver(&message("a"), 0);
        assert_eq!(got, taken);
        assert_eq!(story.is_empty(), queue_qos0_offline, "{story:?}");
    }
}

/// [MQTT-3.3.2-5], [MQTT-3.3.2-6]
#[test]
fn expired_messages_are_dropped_and_the_interval_counts_down() {
    let mut shell = Shell::connected(durable(600));
    let (short, long) = (expiring(&shell, "a", 10), expiring(&shell, "b", 100));
    assert_eq!(shell.deliver(&long, 0).1, ["PUBLISH b expires=100"]);
    shell.lose_connection();
    shell.deliver(&short, 1);
    shell.deliver(&long, 1);
    shell.advance(30);
    assert_eq!(shell.deliver(&short, 1), (Taken::Refused, vec!["DROPPED Expired 1".to_owned()]));
    let story = shell.connect(durable(600));
    assert_eq!(story[1..], ["DROPPED Expired 1", "PUBLISH b q1 id=2 expires=70"]);
    // [MQTT-4.3.3-7]: what has been sent once no longer expires.
    shell.advance(200);
    let story = shell.connect(durable(600));
    assert_eq!(story.last().unwrap(), "PUBLISH b q1 id=2 dup expires=0");
}

/// [MQTT-3.1.2-24], [MQTT-3.1.2-25]
#[test]
fn a_message_larger_than_the_client_takes_is_dropped_and_counted() {
    let sized = |size| {
        let mut connect = durable(60);
        connect.properties.maximum_packet_size = Some(size);
        connect
    };
    // 2 header, 2 + 12 topic, 2 identifier, 1 properties, 21 payload: 40 bytes.
    let (fits, large) = (message(&"x".repeat(21)), message(&"x".repeat(22)));
    let mut shell = Shell::connected(sized(40));
    assert_eq!(shell.deliver(&fits, 1).0, Taken::Sent);
    assert_eq!(shell.frames.back().unwrap().len(), 40);
    let (taken, story) = shell.deliver(&large, 1);
    assert_eq!((taken, story), (Taken::Refused, vec!["DROPPED TooLarge 1".to_owned()]));
    // With a group behind it, another member gets it: nothing is lost yet.
    let (taken, story) = shell.deliver_with(&large, 1, &[], GROUP);
    assert_eq!((taken, story), (Taken::Refused, vec![]));
    // A smaller maximum of the next connection also ends what is under way and what waits.
    shell.lose_connection();
    shell.deliver(&fits, 1);
    let story = shell.connect(sized(39));
    assert_eq!(story[1..], ["DROPPED TooLarge 1", "DROPPED TooLarge 1"]);
    let session = shell.session.unwrap();
    assert_eq!((session.inflight(), session.queued()), (0, (0, 0)));
}

/// [MQTT-3.3.4-3], [MQTT-3.3.4-4]
#[test]
fn all_subscription_identifiers_travel_with_a_delivery() {
    let mut shell = Shell::connected(connect(V5));
    let (_, story) = shell.deliver_with(&message("a"), 0, &[1, 2, 300], None);
    assert_eq!(story, ["PUBLISH a ids=[1, 2, 300]"]);
}

/// [MQTT-3.1.2-26], [MQTT-3.3.2-11], [MQTT-3.3.2-7]
#[test]
fn hot_topics_get_an_alias_anew_on_each_connection() {
    let mut with_aliases = durable(60);
    with_aliases.properties.topic_alias_maximum = 1;
    let mut shell = Shell::connected(with_aliases.clone());
    let mut told = Vec::new();
    for _ in 0..3 {
        told.extend(shell.deliver(&message("a"), 0).1);
    }
    shell.connect(with_aliases);
    told.extend(shell.deliver(&message("a"), 0).1);
    assert_eq!(told, ["PUBLISH a", "PUBLISH a alias=1+topic", "PUBLISH a alias=1", "PUBLISH a"]);
}

#[test]
fn a_full_queue_follows_the_policy_of_its_listener() {
    let table = [
        (QueuePolicy::DropOldest, Taken::Queued, ["DROPPED QueueFull 1"].as_slice()),
        (QueuePolicy::DropNewest, Taken::Refused, &["DROPPED QueueFull 1"]),
        (
            QueuePolicy::Disconnect,
            Taken::Refused,
            &["DROPPED QueueFull 1", "DISCONNECT QuotaExceeded", "CLOSE ByServer(QuotaExceeded)"],
        ),
    ];
    for (queue_policy, taken, expected) in table {
        let options =
            Options { queue_messages_max: 2, inflight_max: 1, queue_policy, ..Options::default() };
        let mut shell = Shell::new(options);
        shell.connect(durable(60));
        for _ in 0..3 {
            shell.deliver(&message("a"), 1);
        }
        assert!(!shell.session.as_ref().unwrap().accepts());
        let (got, story) = shell.deliver(&message("b"), 1);
        assert_eq!((got, story.as_slice()), (taken, expected.map_strings().as_slice()));
    }
}

trait MapStrings {
    fn map_strings(&self) -> Vec<String>;
}

impl MapStrings for [&str] {
    fn map_strings(&self) -> Vec<String> {
        self.iter().map(|told| (*told).to_owned()).collect()
    }
}

#[test]
fn a_shared_message_that_must_leave_the_queue_goes_back_to_its_group() {
    let mut shell = Shell::new(Options { queue_messages_max: 1, ..Options::default() });
    shell.connect(durable(60));
    shell.lose_connection();
    assert_eq!(shell.deliver_with(&message("s"), 1, &[], GROUP).0, Taken::Queued);
    assert_eq!(shell.deliver_with(&message("t"), 1, &[], GROUP), (Taken::Refused, vec![]));
    let (taken, story) = shell.deliver(&message("mine"), 1);
    assert_eq!(
        (taken, story),
        (Taken::Queued, vec!["REDISPATCH $share/g/# plant/line/1 s".to_owned()])
    );
}

#[test]
fn the_log_of_a_durable_session_follows_its_queue() {
    let mut shell = Shell::new(Options { queue_messages_max: 1, ..Options::default() });
    shell.connect(durable(60));
    shell.lose_connection();
    shell.tells_log = true;
    assert_eq!(shell.deliver(&message("a"), 1).1, ["LOG Queued a"]);
    let story = shell.deliver(&message("b"), 1).1;
    assert_eq!(story, ["DROPPED QueueFull 1", "LOG Dropped", "LOG Queued b"]);
    let story = shell.connect(durable(60));
    let expected = ["LOG Attached 60", "CONNACK Success present", "PUBLISH b q1 id=2"];
    assert_eq!(story, expected);
    assert_eq!(shell.packet(Packet::PubAck(ack(2))), ["LOG Completed 2"]);
}

#[test]
fn a_session_that_ends_with_its_connection_touches_no_log() {
    let mut shell = Shell::new(Options::default());
    shell.tells_log = true;
    let mut told = shell.connect(Connect { will: Some(crate::shell::will(0)), ..connect(V5) });
    told.extend(shell.deliver(&message("a"), 2).1);
    told.extend(shell.packet(Packet::PubRec(ack(1))));
    told.extend(shell.packet(crate::shell::subscribe(4, &["a"])));
    told.extend(shell.lose_connection());
    assert!(!told.iter().any(|told| told.starts_with("LOG")), "{told:?}");
}
