//! What waits: its limits, of the session and of the node, and how long it may.

use plexus_session::{Options, QueuePolicy, Session, Taken, Waiting};
use plexus_wire::{Connect, Packet};
use proptest::prelude::*;

use crate::shell::{Shell, ack, durable, fleeting, message};

fn again() -> Connect {
    Connect { clean_start: false, ..durable(3_600) }
}

/// A client that is away.
fn away(options: Options) -> Shell {
    let mut shell = Shell::new(options);
    shell.connect(durable(3_600));
    shell.lose_connection();
    shell
}

fn waits(shell: &Shell) -> Waiting {
    shell.session.as_ref().map(Session::waiting).unwrap_or_default()
}

/// The payloads that come, in order, to a client that acknowledges them.
fn drained(shell: &mut Shell) -> Vec<String> {
    let mut seen = Vec::new();
    let mut story = shell.connect(again());
    while !story.is_empty() {
        for told in std::mem::take(&mut story) {
            let Some(rest) = told.strip_prefix("PUBLISH ") else { continue };
            seen.push(rest.split(' ').next().unwrap_or_default().to_owned());
            if let Some((_, id)) = rest.split_once("id=") {
                let id = id.split(' ').next().unwrap().parse().unwrap();
                story.extend(shell.packet(Packet::PubAck(ack(id))));
            }
        }
    }
    seen
}

#[test]
fn what_has_waited_for_too_long_goes_and_is_counted_as_expired() {
    let mut shell = away(Options { queue_seconds_max: 60, ..Options::default() });
    shell.tells_log = true;
    shell.deliver(&message("a"), 1);
    assert!(shell.advance(30).is_empty());
    shell.deliver(&fleeting("b"), 0);
    assert!(shell.advance(30).is_empty(), "exactly as long as it may");
    assert_eq!(shell.advance(1), ["DROPPED Expired 1", "LOG Dropped"]);
    assert_eq!(shell.advance(30), ["DROPPED Expired 1"]);
    assert_eq!(waits(&shell), Waiting::default());
    assert_eq!(shell.out.waiting(), Waiting::default());
}

#[test]
fn what_waits_is_as_old_after_a_crash_as_before() {
    let mut shell = away(Options { queue_seconds_max: 60, inflight_max: 1, ..Options::default() });
    for payload in ["a", "b"] {
        shell.deliver(&message(payload), 1);
        shell.advance(20);
    }
    shell.deliver(&message("c"), 1);
    // The image that cleaning writes has the times, too.
    let image = shell.session.as_ref().unwrap().image();
    let mut bytes = Vec::new();
    let change = plexus_session::Change::Image(Box::new(image));
    change.encode(&mut bytes);
    assert_eq!(plexus_session::Change::decode(&bytes), Ok(change));
    shell.crash();
    for message in ["the first, which nobody can have got", "the second", "the third"] {
        assert!(shell.advance(19).is_empty(), "{message}");
        let story = [shell.advance(1), shell.advance(0)].concat();
        let story = if story.is_empty() { shell.advance(1) } else { story };
        assert_eq!(story, ["DROPPED Expired 1"], "{message}");
    }
    assert!(drained(&mut shell).is_empty());
}

/// [MQTT-4.4.0-1]: what may be with the client is sent again, however long it takes.
#[test]
fn what_may_have_been_sent_before_a_crash_is_not_too_old() {
    let options = Options { queue_seconds_max: 60, inflight_max: 1, ..Options::default() };
    let mut shell = Shell::new(options);
    shell.connect(durable(3_600));
    for payload in ["a", "b"] {
        shell.deliver(&message(payload), 1);
    }
    shell.lose_connection();
    shell.deliver(&message("c"), 1);
    shell.crash();
    shell.advance(61);
    assert_eq!(drained(&mut shell), ["a"]);
}

/// A client that is connected and slow gets nothing that has waited for too long, and goes on.
#[test]
fn what_is_overdue_does_not_hold_up_what_is_not() {
    let options = Options { queue_seconds_max: 60, inflight_max: 1, ..Options::default() };
    let mut shell = Shell::new(options);
    shell.connect(durable(3_600));
    shell.deliver(&message("a"), 1);
    shell.deliver(&message("b"), 1);
    shell.advance(40);
    shell.deliver(&message("c"), 1);
    assert_eq!(shell.advance(21), ["DROPPED Expired 1"]);
    assert_eq!(shell.packet(Packet::PubAck(ack(1))), ["PUBLISH c q1 id=3"]);
}

