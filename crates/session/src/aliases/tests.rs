use plexus_types::{ReasonCode, Text, TopicName};

use super::{AliasesIn, AliasesOut, Naming};

fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

/// [MQTT-3.3.2-8], [MQTT-3.3.2-9] and the rules of section 3.3.2.3.4, case by case.
#[test]
fn an_alias_names_the_topic_it_was_last_set_to() {
    let mut aliases = AliasesIn::default();
    let table: [(&str, Option<u16>, Result<&str, ReasonCode>); 9] = [
        ("a", None, Ok("a")),
        ("", Some(1), Err(ReasonCode::ProtocolError)),
        ("b", Some(1), Ok("b")),
        ("", Some(1), Ok("b")),
        ("c", Some(1), Ok("c")),
        ("", Some(1), Ok("c")),
        ("d", Some(4), Err(ReasonCode::TopicAliasInvalid)),
        ("d", Some(0), Err(ReasonCode::TopicAliasInvalid)),
        ("", None, Err(ReasonCode::ProtocolError)),
    ];
    for (topic, alias, expected) in table {
        let found = aliases.resolve(text(topic), alias, 3);
        let found = found.as_ref().map(TopicName::as_str).map_err(|refusal| refusal.reason);
        assert_eq!(found, expected, "{topic:?} with alias {alias:?}");
    }
}

#[test]
fn a_topic_with_wildcard_is_refused_and_sets_no_alias() {
    let mut aliases = AliasesIn::default();
    let refusal = aliases.resolve(text("a/+"), Some(1), 3).unwrap_err();
    assert_eq!(refusal.reason, ReasonCode::TopicNameInvalid);
    assert!(aliases.resolve(text(""), Some(1), 3).is_err());
}

#[test]
fn a_hot_topic_gets_its_alias_with_the_second_sending() {
    let mut aliases = AliasesOut::new(1);
    let (hot, other) = (
        TopicName::try_from("plant/line/1").unwrap(),
        TopicName::try_from("plant/line/2").unwrap(),
    );
    assert_eq!(aliases.name(&hot), Naming::PLAIN);
    assert_eq!(aliases.name(&hot), Naming { alias: Some(1), with_topic: true });
    assert_eq!(aliases.name(&hot), Naming { alias: Some(1), with_topic: false });
    // One other sighting does not displace the owner, two in a row do.
    assert_eq!(aliases.name(&other), Naming::PLAIN);
    assert_eq!(aliases.name(&hot), Naming { alias: Some(1), with_topic: false });
    assert_eq!(aliases.name(&other), Naming::PLAIN);
    assert_eq!(aliases.name(&other), Naming { alias: Some(1), with_topic: true });
    assert_eq!(aliases.name(&hot), Naming::PLAIN);
}

/// [MQTT-3.1.2-26], [MQTT-3.1.2-27]
#[test]
fn no_alias_is_assigned_above_the_maximum_of_the_peer() {
    let topics: Vec<_> = (0..500)
        .map(|n| TopicName::try_from(format!("plant/line/{n}").as_str()).unwrap())
        .collect();
    let (mut none, mut three) = (AliasesOut::new(0), AliasesOut::new(3));
    for topic in topics.iter().chain(&topics) {
        assert_eq!(none.name(topic), Naming::PLAIN);
        three.name(topic);
        let alias = three.name(topic).alias.expect("seen twice in a row");
        assert!((1..=3).contains(&alias), "alias {alias}");
    }
    assert!(none.0.is_none(), "a client without aliases costs no table");
}
