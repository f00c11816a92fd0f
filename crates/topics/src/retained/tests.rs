use plexus_stdx::Seed;
use plexus_types::filter_matches;
use proptest::prelude::*;

use super::Retained;

/// A walk in steps of `budget`, with `between` called between them.
fn walk(
    retained: &mut Retained<String>,
    filter: &str,
    budget: usize,
    mut between: impl FnMut(&mut Retained<String>),
) -> Vec<String> {
    let mut cursor = retained.cursor(filter);
    let mut found = Vec::new();
    while retained.next(&mut cursor, &mut { budget }, &mut found) {
        between(retained);
    }
    assert!(!retained.next(&mut cursor, &mut { budget }, &mut found), "an ended walk stays ended");
    retained.close(cursor);
    found
}

fn retained_of(topics: &[&str]) -> Retained<String> {
    let mut retained = Retained::new(Seed::new(6));
    for topic in topics {
        assert_eq!(retained.insert(topic, (*topic).to_owned()), None);
    }
    retained
}

#[test]
fn the_newest_value_of_a_topic_is_kept() {
    let mut retained = Retained::new(Seed::new(6));
    assert_eq!(retained.insert("a/b", 1), None);
    assert_eq!(retained.insert("a/b", 2), Some(1));
    assert_eq!((retained.get("a/b"), retained.get("a"), retained.len()), (Some(&2), None, 1));
    assert_eq!((retained.remove("a/b"), retained.remove("a/b")), (Some(2), None));
    assert!(retained.is_empty());
}

#[test]
fn filters_find_what_they_match() {
    let topics = [
        "a",
        "a!",
        "a!/c",
        "a/",
        "a/!/c",
        "a/b",
        "a/b/c",
        "a/b/c/d",
        "a/c",
        "b/b",
        "b/b/c",
        "/",
        "//",
        "/a",
        "$SYS",
        "$SYS/a",
        "$SYS/a/b",
        "%/a",
        "a\u{1}",
        "a/b\u{1}/c",
        "ä/ö/c",
        "#no",
        "!",
    ];
    let mut retained = retained_of(&topics);
    let filters = [
        "#", "+", "+/+", "+/#", "a", "a/#", "a/+", "a/+/c", "+/b/#", "+/+/c", "a/b/c", "/#", "/+",
        "/", "+/", "$SYS/#", "$SYS/+", "$SYS", "zz", "a/b/+/d", "+/+/+/d", "//", "+/b/c/#",
    ];
    for filter in filters {
        let mut wanted: Vec<&str> =
            topics.iter().copied().filter(|topic| filter_matches(filter, topic)).collect();
        wanted.sort_unstable();
        for budget in [1, 3, 1_000] {
            let mut found = walk(&mut retained, filter, budget, |_| {});
            found.sort_unstable();
            assert_eq!(found, wanted, "{filter} by {budget}");
        }
    }
}

#[test]
fn a_step_looks_at_no_more_than_its_budget() {
    let mut retained = Retained::new(Seed::new(6));
    for number in 0..10_000 {
        retained.insert(&format!("dev/{number:05}/state"), number);
        retained.insert(&format!("dev/{number:05}/zone"), number);
    }
    let mut cursor = retained.cursor("dev/+/state");
    let mut found = Vec::new();
    let mut steps = 1;
    while retained.next(&mut cursor, &mut { 100 }, &mut found) {
        steps += 1;
        assert!(found.len() <= steps * 100);
    }
    assert_eq!(found, (0..10_000).collect::<Vec<_>>());
    assert!((200..=210).contains(&steps), "{steps}");
}

#[test]
fn a_walk_visits_only_what_can_match() {
    let mut retained = Retained::new(Seed::new(6));
    for number in 0..10_000 {
        retained.insert(&format!("a/{number:05}"), number);
        retained.insert(&format!("m/{}/{number:05}", number % 10), number);
        retained.insert(&format!("z/{number:05}"), number);
    }
    for (filter, budget, wanted) in [
        ("m/3/00013", 3, vec![13]),
        ("m/+/00013", 30, vec![13]),
        ("m/3/x/y", 3, vec![]),
        ("m", 3, vec![]),
        ("+/00013", 24, vec![13, 13]),
    ] {
        let mut cursor = retained.cursor(filter);
        let mut found = Vec::new();
        let mut left = budget;
        assert!(!retained.next(&mut cursor, &mut left, &mut found), "{filter}");
        assert_eq!(found, wanted, "{filter}");
        assert!(left < budget, "what was looked at counts");
    }
}

#[test]
fn a_walk_yields_the_newest_values_and_survives_changes() {
    let mut retained = retained_of(&["a/1", "a/2", "a/3", "a/4"]);
    let mut steps = 0;
    let found = walk(&mut retained, "a/#", 1, |retained| {
        steps += 1;
        if steps == 1 {
            retained.remove("a/2");
            retained.insert("a/3", "newer".to_owned());
            retained.insert("a/0", "too late".to_owned());
            retained.insert("a/9", "in time".to_owned());
            retained.remove("a/1");
        }
    });
    assert_eq!(found, ["a/1", "newer", "a/4", "in time"]);
}

