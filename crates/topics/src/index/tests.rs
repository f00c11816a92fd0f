use std::num::NonZeroU32;

use plexus_stdx::Seed;
use plexus_types::{Qos, filter_matches};
use proptest::prelude::*;

use super::SubscriptionIndex;
use crate::{Matches, Options, SubscriberId, Subscription};

fn subscription(subscriber: u32, qos: Qos) -> Subscription {
    Subscription {
        subscriber: SubscriberId(subscriber),
        id: NonZeroU32::new(subscriber),
        options: Options::new(qos, false, false),
    }
}

fn found(index: &SubscriptionIndex, topic: &str) -> Vec<u32> {
    let mut matches = Matches::default();
    index.matches(topic, &mut matches);
    let mut found: Vec<_> = matches.subscriptions().map(|it| it.subscriber.0).collect();
    found.sort_unstable();
    found
}

#[test]
fn a_filter_is_found_replaced_and_taken_out() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    assert_eq!(index.insert("a/+/c", subscription(1, Qos::AtMostOnce)), None);
    let old = index.insert("a/+/c", subscription(1, Qos::ExactlyOnce)).expect("replaced");
    assert_eq!(old.options.qos(), Qos::AtMostOnce);
    assert_eq!((index.subscriptions(), index.filters()), (1, 1));
    assert_eq!(found(&index, "a/b/c"), [1]);
    assert_eq!(index.remove("a/+/c", SubscriberId(2)), None);
    assert!(index.remove("a/+/c", SubscriberId(1)).is_some());
    assert_eq!(found(&index, "a/b/c"), [0; 0]);
    assert!(index.is_empty());
}

#[test]
fn a_filter_of_many_subscribers_keeps_them_apart() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    for subscriber in 0..200 {
        index.insert("t", subscription(subscriber, Qos::AtLeastOnce));
    }
    assert_eq!(found(&index, "t"), (0..200).collect::<Vec<_>>());
    for subscriber in (0..200).filter(|it| it % 3 != 0) {
        assert!(index.remove("t", SubscriberId(subscriber)).is_some());
    }
    assert_eq!(found(&index, "t"), (0..200).filter(|it| it % 3 == 0).collect::<Vec<_>>());
    assert_eq!(index.filters(), 1);
}

#[test]
fn the_deepest_topic_is_walked_without_recursion() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    let deep = "/".repeat(65_535);
    index.insert(&deep, subscription(1, Qos::AtMostOnce));
    index.insert("/#", subscription(2, Qos::AtMostOnce));
    assert_eq!(found(&index, &deep), [1, 2]);
    index.remove(&deep, SubscriberId(1));
    assert_eq!(found(&index, &deep), [2]);
}

#[test]
fn overlapping_subscriptions_become_one_delivery() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    let of = |id: u32, qos, rap| Subscription {
        subscriber: SubscriberId(7),
        id: NonZeroU32::new(id),
        options: Options::new(qos, false, rap),
    };
    index.insert("a/+", of(11, Qos::AtMostOnce, false));
    index.insert("a/b", of(12, Qos::ExactlyOnce, false));
    index.insert("#", of(13, Qos::AtLeastOnce, true));
    index.insert("a/#", subscription(3, Qos::AtLeastOnce));
    let mut matches = Matches::default();
    index.matches("a/b", &mut matches);
    let targets: Vec<_> = matches
        .deliveries(None)
        .map(|it| (it.subscriber.0, it.qos, it.retain_as_published, it.ids.to_vec()))
        .collect();
    let expected = [
        (3, Qos::AtLeastOnce, false, vec![3]),
        (7, Qos::ExactlyOnce, true, vec![11, 12, 13]), // [MQTT-3.3.4-2] [MQTT-3.3.4-4]
    ];
    assert_eq!(targets, expected);
}

#[test]
fn no_local_leaves_out_the_publisher_only() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    for subscriber in [1, 2] {
        let options = Options::new(Qos::AtMostOnce, true, false);
        let subscriber = SubscriberId(subscriber);
        index.insert("t", Subscription { subscriber, id: None, options });
    }
    let mut matches = Matches::default();
    index.matches("t", &mut matches);
    // [MQTT-3.8.3-3]
    let left: Vec<_> =
        matches.deliveries(Some(SubscriberId(1))).map(|it| it.subscriber.0).collect();
    assert_eq!(left, [2]);
}

#[test]
fn everything_given_back_leaves_nothing_behind() {
    let mut index = SubscriptionIndex::new(Seed::new(1));
    let filters: Vec<_> =
        (0..20_000).map(|it| format!("dev/{it}/+/a-rather-long-level-{it}")).collect();
    for filter in &filters {
        index.insert(filter, subscription(1, Qos::AtMostOnce));
    }
    assert!(index.memory() > 1_000_000);
    for filter in &filters {
        assert!(index.remove(filter, SubscriberId(1)).is_some(), "{filter}");
    }
    assert!(index.memory() < 10_000, "{}", index.memory());
}

fn level() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("a"), Just("b"), Just("$c"), Just(""), Just("a-level-longer-than-fifteen")]
}

pub(crate) fn topic() -> impl Strategy<Value = String> {
    proptest::collection::vec(level(), 1..5).prop_map(|levels| levels.join("/"))
}

pub(crate) fn filter() -> impl Strategy<Value = String> {
    let level = prop_oneof![3 => level(), 2 => Just("+")];
    (proptest::collection::vec(level, 0..5), any::<bool>()).prop_map(|(mut levels, multi)| {
        if multi || levels.is_empty() {
            levels.push("#");
        }
        levels.join("/")
    })
}

proptest! {
    #[test]
    fn the_index_finds_what_brute_force_finds(
        changes in proptest::collection::vec((any::<bool>(), filter(), 0_u32..6), 1..60),
        topics in proptest::collection::vec(topic(), 1..8),
    ) {
        let mut index = SubscriptionIndex::new(Seed::new(3));
        let mut model = std::collections::BTreeSet::new();
        for (enter, filter, subscriber) in changes {
            if enter {
                let replaced = index.insert(&filter, subscription(subscriber, Qos::AtMostOnce));
                prop_assert_eq!(replaced.is_none(), model.insert((filter, subscriber)));
            } else {
                let removed = index.remove(&filter, SubscriberId(subscriber));
                prop_assert_eq!(removed.is_some(), model.remove(&(filter, subscriber)));
            }
            prop_assert_eq!(index.subscriptions(), model.len());
        }
        for topic in topics {
            let mut expected: Vec<_> = model
                .iter()
                .filter(|(filter, _)| filter_matches(filter, &topic))
                .map(|(_, subscriber)| *subscriber)
                .collect();
            expected.sort_unstable();
            prop_assert_eq!(found(&index, &topic), expected, "{}", topic);
        }
    }
}
