use std::num::NonZeroU32;

use plexus_stdx::Seed;
use plexus_types::{Qos, filter_matches};
use proptest::prelude::*;

use super::SubscriptionIndex;
use crate::{Matches, Options, SubscriberId, Subscription};

fn by(subscriber: u32) -> Subscription {
    let id = NonZeroU32::new(subscriber % 3);
    let options = Options::new(Qos::AtLeastOnce, false, false);
    Subscription { subscriber: SubscriberId(subscriber), id, options }
}

fn found(index: &SubscriptionIndex, topic: &str) -> Vec<u32> {
    let mut matches = Matches::new();
    index.matches(topic, &mut matches);
    let mut found: Vec<u32> = matches.subscriptions().map(|it| it.subscriber.0).collect();
    found.sort_unstable();
    found
}

/// The number of nodes that a match looked at.
fn visited(index: &SubscriptionIndex, topic: &str) -> usize {
    let mut matches = Matches::new();
    index.matches(topic, &mut matches);
    matches.walk.visited
}

fn index_of(filters: &[&str]) -> SubscriptionIndex {
    let mut index = SubscriptionIndex::new(Seed::new(5));
    for (number, filter) in filters.iter().enumerate() {
        assert_eq!(index.insert(filter, by(number as u32)), None);
    }
    index
}

#[test]
fn filters_match_as_the_specification_says() {
    let filters = [
        "#", "+", "/", "/+", "+/+", "a", "a/#", "a/+", "a/b", "a/b/#", "a/+/c", "+/b/#", "a//c",
        "//#", "$SYS/#", "$SYS/+", "+/x", "$SYS", "a/b/c/d", "ä/ö",
    ];
    let topics = [
        "a", "a/", "/", "//", "///", "a/b", "a/b/c", "a//c", "a/b/c/d", "$SYS", "$SYS/x",
        "$SYS/x/y", "b", "b/b", "b/b/b", "/a", "ab", "a/bc", "ä/ö", "a/B",
    ];
    let index = index_of(&filters);
    for topic in topics {
        let wanted: Vec<u32> = (0..filters.len())
            .filter(|number| filter_matches(filters[*number], topic))
            .map(|number| number as u32)
            .collect();
        assert_eq!(found(&index, topic), wanted, "{topic}");
    }
}

#[test]
fn wildcards_do_not_see_dollar_topics() {
    // [MQTT-4.7.2-1] [MQTT3-4.7.2-1]
    let index = index_of(&["#", "+/broker", "$SYS/#", "+/+"]);
    assert_eq!(found(&index, "$SYS/broker"), [2]);
    assert_eq!(found(&index, "SYS/broker"), [0, 1, 3]);
}

#[test]
fn a_second_subscription_of_the_same_subscriber_replaces_the_first() {
    // [MQTT-3.8.4-3] [MQTT3-3.8.4-3]
    let mut index = SubscriptionIndex::new(Seed::new(1));
    let first = by(4);
    let second = Subscription { options: Options::new(Qos::AtMostOnce, true, true), ..first };
    assert_eq!(index.insert("a/#", first), None);
    assert_eq!(index.insert("a/#", second), Some(first));
    assert_eq!((index.filters(), index.subscriptions()), (1, 1));
    assert_eq!(index.remove("a/#", SubscriberId(4)), Some(second));
    assert_eq!(index.remove("a/#", SubscriberId(4)), None);
    assert!(index.is_empty());
}

#[test]
fn what_was_not_subscribed_cannot_be_removed() {
    let mut index = index_of(&["a/b/c", "a/b/#", "x/+"]);
    for filter in ["a", "a/b", "a/b/c/#", "a/b/c/d", "x", "x/#", "x/y", "#", "+", "", "a/b/cc"] {
        for subscriber in 0..4 {
            assert_eq!(index.remove(filter, SubscriberId(subscriber)), None, "{filter}");
        }
    }
    assert_eq!(index.remove("a/b/c", SubscriberId(1)), None, "another's");
    assert_eq!(index.subscriptions(), 3);
}

#[test]
fn the_tree_is_that_of_its_filters_whatever_came_and_went() {
    let filters = ["a/b/c/d", "a/b/x", "a/b", "a/+/c", "a/+/c/#", "a/#", "+/b/c", "q/w/e/r/t/z"];
    let mut index = index_of(&filters);
    let nodes = index.nodes.len();
    assert!(nodes <= 2 * filters.len());
    let passing =
        ["a/b/c/e", "a/b/c", "a/c", "q/w", "q/w/e/+", "+/b", "+", "#", "a", "q/w/e/r/t/z/#"];
    for filter in passing {
        index.insert(filter, by(9));
    }
    for filter in passing {
        assert!(index.remove(filter, SubscriberId(9)).is_some(), "{filter}");
    }
    assert_eq!(index.nodes.len(), nodes);
    for (number, filter) in filters.iter().enumerate() {
        assert!(index.remove(filter, SubscriberId(number as u32)).is_some(), "{filter}");
    }
    assert_eq!((index.nodes.len(), index.inners.len(), index.filters()), (1, 1, 0));
}

#[test]
fn the_deepest_filters_cost_no_more_nodes_than_others() {
    let slashes = "/".repeat(65_535);
    let wild = format!("{}#", "+/".repeat(32_767));
    let turn = format!("{}/x", "/".repeat(65_533));
    let mut index = index_of(&[&slashes, &wild, &turn]);
    assert!(index.nodes.len() <= 7, "{}", index.nodes.len());
    assert_eq!(found(&index, &slashes), [0, 1]);
    assert_eq!(found(&index, &turn), [1, 2]);
    for (number, filter) in [slashes, wild, turn].iter().enumerate() {
        assert!(index.remove(filter, SubscriberId(number as u32)).is_some());
    }
    assert_eq!(index.nodes.len(), 1);
}

