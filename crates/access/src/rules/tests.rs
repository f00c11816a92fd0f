use std::{net::IpAddr, sync::Arc};

use plexus_types::{ClientId, Qos, Text, TopicFilter, TopicName, filter_matches};
use proptest::prelude::*;

use super::{Act, Acts, Effect, Network, NetworkError, Rule, Rules, Who, Whose, Wildcard};
use crate::{Attributes, Pattern, Principal, Rights};

fn client(id: &str, user: Option<&str>, peer: &str) -> Principal {
    Principal {
        client_id: ClientId::try_from(id).unwrap(),
        user_name: user.map(|name| Text::try_from(name).unwrap()),
        peer: peer.parse().ok(),
        listener: "plant".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    }
}

fn rule(effect: Effect, topics: &[&str]) -> Rule {
    let topics = topics.iter().map(|text| Pattern::parse(text).unwrap()).collect();
    Rule { name: topics_name(&topics), effect, who: Who::default(), acts: Acts::ALL, topics }
}

fn topics_name(topics: &Vec<Pattern>) -> Box<str> {
    format!("{topics:?}").into()
}

fn publishes(rules: &Rules, who: &Principal, topic: &str) -> bool {
    let topic = &TopicName::try_from(topic).unwrap();
    let act = Act::Publish { topic, qos: Qos::AtLeastOnce, retain: false };
    rules.decide(who, &act).effect == Effect::Allow
}

fn subscribes(rules: &Rules, who: &Principal, filter: &str) -> bool {
    let filter = &TopicFilter::try_from(filter).unwrap();
    let act = Act::Subscribe { filter, qos: Qos::AtLeastOnce };
    rules.decide(who, &act).effect == Effect::Allow
}

#[test]
fn the_first_rule_that_says_something_decides() {
    let rules = Rules::new(
        vec![
            rule(Effect::Allow, &["plant/public/#"]),
            rule(Effect::Deny, &["plant/secret/#", "plant/+/key"]),
            rule(Effect::Allow, &["plant/#"]),
        ],
        Effect::Deny,
    );
    let who = client("r1", None, "10.0.0.1");
    for (topic, allowed) in [
        ("plant/public/key", true),
        ("plant/secret/x", false),
        ("plant/a/key", false),
        ("plant/a/b", true),
        ("else", false),
    ] {
        assert_eq!(publishes(&rules, &who, topic), allowed, "{topic}");
    }
    for (filter, allowed) in [
        ("plant/a/b", true),
        ("plant/a/+", false),
        ("plant/#", false),
        ("plant/public/#", true),
        ("plant/+/b", false),
        ("plant/a/b/#", true),
        ("$share/g/plant/a/b", true),
        ("$share/g/plant/a/#", false),
        ("+/a", false),
        ("#", false),
    ] {
        assert_eq!(subscribes(&rules, &who, filter), allowed, "{filter}");
    }
    let topic = &TopicName::try_from("plant/a/key").unwrap();
    let act = Act::Publish { topic, qos: Qos::AtMostOnce, retain: false };
    let said = rules.decide(&who, &act).rule.map(|(_, rule)| &*rule.name);
    assert_eq!(said, Some("[Pattern(plant/secret/#), Pattern(plant/+/key)]"));
}

#[test]
fn everybody_who_is_in_each_list_that_has_something_in_it() {
    let wildcards = |texts: &[&str]| texts.iter().map(|text| Wildcard::new(text)).collect();
    let who = Who {
        whose: Whose::Anybodys,
        users: wildcards(&["fleet-*", "root"]),
        clients: wildcards(&["r*"]),
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        listeners: wildcards(&["plant"]),
        ..Who::default()
    };
    for (id, user, peer, included) in [
        ("r1", Some("fleet-2"), "10.9.8.7", true),
        ("r1", Some("root"), "::ffff:10.9.8.7", true),
        ("r1", None, "10.9.8.7", false),
        ("x1", Some("root"), "10.9.8.7", false),
        ("r1", Some("fleet"), "10.9.8.7", false),
        ("r1", Some("root"), "11.0.0.1", false),
        ("r1", Some("root"), "", false),
    ] {
        assert_eq!(
            who.includes(&client(id, user, peer), Effect::Allow),
            included,
            "{id} {user:?} {peer}"
        );
    }
    let elsewhere =
        Principal { listener: "public".into(), ..client("r1", Some("root"), "10.1.1.1") };
    assert!(!who.includes(&elsewhere, Effect::Allow));
    assert!(Who::default().includes(&elsewhere, Effect::Allow));
    let nowhere = Principal { is_unplaced: true, ..client("r1", Some("root"), "") };
    assert!(who.includes(&nowhere, Effect::Deny) && !who.includes(&nowhere, Effect::Allow));
}