#[test]
fn each_policy_holds_for_what_is_in_the_log() {
    for (queue_policy, left) in [
        (QueuePolicy::DropOldest, ["b", "c", "d"]),
        (QueuePolicy::DropNewest, ["a", "b", "c"]),
        (QueuePolicy::Disconnect, ["a", "b", "c"]),
    ] {
        let mut shell = away(Options { queue_messages_max: 3, queue_policy, ..Options::default() });
        for payload in ["a", "b", "c", "d"] {
            shell.deliver(&message(payload), 1);
        }
        shell.crash();
        assert_eq!(drained(&mut shell), left, "{queue_policy:?}");
    }
}

#[test]
fn a_full_node_is_treated_as_a_full_queue() {
    for (queue_policy, taken, told, left) in [
        (QueuePolicy::DropOldest, Taken::Queued, "DROPPED QueueFull 1", ["b", "c"]),
        (QueuePolicy::DropNewest, Taken::NoRoom, "DROPPED NodeFull 1", ["a", "b"]),
        (QueuePolicy::Disconnect, Taken::NoRoom, "DROPPED NodeFull 1", ["a", "b"]),
    ] {
        let mut shell = away(Options { queue_policy, ..Options::default() });
        shell.limit_waiting(Waiting { messages: 2, ..Waiting::UNLIMITED });
        shell.deliver(&message("a"), 1);
        shell.deliver(&message("b"), 1);
        assert_eq!(shell.deliver(&message("c"), 1), (taken, vec![told.to_owned()]));
        assert_eq!(shell.out.waiting(), waits(&shell));
        assert_eq!(drained(&mut shell), left, "{queue_policy:?}");
        assert_eq!(shell.out.waiting(), Waiting::default());
    }
}

/// What waits for others does not go for this one.
#[test]
fn who_has_nothing_waiting_gets_nothing_from_a_full_node() {
    let mut shell = away(Options::default());
    shell.limit_waiting(Waiting { bytes: 13, ..Waiting::UNLIMITED });
    let (taken, story) = shell.deliver(&message("ab"), 1);
    assert_eq!((taken, story), (Taken::NoRoom, vec!["DROPPED NodeFull 1".to_owned()]));
    assert_eq!(shell.deliver(&message("a"), 1).0, Taken::Queued, "13 bytes with its topic");
    assert_eq!(drained(&mut shell), ["a"]);
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Deliver(u8, bool),
    Acknowledge(u16),
    Lose,
    Connect,
    Crash,
    Pass(u64),
    Room(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_u8..=2, any::<bool>()).prop_map(|(qos, kept)| Step::Deliver(qos, kept)),
        3 => (1_u16..8).prop_map(Step::Acknowledge),
        1 => Just(Step::Lose),
        2 => Just(Step::Connect),
        1 => Just(Step::Crash),
        2 => (0_u64..20).prop_map(Step::Pass),
        1 => (0_u64..6).prop_map(Step::Room),
    ]
}

fn policy() -> impl Strategy<Value = QueuePolicy> {
    prop_oneof![
        Just(QueuePolicy::DropOldest),
        Just(QueuePolicy::DropNewest),
        Just(QueuePolicy::Disconnect),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// The shell compares what the log says with what the session is after each step.
    #[test]
    fn whatever_leaves_a_queue_leaves_the_log_and_the_count_of_the_node(
        queue_policy in policy(),
        queue_messages_max in 1_usize..4,
        queue_seconds_max in prop_oneof![Just(u32::MAX), 5_u32..30],
        steps in proptest::collection::vec(step(), 1..100),
    ) {
        let options = Options {
            queue_policy,
            queue_messages_max,
            queue_seconds_max,
            inflight_max: 2,
            ..Options::default()
        };
        let mut shell = Shell::new(options);
        shell.forgets = true;
        shell.connect(durable(3_600));
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Deliver(qos, true) => {
                    shell.deliver(&message(&number.to_string()), qos);
                }
                Step::Deliver(qos, false) => {
                    shell.deliver(&fleeting(&number.to_string()), qos);
                }
                Step::Acknowledge(id) => {
                    shell.packet(Packet::PubAck(ack(id)));
                }
                Step::Lose => {
                    shell.lose_connection();
                }
                Step::Connect => {
                    shell.connect(again());
                }
                Step::Crash => shell.crash(),
                Step::Pass(seconds) => {
                    shell.advance(seconds);
                }
                Step::Room(messages) => {
                    shell.limit_waiting(Waiting { messages, ..Waiting::UNLIMITED });
                }
            }
            prop_assert_eq!(shell.out.waiting(), waits(&shell));
            prop_assert!(waits(&shell).messages <= queue_messages_max as u64);
        }
    }
}
