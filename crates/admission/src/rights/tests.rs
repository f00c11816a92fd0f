use std::sync::Arc;

use plexus_access::{Act, Effect, Principal, Rules};
use plexus_types::{ClientId, Qos, Text, TopicFilter, TopicName};
use serde_json::{Value, json};

use super::{RULES_MAX, RulesError, attributes_of, rules_of};

fn client() -> Principal {
    Principal {
        client_id: ClientId::try_from("r7").unwrap(),
        user_name: Some(Text::from_static("ann")),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        is_unplaced: false,
        rights: None,
    }
}

fn publishes(rules: &Rules, topic: &str, qos: u8, retain: bool) -> Option<Effect> {
    let topic = &TopicName::try_from(topic).unwrap();
    let act = Act::Publish { topic, qos: Qos::new(qos).unwrap(), retain };
    rules.find(&client(), &act).map(|(_, rule)| rule.effect)
}

fn subscribes(rules: &Rules, filter: &str) -> Option<Effect> {
    let filter = &TopicFilter::try_from(filter).unwrap();
    let act = Act::Subscribe { filter, qos: Qos::AtMostOnce };
    rules.find(&client(), &act).map(|(_, rule)| rule.effect)
}

#[test]
fn lists_of_topics_allow_and_leave_the_rest_open() {
    let claim = json!({ "pub": ["out/${clientid}/#"], "sub": ["in/${username}"], "all": "both" });
    let rules = rules_of(&claim).unwrap();
    let allowed = Some(Effect::Allow);
    assert_eq!(publishes(&rules, "out/r7/x", 0, false), allowed);
    assert_eq!(publishes(&rules, "out/r8/x", 0, false), None);
    assert_eq!(publishes(&rules, "in/ann", 0, false), None);
    assert_eq!(subscribes(&rules, "in/ann"), allowed);
    assert_eq!(subscribes(&rules, "in/+"), None, "more than was allowed");
    assert_eq!(
        (publishes(&rules, "both", 2, true), subscribes(&rules, "both")),
        (allowed, allowed)
    );
}

#[test]
fn a_list_of_rules_is_in_its_order() {
    let claim = json!([
        { "permission": "deny", "action": "publish", "topic": "a/key" },
        { "permission": "allow", "action": "all", "topics": ["a/#", "b"], "qos": [0, "1"] },
        { "permission": "allow", "topic": "c", "qos": 2, "retain": false },
        { "permission": "allow", "topic": "d", "retain": 1 },
        { "permission": "allow", "topic": "e", "retain": "all", "qos": null },
    ]);
    let rules = rules_of(&claim).unwrap();
    assert_eq!(publishes(&rules, "a/key", 0, false), Some(Effect::Deny));
    assert_eq!(publishes(&rules, "a/x", 1, false), Some(Effect::Allow));
    assert_eq!(publishes(&rules, "a/x", 2, false), None);
    assert_eq!(publishes(&rules, "c", 2, true), None);
    assert_eq!(publishes(&rules, "d", 0, true), Some(Effect::Allow));
    assert_eq!(publishes(&rules, "e", 2, true), Some(Effect::Allow));
}

/// Half of the rules are not what was meant.
#[test]
fn rules_that_are_not_understood_are_no_rules() {
    for (claim, problem) in [
        (json!("a/#"), "neither a list nor an object"),
        (json!({ "publish": ["a"] }), "neither a list nor an object"),
        (json!({ "pub": [1] }), "rule 1: a topic is no text"),
        (json!({ "pub": ["a/#/b"] }), "rule 1: the topic `a/#/b`"),
        (json!([7]), "rule 1: it is no object"),
        (json!([{ "permission": "perhaps", "topic": "a" }]), "`permission` is neither"),
        (json!([{ "permission": "allow", "topic": "a", "action": "eat" }]), "`action` is none"),
        (json!([{ "permission": "allow" }]), "either `topic` or `topics`"),
        (json!([{ "permission": "allow", "topics": [] }]), "it is about no topic"),
        (json!([{ "permission": "allow", "topic": "a", "qos": [3] }]), "`qos` has something"),
        (json!([{ "permission": "allow", "topic": "a", "qos": [] }]), "`qos` is empty"),
        (json!([{ "permission": "allow", "topic": "a", "retain": "x" }]), "`retain` is none"),
        (json!([{ "permission": "allow", "topic": "a", "who": "b" }]), "it has `who`"),
        (json!([{ "permission": "allow", "topic": "${who}" }]), "the topic `${who}`"),
    ] {
        let error = rules_of(&claim).unwrap_err().to_string();
        assert!(error.contains(problem), "{claim}: {error}");
    }
}

#[test]
fn nobody_brings_thousands_of_rules() {
    let rule = json!({ "permission": "allow", "topic": "a" });
    let many = Value::Array(vec![rule; RULES_MAX + 1]);
    assert_eq!(rules_of(&many).unwrap_err(), RulesError::TooMany);
    let topics = Value::Array(vec![json!("a"); RULES_MAX + 1]);
    assert!(rules_of(&json!({ "pub": topics })).is_err());
}

#[test]
fn attributes_are_texts_numbers_and_truths() {
    let facts =
        attributes_of(&json!({ "site": "north", "line": 3, "on": true, "x": null, "y": {} }));
    let facts: Vec<_> = facts.iter().collect();
    assert_eq!(facts, [("line", "3"), ("on", "true"), ("site", "north")]);
    assert!(attributes_of(&json!("site")).is_empty());
}
