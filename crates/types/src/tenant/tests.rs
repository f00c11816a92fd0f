use bytes::Bytes;
use proptest::prelude::*;

use super::TenantName;
use crate::{ClientId, TopicFilter, TopicName, filter_matches};

fn tenant(name: &str) -> TenantName {
    TenantName::try_from(name).unwrap()
}

fn topic(text: &str) -> TopicName {
    TopicName::try_from(text).unwrap()
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::try_from(text).unwrap()
}

#[test]
fn names_of_tenants_have_few_letters() {
    for right in ["a", "Acme-2_x", &"x".repeat(64)] {
        assert_eq!(TenantName::try_from(right).unwrap().as_str(), right);
    }
    for wrong in ["", "a/b", "a b", "a\0", "ä", "$a", "+", "#", &"x".repeat(65)] {
        assert!(TenantName::try_from(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn what_is_placed_shows_the_name_that_its_clients_know() {
    let acme = tenant("acme");
    for name in ["a", "a/b", "/", "//", "/a", "$SYS/x", "$", "$share/g/t", "ä/€"] {
        let placed = acme.topic(&topic(name));
        assert_eq!(placed.shown(), name.as_bytes());
        assert_eq!(placed.to_shown(), topic(name));
        assert_eq!((placed.tenant(), topic(name).tenant()), (Some("acme"), None));
        assert_eq!(topic(name).shown(), name.as_bytes());
        assert!(placed.is_dollar() && TopicName::try_from(placed.as_str()).is_err());
        assert_eq!(TopicName::from_node(Bytes::from(placed.to_string())), Ok(placed));
    }
    let client = ClientId::try_from("a/b").unwrap();
    let placed = acme.client(&client);
    assert_eq!((placed.shown(), placed.tenant()), ("a/b", Some(acme.clone())));
    assert_eq!((client.shown(), client.tenant()), ("a/b", None));
    assert_eq!(ClientId::from_node(&placed), Ok(placed.clone()));
    assert!(ClientId::try_from(placed.as_str()).is_err());
    assert_eq!(acme.filter(&filter("$share/g/a/+")).as_str(), "$share/g/$+acme/a/+");
    assert_eq!(acme.filter(&filter("$share/g/$SYS/#")).as_str(), "$share/g/$+acme+/$SYS/#");
    for text in ["a/+", "#", "$share/g/a/+", "$share/g/$SYS/#", "$SYS/#"] {
        assert_eq!(TopicFilter::shown_of(&acme.filter(&filter(text))), text);
        assert_eq!(TopicFilter::shown_of(text), text);
    }
}

#[test]
fn what_is_read_back_is_checked() {
    let wrong =
        ["$+", "$+acme", "$+acme/", "$+/a", "$+a b/c", "$+acme/+", "a+", "$+a/a\0", "$+a++/b"];
    for wrong in wrong {
        assert!(TopicName::from_node(Bytes::from(wrong)).is_err(), "{wrong:?}");
    }
    assert!(TopicName::from_node(Bytes::from_static(b"$+acme/\xff")).is_err());
    for wrong in ["\0", "\0acme", "\0/a", "a\0", "\0acme/a\0"] {
        assert!(ClientId::from_node(wrong).is_err(), "{wrong:?}");
    }
}

/// Few levels, so that much of it meets.
fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["", "a", "b", "acme", "$SYS", "$", "$share", "g"])
}

fn names() -> impl Strategy<Value = String> {
    prop::collection::vec(level(), 1..4)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a topic", |name| !name.is_empty())
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop_oneof![level(), Just("+")];
    (prop::collection::vec(level, 1..4), any::<bool>()).prop_map(|(mut levels, all)| {
        if all {
            levels.push("#");
        }
        levels.join("/")
    })
}

proptest! {
    /// Inside a tenant a filter matches what it matches in a node without tenants, and nothing outside.
    #[test]
    fn a_tenant_is_a_world_of_its_own(
        name in names(),
        wanted in filters().prop_filter_map("a filter", |text| TopicFilter::try_from(&*text).ok()),
        worlds in prop::sample::subsequence(vec!["", "a", "acme", "acme-2"], 2),
    ) {
        let placed = |world: &str| match TenantName::try_from(world) {
            Ok(tenant) => (tenant.topic(&topic(&name)), tenant.filter(&wanted)),
            Err(_) => (topic(&name), wanted.clone()),
        };
        let (one, other) = (placed(worlds[0]), placed(worlds[1]));
        let matches = filter_matches(wanted.matched(), &name);
        prop_assert_eq!(filter_matches(one.1.matched(), &one.0), matches);
        prop_assert_eq!(filter_matches(other.1.matched(), &other.0), matches);
        prop_assert!(!filter_matches(one.1.matched(), &other.0));
        prop_assert!(!filter_matches(other.1.matched(), &one.0));
    }
}
