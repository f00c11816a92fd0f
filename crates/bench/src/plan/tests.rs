use super::*;
use crate::pattern::Place as Letter;

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, Letter::OF_PAYLOAD).unwrap()
}

fn group(count: u32, role: Role) -> Group {
    Group {
        name: "group".to_owned(),
        count,
        first: 0,
        id_first: 0,
        client_id: pattern("c%i"),
        sessions: Sessions::Asked,
        churn: None,
        will: None,
        role,
    }
}

fn subscribing(filter: &str, shared: Option<&str>) -> Role {
    Role::Subscribe(Subscribing {
        filter: pattern(filter),
        each: 1,
        qos: Qos::AtLeastOnce,
        shared: shared.map(str::to_owned),
        per_packet: 1,
        window: 1,
        at_once: true,
    })
}

fn publishing(topic: &str) -> Publishing {
    Publishing {
        topic: pattern(topic),
        topics: None,
        qos: Qos::ExactlyOnce,
        retain: false,
        body: Body::of_size(16),
        user_properties: Vec::new(),
        pace: Pace::Window(1),
        messages: None,
        awaits_delivery: true,
        counted: true,
    }
}

fn workload(groups: Vec<Group>) -> Workload {
    Workload { name: "test".to_owned(), groups, steps: Vec::new() }
}

#[test]
fn the_audience_of_each_message_is_known_beforehand() {
    for (topic, filter, shared, expected) in [
        ("a/%i", "a/%i", None, Some(1)),
        ("a/%i", "a/+", None, Some(3)),
        ("a/%i", "a/+", Some("g"), Some(1)),
        ("a/%i/%n", "a/%i/+", None, Some(1)),
        ("a/%n", "a/0", None, None),
        ("a/%r", "a/#", None, Some(3)),
        ("a/%i", "b", None, Some(0)),
    ] {
        let groups =
            vec![group(3, subscribing(filter, shared)), group(2, Role::Publish(publishing(topic)))];
        assert_eq!(workload(groups).audience(), [expected; 2], "{topic} {filter}");
    }
}

#[test]
fn messages_go_round_the_topics_however_many_publish() {
    for (topics, count, stride) in
        [(6, 4, 3), (4, 6, 2), (3, 3, 1), (1, 5, 1), (7, 1, 7), (2, 8, 1)]
    {
        let publishing = Publishing { topics: Some(topics), ..publishing("a/%i") };
        assert_eq!(publishing.stride(count), stride, "{topics} {count}");
        assert_eq!(publishing.has_topics(count), stride > 1);
        let mut got = vec![0; topics as usize];
        for message in 0..u64::from(topics) {
            for number in 0..count {
                let topic = publishing.topic_number(number, count, message);
                got[topic as usize] += 1;
                let next = publishing.topic_number(number, count, message + u64::from(stride));
                assert_eq!(next, topic, "{topics} {count}");
            }
        }
        assert_eq!(got, vec![count; topics as usize], "{topics} {count}");
    }
}

#[test]
fn shared_subscriptions_are_receivers_of_their_own() {
    let groups = vec![
        group(5, subscribing("a/+", None)),
        group(2, subscribing("a/+", Some("g"))),
        group(2, subscribing("a/+", Some("g"))),
        group(2, subscribing("a/+", Some("h"))),
        group(1, Role::Publish(publishing("a/%i"))),
    ];
    assert_eq!(workload(groups).audience(), [Some(7)]);
}

#[test]
fn the_audience_of_messages_that_go_round_is_that_of_each_topic() {
    let publishing = Publishing { topics: Some(3), ..publishing("a/%i") };
    for (filter, expected) in [("a/%i", Some(1)), ("a/+", Some(3)), ("a/1", None), ("b", Some(0))] {
        let groups =
            vec![group(3, subscribing(filter, None)), group(2, Role::Publish(publishing.clone()))];
        assert_eq!(workload(groups).audience(), [expected; 2], "{filter}");
    }
}

