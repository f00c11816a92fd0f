//! The audit log, seen from outside.

use std::path::PathBuf;

use crate::{
    client::Client,
    program::{Node, Place, run},
};

const RULES: &str = r#"
[node]
name = "n1"
data_dir = "data"

[[listener]]
name = "plant"
url = "tcp://127.0.0.1:0"

[[access.rule]]
name = "no keys"
deny = ["publish"]
topics = ["keys/#"]

[[access.rule]]
name = "the rest"
allow = ["publish", "subscribe"]
topics = ["news/#"]
"#;

const NOT_AUTHORIZED: u8 = 0x87;

/// A node that has refused something, read something anew, and ended.
fn lived(place: &Place) {
    place.write("plexus.toml", RULES);
    let mut node = Node::start(place, &[]);
    let mut client = Client::connect(&node, "robot \u{1b}[2J");
    assert_eq!(client.publish("keys/1"), NOT_AUTHORIZED);
    assert_eq!(client.subscribe("keys/#"), NOT_AUTHORIZED);
    assert_eq!(client.publish("$SYS/x"), NOT_AUTHORIZED);
    place.write("plexus.toml", &RULES.replace("news/#", "other/#"));
    node.reload();
    place.write("plexus.toml", "broken");
    node.reload();
    assert_eq!(node.stop().code, Some(0));
    place.write("plexus.toml", RULES);
}

fn files(place: &Place) -> Vec<PathBuf> {
    let files = std::fs::read_dir(place.path().join("data/audit")).expect("the audit log");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
}

#[test]
fn what_was_refused_and_changed_is_told_with_its_reason() {
    let place = Place::new();
    lived(&place);
    let shown = place.run(["audit", "show"]).ok();
    let lines: Vec<&str> = shown.lines().map(|line| line.split_once("Z  ").unwrap().1).collect();
    let by = "client \"robot \\u{1b}[2J\"  from 127.0.0.1  at plant";
    let told: [(&str, &[&str]); 11] = [
        ("audit    begun done", &[]),
        ("node     start done  n1", &["because: version ", "tcp://127.0.0.1:"]),
        ("login    connect done", &[by]),
        ("access   publish refused  keys/1", &[by, "because: no keys"]),
        ("access   subscribe refused  keys/#", &[by, "because: access.no_match"]),
        ("access   publish refused  $SYS/x", &[by, "because: $SYS and $events are the node's own"]),
        ("change   rules done", &["because: 2 rules"]),
        ("change   log_level done", &["because: info"]),
        ("change   configuration failed", &["because: plexus.toml:1"]),
        ("node     stop done  n1", &[]),
        ("session  disconnect done", &[by, "because: Server shutting down"]),
    ];
    assert_eq!(lines.len(), told.len(), "{shown}");
    for (line, (start, parts)) in lines.iter().zip(told) {
        assert!(line.starts_with(start), "{line}: {start}");
        assert!(parts.iter().all(|part| line.contains(part)), "{line}: {parts:?}");
    }
    let verified = place.run(["audit", "verify"]).ok();
    assert!(verified.starts_with("whole: records 1 to 11 in 1 file, the last with"), "{verified}");
}

#[test]
fn records_are_chosen_by_time_kind_client_and_user() {
    let place = Place::new();
    lived(&place);
    let count = |words: &[&str]| {
        let args = ["audit", "show"].iter().chain(words);
        place.run(args).ok().lines().count()
    };
    assert_eq!(count(&["--kind", "access"]), 3);
    assert_eq!(count(&["--client", "robot \u{1b}[2J"]), 5);
    assert_eq!(count(&["--client", "robot"]), 0);
    assert_eq!(count(&["--user", "robot"]), 0);
    assert_eq!(count(&["--since", "1h"]), 11);
    assert_eq!(count(&["--since", "2200-01-01"]), 0);
    assert_eq!(count(&["--since", "2020-01-01T12:00", "--kind", "node"]), 2);
    let json = place.run(["audit", "show", "--json", "--kind", "change"]).ok();
    for line in json.lines() {
        let record: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(record["kind"], "change");
    }
    assert!(place.run(["audit", "show", "--kind", "x"]).failed(2).contains("no kind of record"));
    assert!(place.run(["audit", "show", "--since", "x"]).failed(2).contains("2026-11-30T12:00"));
}

