//! What is changed of the configuration while a node runs.

use serde_json::{Value, json};

use crate::{
    api::{As, Managed},
    client::Client,
    program::{Node, Place},
};

/// A Client Identifier that is taken as long as nobody says less.
const LONG: &str = "a-client-identifier-of-forty-characters-";

const DATA: &[&str] = &["--data-dir", "data"];

fn put(managed: &Managed, path: &str, body: &Value) -> (u16, Value) {
    managed.ask(As::Token(&managed.admin), "PUT", path, Some(body))
}

fn is_let_in(node: &Node, id: &str) -> bool {
    let mut client = Client::knock(node, id, 0x02, &[]);
    client.connack().1 == 0
}

/// The patch that lets in short identifiers only.
fn short(version: u64) -> Value {
    json!({ "version": version, "patch": { "mqtt": { "max_client_id_length": 23 } }, "why": "too long" })
}

#[test]
fn a_limit_changes_without_a_restart_and_back() {
    let place = Place::new();
    let managed = Managed::start(&place, DATA);
    assert_eq!(managed.get("/configs/changes")["version"], 0);
    let (status, tried) = put(&managed, "/configs?dry_run=true", &short(0));
    assert_eq!((status, &tried["version"]), (200, &json!(0)), "{tried}");
    assert_eq!(tried["keys"], json!(["mqtt.max_client_id_length"]));
    assert!(is_let_in(&managed.node, LONG), "it was only tried");

    let mut before = Client::connect(&managed.node, "before");
    let (status, done) = put(&managed, "/configs", &short(0));
    assert_eq!((status, &done["version"]), (200, &json!(1)), "{done}");
    assert_eq!(done["waits"], json!([]), "{done}");
    assert!(!is_let_in(&managed.node, LONG));
    assert!(is_let_in(&managed.node, "short"));
    before.publish("who/is/here/stays");

    let (status, late) = put(&managed, "/configs", &short(0));
    assert_eq!((status, &late["code"]), (409, &json!("VERSION_CONFLICT")), "{late}");
    let change = &managed.get("/configs/changes")["changes"][0];
    assert_eq!((&change["value"], &change["before"]), (&json!(23), &change["of_file"]), "{change}");
    assert_eq!(change["by"], "admin");
    let holds = managed.get("/configs");
    assert_eq!(holds["config"]["mqtt"]["max_client_id_length"], 23);
    let origin = holds["origins"]["mqtt.max_client_id_length"].as_str().expect("an origin");
    assert!(origin.contains("layer.toml:"), "{origin}");

    let back = json!({ "version": 1, "to": 0 });
    let (status, done) = managed.post("/configs/rollback", &back);
    assert_eq!((status, &done["version"]), (200, &json!(2)), "{done}");
    assert!(is_let_in(&managed.node, LONG));
    let history = managed.get("/configs/history");
    let versions = history.as_array().expect("a list").iter().map(|one| one["version"].clone());
    assert_eq!(versions.collect::<Vec<_>>(), [2, 1, 0]);
    assert_eq!(history[1]["why"], "too long");
    let (status, _) = managed.post("/configs/rollback", &json!({ "version": 2, "to": 7 }));
    assert_eq!(status, 404);

    let records = managed.get("/audit?limit=100").to_string();
    for words in ["change_configs", "roll_back_configs", "mqtt.max_client_id_length"] {
        assert!(records.contains(words), "{words}: {records}");
    }
}

#[test]
fn a_restart_keeps_what_was_changed_and_takes_what_waited() {
    let place = Place::new();
    let managed = Managed::start(&place, DATA);
    let patch = json!({ "version": 0, "keys": [
        { "key": "mqtt.max_client_id_length", "value": 23 },
        { "key": "retained.max_messages", "value": 7 },
    ] });
    let (status, done) = put(&managed, "/configs", &patch);
    assert_eq!((status, &done["waits"]), (200, &json!(["retained.max_messages"])), "{done}");
    let password = managed.password.clone();
    managed.node.stop();
    let managed = Managed::again(&place, DATA, &password);
    assert!(!is_let_in(&managed.node, LONG));
    assert_eq!(managed.get("/configs/changes")["waits"], json!([]));
}

