//! What somebody did while it was allowed, after it is not allowed any more.

use crate::{
    client::Client,
    program::{Node, Place},
};

/// `editor` writes and `reader` reads; a rule that is taken away begins with its name.
const RULES: &str = r##"
[[listener]]
url = "tcp://127.0.0.1:0"

[[access.rule]]
name = "operator"
allow = ["publish", "subscribe"]
clients = ["operator"]
topics = ["#"]

[[access.rule]]
name = "editor"
allow = ["publish"]
clients = ["editor"]
topics = ["news/#"]

[[access.rule]]
name = "reader"
allow = ["subscribe"]
clients = ["reader"]
topics = ["news/#"]
"##;

const SUCCESS: u8 = 0;
const GRANTED: u8 = 1;
const NO_SUBSCRIBERS: u8 = 0x10;
const NOT_AUTHORIZED: u8 = 0x87;

/// The rules without the one of that name.
fn without(name: &str) -> String {
    let mut parts: Vec<&str> = RULES.split("[[access.rule]]").collect();
    parts.retain(|part| !part.contains(&format!("name = \"{name}\"")));
    parts.join("[[access.rule]]")
}

/// CVE-2021-34434.
#[test]
fn a_stored_subscription_brings_nothing_when_its_right_is_gone() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let mut node = Node::start(&place, &[]);
    let (mut reader, _) = Client::resume(&node, "reader");
    assert_eq!(reader.subscribe("news/+"), GRANTED);
    reader.leave();
    let mut operator = Client::connect(&node, "operator");
    assert_eq!(operator.publish("news/before"), SUCCESS);
    place.write("plexus.toml", &without("reader"));
    node.reload();
    // Those who look after it have done so when nobody is found any more.
    while operator.publish("news/after") != NO_SUBSCRIBERS {}
    let (mut reader, present) = Client::resume(&node, "reader");
    assert!(!present, "what waited came by what is not allowed any more");
    assert_eq!(reader.subscribe("news/+"), NOT_AUTHORIZED);
    assert_eq!(operator.publish("news/later"), NO_SUBSCRIBERS);
    assert_eq!(node.stop().code, Some(0));
}

/// The same where the rules have changed while the node was down.
#[test]
fn a_subscription_on_disk_brings_nothing_when_its_right_is_gone() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let data = ["--data-dir", "data"];
    let node = Node::start(&place, &data);
    let (mut reader, _) = Client::resume(&node, "reader");
    assert_eq!(reader.subscribe("news/+"), GRANTED);
    reader.leave();
    assert_eq!(Client::connect(&node, "operator").publish("news/before"), SUCCESS);
    assert_eq!(node.stop().code, Some(0));
    place.write("plexus.toml", &without("reader"));
    let node = Node::start(&place, &data);
    let (mut reader, present) = Client::resume(&node, "reader");
    assert!(!present, "what waited came by what is not allowed any more");
    assert_eq!(Client::connect(&node, "operator").publish("news/after"), NO_SUBSCRIBERS);
    assert_eq!(reader.subscribe("news/+"), NOT_AUTHORIZED);
    assert_eq!(node.stop().code, Some(0));
}

/// CVE-2018-12546, with the outcome that docs/access.md states: what was retained stays until somebody
/// who may replaces or clears it, and the one who lost its right can do neither.
#[test]
fn what_was_retained_stays_and_cannot_be_renewed_by_who_lost_its_right() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let mut node = Node::start(&place, &[]);
    let mut editor = Client::connect(&node, "editor");
    assert_eq!(editor.retain("news/x", b"old"), NO_SUBSCRIBERS);
    place.write("plexus.toml", &without("editor"));
    node.reload();
    assert_eq!(editor.retain("news/x", b"new"), NOT_AUTHORIZED);
    assert_eq!(editor.retain("news/x", b""), NOT_AUTHORIZED);
    let mut reader = Client::connect(&node, "reader");
    assert_eq!(reader.subscribe("news/#"), GRANTED);
    assert_eq!(reader.receive(), ("news/x".to_owned(), b"old".to_vec()));
    let mut operator = Client::connect(&node, "operator");
    assert_eq!(operator.retain("news/x", b""), SUCCESS);
    assert_eq!(reader.receive(), ("news/x".to_owned(), b"".to_vec()));
    let mut late = Client::connect(&node, "reader");
    assert_eq!(late.subscribe("news/#"), GRANTED);
    assert_eq!(operator.publish("news/end"), SUCCESS);
    // Nothing of what was cleared comes before it.
    assert_eq!(late.receive(), ("news/end".to_owned(), b"x".to_vec()));
    assert_eq!(node.stop().code, Some(0));
}

#[test]
fn a_will_is_asked_for_when_it_takes_effect() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let mut node = Node::start(&place, &[]);
    let mut reader = Client::connect(&node, "reader");
    assert_eq!(reader.subscribe("news/#"), GRANTED);
    let allowed = Client::with_will(&node, "editor", "news/will");
    drop(allowed);
    assert_eq!(reader.receive(), ("news/will".to_owned(), b"gone".to_vec()));
    let revoked = Client::with_will(&node, "editor", "news/will");
    place.write("plexus.toml", &without("editor"));
    node.reload();
    drop(revoked);
    // Another connection of the name waits until the lost one has been noticed and its will decided.
    let mut editor = Client::connect(&node, "editor");
    assert_eq!(editor.publish("news/x"), NOT_AUTHORIZED);
    assert_eq!(Client::connect(&node, "operator").publish("news/end"), SUCCESS);
    assert_eq!(reader.receive(), ("news/end".to_owned(), b"x".to_vec()));
    assert_eq!(node.stop().code, Some(0));
}
