use proptest::prelude::*;

use super::{Pattern, PatternError, Person};
use crate::Attributes;

const ROBOT: Person<'_> = Person { client_id: "r1", user_name: Some("fleet"), attributes: None };

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

/// Section 4.7, level by level and without thought for speed.
fn gets(filter: &[&str], topic: &[&str]) -> bool {
    match (filter, topic) {
        (["#"], _) | ([], []) => true,
        (["+", filter @ ..], [_, topic @ ..]) => gets(filter, topic),
        ([level, filter @ ..], [name, topic @ ..]) => level == name && gets(filter, topic),
        _ => false,
    }
}

fn filter_gets(filter: &str, topic: &str) -> bool {
    let levels = |text| str::split(text, '/').collect::<Vec<_>>();
    let hidden = topic.starts_with('$') && filter.starts_with(['+', '#']);
    !hidden && gets(&levels(filter), &levels(topic))
}

/// All topics of up to five levels, one of which stands in no filter.
fn universe() -> Vec<String> {
    let mut all = vec![];
    let mut last = vec![String::new()];
    for depth in 0..5 {
        let mut longer = vec![];
        for before in &last {
            for level in ["a", "r1", "z", ""] {
                longer.push(if depth == 0 { level.into() } else { format!("{before}/{level}") });
            }
            if depth == 0 {
                longer.push("$a".into());
            }
        }
        all.extend(longer.iter().filter(|topic| !topic.is_empty()).cloned());
        last = longer;
    }
    all
}

fn any_filter() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "r1", "", "+", "+"]);
    let end = prop::sample::select(vec!["", "/#"]);
    let first = prop::sample::select(vec!["a", "$a", "+", "r1", ""]);
    let many = (first, prop::collection::vec(level, 0..3), end).prop_map(|(first, levels, end)| {
        let levels = [&[first], levels.as_slice()].concat().join("/");
        format!("{levels}{end}")
    });
    prop_oneof![9 => many, 1 => Just("#".to_owned())].prop_filter("a filter", |it| !it.is_empty())
}

proptest! {
    #[test]
    fn a_pattern_covers_what_it_allows_topic_by_topic(one in any_filter(), wanted in any_filter()) {
        let pattern = pattern(&one);
        let all = universe();
        let mut got = all.iter().filter(|topic| filter_gets(&wanted, topic));
        let every = got.all(|topic| pattern.allows(topic, ROBOT));
        prop_assert_eq!(pattern.covers(&wanted, ROBOT), every, "{} ⊇ {}", one, wanted);
    }

    #[test]
    fn a_pattern_meets_what_gets_a_banned_topic(one in any_filter(), wanted in any_filter()) {
        let pattern = pattern(&one);
        let all = universe();
        let mut got = all.iter().filter(|topic| filter_gets(&wanted, topic));
        let any = got.any(|topic| pattern.bans(topic, ROBOT));
        prop_assert_eq!(pattern.meets(&wanted, ROBOT), any, "{} ∩ {}", one, wanted);
    }

    #[test]
    fn a_pattern_allows_or_bans_some_or_all(one in any_filter(), wanted in any_filter()) {
        let pattern = pattern(&one);
        let all = universe();
        let got = || all.iter().filter(|topic| filter_gets(&wanted, topic));
        let any = got().any(|topic| pattern.allows(topic, ROBOT));
        prop_assert_eq!(pattern.allows_any(&wanted, ROBOT), any, "{} ∩ {}", one, wanted);
        let every = got().all(|topic| pattern.bans(topic, ROBOT));
        prop_assert_eq!(pattern.bans_all(&wanted, ROBOT), every, "{} ⊇ {}", one, wanted);
    }

    #[test]
    fn a_pattern_allows_what_a_subscription_would_get(one in any_filter()) {
        let pattern = pattern(&one);
        for topic in universe() {
            prop_assert_eq!(pattern.allows(&topic, ROBOT), filter_gets(&one, &topic), "{} {}", one, topic);
        }
    }

    #[test]
    fn a_client_gets_nothing_by_its_name(
        client_id in "[a+#/$]{1,4}",
        one in prop::sample::select(vec!["x/${clientid}", "x/${clientid}/#", "${clientid}/#", "x/y${clientid}/+"]),
        wanted in any_filter(),
    ) {
        let person = Person { client_id: &client_id, user_name: None, attributes: None };
        let plain = !client_id.contains(['+', '#', '/']) && !client_id.starts_with('$');
        let pattern = pattern(one);
        for filter in [wanted.as_str(), "x/#", "x/+", "#", "+/#", "$SYS/#"] {
            prop_assert!(plain || !pattern.covers(filter, person), "{} {}", one, filter);
        }
        let own = one.replace("${clientid}", &client_id).replace("/#", "").replace("/+", "/b");
        prop_assert_eq!(pattern.allows(&own, person), plain);
        prop_assert!(!plain || pattern.covers(&own, person));
    }
}

