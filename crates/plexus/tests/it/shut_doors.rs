//! Security files that are empty, malformed or gone: they open no door.

use crate::{
    client::Client,
    program::{Node, Place, run},
};

const ACCEPTED: u8 = 0;
const BAD_USER_NAME_OR_PASSWORD: u8 = 0x86;
const NOT_AUTHORIZED: u8 = 0x87;

/// CVE-2018-12550, -12551, -20145.
#[test]
fn a_user_file_that_is_empty_malformed_or_gone_stops_the_start() {
    let place = Place::new();
    let listener = "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", listener);
    run(&mut place.plexus(["passwd", "good", "alice"]), b"one").ok();
    let good = place.read("good");
    for (what, users) in [
        ("empty", ""),
        ("comments only", "# staff\n"),
        ("no colon", "alice\n"),
        ("no password", "alice:\n"),
        ("a password in plain", "alice:one\n"),
        ("no name", ":$argon2id$v=19$m=64,t=1,p=1$YQ$YQ\n"),
        ("one good and one bad line", &format!("{good}bob:\n")),
        ("cut off", good.trim_end().get(..good.len() / 2).expect("long enough")),
    ] {
        place.write("users", users);
        let error = place.run(["serve", "--print-listeners"]).failed(3);
        assert!(error.contains("users"), "{what}: {error}");
        assert!(!error.contains(good.trim_end().split_at(60).1), "{what}: {error}");
    }
    std::fs::remove_file(place.path().join("users")).expect("it was there");
    let error = place.run(["serve", "--print-listeners"]).failed(3);
    assert!(error.contains("cannot read the file"), "{error}");
}

/// A list of users or rules that is there and empty is a mistake; it is neither everybody nor nobody.
#[test]
fn rules_that_say_nothing_stop_the_start() {
    let place = Place::new();
    for rule in [
        "[[access.rule]]\nallow = [\"publish\"]\ntopics = []\n",
        "[[access.rule]]\nallow = []\ntopics = [\"#\"]\n",
        "[[access.rule]]\nallow = [\"publish\"]\nclients = []\ntopics = [\"#\"]\n",
        "[[access.rule]]\nallow = [\"publish\"]\ntopics = [\"a/#/b\"]\n",
        "[[access.rule]]\ntopics = [\"#\"]\n",
    ] {
        place.write("plexus.toml", rule);
        let error = place.run(["serve", "--print-listeners"]).failed(3);
        assert!(error.contains("plexus.toml:"), "{rule}: {error}");
    }
}

/// Users and rules hold for every listener, also for one that says nothing of them.
#[test]
fn every_listener_asks_who_it_is() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "alice"]), b"one").ok();
    let url = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("[access]\nusers_file = \"users\"\n{url}{url}"));
    let mut node = Node::start(&place, &[]);
    assert_eq!(node.urls.len(), 2);
    for _ in 0..2 {
        let reason = Client::knock(&node, "stranger", 0x02, &[]).connack();
        assert_eq!(reason, (false, NOT_AUTHORIZED));
        node.urls.rotate_left(1);
    }
    assert_eq!(node.stop().code, Some(0));
}

/// CVE-2016-9877: a name that exists, and no password beside it.
#[test]
fn a_name_alone_opens_nothing() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "alice"]), b"one").ok();
    let url = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("[access]\nusers_file = \"users\"\n{url}"));
    let node = Node::start(&place, &[]);
    let says = |flags: u8, rest: &[u8]| {
        let id = b"\x00\x01a";
        let head = [b"\x00\x04MQTT\x05", &[flags, 0, 0, 0][..], id, rest].concat();
        let mut client = Client::knock_with(&node, &head);
        client.connack()
    };
    assert_eq!(says(0x82, b"\x00\x05alice"), (false, BAD_USER_NAME_OR_PASSWORD));
    assert_eq!(says(0xC2, b"\x00\x05alice\x00\x00"), (false, BAD_USER_NAME_OR_PASSWORD));
    assert_eq!(says(0xC2, b"\x00\x05alice\x00\x03one"), (false, ACCEPTED));
    assert_eq!(node.stop().code, Some(0));
}

/// CVE-2020-13821: a name with markup, line breaks and quotes is one field of one line of the log.
#[test]
fn a_name_that_is_markup_stays_a_name_in_the_log() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "alice"]), b"one").ok();
    let url = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("[access]\nusers_file = \"users\"\n{url}"));
    let node = Node::start(&place, &[]);
    let name = "<script>alert(1)</script>\"}\n{\"level\":\"ERROR\",\"x\":\"\u{1b}[2J";
    assert_eq!(Client::knock(&node, name, 0x02, &[]).connack(), (false, NOT_AUTHORIZED));
    let ended = node.stop();
    let mut told = false;
    for line in ended.stderr.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("one object a line");
        assert_ne!(record["level"], "ERROR", "{line}");
        assert!(!line.contains('\u{1b}'), "{line}");
        told |= record["fields"]["client"].as_str().is_some_and(|told| told.contains("<script>"));
    }
    assert!(told, "{ended:?}");
}
