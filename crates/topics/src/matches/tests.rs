use std::num::NonZeroU32;

use plexus_stdx::Seed;
use plexus_types::Qos::{self, AtLeastOnce, AtMostOnce, ExactlyOnce};

use super::Matches;
use crate::{Options, SubscriberId, Subscription, SubscriptionIndex};

type Wanted<'a> = (&'a str, u32, u32, Qos, bool, bool);

/// Subscribes `(filter, subscriber, id, qos, no_local, retain_as_published)` and matches.
fn matches(subscriptions: &[Wanted<'_>], topic: &str) -> Matches {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    for (filter, subscriber, id, qos, no_local, retain_as_published) in subscriptions {
        let options = Options::new(*qos, *no_local, *retain_as_published);
        let subscriber = SubscriberId(*subscriber);
        index.insert(filter, Subscription { subscriber, id: NonZeroU32::new(*id), options });
    }
    let mut matches = Matches::new();
    index.matches(topic, &mut matches);
    matches
}

fn targets(matches: &mut Matches, publisher: Option<u32>) -> Vec<(u32, Qos, bool, Vec<u32>)> {
    matches
        .deliveries(publisher.map(SubscriberId))
        .map(|it| (it.subscriber.0, it.qos, it.retain_as_published, it.ids.to_vec()))
        .collect()
}

#[test]
fn overlapping_subscriptions_are_one_delivery() {
    // [MQTT-3.3.4-2] [MQTT3-3.3.5-1], [MQTT-3.3.4-3], [MQTT-3.3.4-4], [MQTT-3.3.1-13]
    let mut matches = matches(
        &[
            ("a/b", 7, 1, AtMostOnce, false, false),
            ("a/+", 7, 0, ExactlyOnce, false, true),
            ("a/#", 7, 3, AtLeastOnce, false, false),
            ("#", 2, 9, AtLeastOnce, false, false),
            ("a/+", 9, 0, AtMostOnce, false, false),
            ("+/b", 9, 5, AtMostOnce, false, false),
            ("+/+", 9, 5, AtMostOnce, false, false),
            ("x", 9, 6, AtMostOnce, false, false),
        ],
        "a/b",
    );
    let mut found = targets(&mut matches, None);
    for (.., ids) in &mut found {
        ids.sort_unstable();
    }
    let wanted = [
        (2, AtLeastOnce, false, vec![9]),
        (7, ExactlyOnce, true, vec![1, 3]),
        (9, AtMostOnce, false, vec![5, 5]),
    ];
    assert_eq!(found, wanted);
    assert_eq!(targets(&mut matches, None).len(), 3, "asking again changes nothing");
}

#[test]
fn no_local_hides_only_from_the_publisher_and_only_that_subscription() {
    // [MQTT-3.8.3-3]
    let mut matches = matches(
        &[
            ("a", 1, 1, ExactlyOnce, true, true),
            ("+", 1, 2, AtLeastOnce, false, false),
            ("a", 2, 3, AtMostOnce, true, false),
            ("#", 2, 4, AtMostOnce, true, false),
            ("a", 3, 0, AtMostOnce, false, false),
            ("+", 3, 8, AtMostOnce, false, false),
        ],
        "a",
    );
    let three = (3, AtMostOnce, false, vec![8]);
    let two = (2, AtMostOnce, false, vec![3, 4]);
    let sorted = |mut found: Vec<(u32, Qos, bool, Vec<u32>)>| {
        for (.., ids) in &mut found {
            ids.sort_unstable();
        }
        found
    };
    let by_one = sorted(targets(&mut matches, Some(1)));
    assert_eq!(by_one, [(1, AtLeastOnce, false, vec![2]), two.clone(), three.clone()]);
    let one = (1, ExactlyOnce, true, vec![1, 2]);
    assert_eq!(sorted(targets(&mut matches, Some(2))), [one.clone(), three.clone()]);
    assert_eq!(sorted(targets(&mut matches, None)), [one, two, three]);
}

#[test]
fn a_single_filter_is_read_as_it_stands() {
    let subscriptions: Vec<_> =
        (0..3_000).map(|who| ("a/+", who, who % 2, AtLeastOnce, who == 8, false)).collect();
    let mut matches = matches(&subscriptions, "a/b");
    assert_eq!((matches.len(), matches.filters), (3_000, 1));
    let found = targets(&mut matches, Some(8));
    assert_eq!(found.len(), 2_999);
    assert!(found.iter().all(|(who, .., ids)| ids.len() as u32 == who % 2));
    matches.clear();
    assert!(matches.is_empty() && targets(&mut matches, None).is_empty());
}

#[test]
fn several_topics_may_be_gathered_before_the_deliveries() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    for (filter, who) in [("a", 1), ("b", 1), ("b", 2)] {
        let subscriber = SubscriberId(who);
        index.insert(filter, Subscription { subscriber, id: None, options: Options::default() });
    }
    let mut matches = Matches::new();
    index.matches("a", &mut matches);
    index.matches("b", &mut matches);
    assert_eq!(matches.deliveries(None).count(), 2);
}