#[test]
fn what_was_changed_deleted_or_swapped_is_found_with_its_place() {
    let place = Place::new();
    lived(&place);
    let file = files(&place).pop().expect("a file");
    let text = std::fs::read_to_string(&file).expect("text");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let without = |left_out: usize| {
        let kept = lines.iter().enumerate().filter(|(line, _)| *line != left_out);
        kept.map(|(_, line)| *line).collect::<String>()
    };
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    for (what, changed, told) in [
        (
            "changed",
            text.replace("keys/1", "keys/2"),
            "audit-00000001.jsonl:4: the record was changed",
        ),
        ("deleted", without(4), "audit-00000001.jsonl:5: record 6 stands where record 5 was"),
        ("swapped", swapped.concat(), "audit-00000001.jsonl:4: record 5 stands where record 4 was"),
        ("added", text.clone() + "{}\n", "audit-00000001.jsonl:12: this is no record"),
    ] {
        std::fs::write(&file, changed).expect("written");
        let error = place.run(["audit", "verify", "data/audit"]).failed(1);
        assert!(error.contains(told), "{what}: {error}");
    }
    // The end that is missing is told by who has written its hash down.
    std::fs::write(&file, &text).expect("written");
    let verified = place.run(["audit", "verify"]).ok();
    let hash = verified.trim_end().rsplit(' ').next().expect("a hash").to_owned();
    place.run(["audit", "verify", "--expect", &hash]).ok();
    std::fs::write(&file, without(10)).expect("written");
    place.run(["audit", "verify"]).ok();
    let error = place.run(["audit", "verify", "--expect", &hash]).failed(1);
    assert!(error.contains("it was cut off or written anew"), "{error}");
}

/// Where failed log-ins lock out at once, and some are banned.
const FENCED: &str = r#"
[node]
data_dir = "data"

[[listener]]
name = "plant"
url = "tcp://127.0.0.1:0"

[access]
users_file = "users"

[access.lockout]
failures = "1/1h"
first = "1h"
longest = "1h"

[[access.ban]]
client = "stolen"
reason = "lost in May"
"#;

/// CONNECT of MQTT 5.0 as that user, to a session that stays; the reason code of its answer.
fn logs_in(node: &Node, id: &str, user: &str, password: &str) -> (Client, u8) {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).expect("short");
        [&length.to_be_bytes(), text.as_bytes()].concat()
    };
    let head = b"\x00\x04MQTT\x05\xC0\x00\x00\x05\x11\x00\x00\x00\x3C";
    let body = [&head[..], &text(id), &text(user), &text(password)].concat();
    let mut client = Client::knock_with(node, &body);
    let (_, reason) = client.connack();
    (client, reason)
}

