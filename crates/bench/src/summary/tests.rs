use std::time::Duration;

use super::*;
use crate::{
    plan::{Body, Pace},
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
    summary.judged(workload).failures
}

#[test]
fn what_must_not_be_depends_on_the_quality_of_service() {
    use Qos::{AtLeastOnce, AtMostOnce, ExactlyOnce};
    let messages = Messages { lost: 3, duplicates: 2, out_of_order: 1, ..Messages::default() };
    let (lost, again) = ("3 messages were lost", "2 messages came again");
    let order = "1 messages came out of order";
    for (qos, expected) in [
        (AtMostOnce, &[again, order][..]),
        (AtLeastOnce, &[lost, order]),
        (ExactlyOnce, &[lost, again, order]),
    ] {
        assert_eq!(judged(&messages, &workload(Kind::P2p, qos, 64)), expected, "{qos:?}");
    }
    assert_eq!(judged(&Messages::default(), &workload(Kind::P2p, AtLeastOnce, 64)), [""; 0]);
}

#[test]
fn what_two_threads_received_of_one_message_is_a_duplicate() {
    let mut counts = Counts::new(2);
    counts.add(Count::Expected, 10);
    counts.add(Count::Delivered, 10);
    let harvest = || {
        let mut harvest = Harvest { gaps: 0, seen: vec![crate::seen::Seen::default()] };
        harvest.seen[0].note(3);
        harvest
    };
    let workload = workload(Kind::FanIn, Qos::AtLeastOnce, 64);
    let messages = Messages::of(&workload, &counts, vec![harvest(), harvest()]);
    assert_eq!((messages.delivered, messages.duplicates, messages.lost), (9, 1, 1));
}

#[test]
fn a_payload_without_stamp_says_so() {
    let small = workload(Kind::P2p, Qos::AtLeastOnce, 8);
    let mut counts = Counts::new(2);
    counts.add(Count::Expected, 10);
    assert_eq!(Messages::of(&small, &counts, Vec::new()).lost, 0);
    let notes = Summary::default().judged(&small).notes;
    assert!(notes.iter().any(|note| note.contains("no stamp")), "{notes:?}");
}

#[test]
fn what_was_not_sent_is_told_with_its_cause() {
    let workload = workload(Kind::P2p, Qos::AtLeastOnce, 64);
    let notes = |count| {
        let mut counts = Counts::new(2);
        counts.add(count, 7);
        let messages = Messages::of(&workload, &counts, Vec::new());
        let summary = Summary { messages, ..Summary::default() }.judged(&workload);
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
        let notes = Summary { messages, ..Summary::default() }.judged(&workload).notes;
        notes.iter().any(|note| note.contains("mqtt.max_queue_messages"))
    };
    assert!(hint(Kind::Offline, 2_002, 1), "1,001 for each of two sessions");
    assert!(!hint(Kind::Offline, 2_000, 1), "that many are kept");
    assert!(!hint(Kind::Offline, 9_000, 0), "a broker that keeps more");
    assert!(!hint(Kind::P2p, 9_000, 1), "nobody was away");
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
