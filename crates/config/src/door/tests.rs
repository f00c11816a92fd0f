use std::sync::Arc;

use plexus_access::{Acts, Effect, Pattern, Policy, Principal, Rights, Rule, Rules, Verdict, Who};
use plexus_admission::{Chain, Step, StepOptions, Strangers, UserTable, UsersBy};
use plexus_audit::AuditPort;
use plexus_runtime::Runtime;
use plexus_stdx::Seed;
use plexus_types::{ClientId, Qos, Text, TopicFilter, TopicName};

use super::{Door, LiveChain, LiveRules, MANY};

fn rules(effect: Effect, topics: &str, otherwise: Effect) -> Rules {
    let topics = vec![Pattern::parse(topics).unwrap()];
    let rule = Rule { name: "a rule".into(), effect, who: Who::default(), acts: Acts::ALL, topics };
    Rules::new(vec![rule], otherwise)
}

fn client(rights: Rights) -> Principal {
    Principal {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: Some(Text::from_static("ann")),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        is_unplaced: false,
        rights: Some(Arc::new(rights)),
    }
}

fn own(rules: Rules) -> Principal {
    client(Rights { rules: Some(rules), ..Rights::default() })
}

fn may(door: &Door, who: &Principal, topic: &str) -> bool {
    let topic = TopicName::try_from(topic).unwrap();
    door.publish(who, &topic, Qos::AtMostOnce, false) == Verdict::Allow
}

fn door(rules: Option<Rules>) -> Door {
    Door {
        chain: LiveChain::default(),
        rules: LiveRules::new(rules),
        filters_deliveries: false,
        advisers: None,
        audit: AuditPort::default(),
    }
}

#[test]
fn rules_of_the_client_speak_before_those_of_the_node() {
    let node = door(Some(rules(Effect::Deny, "a/#", Effect::Allow)));
    let allowed = own(rules(Effect::Allow, "a/b", Effect::Deny));
    assert!(may(&node, &allowed, "a/b"), "its own");
    assert!(!may(&node, &allowed, "a/c"), "the node's");
    assert!(may(&node, &allowed, "x"), "what none speaks of is as the node says");
    let denied = own(rules(Effect::Deny, "x", Effect::Deny));
    assert!(!may(&node, &denied, "x") && may(&node, &denied, "y"));
}

#[test]
fn who_brings_rules_has_no_more_than_they_say_where_the_node_has_none() {
    let node = door(None);
    let own = own(rules(Effect::Allow, "a", Effect::Deny));
    assert!(may(&node, &own, "a") && !may(&node, &own, "b"));
    assert!(may(&node, &client(Rights::default()), "b"));
}

#[test]
fn a_superuser_may_do_everything_but_speak_for_the_node() {
    let node = door(Some(rules(Effect::Deny, "#", Effect::Deny)));
    let root = client(Rights { is_superuser: true, ..Rights::default() });
    assert!(may(&node, &root, "a") && !may(&node, &root, "$SYS/a"));
}

#[test]
fn what_a_client_had_brought_before_the_node_started_is_not_known_any_more() {
    let runtime = Runtime::start(1).unwrap();
    let chain = |gives_rights: bool| {
        let users = plexus_access::Users::none(Seed::new(1));
        let authenticator: Arc<dyn plexus_admission::Authenticator> = if gives_rights {
            let keys = plexus_admission::Keys::secret(b"secret").unwrap();
            Arc::new(plexus_admission::Tokens::new(keys, crate::admission::tests::token_options()))
        } else {
            Arc::new(UserTable::new(users, UsersBy::UserName, runtime.handle()))
        };
        let step = Step::new("x", authenticator, StepOptions::OWN, &[1; 32], Seed::new(1));
        LiveChain::new(Some(Chain::new(vec![Arc::new(step)], Strangers::Refuse, runtime.handle())))
    };
    let restored = Principal { is_unplaced: true, rights: None, ..client(Rights::default()) };
    let door = |chain| Door { chain, ..door(None) };
    assert!(!may(&door(chain(true)), &restored, "a"));
    assert!(may(&door(chain(false)), &restored, "a"));
    let here = Principal { is_unplaced: false, ..restored };
    assert!(may(&door(chain(true)), &here, "a"));
}