#[test]
fn a_log_in_is_told_as_it_ended_and_so_is_who_met_a_fence_and_who_left() {
    let place = Place::new();
    for user in ["ann", "bob"] {
        run(&mut place.plexus(["passwd", "users", user]), b"right").ok();
    }
    place.write("plexus.toml", FENCED);
    let node = Node::start(&place, &[]);
    let (client, reason) = logs_in(&node, "robot", "ann", "right");
    assert_eq!(reason, 0);
    client.leave();
    assert_eq!(logs_in(&node, "robot", "bob", "right").1, NOT_AUTHORIZED, "it is Ann's");
    assert_eq!(logs_in(&node, "stolen", "bob", "right").1, 0x8A);
    for _ in 0..2 {
        assert_eq!(logs_in(&node, "x", "bob", "wrong").1, 0x86);
    }
    assert_eq!(logs_in(&node, "x", "bob", "right").1, 0x9F, "nobody looks at it any more");
    let log = node.stop().stderr;
    // Names stand in the log as they are, not as a programmer would write them.
    assert!(log.contains(r#""client":"x","user":"bob""#), "{log}");
    assert!(!log.contains("Some("), "{log}");
    let shown = place.run(["audit", "show"]).ok();
    let told = |start: &str| {
        let lines = shown.lines().filter_map(|line| line.split_once("Z  "));
        lines.filter(|(_, line)| line.starts_with(start)).map(|(_, line)| line).collect::<Vec<_>>()
    };
    let by = |client: &str, user: &str| {
        format!("client {client}  user {user}  from 127.0.0.1  at plant")
    };
    let left = format!("session  disconnect done  {}  because: by the client", by("robot", "ann"));
    assert_eq!(told("session"), [left]);
    let came = format!("login    connect done  {}", by("robot", "ann"));
    assert_eq!(told("login    connect done"), [came], "{shown}");
    let refused =
        |client, why| format!("login    connect refused  {}  because: {why}", by(client, "bob"));
    let wrong = refused("x", "Bad User Name or Password (0x86)");
    let another = refused("robot", "Not authorized (0x87): its session is another user's");
    assert_eq!(told("login    connect refused"), [another, wrong.clone(), wrong], "{shown}");
    assert_eq!(
        told("ban"),
        [
            format!("ban      banned refused  {}  because: lost in May", by("stolen", "bob")),
            format!(
                "ban      locked_out refused  {}  because: too many failed log-ins",
                by("x", "bob")
            ),
        ],
        "{shown}"
    );
}

/// A life with three refusals.
fn lives(place: &Place) {
    let node = Node::start(place, &[]);
    let mut client = Client::connect(&node, "robot");
    for _ in 0..3 {
        assert_eq!(client.publish("keys/1"), NOT_AUTHORIZED);
    }
    assert_eq!(node.stop().code, Some(0));
}

#[test]
fn a_full_file_is_followed_by_the_next_and_the_oldest_goes() {
    let place = Place::new();
    let small = RULES.to_owned() + "[audit]\nmax_file_size = \"1KiB\"\nmax_files = 3\n";
    place.write("plexus.toml", &small);
    (0..4).for_each(|_| lives(&place));
    assert_eq!(files(&place).len(), 3);
    let verified = place.run(["audit", "verify"]).ok();
    assert!(verified.contains(" in 3 files, "), "{verified}");
    assert!(verified.contains("older files are gone"), "{verified}");
    // One that is missing between others is no matter of age.
    std::fs::remove_file(&files(&place)[1]).expect("removed");
    let error = place.run(["audit", "verify"]).failed(1);
    assert!(error.contains("the file before this one is missing: "), "{error}");
}

#[test]
fn a_torn_end_is_told_from_one_that_was_cut_off() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    lives(&place);
    // As a loss of power leaves it.
    let file = files(&place).pop().expect("a file");
    let bytes = std::fs::read(&file).expect("read");
    let cut = |bytes: &[u8], by: usize| {
        std::fs::write(&file, bytes.get(..bytes.len() - by).expect("longer")).expect("written");
    };
    cut(&bytes, 20);
    let verified = place.run(["audit", "verify"]).ok();
    assert!(verified.contains("a crash has torn it"), "{verified}");
    lives(&place);
    assert_eq!(files(&place).len(), 2);
    let shown = place.run(["audit", "show", "--kind", "audit"]).ok();
    assert!(shown.contains("torn failed  audit-00000001.jsonl"), "{shown}");
    let verified = place.run(["audit", "verify"]).ok();
    assert!(verified.contains(" in 2 files, "), "{verified}");
    // Afterwards nobody cuts off more of it.
    cut(&bytes, 21);
    let error = place.run(["audit", "verify"]).failed(1);
    assert!(error.contains("audit-00000001.jsonl:1: the file is cut off"), "{error}");
}

#[test]
fn a_node_that_cannot_write_its_audit_log_does_not_start() {
    let place = Place::new();
    place.write("plexus.toml", &(RULES.to_owned() + "[audit]\ndir = \"file\"\n"));
    place.write("file", "");
    let error = place.run(["serve"]).failed(1);
    assert!(error.contains("cannot write the audit log in file"), "{error}");
    assert!(error.contains("audit.enabled = false"), "{error}");
    place.write("plexus.toml", &(RULES.to_owned() + "[audit]\nenabled = false\n"));
    assert_eq!(Node::start(&place, &[]).stop().code, Some(0));
    assert!(!place.path().join("data/audit").exists());
    let error = place.run(["audit", "show"]).failed(2);
    assert!(error.contains("this configuration has no audit log"), "{error}");
}
