use std::time::Duration;

use super::*;
use crate::{
    plan::{Body, Churn, Pace, Sessions},
    recipe::{Kind, Recipe},
};

fn workload(kind: Kind, qos: Qos, size: usize) -> Workload {
    let recipe = Recipe {
        kind,
        publishers: 2,
        subscribers: 2,
        qos,
        subscribe_qos: None,
        retain: false,
        body: Body::of_size(size),
        user_properties: Vec::new(),
        pace: Pace::Window(1),
        messages: None,
        filters: 1,
        per_packet: 1,
        shared: kind == Kind::FanIn,
        keep: false,
        warm_up: Duration::ZERO,
        time: Duration::from_secs(1),
        topic: None,
        filter: None,
        client_id: None,
        first: 0,
        run: "x".to_owned(),
    };
    recipe.workload().unwrap()
}

fn judged(messages: &Messages, workload: &Workload) -> Vec<String> {
    let summary = Summary { messages: messages.clone(), ..Summary::default() };
    summary.judged(workload, &workload.audience()).failures
}

#[test]
fn what_must_not_be_is_told() {
    let messages = Messages {
        lost: 5,
        lost_assured: 3,
        duplicates: 9,
        repeated: 7,
        out_of_order: 1,
        ..Messages::default()
    };
    let failures = judged(&messages, &workload(Kind::P2p, Qos::AtLeastOnce, 64));
    let lost = "3 messages of QoS 1 and 2 were lost";
    assert_eq!(failures, [lost, "2 messages came again", "1 messages came out of order"]);
    let allowed = Messages { lost: 5, duplicates: 7, repeated: 7, ..Messages::default() };
    assert_eq!(judged(&allowed, &workload(Kind::P2p, Qos::AtMostOnce, 64)), [""; 0]);
}

#[test]
fn a_loss_of_qos_1_is_told_beside_messages_of_qos_0() {
    let mut workload = workload(Kind::P2p, Qos::AtLeastOnce, 64);
    let mut other = workload.clone().groups;
    for group in &mut other {
        match &mut group.role {
            Role::Subscribe(subscribing) => subscribing.qos = Qos::AtMostOnce,
            Role::Publish(publishing) => publishing.qos = Qos::AtMostOnce,
            Role::Connect => {}
        }
    }
    workload.groups.append(&mut other);
    let audience = workload.audience();
    let assured = audience.publishers.iter().map(|heard| (heard.receivers, heard.assured));
    // Each hears both groups; with QoS 0 nothing is assured, nor to whom asks for no more.
    let (first, second) = ((Some(2), 1), (Some(2), 0));
    assert_eq!(assured.collect::<Vec<_>>(), [first, first, second, second]);
    let mut counts = Counts::new(4);
    for (count, number) in [
        (Count::Expected, 40),
        (Count::Delivered, 37),
        (Count::ExpectedAssured, 10),
        (Count::DeliveredAssured, 9),
    ] {
        counts.add(count, number);
    }
    let messages = Messages::of((&workload, &audience), &counts, Vec::new());
    assert_eq!((messages.lost, messages.lost_assured), (3, 1));
    assert_eq!(judged(&messages, &workload), ["1 messages of QoS 1 and 2 were lost"]);
}

/// What two threads say that both have the message 3 of the first publisher of a shared subscription.
fn again(churn: bool, qos: Qos) -> Messages {
    let mut workload = workload(Kind::FanIn, qos, 64);
    if churn {
        let time = Duration::from_secs(1);
        workload.groups[0].churn = Some(Churn { stay: time, away: time, drops: false });
    }
    let mut counts = Counts::new(2);
    for count in
        [Count::Expected, Count::Delivered, Count::ExpectedAssured, Count::DeliveredAssured]
    {
        counts.add(count, 10);
    }
    let harvest = || {
        let mut harvest =
            Harvest { seen: vec![crate::seen::Seen::default()], ..Harvest::default() };
        harvest.seen[0].note(3);
        harvest
    };
    Messages::of((&workload, &workload.audience()), &counts, vec![harvest(), harvest()])
}

#[test]
fn what_two_threads_received_of_one_message_is_a_duplicate() {
    let of = |churn, qos| {
        let messages = again(churn, qos);
        let Messages { expected, delivered, lost, lost_assured, duplicates, repeated, .. } =
            messages;
        assert_eq!((delivered, duplicates), (9, 1));
        (expected, lost, lost_assured, repeated)
    };
    assert_eq!(of(false, Qos::AtLeastOnce), (10, 1, 1, 1), "one was owed, and another one came");
    assert_eq!(of(false, Qos::ExactlyOnce), (10, 1, 1, 0));
    // Of those who come and go each delivery had called for itself.
    assert_eq!(of(true, Qos::AtLeastOnce), (9, 0, 0, 1));
    assert_eq!(of(true, Qos::ExactlyOnce), (9, 0, 0, 0));
}