/// Two subscribers to `a/#` and groups of two clients that publish so.
fn blank(topics: &[&str], qos: Qos, pace: Pace) -> Workload {
    let body = Body::of_size(8);
    let publishing = |topic: &&str| {
        group(2, Role::Publish(Publishing { qos, pace, body: body.clone(), ..publishing(topic) }))
    };
    let subscribers = group(2, subscribing("a/#", None));
    workload(std::iter::once(subscribers).chain(topics.iter().map(publishing)).collect())
}

#[test]
fn without_a_stamp_a_topic_of_its_own_tells_whose_message_came() {
    let window = Pace::Window(20);
    for (topics, awaited) in [
        (&["a/%i"][..], &[2, 2][..]),
        (&["a/%c/x"], &[2, 2]),
        // Nobody is there.
        (&["b/%i"], &[0, 0]),
        // Both publish there, or there is no telling where.
        (&["a/b"], &[0, 0]),
        (&["a/%i/%n"], &[0, 0]),
        (&["a/%i", "a/%i"], &[0; 4]),
        (&["a/%i", "a/b/%i"], &[2; 4]),
    ] {
        let workload = blank(topics, Qos::AtMostOnce, window);
        let senders = Senders::of(&workload);
        assert_eq!(workload.awaited(&senders, &workload.audience()), awaited, "{topics:?}");
    }
    let workload = blank(&["a/%i"], Qos::AtMostOnce, window);
    let senders = Senders::of(&workload);
    assert_eq!(
        ["a/0", "a/1", "a/2"].map(|topic| senders.of_topic(topic)),
        [Some(0), Some(1), None]
    );
}

#[test]
fn a_window_that_nothing_would_settle_is_refused() {
    let window = Pace::Window(20);
    let check = |topic, qos, pace| blank(&[topic], qos, pace).check();
    for topic in ["a/b", "a/%i/%n", "a/%r"] {
        assert_eq!(check(topic, Qos::AtMostOnce, window), Err(WorkloadError::Window), "{topic}");
        assert_eq!(check(topic, Qos::AtMostOnce, Pace::Rate(9)), Ok(()), "{topic}");
        assert_eq!(check(topic, Qos::AtLeastOnce, window), Ok(()), "{topic}");
    }
    assert_eq!(check("a/%i", Qos::AtMostOnce, window), Ok(()));
    assert_eq!(check("b", Qos::AtMostOnce, window), Ok(()), "nobody is there to wait for");
}

#[test]
fn a_quota_is_dealt_out_to_the_last_message() {
    let publishing = Publishing { messages: Some(10), ..publishing("a") };
    let quotas = [0, 1, 2, 3].map(|number| publishing.quota(number, 4));
    assert_eq!(quotas, [3, 3, 2, 2]);
    let unlimited = Publishing { messages: None, ..publishing };
    assert_eq!(unlimited.quota(0, 4), u64::MAX);
}

#[test]
fn what_must_hold_follows_from_the_groups() {
    let groups =
        vec![group(1, subscribing("a/+", None)), group(1, Role::Publish(publishing("a/%i")))];
    let plain = workload(groups.clone());
    assert_eq!(plain.qos_least(), Some(Qos::AtLeastOnce));
    assert!(plain.is_stamped());
    let small = Publishing { body: Body::of_size(15), ..publishing("a/%n") };
    let small = workload(vec![groups[0].clone(), group(1, Role::Publish(small))]);
    assert!(!small.is_stamped());
}

#[test]
fn connections_are_counted_where_they_stand_together() {
    let groups = vec![group(7, Role::Connect), group(5, Role::Connect)];
    let connect = |group| Step::Connect { group, anew: false, measured: None };
    let leave = |group| Step::Leave { group, forget: false };
    let after = |steps| Workload { steps, ..workload(groups.clone()) }.connections_max();
    assert_eq!(after(vec![connect(0), connect(1)]), 12);
    assert_eq!(after(vec![connect(0), leave(0), connect(1), leave(1)]), 7);
}
