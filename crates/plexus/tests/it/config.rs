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
    assert!(error.starts_with("error: cannot read no.pem: No such file or directory\n"), "{error}");
    assert!(error.contains(" --> plexus.toml:3:21"), "{error}");
    assert!(error.contains("\nerror: cannot read k: No such file"), "{error}");
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("no.pem", &certified.cert.pem());
    place.write("k", &certified.cert.pem());
    let error = place.run(["config", "check"]).failed(3);
    assert!(error.starts_with("error: k holds no key; expected `-----BEGIN PRIVATE"), "{error}");
    assert!(error.contains(" --> plexus.toml:3:42"), "{error}");
    place.write("k", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    let error = place.run(["config", "check"]).failed(3);
    assert!(error.contains("the key k do not belong together"), "{error}");
    assert!(error.contains(" --> plexus.toml:3:42"), "{error}");
    // A start says the same and ends alike.
    assert!(place.run(["serve"]).failed(3).contains("the key k do not belong together"));
}

#[test]
fn check_warns_of_hosts_that_nobody_knows_and_of_authorities() {
    let place = Place::new();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = rcgen::KeyPair::generate().unwrap();
    place.write("cert.pem", &params.self_signed(&key).unwrap().pem());
    place.write("key.pem", &key.serialize_pem());
    place.write(
        "plexus.toml",
        "[access]\nallow_anonymous = true\n[[listener]]\nurl = \"tls://127.0.0.1:0\"\n\
         tls = { cert_file = \"cert.pem\", key_file = \"key.pem\" }\n\
         [[listener]]\nurl = \"tcp://nohost.invalid\"\n",
    );
    let answer = place.run(["config", "check"]).ok();
    let host = "  warning: plexus.toml:7: cannot find the host of tcp://nohost.invalid:1883: ";
    assert!(answer.contains(host), "{answer}");
    let authority = "certificate cert.pem is one of an authority (CA:TRUE), which clients refuse";
    assert!(answer.contains(&format!("  warning: {authority}")), "{answer}");
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let args = [&["--listen", "tls://127.0.0.1:0"], &tls[..]].concat();
    let ended = crate::program::Node::start(&place, &args).stop();
    assert!(ended.stderr.contains(authority), "{ended:?}");
}

#[test]
fn options_that_no_listener_takes_are_shown_where_they_stand() {
    let place = Place::new();
    let text = "[[listener]]\nurl = \"ws://127.0.0.1:0\"\nwebsocket = { path = \"x\" }\n";
    for (text, at) in [
        (text.to_owned(), "3:22"),
        (text.replace(":0", ":0/a%20#b"), "2:7"),
        (text.replace("path = \"x\"", "frame_size_max = 1"), "3:32"),
    ] {
        place.write("plexus.toml", &text);
        let error = place.run(["config", "check"]).failed(3);
        assert!(error.contains(&format!(" --> plexus.toml:{at}\n")), "{text}: {error}");
        let error = place.run(["serve"]).failed(3);
        let line = at.split_once(':').unwrap().0;
        assert!(error.starts_with(&format!("error: plexus.toml:{line}: ")), "{error}");
    }
}

#[test]
fn one_run_shows_mistakes_of_every_kind() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[mqtt]\nmax_inflght = 1\n[access.users]\nbob = \"hunter2\"\n\
         [[listener]]\nurl = \"tls://127.0.0.1:0\"\n\
         [[listener]]\nurl = \"wss://127.0.0.1:0\"\n\
         tls = { cert_file = \"no.pem\", key_file = \"k\" }\n",
    );
    let run = ["config", "check", "--set", "mqtt.maximum_qos", "--set", "mqtt.maximum_qos=9"];
    let error = place.run(run).failed(3);
    for message in ["max_inflght", "expected <key>=<value>", "is 9, out of its range"] {
        assert!(error.contains(message), "{message}: {error}");
    }
    for message in ["the password of user `bob`", "cannot read no.pem", "cannot read k"] {
        assert!(error.contains(message), "{message}: {error}");
    }
    assert!(!error.contains("hunter2"), "{error}");
    let error = place.run(&run[..2]).failed(3);
    assert!(error.contains("has no certificate"), "{error}");
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
    assert_eq!(error.lines().filter(|line| line.starts_with("error: ")).count(), 3, "{error}");
    assert!(error.contains("users_file none") && error.contains("cannot read no.pem"), "{error}");
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
    let comment = "# alice = \"***\"  # plexus.toml:2\n";
    assert!(shown.contains(&format!("[access.users]\n{comment}")), "{shown}");
    let values = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
    let entry = format!("alice = \"{hash}\"\n");
    place.write("again.toml", &shown.replace(comment, &entry));
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
    // An empty one counts as unset, and an argument is stronger.
    let mut command = place.plexus(["config", "check"]);
    command.env("PLEXUS_CONFIG", "");
    assert!(crate::program::run(&mut command, b"").ok().starts_with("defaults: ok\n"));
    let mut command = place.plexus(["config", "check", "other.toml"]);
    command.env("PLEXUS_CONFIG", "none.toml");
    assert!(crate::program::run(&mut command, b"").ok().starts_with("other.toml: ok\n"));
}

#[test]
fn the_schema_is_json_and_the_reference_is_markdown() {
    let place = Place::new();
    let schema = place.run(["config", "schema"]).ok();
    let schema = serde_json::from_str::<serde_json::Value>(&schema).unwrap();
    assert_eq!(schema["properties"]["mqtt"]["$ref"], "#/$defs/MqttSettings");
    assert!(place.run(["config", "schema", "--markdown"]).ok().starts_with("# Configuration\n"));
}
