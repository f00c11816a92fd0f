use crate::program::Place;

#[test]
fn check_says_ok_and_where_it_would_listen() {
    let place = Place::new();
    assert_eq!(
        place.run(["config", "check"]).ok(),
        "defaults: ok\n  listens at tcp://127.0.0.1:1883\n  listens at ws://127.0.0.1:8083/mqtt\n"
    );
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://[::1]\"\n");
    assert_eq!(
        place.run(["config", "check"]).ok(),
        "plexus.toml: ok\n  listens at tcp://[::1]:1883\n"
    );
}

#[test]
fn check_shows_a_mistake_with_its_place() {
    let place = Place::new();
    place.write("node.toml", "[mqtt]\nmax_inflght = 1\n");
    assert_eq!(
        place.run(["config", "check", "--config", "node.toml"]).failed(3),
        "\
error: unknown key `max_inflght`
 --> node.toml:2:1
  |
2 | max_inflght = 1
  | ^^^^^^^^^^^
  = did you mean `max_inflight`?
"
    );
    let missing = place.run(["config", "check", "--config", "no.toml"]).failed(3);
    assert!(missing.starts_with("error: cannot read the file: No such file"), "{missing}");
    assert!(missing.ends_with("\n --> no.toml\n"), "{missing}");
}

#[test]
fn check_tries_the_certificates() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tls://127.0.0.1\"\ntls = { cert_file = \"no.pem\", key_file = \"k\" }\n",
    );
    let error = place.run(["config", "check"]).failed(3);
    assert!(error.starts_with("error: cannot read no.pem as PEM"), "{error}");
    assert!(error.contains(" --> plexus.toml:3:7"), "{error}");
}

#[test]
fn options_are_stronger_than_the_environment_and_that_than_the_file() {
    let place = Place::new();
    place.write("plexus.toml", "[node]\nname = \"file\"\nshards = 3\n[mqtt]\nmaximum_qos = 0\n");
    let mut command = place.plexus(["config", "show", "--json", "--set", "mqtt.maximum_qos=1"]);
    command.env("PLEXUS__NODE__NAME", "variable").env("PLEXUS__MQTT__MAXIMUM_QOS", "2");
    let shown = crate::program::run(&mut command, b"").ok();
    let shown = serde_json::from_str::<serde_json::Value>(&shown).unwrap();
    assert_eq!(shown["node"]["name"], "variable");
    assert_eq!(shown["node"]["shards"], 3);
    assert_eq!(shown["mqtt"]["maximum_qos"], 1);
}

#[test]
fn what_is_shown_reads_back_and_holds_no_secret() {
    let place = Place::new();
    let hash = crate::program::run(&mut place.plexus(["passwd", "--print"]), b"secret\n").ok();
    let hash = hash.trim_end();
    place.write("plexus.toml", &format!("[access.users]\nalice = \"{hash}\"\n"));
    let shown = place.run(["config", "show"]).ok();
    assert!(!shown.contains("argon2"), "{shown}");
    assert!(shown.contains("[access.users]\nalice = \"***\"\n"), "{shown}");
    place.write("again.toml", &shown.replace("***", hash));
    assert_eq!(place.run(["config", "show", "--config", "again.toml"]).ok(), shown);
    place.write("broken.toml", &format!("[access.users]\nalice = \"{hash}\" oops\n"));
    let error = place.run(["config", "show", "--config", "broken.toml"]).failed(3);
    assert!(error.contains("alice = \"****") && !error.contains("argon2"), "{error}");
}

#[test]
fn the_configuration_can_be_named_by_a_variable() {
    let place = Place::new();
    place.write("other.toml", "[node]\nname = \"other\"\n");
    let mut command = place.plexus(["config", "show"]);
    command.env("PLEXUS_CONFIG", "other.toml");
    assert!(crate::program::run(&mut command, b"").ok().contains("name = \"other\""));
}

#[test]
fn the_schema_is_json_and_the_reference_is_markdown() {
    let place = Place::new();
    let schema = place.run(["config", "schema"]).ok();
    let schema = serde_json::from_str::<serde_json::Value>(&schema).unwrap();
    assert_eq!(schema["properties"]["mqtt"]["$ref"], "#/$defs/MqttSettings");
    assert!(place.run(["config", "schema", "--markdown"]).ok().starts_with("# Configuration\n"));
}