#[test]
fn what_cannot_be_is_refused_with_its_mend_and_changes_nothing() {
    let place = Place::new();
    let managed = Managed::start(&place, DATA);
    for (patch, words) in [
        (json!({ "mqtt": { "max_inflght": 1 } }), "did you mean mqtt.max_inflight?"),
        (json!({ "mqtt": { "max_client_id_length": "many" } }), "mqtt.max_client_id_length"),
        (json!({ "mqtt": { "max_client_id_length": 1 } }), "use a value from 23"),
        (json!({ "api": { "address": "0.0.0.0:1" } }), "who has the file"),
        (json!({ "node": { "data_dir": "elsewhere" } }), "kept there"),
        (json!({ "access": { "users": { "bob": "***" } } }), "stands in the place"),
        (json!([1]), "object"),
    ] {
        let body = json!({ "version": 0, "patch": patch });
        let (status, answer) = put(&managed, "/configs", &body);
        assert_eq!(status, 400, "{answer}");
        let message = answer["message"].as_str().expect("a message");
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(managed.get("/configs/changes")["version"], 0);
    assert!(!place.path().join("data/config/layer.toml").exists());
}

#[test]
fn without_a_data_directory_there_is_no_place_for_changes() {
    let place = Place::new();
    let managed = Managed::start(&place, &[]);
    let (status, answer) = put(&managed, "/configs", &short(0));
    assert_eq!(status, 409, "{answer}");
    assert!(answer["message"].as_str().is_some_and(|text| text.contains("node.data_dir")));
    assert_eq!(managed.get("/configs/history"), json!([]));
}

#[test]
fn the_command_line_changes_it_too_and_a_running_node_takes_it_at_a_hangup() {
    let place = Place::new();
    let file = "[mqtt]\nmax_client_id_length = 50\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", file);
    let mut node = Node::start(&place, DATA);
    let change = "mqtt.max_client_id_length=23";
    let apply = ["config", "apply", change, "--data-dir", "data"];
    let tried = place.run([&apply[..], &["--dry-run"]].concat()).ok();
    assert!(tried.contains("nothing is changed"), "{tried}");
    let done = place.run([&apply[..], &["--why", "a test"]].concat()).ok();
    assert!(done.contains("version 1 is stored"), "{done}");
    assert!(is_let_in(&node, LONG), "nobody has told the node");
    let told = node.reload();
    assert!(told.contains("limits (mqtt.max_client_id_length)"), "{told}");
    assert!(!is_let_in(&node, LONG));

    let conflict = place.run([&apply[..], &["--version", "0"]].concat()).failed(1);
    assert!(conflict.contains("version 1 holds"), "{conflict}");
    let diff = ["config", "diff", "--data-dir", "data"];
    let shown = place.run(diff).ok();
    assert!(shown.contains("mqtt.max_client_id_length = 23\n"), "{shown}");
    assert!(shown.contains("plexus.toml:2: 50"), "{shown}");
    assert!(!shown.contains("note:"), "{shown}");

    place.write("plexus.toml", &file.replace("50", "60"));
    let shown = place.run(diff).ok();
    assert!(shown.contains("plexus.toml:2 says 60 since, and said 50"), "{shown}");
    let mut hidden = place.plexus(diff);
    hidden.env("PLEXUS__MQTT__MAX_CLIENT_ID_LENGTH", "70");
    let shown = crate::program::run(&mut hidden, b"").ok();
    assert!(shown.contains("PLEXUS__MQTT__MAX_CLIENT_ID_LENGTH hides the change"), "{shown}");
    node.reload();
    let ended = node.stop();
    assert!(ended.stderr.contains("says 60 since"), "{ended:?}");

    let back = place.run(["config", "rollback", "0", "--data-dir", "data"]).ok();
    assert!(back.contains("version 2 is stored"), "{back}");
    let history = place.run(["config", "history", "--data-dir", "data"]).ok();
    assert!(history.contains("0  the file alone\n1  "), "{history}");
    assert!(history.contains("mqtt.max_client_id_length (a test)"), "{history}");
    assert!(is_let_in(&Node::start(&place, DATA), LONG));
}

#[test]
fn a_file_of_keys_is_applied_and_taken_back() {
    let place = Place::new();
    place.write("more.toml", "[mqtt]\nmaximum_qos = 1\nmax_inflight = 9\n");
    let done = place.run(["config", "apply", "more.toml", "--data-dir", "data"]).ok();
    assert!(done.contains("mqtt.maximum_qos: the file's -> 1"), "{done}");
    let shown = place.run(["config", "show", "--set", "node.data_dir=data"]).ok();
    assert!(shown.contains("max_inflight = 9  # data/config/layer.toml:"), "{shown}");
    place.run(["config", "apply", "--unset", "mqtt", "--data-dir", "data"]).ok();
    let shown = place.run(["config", "diff", "--data-dir", "data"]).ok();
    assert_eq!(shown, "version 2: the file holds, nothing is changed\n");
    let wrong =
        place.run(["config", "apply", "mqtt.max_inflght=9", "--data-dir", "data"]).failed(3);
    assert!(wrong.contains("did you mean mqtt.max_inflight?"), "{wrong}");
}

#[test]
fn changes_that_cannot_be_read_stop_the_start_and_stay() {
    let place = Place::new();
    place.run(["config", "apply", "mqtt.maximum_qos=1", "--data-dir", "data"]).ok();
    let broken = place.read("data/config/layer.toml").replace("maximum_qos = 1", "maximum_qos = ");
    place.write("data/config/layer.toml", &broken);
    let told = place.run(["serve", "--data-dir", "data"]).failed(3);
    assert!(told.contains("data/config/layer.toml:"), "{told}");
    assert!(told.contains("`history` beside the file"), "{told}");
    assert_eq!(place.read("data/config/layer.toml"), broken);
}