#[test]
fn attributes_are_known_of_those_who_were_asked_about() {
    let attributes =
        vec![("site".into(), Wildcard::new("north-*")), ("kind".into(), Wildcard::new("arm"))];
    let who = Who { attributes, ..Who::default() };
    let with = |facts: &[(&str, &str)]| {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let rights = Rights { attributes: Attributes::new(facts), ..Rights::default() };
        Principal { rights: Some(Arc::new(rights)), ..client("r1", None, "") }
    };
    let arm = with(&[("site", "north-7"), ("kind", "arm"), ("more", "x")]);
    assert!(who.includes(&arm, Effect::Allow) && who.includes(&arm, Effect::Deny));
    for other in [with(&[("site", "north-7")]), with(&[("site", "south"), ("kind", "arm")])] {
        assert!(!who.includes(&other, Effect::Allow) && !who.includes(&other, Effect::Deny));
    }
    let stranger = client("r1", None, "");
    assert!(!who.includes(&stranger, Effect::Allow));
    let forgotten = Principal { is_unplaced: true, ..stranger };
    assert!(who.includes(&forgotten, Effect::Deny) && !who.includes(&forgotten, Effect::Allow));
}

#[test]
fn a_rule_is_about_what_it_names() {
    let mut retained = rule(Effect::Deny, &["#"]);
    retained.acts =
        Acts { subscribe: false, qos: [true, true, false], retain: Some(true), ..Acts::ALL };
    let rules = Rules::new(vec![retained], Effect::Allow);
    let who = client("r1", None, "");
    let topic = &TopicName::try_from("a").unwrap();
    let denied = |act: Act<'_>| rules.decide(&who, &act).effect == Effect::Deny;
    assert!(denied(Act::Publish { topic, qos: Qos::AtMostOnce, retain: true }));
    assert!(!denied(Act::Publish { topic, qos: Qos::AtMostOnce, retain: false }));
    assert!(!denied(Act::Publish { topic, qos: Qos::ExactlyOnce, retain: true }));
    let filter = &TopicFilter::try_from("a").unwrap();
    assert!(!denied(Act::Subscribe { filter, qos: Qos::AtMostOnce }));
}

#[test]
fn networks_say_what_is_wrong() {
    let parse = |text: &str| text.parse::<Network>();
    assert_eq!(parse("10.0.0.1/8"), Err(NetworkError::Host("10.0.0.0".parse().unwrap(), 8)));
    assert_eq!(parse("10.0.0.0/33"), Err(NetworkError::Bits(33, 32)));
    for text in ["", "/8", "10.0.0/8", "10.0.0.0/-1", "10.0.0.0/8/8", "host"] {
        assert_eq!(parse(text), Err(NetworkError::Form), "{text}");
    }
    assert_eq!(parse("::ffff:10.0.0.0/104").unwrap().to_string(), "10.0.0.0/8");
    let all = parse("0.0.0.0/0").unwrap();
    assert!(all.contains("255.1.2.3".parse().unwrap()) && !all.contains("::1".parse().unwrap()));
}

pub(crate) fn any_topic() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "r1", "$x", ""]), 1..4)
        .prop_map(|levels| levels.join("/"))
        .prop_filter("a topic", |topic| !topic.is_empty())
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let effect = prop::sample::select(vec![Effect::Allow, Effect::Deny]);
    let topics = prop_oneof![
        2 => any_topic(),
        1 => any_topic().prop_map(|topic| format!("{topic}/#")),
        1 => prop::sample::select(vec!["#".to_owned(), "+/a".into(), "${clientid}/+".into()]),
    ];
    let retain = prop::option::of(any::<bool>());
    let qos = prop::array::uniform3(prop::bool::weighted(0.8));
    (effect, topics, any::<(bool, bool)>(), qos, retain).prop_map(
        |(effect, topics, (publish, subscribe), qos, retain)| Rule {
            name: topics.as_str().into(),
            effect,
            who: Who::default(),
            acts: Acts { publish, subscribe, qos, retain },
            topics: vec![Pattern::parse(&topics).unwrap()],
        },
    )
}

