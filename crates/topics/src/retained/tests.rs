use std::collections::BTreeMap;

use plexus_stdx::Seed;
use plexus_types::filter_matches;
use proptest::prelude::*;

use super::{LIMBO_MAX, Retained};
use crate::index::tests::{filter, topic};

fn walk(retained: &mut Retained<u32>, filter: &str, budget: usize) -> Vec<u32> {
    let mut cursor = retained.cursor(filter);
    let mut found = Vec::new();
    while retained.next(&mut cursor, budget, &mut found) {}
    retained.close(cursor);
    found.sort_unstable();
    found
}

#[test]
fn a_topic_has_one_value_and_a_filter_finds_it() {
    let mut retained = Retained::new(Seed::new(1));
    assert_eq!(retained.insert("a/b", 1), None);
    assert_eq!(retained.insert("a/b", 2), Some(1));
    retained.insert("a", 3);
    retained.insert("$SYS/a", 4);
    assert_eq!(retained.get("a/b"), Some(&2));
    assert_eq!(walk(&mut retained, "a/#", 1), [2, 3]);
    assert_eq!(walk(&mut retained, "#", 3), [2, 3]);
    assert_eq!(walk(&mut retained, "+/a", 3), [0; 0]);
    assert_eq!(walk(&mut retained, "$SYS/#", 3), [4]);
    assert_eq!(retained.remove("a/b"), Some(2));
    assert_eq!(retained.remove("a/b"), None);
    assert_eq!(retained.len(), 2);
}

#[test]
fn a_walk_that_never_goes_on_does_not_keep_everything() {
    let mut retained = Retained::new(Seed::new(1));
    retained.insert("stays", 0);
    let mut forgotten = retained.cursor("#");
    for number in 0..=LIMBO_MAX as u32 + 10 {
        let topic = format!("t/{number}");
        retained.insert(&topic, number);
        retained.remove(&topic);
    }
    assert!(retained.limbo.len() < LIMBO_MAX);
    let mut found = Vec::new();
    assert!(!retained.next(&mut forgotten, 10, &mut found), "it has ended");
    retained.close(forgotten);
    assert_eq!(walk(&mut retained, "#", 10), [0]);
}

proptest! {
    #[test]
    fn a_walk_over_changing_topics_yields_what_stays_exactly_once(
        before in proptest::collection::vec(topic(), 0..30),
        during in proptest::collection::vec((any::<bool>(), topic()), 0..30),
        filter in filter(),
        budget in 1_usize..5,
    ) {
        let mut retained = Retained::new(Seed::new(9));
        let mut model = BTreeMap::new();
        let mut number = 0;
        for topic in before {
            number += 1;
            retained.insert(&topic, (topic.clone(), number));
            model.insert(topic, number);
        }
        let mut steady = model.clone();
        let mut cursor = retained.cursor(&filter);
        let mut found = Vec::new();
        for (keep, topic) in during {
            retained.next(&mut cursor, budget, &mut found);
            number += 1;
            if keep {
                retained.insert(&topic, (topic.clone(), number));
                model.insert(topic, number);
            } else {
                prop_assert_eq!(retained.remove(&topic).is_some(), model.remove(&topic).is_some());
                steady.remove(&topic);
            }
        }
        while retained.next(&mut cursor, budget, &mut found) {}
        retained.close(cursor);
        for (topic, _) in &found {
            prop_assert!(filter_matches(&filter, topic), "{} {}", filter, topic);
        }
        for topic in steady.keys().filter(|topic| filter_matches(&filter, topic)) {
            let times = found.iter().filter(|(name, _)| name == topic).count();
            prop_assert_eq!(times, 1, "{} {}", filter, topic);
        }
        prop_assert_eq!(retained.len(), model.len());
        for topic in model.keys() {
            prop_assert!(retained.remove(topic).is_some());
        }
        prop_assert!(retained.memory() < 50_000);
        prop_assert!(!retained.tree.has_children(crate::tree::ROOT), "no node is left behind");
    }
}
