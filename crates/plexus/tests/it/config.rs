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
fn check_shows_users_and_certificates_in_one_run() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"none\"\n[[listener]]\nurl = \"tls://127.0.0.1\"\n\
         tls = { cert_file = \"no.pem\", key_file = \"k\" }\n",
    );
    let error = place.run(["config", "check", "plexus.toml"]).failed(3);
    assert_eq!(error.lines().filter(|line| line.starts_with("error: ")).count(), 2, "{error}");
    assert!(error.contains("users_file none") && error.contains("no.pem as PEM"), "{error}");
}

#[test]
fn the_file_is_an_argument_too_and_its_paths_begin_beside_it() {
    let place = Place::new();
    std::fs::create_dir(place.path().join("etc")).unwrap();
    crate::program::run(&mut place.plexus(["passwd", "etc/users", "alice"]), b"one\n").ok();
    place.write("etc/node.toml", "[access]\nusers_file = \"users\"\n");
    let expected = "etc/node.toml: ok\n  listens at tcp://0.0.0.0:1883\n  listens at \
                    ws://0.0.0.0:8083/mqtt\n";
    assert_eq!(place.run(["config", "check", "etc/node.toml"]).ok(), expected);
    assert_eq!(place.run(["config", "check", "--config", "etc/node.toml"]).ok(), expected);
    let by_option = ["config", "check", "etc/node.toml", "--set", "access.users_file=users"];
    let error = place.run(by_option).failed(3);
    assert!(error.contains("users_file users: cannot read"), "{error}");
    place.run(["config", "check", "etc/node.toml", "--config", "etc/node.toml"]).failed(2);
}

#[test]
fn check_warns_of_certificates_that_nobody_accepts() {
    let place = Place::new();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2001, 1, 1);
    params.not_after = rcgen::date_time_ymd(2001, 2, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    place.write("cert.pem", &params.self_signed(&key).unwrap().pem());
    place.write("key.pem", &key.serialize_pem());
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tls://127.0.0.1:0\"\n\
         tls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }\n",
    );
    let told = "certificate cert.pem expired at 2001-02-01 00:00:00 UTC";
    let answer = place.run(["config", "check"]).ok();
    assert!(answer.contains(&format!("  warning: {told}")), "{answer}");
    let ended = crate::program::Node::start(&place, &[]).stop();
    assert!(ended.stderr.contains("\"WARN\"") && ended.stderr.contains(told), "{ended:?}");
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
    assert!(shown.contains("[access.users]\nalice = \"***\"  # plexus.toml:2\n"), "{shown}");
    let values = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
    place.write("again.toml", &shown.replace("***", hash));
    let again = place.run(["config", "show", "--config", "again.toml"]).ok();
    assert_eq!(values(&again), values(&shown));
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