pub(crate) fn any_rules() -> impl Strategy<Value = Rules> {
    let otherwise = prop::sample::select(vec![Effect::Allow, Effect::Deny]);
    (prop::collection::vec(any_rule(), 0..6), otherwise)
        .prop_map(|(rules, otherwise)| Rules::new(rules, otherwise))
}

fn any_filter() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "r1", "$x", "", "+", "+"]);
    (prop::collection::vec(level, 1..3), prop::sample::select(vec!["", "/#"]))
        .prop_map(|(levels, end)| format!("{}{end}", levels.join("/")))
        .prop_filter("a filter", |filter| !filter.is_empty())
}

/// All topics of up to three levels of which some stand in rules and filters.
fn universe() -> Vec<TopicName> {
    let levels = ["a", "b", "r1", "$x", "", "z"];
    let mut texts: Vec<_> = levels.iter().map(|level| (*level).to_owned()).collect();
    let mut longer = texts.clone();
    for _ in 0..2 {
        let last = std::mem::take(&mut longer);
        for before in last {
            longer.extend(levels.iter().map(|level| format!("{before}/{level}")));
        }
        texts.extend(longer.iter().cloned());
    }
    texts.iter().filter_map(|text| TopicName::try_from(text.as_str()).ok()).collect()
}

proptest! {
    /// Where each delivery is asked about, nothing is refused of which anything could be delivered; and
    /// what is admitted at once as a whole brings no more than that.
    #[test]
    fn a_filter_is_admitted_if_anything_of_it_may_be_had(
        rules in any_rules(),
        filter in any_filter(),
        qos in 0_u8..3,
    ) {
        let (who, filter) = (client("r1", None, ""), TopicFilter::try_from(filter.as_str()).unwrap());
        let qos = Qos::new(qos).unwrap();
        let rule = rules.find_any(&who, &filter, qos);
        let admitted = rule.map_or_else(|| rules.otherwise(), |(_, rule)| rule.effect) == Effect::Allow;
        let all = universe();
        let mut got = all.iter().filter(|topic| filter_matches(filter.as_str(), topic));
        let gets = |topic: &TopicName, qos| {
            let act = Act::Receive { topic, qos };
            rules.decide(&who, &act).effect == Effect::Allow
        };
        let qualities = [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce];
        let mut below = qualities.iter().filter(|other| **other <= qos);
        let something = got.any(|topic| below.clone().any(|qos| gets(topic, *qos)));
        prop_assert!(admitted || !something, "{:?} {:?}", rules, filter);
        let whole = rules.decide(&who, &Act::Subscribe { filter: &filter, qos });
        if whole.effect == Effect::Allow {
            let mut got = all.iter().filter(|topic| filter_matches(filter.as_str(), topic));
            prop_assert!(got.all(|topic| gets(topic, qos)));
            prop_assert!(below.next().is_some());
        }
    }

    #[test]
    fn a_message_may_be_had_by_whom_a_subscription_to_its_topic_is_allowed(
        rules in any_rules(),
        topic in any_topic(),
        qos in 0_u8..3,
    ) {
        let (who, qos) = (client("r1", None, ""), Qos::new(qos).unwrap());
        let filter = &TopicFilter::try_from(topic.as_str()).unwrap();
        let topic = &TopicName::try_from(topic.as_str()).unwrap();
        let had = rules.decide(&who, &Act::Receive { topic, qos });
        prop_assert_eq!(had, rules.decide(&who, &Act::Subscribe { filter, qos }));
    }

    #[test]
    fn a_network_contains_what_begins_with_its_bits(a: u32, b: u32, bits in 0_u8..=32, near in 0_u32..33) {
        let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
        let own = IpAddr::from((a & mask).to_be_bytes());
        let network: Network = format!("{own}/{bits}").parse().unwrap();
        for other in [b, a ^ 1_u32.checked_shl(near).unwrap_or(0), a] {
            let contains = network.contains(IpAddr::from(other.to_be_bytes()));
            prop_assert_eq!(contains, other & mask == a & mask);
        }
    }

    #[test]
    fn a_wildcard_is_what_its_letters_say(pattern in "[ab*]{0,6}", text in "[ab]{0,8}") {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], []) => true,
                ([b'*', rest @ ..], _) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                ([one, rest @ ..], [other, text @ ..]) => one == other && slow(rest, text),
                _ => false,
            }
        }
        let wanted = slow(pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(Wildcard::new(&pattern).matches(&text), wanted);
    }
}