#[test]
fn places_are_filled_in() {
    let own = pattern("${username}/${clientid}-in/+");
    assert!(own.has_places());
    assert!(own.allows("fleet/r1-in/go", ROBOT));
    assert!(own.covers("fleet/r1-in/+", ROBOT));
    for other in ["fleet/r2-in/go", "fleet/r1-in-/go", "fleet/r1/go", "other/r1-in/go"] {
        assert!(!own.allows(other, ROBOT), "{other}");
        assert!(!own.bans(other, ROBOT), "{other}");
        assert!(!own.meets(other, ROBOT), "{other}");
    }
    let nameless = Person { client_id: "r1", user_name: None, attributes: None };
    assert!(!own.allows("fleet/r1-in/go", nameless), "nobody is not everybody");
    assert!(own.bans("any/r1-in/go", nameless), "whom a ban is for is not to escape it");
    assert!(own.meets("+/r1-in/go", nameless));
}

#[test]
fn a_ban_of_everything_is_one_of_dollar_topics_too() {
    assert!(pattern("#").bans("$SYS/x", ROBOT));
    assert!(pattern("+/x").meets("$SYS/x", ROBOT));
    assert!(!pattern("$SYS/#").meets("#", ROBOT), "wildcards get none of it");
    assert!(pattern("$SYS/#").meets("$SYS/+/x", ROBOT));
}

#[test]
fn what_is_no_pattern_says_why() {
    for (text, error) in [
        ("a/#/b", None),
        ("", None),
        ("$share/g/a", Some(PatternError::Shared)),
        ("a/${username}-${clientid}", Some(PatternError::Twice)),
        ("$S${clientid}/a", Some(PatternError::Hidden)),
        ("a/${clientid", Some(PatternError::Open)),
        ("a/${client}/b", Some(PatternError::Unknown("client".into()))),
    ] {
        let found = Pattern::parse(text).unwrap_err();
        assert!(error.is_none_or(|error| error == found), "{text}: {found}");
    }
}

#[test]
fn an_attribute_fills_its_place_and_an_unknown_one_allows_nothing() {
    let attributes = Attributes::new([("site".to_owned(), "north".to_owned())]);
    let known = Person { attributes: Some(&attributes), ..ROBOT };
    let site = Pattern::parse("plant/${client_attrs.site}/#").unwrap();
    assert!(site.allows("plant/north/a", known) && site.covers("plant/north/#", known));
    assert!(!site.allows("plant/south/a", known) && !site.covers("plant/+/a", known));
    assert!(!site.allows("plant/north/a", ROBOT), "nothing is known of it");
    assert!(site.bans("plant/south/a", ROBOT), "so it may be that one");
    let wide = Attributes::new([("site".to_owned(), "+".to_owned())]);
    let wide = Person { attributes: Some(&wide), ..ROBOT };
    assert!(!site.covers("plant/+/a", wide) && !site.allows("plant/+/a", wide));
    assert!(Pattern::parse("a/${client_attrs.}").is_err());
}