#[test]
fn a_payload_without_stamp_says_so() {
    let small = workload(Kind::P2p, Qos::AtLeastOnce, 8);
    let mut counts = Counts::new(2);
    counts.add(Count::Expected, 10);
    assert_eq!(Messages::of((&small, &small.audience()), &counts, Vec::new()).lost, 0);
    let notes = Summary::default().judged(&small, &small.audience()).notes;
    assert!(notes.iter().any(|note| note.contains("no stamp")), "{notes:?}");
}

#[test]
fn what_was_not_sent_is_told_with_its_cause() {
    let workload = workload(Kind::P2p, Qos::AtLeastOnce, 64);
    let notes = |count| {
        let mut counts = Counts::new(2);
        counts.add(count, 7);
        let messages = Messages::of((&workload, &workload.audience()), &counts, Vec::new());
        let summary =
            Summary { messages, ..Summary::default() }.judged(&workload, &workload.audience());
        (summary.notes.join("\n"), summary.to_string())
    };
    let (slow, _) = notes(Count::Overrun);
    assert!(slow.starts_with("7 messages were due and not sent"), "{slow}");
    let (waiting, text) = notes(Count::Waiting);
    assert!(waiting.starts_with("7 messages were due and still waited"), "{waiting}");
    assert!(text.contains(&format!("note: {waiting}\n")), "{text}");
    let (away, text) = notes(Count::Unconnected);
    let words = "7 messages were due while their publisher was not connected, and were not sent";
    assert_eq!(away, words);
    assert!(text.contains(&format!("note: {words}\n")), "{text}");
}

#[test]
fn a_loss_of_what_a_session_may_keep_is_told_with_its_mend() {
    let hint = |kind, published, lost| {
        let messages = Messages { published, lost, ..Messages::default() };
        let workload = workload(kind, Qos::AtLeastOnce, 64);
        let notes = Summary { messages, ..Summary::default() }
            .judged(&workload, &workload.audience())
            .notes;
        notes.iter().any(|note| note.contains("mqtt.max_queue_messages"))
    };
    assert!(hint(Kind::Offline, 2_002, 1), "1,001 for each of two sessions");
    assert!(!hint(Kind::Offline, 2_000, 1), "that many are kept");
    assert!(!hint(Kind::Offline, 9_000, 0), "a broker that keeps more");
    assert!(!hint(Kind::P2p, 9_000, 1), "nobody was away");
    let notes = |group: usize, churns: bool| {
        let messages = Messages { published: 9_000, lost: 1, ..Messages::default() };
        let mut workload = workload(Kind::P2p, Qos::AtLeastOnce, 64);
        workload.groups[group].sessions = Sessions::Kept { clean_start: false, expiry: None };
        let time = Duration::from_secs(1);
        let churn = Churn { stay: time, away: time, drops: false };
        workload.groups[group].churn = churns.then_some(churn);
        let audience = workload.audience();
        Summary { messages, ..Summary::default() }.judged(&workload, &audience).notes
    };
    let [away] = &notes(0, true)[..] else { panic!() };
    assert!(away.contains("mqtt.max_queue_messages") && !away.contains("--messages"), "{away}");
    assert_eq!(notes(1, true), [""; 0], "sessions of publishers keep nothing for them");
    assert_eq!(notes(0, false), [""; 0], "nobody was away");
}

#[test]
fn each_time_of_each_part_is_a_line_of_csv() {
    let mut meters = Meters::default();
    meters.record(Metric::Connect, Duration::from_micros(7));
    meters.record(Metric::Deliver, Duration::from_micros(9));
    let (before, mut after) = (Counts::new(1), Counts::new(1));
    after.add(Count::Received, 5);
    let part = Part::new("deliver", 2.0, &before, &after, &meters);
    assert_eq!((part.unit, part.count, part.per_second), ("received", 5, 2.5));
    let summary = Summary { parts: vec![part, Part::default()], ..Summary::default() };
    let csv = summary.csv();
    let lines = csv.lines().collect::<Vec<_>>();
    let columns = lines.iter().map(|line| line.split(',').count()).collect::<Vec<_>>();
    assert_eq!(columns, [25; 4], "{csv}");
    assert!(lines[1].contains(",connect,1,7.0,"), "{csv}");
    let text = summary.to_string();
    assert!(text.contains("5 received in 2.00 s, 3 a second"), "{text}");
}