#[test]
fn the_deepest_topics_are_walked() {
    let deep = "/".repeat(65_535);
    let mut retained = retained_of(&[&deep, "a"]);
    let filter = format!("{}#", "+/".repeat(30_000));
    assert_eq!(walk(&mut retained, &filter, 10, |_| {}), [deep]);
}

#[test]
fn memory_comes_back() {
    let mut retained = Retained::new(Seed::new(6));
    let empty = retained.memory();
    let topic = |number: usize| format!("plant/{}/device/{number}/state", number % 7);
    for number in 0..20_000 {
        retained.insert(&topic(number), number);
    }
    let full = retained.memory();
    assert!(full < 20_000 * 100, "{full}");
    for number in 0..20_000 {
        assert_eq!(retained.remove(&topic(number)), Some(number));
    }
    assert!(retained.memory() < empty + full / 100, "{} after {full}", retained.memory());
}

fn topics() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "", "ab", "$x", "a!", "\u{1}"]);
    prop::collection::vec(level, 1..5)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a topic has a character", |topic| !topic.is_empty())
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "+", "+", "", "$x", "a!"]);
    (prop::collection::vec(level, 1..5), any::<bool>()).prop_map(|(levels, multi)| {
        let filter = levels.join("/");
        if multi { format!("{filter}/#") } else { filter }
    })
}

proptest! {
    #[test]
    fn walks_agree_with_a_list_while_topics_come_and_go(
        stable in prop::collection::btree_set(topics(), 0..40),
        fleeting in prop::collection::vec((topics(), any::<bool>()), 0..40),
        filter in filters(),
        seed in any::<u64>(),
    ) {
        let mut retained = Retained::new(Seed::new(6));
        for topic in &stable {
            retained.insert(topic, topic.clone());
        }
        let mut draw = Seed::new(seed);
        let mut fleeting = fleeting.into_iter().filter(|(topic, _)| !stable.contains(topic));
        let budget = 1 + draw.below(4);
        let found = walk(&mut retained, &filter, budget, |retained| {
            for (topic, come) in fleeting.by_ref().take(2) {
                if come {
                    retained.insert(&topic, topic.clone());
                } else {
                    retained.remove(&topic);
                }
            }
        });
        for topic in &found {
            prop_assert!(filter_matches(&filter, topic), "{} does not match {}", filter, topic);
            prop_assert_eq!(found.iter().filter(|other| *other == topic).count(), 1);
        }
        for topic in stable.iter().filter(|topic| filter_matches(&filter, topic)) {
            prop_assert!(found.contains(topic), "{} misses {}", filter, topic);
        }
    }
}

/// The levels below a topic, each with whether a topic ends with it and whether there are any below.
fn levels(retained: &Retained<String>, parent: Option<&str>) -> Vec<(String, bool, bool)> {
    let (mut found, mut last) = (Vec::new(), None::<String>);
    while let Some(level) = retained.level_behind(parent, last.as_deref()) {
        last = Some(level.name.to_owned());
        found.push((level.name.to_owned(), level.value.is_some(), level.has_more));
    }
    found
}

#[test]
fn the_tree_is_walked_level_by_level() {
    let retained = retained_of(&["a", "a!", "a/b", "a/b/c", "a/b!", "/x", "b//y", "a/\u{1}z"]);
    let told = |parent| {
        let levels = levels(&retained, parent);
        let told = levels.iter().map(|(name, ends, more)| {
            format!("{name:?}{}{}", if *ends { "=" } else { "" }, if *more { "/" } else { "" })
        });
        told.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(told(None), r#"""/ "a"=/ "a!"= "b"/"#);
    assert_eq!(told(Some("a")), r#""\u{1}z"= "b"=/ "b!"="#);
    assert_eq!(told(Some("a/b")), r#""c"="#);
    assert_eq!(told(Some("")), r#""x"="#);
    assert_eq!(told(Some("b")), r#"""/"#);
    assert_eq!(told(Some("nothing")), "");
}

#[test]
fn a_walk_begins_behind_a_topic() {
    let mut retained = retained_of(&["a", "a/b", "a/b/c", "a/c", "b"]);
    let mut behind = |filter: &str, topic: &str| {
        let (mut cursor, mut found) = (retained.cursor_behind(filter, topic), Vec::new());
        assert!(!retained.next(&mut cursor, &mut 100, &mut found));
        found.join(" ")
    };
    assert_eq!(behind("#", "a"), "a/b a/b/c a/c b");
    assert_eq!(behind("#", "a/b!"), "a/c b");
    assert_eq!(behind("a/+", "a/b"), "a/c");
    assert_eq!(behind("a/#", "0"), "a a/b a/b/c a/c");
    assert_eq!(behind("a/#", "b"), "");
}
