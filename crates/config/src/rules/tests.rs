use std::path::PathBuf;

use plexus_access::{Act, Effect, Principal};
use plexus_types::{ClientId, Qos, Text, TopicFilter, TopicName};

use crate::{Config, File, Sources, load};

fn config(text: &str) -> Result<Config, String> {
    let file = File { path: PathBuf::from("plexus.toml"), text: text.to_owned() };
    let sources = Sources { file: Some(file), ..Sources::default() };
    load(sources).map_err(|error| error.to_string())
}

fn fleet() -> Principal {
    Principal {
        client_id: ClientId::try_from("r1").unwrap(),
        user_name: Some(Text::try_from("fleet").unwrap()),
        peer: Some("10.1.2.3".parse().unwrap()),
        listener: "plant".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    }
}

const RULES: &str = r#"
[access]
users_file = "users"
[[access.rule]]
name = "no keys"
deny = ["subscribe", "publish"]
topics = ["+/+/key"]

[[access.rule]]
name = "robots"
allow = ["publish"]
topics = ["robot/${clientid}/#", "site/log"]
users = ["fleet*"]
networks = ["10.0.0.0/8", "::1"]
listeners = ["plant"]
qos = [0, 1]
retain = false

[[access.rule]]
allow = ["subscribe"]
topics = ["robot/${clientid}/command"]
"#;

#[test]
fn rules_say_what_the_file_says() {
    let rules = config(RULES).unwrap().rules().unwrap();
    let publish = |topic: &str, qos: Qos, retain: bool| {
        let topic = &TopicName::try_from(topic).unwrap();
        let who = fleet();
        let decision = rules.decide(&who, &Act::Publish { topic, qos, retain });
        (decision.effect == Effect::Allow, decision.rule.map(|(_, rule)| rule.name.to_string()))
    };
    let robots = Some("robots".to_owned());
    assert_eq!(publish("robot/r1/state", Qos::AtLeastOnce, false), (true, robots.clone()));
    assert_eq!(publish("site/log", Qos::AtMostOnce, false), (true, robots));
    assert_eq!(publish("robot/r1/key", Qos::AtMostOnce, false), (false, Some("no keys".into())));
    for (topic, qos, retain) in [
        ("robot/r2/state", Qos::AtMostOnce, false),
        ("robot/r1/state", Qos::ExactlyOnce, false),
        ("robot/r1/state", Qos::AtMostOnce, true),
    ] {
        assert_eq!(publish(topic, qos, retain), (false, None), "{topic}");
    }
    let filter = &TopicFilter::try_from("robot/r1/command").unwrap();
    let who = fleet();
    let decision = rules.decide(&who, &Act::Subscribe { filter, qos: Qos::ExactlyOnce });
    assert_eq!(decision.rule.map(|(_, rule)| &*rule.name), Some("rule 3"), "by its number");
}

#[test]
fn without_rules_everything_is_allowed_unless_that_is_denied() {
    assert_eq!(config("").unwrap().rules(), None);
    let topic = &TopicName::try_from("a").unwrap();
    let act = Act::Publish { topic, qos: Qos::AtMostOnce, retain: false };
    for (text, effect) in [("deny", Effect::Deny), ("allow", Effect::Allow)] {
        let rules = config(&format!("[access]\nno_match = \"{text}\"\n")).unwrap().rules().unwrap();
        assert_eq!(rules.decide(&fleet(), &act).effect, effect);
    }
}

#[test]
fn mistakes_name_their_rule_and_the_mend() {
    let rule = "[[access.rule]]\nallow = [\"publish\"]\ntopics = [\"#\"]\n";
    for (text, said, mend) in [
        (
            "[[access.rule]]\ntopics = [\"#\"]\n",
            "neither allows nor denies",
            "write either allow =",
        ),
        (
            &format!("{rule}users = []\n"),
            "the rule is for nobody",
            "leave it out if the rule is for everybody",
        ),
        (&format!("{rule}clients = []\n"), "the rule is for nobody", "leave it out"),
        (&format!("{rule}networks = []\n"), "the rule is for nobody", "leave it out"),
        (&format!("{rule}listeners = []\n"), "the rule is for nobody", "leave it out"),
        (
            &format!("{rule}users = [\"admin\"]\n"),
            "user names are no rights",
            "set access.users_file",
        ),
        (&rule.replace('#', "a/${username}"), "user names are no rights", "access.users"),
        (
            "[[access.rule]]\nallow = [\"publish\"]\ndeny = [\"publish\"]\ntopics = [\"#\"]\n",
            "both allows and denies",
            "either",
        ),
        ("[[access.rule]]\nallow = [\"publish\"]\n", "the key `topics` is missing", ""),
        ("[[access.rule]]\nallow = [\"publish\"]\ntopics = []\n", "about no topic", "write \"#\""),
        (
            "[[access.rule]]\nallow = [\"read\"]\ntopics = [\"#\"]\n",
            "`read` is not known here",
            "use `publish` or `subscribe`",
        ),
        (&format!("{rule}qos = [3]\n"), "no such quality of service", "0, 1 or 2"),
        (&format!("{rule}qos = []\n"), "about no quality of service", "leave it out"),
        (&format!("{rule}networks = [\"10.0.0.1/8\"]\n"), "the network is 10.0.0.0/8", ""),
        (&rule.replace('#', "a/#/b"), "is no topic filter", ""),
        (&rule.replace('#', "a/${user}"), "known are `${clientid}`, `${username}` and", ""),
        (&rule.replace('#', "$share/g/a"), "begins with `$share/`", ""),
        (&format!("{rule}user = [\"x\"]\n"), "unknown key `user`", "did you mean `users`?"),
        (
            &format!("{rule}name = \"x\"\n{rule}name = \"x\"\n"),
            "another rule before it",
            "a name tells",
        ),
        (
            "[[access.rule]]\nallow = [\"subscribe\"]\ntopics = [\"#\"]\nretain = true\n",
            "nothing that is subscribed",
            "leave it out",
        ),
    ] {
        let error = config(text).unwrap_err();
        assert!(error.contains(said) && error.contains(mend), "{text}\n{error}");
        assert!(error.contains("plexus.toml:"), "{text}\n{error}");
    }
}