#[test]
fn without_anybody_to_ask_no_method_is_offered() {
    let credentials = plexus_access::Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: None,
        password: None,
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: Some(plexus_access::Enhanced {
            method: Text::from_static("M"),
            data: bytes::Bytes::new(),
            exchange: None,
        }),
        wanted: None,
        gate: plexus_access::Gate::default(),
    };
    let verdict = door(None).authenticate(&credentials);
    assert_eq!(verdict, Verdict::Deny(plexus_types::ReasonCode::BadAuthenticationMethod));
}

#[test]
fn decisions_are_remembered_where_there_are_many_rules_until_others_hold() {
    let many = || {
        let topics = vec![Pattern::parse("a").unwrap()];
        let (who, acts) = (Who::default(), Acts::ALL);
        let rule = Rule { name: "a rule".into(), effect: Effect::Allow, who, acts, topics };
        Rules::new(vec![rule; MANY], Effect::Deny)
    };
    let few = || rules(Effect::Allow, "a", Effect::Deny);
    let node = door(Some(few()));
    let somebody = client(Rights::default());
    assert_eq!(node.edition(&somebody), None, "asking costs as little");
    assert!(node.edition(&own(many())).is_some(), "it has many itself");
    assert!(node.rules.replace(Some(many())));
    let first = node.edition(&somebody).unwrap();
    assert!(!node.rules.replace(Some(many())), "they are the same");
    assert!(node.rules.replace(Some(Rules::new(Vec::new(), Effect::Deny))));
    assert_eq!(node.edition(&somebody), None);
    assert!(node.rules.replace(Some(many())));
    assert_ne!(node.edition(&somebody), Some(first), "others have held meanwhile");
    let root = client(Rights { is_superuser: true, ..Rights::default() });
    assert_eq!(node.edition(&root), None);
}

#[test]
fn where_deliveries_are_checked_a_subscription_brings_what_the_rules_allow() {
    let filter = |text: &str| TopicFilter::try_from(text).unwrap();
    let topic = |text: &str| TopicName::try_from(text).unwrap();
    let strict = door(Some(rules(Effect::Allow, "a/+", Effect::Deny)));
    let node =
        Door { filters_deliveries: true, ..door(Some(rules(Effect::Allow, "a/+", Effect::Deny))) };
    let somebody = client(Rights::default());
    for (text, admitted) in [("#", true), ("a/b", true), ("b/#", false), ("$SYS/#", false)] {
        let filter = filter(text);
        let asked = node.subscribe(&somebody, &filter, Qos::AtMostOnce);
        assert_eq!(asked == Verdict::Allow, admitted, "{text}");
    }
    assert!(strict.subscribe(&somebody, &filter("#"), Qos::AtMostOnce).refused().is_some());
    assert!(node.receive(&somebody, &topic("a/b"), Qos::AtMostOnce));
    assert!(!node.receive(&somebody, &topic("b"), Qos::AtMostOnce));
    assert!(node.filters_deliveries(&somebody) && !strict.filters_deliveries(&somebody));
    let root = client(Rights { is_superuser: true, ..Rights::default() });
    assert!(!node.filters_deliveries(&root), "it gets everything");
    let own = own(rules(Effect::Deny, "a/secret", Effect::Deny));
    assert_eq!(node.subscribe(&own, &filter("a/#"), Qos::AtMostOnce), Verdict::Allow);
    assert!(!node.receive(&own, &topic("a/secret"), Qos::AtMostOnce), "its own rules come first");
    assert!(node.receive(&own, &topic("a/b"), Qos::AtMostOnce));
}