#[test]
fn a_match_looks_at_a_node_once_and_at_none_that_does_not_fit() {
    // Every combination of `+` and `a` over twelve levels: each of them matches.
    let mut index = SubscriptionIndex::new(Seed::new(2));
    let filter = |number: u32| {
        let levels: Vec<&str> =
            (0..12).map(|bit| if number & 1 << bit == 0 { "+" } else { "a" }).collect();
        levels.join("/")
    };
    for number in 0..4_096 {
        index.insert(&filter(number), by(number));
    }
    let topic = ["a"; 12].join("/");
    assert_eq!(found(&index, &topic).len(), 4_096);
    assert!(visited(&index, &topic) < index.nodes.len());
    // One level that differs closes all ways that have a literal there.
    assert_eq!(found(&index, &topic.replacen('a', "b", 1)).len(), 2_048);
    // Nodes beside the way are not looked at.
    let mut wide = SubscriptionIndex::new(Seed::new(3));
    for number in 0..10_000 {
        wide.insert(&format!("dev/{number}/+/state"), by(number));
        wide.insert(&format!("dev/{number}/+/set"), by(number));
    }
    assert_eq!(found(&wide, "dev/77/x/state"), [77]);
    assert!(visited(&wide, "dev/77/x/state") <= 4);
    assert_eq!(visited(&wide, "dev/none/x/state"), 1);
}

#[test]
fn memory_comes_back() {
    let mut index = SubscriptionIndex::new(Seed::new(2));
    let empty = index.memory();
    for number in 0..20_000 {
        index.insert(&format!("dev/{number}/+/state"), by(number));
        index.insert("all/+", by(number));
    }
    let full = index.memory();
    assert!(full < 20_000 * 120, "{full}");
    for number in 0..20_000 {
        index.remove(&format!("dev/{number}/+/state"), SubscriberId(number));
        index.remove("all/+", SubscriberId(number));
    }
    assert!(index.memory() < empty + 32_768, "{} after {full}", index.memory());
}

#[test]
fn what_was_reserved_stays_until_it_is_fitted() {
    let mut index = SubscriptionIndex::new(Seed::new(2));
    index.insert("a/b/c", by(0));
    index.reserve(20_000);
    let reserved = index.buckets.memory();
    assert!(reserved > 20_000 * 2 * 4);
    // It divides a node and takes one out.
    index.insert("a/b/d", by(1));
    index.remove("a/b/c", SubscriberId(0));
    assert_eq!(index.buckets.memory(), reserved);
    index.fit();
    assert!(index.buckets.memory() < 10_000, "{}", index.buckets.memory());
    assert_eq!(found(&index, "a/b/d"), [1]);
}

#[derive(Debug, Clone)]
enum Act {
    Insert(String, u32),
    Remove(String, u32),
    Reserve(usize),
    Fit,
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "+", "", "ab", "$x", "a-long-level-name"]);
    (prop::collection::vec(level, 1..5), prop::bool::weighted(0.3)).prop_map(|(levels, multi)| {
        let filter = levels.join("/");
        match (multi, filter.as_str()) {
            (_, "") => "#".to_owned(),
            (true, _) => format!("{filter}/#"),
            (false, _) => filter,
        }
    })
}

fn topics() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "ab", "$x", "a-long-level-name"]);
    prop::collection::vec(level, 1..6).prop_map(|levels| levels.join("/"))
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let change =
        (filters(), 0_u32..4, prop::bool::weighted(0.6)).prop_map(|(filter, who, more)| {
            if more { Act::Insert(filter, who) } else { Act::Remove(filter, who) }
        });
    let act = prop_oneof![
        20 => change,
        1 => (0_usize..100).prop_map(Act::Reserve),
        1 => Just(Act::Fit),
    ];
    prop::collection::vec(act, 0..80)
}

proptest! {
    #[test]
    fn it_agrees_with_a_list_of_filters(acts in acts(), topics in prop::collection::vec(topics(), 8)) {
        let mut index = SubscriptionIndex::new(Seed::new(99));
        let mut model: Vec<(String, u32)> = Vec::new();
        for act in acts {
            match act {
                Act::Insert(filter, who) => {
                    let known = model.iter().any(|(f, w)| *f == filter && *w == who);
                    prop_assert_eq!(index.insert(&filter, by(who)).is_some(), known);
                    if !known {
                        model.push((filter, who));
                    }
                }
                Act::Remove(filter, who) => {
                    let known = model.iter().position(|(f, w)| *f == filter && *w == who);
                    prop_assert_eq!(index.remove(&filter, SubscriberId(who)).is_some(), known.is_some());
                    known.map(|at| model.swap_remove(at));
                }
                Act::Reserve(filters) => index.reserve(filters),
                Act::Fit => index.fit(),
            }
        }
        prop_assert_eq!(index.subscriptions(), model.len());
        let mut distinct: Vec<&String> = model.iter().map(|(filter, _)| filter).collect();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(index.filters(), distinct.len());
        prop_assert!(index.nodes.len() <= 2 * distinct.len() + 1);
        for topic in topics {
            let mut wanted: Vec<u32> = model
                .iter()
                .filter(|(filter, _)| filter_matches(filter, &topic))
                .map(|(_, who)| *who)
                .collect();
            wanted.sort_unstable();
            prop_assert_eq!(found(&index, &topic), wanted, "{}", topic);
        }
        for (filter, who) in model {
            prop_assert!(index.remove(&filter, SubscriberId(who)).is_some());
        }
        prop_assert_eq!((index.nodes.len(), index.inners.len()), (1, 1));
    }
}
