use std::sync::mpsc::sync_channel;

use plexus_types::ReasonCode;

use super::{ATTRIBUTE_LENGTH_MAX, ATTRIBUTES_MAX, Attributes, Exchange, Outcome, Reply};

fn facts<const N: usize>(facts: [(&str, &str); N]) -> Attributes {
    Attributes::new(facts.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

#[test]
fn a_reply_that_gets_lost_refuses() {
    let (sender, outcomes) = sync_channel(2);
    let reply = |sender: &std::sync::mpsc::SyncSender<_>| {
        let sender = sender.clone();
        Reply::new(move |outcome| sender.try_send(outcome).unwrap())
    };
    drop(reply(&sender));
    reply(&sender).send(Outcome::allow());
    let got: Vec<_> = outcomes.try_iter().collect();
    assert!(matches!(
        got[..],
        [Outcome::Deny(ReasonCode::ServerUnavailable), Outcome::Allow(_, None)]
    ));
}

#[test]
fn attributes_are_found_by_name_and_the_first_of_two_counts() {
    let all = facts([("site", "north"), ("fleet", "7"), ("site", "south"), ("", "x")]);
    assert_eq!(all.get("site"), Some("north"));
    assert_eq!(all.get("fleet"), Some("7"));
    assert_eq!(all.get("sit"), None);
    assert_eq!(all.iter().count(), 2);
}

#[test]
fn attributes_have_limits() {
    let long = "x".repeat(ATTRIBUTE_LENGTH_MAX + 1);
    assert!(facts([("a", &long), (&long, "b")]).is_empty());
    let many = (0..100).map(|number| (format!("{number:03}"), String::new()));
    assert_eq!(Attributes::new(many).iter().count(), ATTRIBUTES_MAX);
}

#[test]
fn an_exchange_gives_back_what_was_put_in() {
    assert_eq!(Exchange::new(7_u8).take::<u8>(), Some(7));
    assert_eq!(Exchange::new(7_u8).take::<String>(), None);
}
