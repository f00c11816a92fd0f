use std::time::Duration;

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
        assert_eq!(workload(groups).audience().all(), [expected; 2], "{topic} {filter}");
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
    assert_eq!(workload(groups).audience().all(), [Some(7)]);
}

#[test]
fn a_share_is_one_receiver_whoever_of_its_members_comes_and_goes() {
    let time = Duration::from_secs(1);
    let churn = Some(Churn { stay: time, away: time, drops: false });
    let kept = Sessions::Kept { clean_start: false, expiry: None };
    let member =
        |churn, sessions| Group { sessions, churn, ..group(2, subscribing("a/+", Some("g"))) };
    let steady = member(None, Sessions::Asked);
    let [returning, passing] = [kept, Sessions::Asked].map(|sessions| member(churn, sessions));
    // Whether it is one receiver of QoS 0 and of QoS 2, and whether a window may wait for it.
    for (members, expected) in [
        (&[&steady, &passing][..], ([1, 1], true)),
        (&[&passing, &steady], ([1, 1], true)),
        (&[&steady, &returning], ([1, 1], true)),
        (&[&returning, &passing], ([0, 1], true)),
        (&[&passing, &passing], ([0, 0], true)),
        (&[&steady, &steady], ([1, 1], false)),
    ] {
        let of = |qos| {
            let mut groups = members.iter().map(|group| (*group).clone()).collect::<Vec<_>>();
            groups.push(group(1, Role::Publish(Publishing { qos, ..publishing("a/%i") })));
            let audience = workload(groups).audience();
            let heard = audience.publishers[0];
            let owed = heard.receivers.unwrap();
            assert_eq!(audience.is_called_by_coming(0, 0), owed == 0, "what is not owed calls");
            (owed, heard.passing)
        };
        let found = [Qos::AtMostOnce, Qos::ExactlyOnce].map(of);
        assert_eq!((found.map(|(owed, _)| owed), found[0].1), expected, "{members:?}");
    }
}

#[test]
fn members_of_a_share_with_different_filters_are_refused() {
    let error = || Err(WorkloadError::Share("g".to_owned()));
    for (first, second, expected) in [
        ("a/+", "a/+", Ok(())),
        ("a/+", "a/#", error()),
        ("a/%i", "a/%i", error()),
        ("a/%c", "a/%c", error()),
    ] {
        let groups = [first, second].map(|filter| group(2, subscribing(filter, Some("g"))));
        assert_eq!(workload(groups.to_vec()).check(), expected, "{first} {second}");
    }
}

#[test]
fn a_window_is_kept_beside_filters_by_the_thousand() {
    let each = 2_500;
    for shared in [None, Some("g")] {
        let filter = if shared.is_some() { "other/+/%n" } else { "other/%i/+/%n" };
        let Role::Subscribe(others) = subscribing(filter, shared) else { panic!() };
        let publishing = Publishing { qos: Qos::AtMostOnce, ..publishing("pair/%i") };
        let workload = workload(vec![
            group(100, Role::Publish(publishing)),
            group(100, subscribing("pair/%i", None)),
            group(100, Role::Subscribe(Subscribing { each, ..others })),
        ]);
        let audience = workload.audience();
        assert_eq!(audience.all(), [Some(1); 100]);
        assert_eq!(workload.awaited(&Senders::of(&workload), &audience), [1; 100]);
    }
}

#[test]
fn a_window_that_waits_for_nobody_knows_how_many_is_refused() {
    let with = |topic, filter, each, qos| {
        let Role::Subscribe(one) = subscribing(filter, None) else { panic!() };
        workload(vec![
            group(1_000, Role::Subscribe(Subscribing { each, ..one })),
            group(1, Role::Publish(Publishing { qos, ..publishing(topic) })),
        ])
        .check()
    };
    let (refused, qos) = (Err(WorkloadError::Audience), Qos::AtMostOnce);
    assert_eq!(with("a/b", "x/%i/%n", 5_001, qos), refused, "too many filters");
    assert_eq!(with("a/b", "x/%i/%n", 5_001, Qos::AtLeastOnce), Ok(()));
    assert_eq!(with("a/%n", "a/0", 1, qos), refused, "it differs");
    assert_eq!(with("a/%n", "a/+", 1, qos), Ok(()));
}

#[test]
fn what_the_last_client_would_say_is_looked_at() {
    let id = |text: &str| Group { client_id: pattern(text), ..group(11, Role::Connect) };
    let will = |topic: &str, payload: &str| Will {
        topic: pattern(topic),
        payload: pattern(payload),
        qos: Qos::AtMostOnce,
        retain: false,
    };
    let publish = |id_of: Group, topic: &str| Group {
        role: Role::Publish(Publishing { pace: Pace::Rate(1), ..publishing(topic) }),
        ..id_of
    };
    let long = "x".repeat(65_534);
    for (group, what) in [
        (id(&format!("{long}%i")), "client identifier"),
        (publish(id("a+%i"), "t/%c"), "topic"),
        (publish(id("a#%i"), "t/%c"), "topic"),
        (publish(id("c%i"), &format!("{long}%i")), "topic"),
        (Group { will: Some(will("w/%c", "")), ..id("a+%i") }, "topic of the will"),
        (
            Group { will: Some(will("w", "%c%c")), ..id(&format!("{}%i", &long[..40_000])) },
            "payload of",
        ),
        (Group { role: subscribing("t/%c", None), ..id("a+%i") }, "filter"),
    ] {
        let error = workload(vec![group]).check().unwrap_err().to_string();
        assert!(error.starts_with(&format!("the {what}")) && error.len() < 200, "{what}: {error}");
    }
    let fine = Group { will: Some(will("w/%c", "%c")), ..publish(id("a/%i"), "t/%c/%n") };
    assert_eq!(workload(vec![fine]).check(), Ok(()));
}

#[test]
fn the_audience_of_messages_that_go_round_is_that_of_each_topic() {
    let publishing = Publishing { topics: Some(3), ..publishing("a/%i") };
    for (filter, expected) in [("a/%i", Some(1)), ("a/+", Some(3)), ("a/1", None), ("b", Some(0))] {
        let groups =
            vec![group(3, subscribing(filter, None)), group(2, Role::Publish(publishing.clone()))];
        assert_eq!(workload(groups).audience().all(), [expected; 2], "{filter}");
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
    assert!(workload(groups.clone()).is_stamped());
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
