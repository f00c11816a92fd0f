use std::path::PathBuf;

use super::{Config, File, Override, Sources, load};
use crate::value::{ByteSize, Span};

fn file(text: &str) -> File {
    File { path: PathBuf::from("plexus.toml"), text: text.to_owned() }
}

fn of_file(text: &str) -> Result<Config, String> {
    load(Sources { file: Some(file(text)), ..Sources::default() })
        .map_err(|error| error.to_string())
}

fn of_variables(variables: &[(&str, &str)]) -> Result<Config, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let overrides = Override::environment(variables);
    load(Sources { overrides, ..Sources::default() }).map_err(|error| error.to_string())
}

#[track_caller]
fn shown(text: &str, expected: &str) {
    assert_eq!(of_file(text).unwrap_err(), expected.trim_start_matches('\n'));
}

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(of_file("").unwrap().settings, Config::defaults().settings);
}

#[test]
fn options_are_stronger_than_variables_and_variables_than_the_file() {
    let text = "[node]\nname = \"file\"\nshards = 1\n[mqtt]\nmax_packet_size = \"1KiB\"\n";
    let variables =
        [("PLEXUS__NODE__NAME", "variable"), ("PLEXUS__NODE__SHARDS", "2"), ("HOME", "/")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut overrides = Override::environment(variables);
    overrides.push(Override::option("--name", &["node", "name"], "option"));
    let settings =
        load(Sources { file: Some(file(text)), overrides, ..Sources::default() }).unwrap().settings;
    assert_eq!(settings.node.name, "option");
    assert_eq!(settings.node.shards, 2);
    assert_eq!(settings.mqtt.max_packet_size, ByteSize::kib(1));
}

#[test]
fn a_variable_is_a_toml_value_or_a_plain_text() {
    let listener = "[{ url = \"tcp://127.0.0.1:0\" }, { url = \"ws://[::1]:0\" }]";
    let settings = of_variables(&[
        ("PLEXUS__LISTENER", listener),
        ("PLEXUS__LIMITS__CONNECT_TIMEOUT", "3s"),
        ("PLEXUS__MQTT__MAX_QUEUE_BYTES", "1024"),
        ("PLEXUS__NODE__NAME", "7"),
        ("PLEXUS__MQTT__RETAIN_AVAILABLE", "false"),
        ("PLEXUS__SHARED__GROUPS__WORKERS", "sticky"),
    ])
    .unwrap()
    .settings;
    assert_eq!(settings.listener.len(), 2);
    assert_eq!(settings.limits.connect_timeout, Span::secs(3));
    assert_eq!(settings.mqtt.max_queue_bytes, ByteSize::kib(1));
    assert_eq!(settings.node.name, "7");
    assert!(!settings.mqtt.retain_available);
    assert_eq!(settings.shared.groups.len(), 1);
}

#[test]
fn a_variable_sets_no_other_key_by_a_line_break() {
    let error = of_variables(&[("PLEXUS__NODE__NAME", "\"a\"\nshards = 9")]).unwrap_err();
    assert!(
        error.starts_with("error: the name of the node is a level of `$SYS` topics"),
        "{error}"
    );
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest() {
    shown(
        "[mqtt]\nmax_packetsize = \"1MB\"\n",
        "
error: unknown key `max_packetsize`
 --> plexus.toml:2:1
  |
2 | max_packetsize = \"1MB\"
  | ^^^^^^^^^^^^^^
  = did you mean `max_packet_size`?",
    );
    shown(
        "max_inflight = 5\n",
        "
error: unknown key `max_inflight`
 --> plexus.toml:1:1
  |
1 | max_inflight = 5
  | ^^^^^^^^^^^^
  = `max_inflight` belongs in [mqtt]",
    );
    shown(
        "[[listener]]\nurl = \"tcp://127.0.0.1\"\ntls = { cert = \"a\" }\n",
        "
error: unknown key `cert`
 --> plexus.toml:3:9
  |
3 | tls = { cert = \"a\" }
  |         ^^^^
  = the keys here are cert_file, key_file, ocsp_file, certificate, unknown_name, client_ca_file, \
client_auth, crl_files, crl_urls, crl_scope, crl_unknown, crl_expired, min_version, cipher_suites, alpn",
    );
    shown(
        "[[listener]]\nurl = \"tls://127.0.0.1\"\n[listener.tls]\ncert_file = \"c\"\n\
         key_file = \"k\"\ncipher_suites = [\"TLS_AES_128_GCM_SHA265\"]\n",
        "
error: `TLS_AES_128_GCM_SHA265` is not known here
 --> plexus.toml:6:18
  |
6 | cipher_suites = [\"TLS_AES_128_GCM_SHA265\"]
  |                  ^^^^^^^^^^^^^^^^^^^^^^^^
  = did you mean `TLS_AES_128_GCM_SHA256`?",
    );
}

#[test]
fn a_bad_value_is_shown_with_what_is_allowed() {
    shown(
        "[limits]\nconnect_timeout = 15\n",
        "
error: `15` has no unit; write for example \"15s\" for seconds
 --> plexus.toml:2:19
  |
2 | connect_timeout = 15
  |                   ^^",
    );
    shown(
        "[mqtt]\nmax_inflight = 70000\n",
        "
error: expected a whole number from 1 to 65535, found `70000`
 --> plexus.toml:2:16
  |
2 | max_inflight = 70000
  |                ^^^^^",
    );
    shown(
        "[mqtt]\nqueue_policy = \"drop_old\"\n",
        "
error: `drop_old` is not known here
 --> plexus.toml:2:16
  |
2 | queue_policy = \"drop_old\"
  |                ^^^^^^^^^^
  = use `drop_oldest`, `drop_newest` or `disconnect`",
    );
    shown(
        "[[listener]]\nurl = \"mqtt://127.0.0.1\"\n",
        "
error: unknown scheme `mqtt`; use tcp, tls, ws, wss or unix (mqtt:// is tcp:// here)
 --> plexus.toml:2:7
  |
2 | url = \"mqtt://127.0.0.1\"
  |       ^^^^^^^^^^^^^^^^^^",
    );
}

#[test]
fn a_mistake_of_syntax_is_shown_with_its_place() {
    let error = of_file("[node]\nname = \"x\nshards = 1\n").unwrap_err();
    assert!(error.contains("plexus.toml:2:"), "{error}");
    let twice = of_file("[node]\nname = \"x\"\nname = \"y\"\n").unwrap_err();
    assert!(twice.contains("plexus.toml:3:1"), "{twice}");
}

#[test]
fn a_listener_without_url_says_so() {
    let error = of_file("[[listener]]\nname = \"x\"\n").unwrap_err();
    assert!(error.starts_with("error: the key `url` is missing\n --> plexus.toml:1:"), "{error}");
}

#[test]
fn a_variable_with_an_unknown_key_names_the_right_variable() {
    let error = of_variables(&[("PLEXUS__MQTT__MAX_INFLIHGT", "5")]).unwrap_err();
    assert_eq!(
        error,
        "\
error: unknown key `mqtt.max_inflihgt`
 --> environment variable PLEXUS__MQTT__MAX_INFLIHGT
  = did you mean PLEXUS__MQTT__MAX_INFLIGHT?"
    );
}

#[test]
fn every_bad_source_is_reported_at_once() {
    let variables = [("PLEXUS__NODE__SHARDS", "many"), ("PLEXUS__LOG__LEVEL", "loud")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = Override::environment(variables);
    let error =
        load(Sources { file: Some(file("x = 1")), overrides, ..Sources::default() }).unwrap_err();
    let messages = error.diagnostics.iter().map(|one| one.message.as_str()).collect::<Vec<_>>();
    assert_eq!(
        messages,
        [
            "unknown key `x`",
            "`log.level`: `loud` is no log filter: `loud` is no level; the levels are off, error, \
             warn, info, debug and trace",
            "`node.shards`: expected a whole number from 0 to 65535, found \"many\"",
        ]
    );
}

#[test]
fn an_assignment_sets_a_key() {
    let set = |text| {
        let overrides = vec![Override::assignment(text).map_err(|error| error.to_string())?];
        load(Sources { overrides, ..Sources::default() }).map_err(|error| error.to_string())
    };
    assert_eq!(set("mqtt.maximum_qos=1").unwrap().settings.mqtt.maximum_qos, 1);
    let error = set("mqtt.maximum_qos").unwrap_err();
    assert_eq!(
        error,
        "\
error: expected <key>=<value>
 --> option --set mqtt.maximum_qos
  = for example mqtt.maximum_qos=1"
    );
    let error = set("mqtt.maxinum_qos=1").unwrap_err();
    assert!(error.ends_with("= did you mean mqtt.maximum_qos?"), "{error}");
    assert!(set("=1").is_err());
}

#[test]
fn strangers_are_let_in_from_outside_only_when_that_is_said() {
    let open = "[[listener]]\nurl = \"tcp://0.0.0.0:1883\"\n";
    shown(
        open,
        "
error: tcp://0.0.0.0:1883 would let every stranger in: no users are configured
 --> plexus.toml:2:7
  |
2 | url = \"tcp://0.0.0.0:1883\"
  |       ^^^^^^^^^^^^^^^^^^^^
  = set access.users_file (make one with `plexus passwd`), or access.allow_anonymous = true (--allow-anonymous), or \
         listen at 127.0.0.1",
    );
    for allowed in [
        format!("[access]\nallow_anonymous = true\n{open}"),
        format!("[access]\nusers_file = \"users\"\n{open}"),
        format!("{open}allow_anonymous = true\n"),
        open.replace("0.0.0.0", "127.0.0.1"),
        open.replace("0.0.0.0", "[::1]"),
        open.replace("0.0.0.0", "localhost"),
        open.replace("tcp://0.0.0.0:1883", "unix:///run/plexus.sock"),
    ] {
        assert!(of_file(&allowed).is_ok(), "{allowed}");
    }
    for refused in ["[::]", "192.0.2.1", "localhost.example", "127.0.0.1.example"] {
        assert!(of_file(&open.replace("0.0.0.0", refused)).is_err(), "{refused}");
    }
    let nobody = format!("{open}allow_anonymous = false\n").replace("0.0.0.0", "127.0.0.1");
    let error = of_file(&nobody).unwrap_err();
    assert!(error.starts_with("error: nobody could connect"), "{error}");
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let first = |text: &str| of_file(text).unwrap_err().lines().next().unwrap().to_owned();
    assert_eq!(
        first("[[listener]]\nurl = \"tls://127.0.0.1\"\n"),
        "error: tls://127.0.0.1:8883 has no certificate"
    );
    assert_eq!(
        first(
            "[[listener]]\nurl = \"ws://127.0.0.1\"\ntls = { cert_file = \"c\", key_file = \"k\" }\n"
        ),
        "error: ws://127.0.0.1:8083 has no TLS that a certificate could serve"
    );
    assert_eq!(
        first("[memory]\nhigh_watermark = \"90%\"\ncritical_watermark = \"80%\"\n"),
        "error: critical comes before high"
    );
    assert_eq!(
        first("[store]\nsegment_size = \"2KiB\"\n"),
        "error: `store.segment_size` is 2KiB, out of its range"
    );
    assert_eq!(first("[node]\ndata_dir = \"\"\n"), "error: an empty name");
    assert_eq!(first("[store]\nmax_size = \"1MiB\"\n"), "error: less than eight segments");
    assert_eq!(
        first("[[listener]]\nurl = \"tcp://127.0.0.1\"\n[[listener]]\nurl = \"tcp://127.0.0.1\"\n"),
        "error: a second listener `tcp://127.0.0.1:1883`"
    );
    assert_eq!(
        first("[mqtt]\nmaximum_qos = 3\n[[listener]]\nurl = \"tcp://127.0.0.1\"\n"),
        "error: `mqtt.maximum_qos` is 3, out of its range"
    );
}

#[test]
fn a_listener_has_its_own_limits() {
    let text = "[mqtt]\nmax_inflight = 5\nmaximum_qos = 1\n[[listener]]\nurl = \"tcp://127.0.0.1\"\n\
                [listener.mqtt]\nmax_inflight = 7\n";
    let settings = of_file(text).unwrap().settings;
    let own = settings.listener[0].mqtt.over(&settings.mqtt);
    assert_eq!((own.max_inflight.get(), own.maximum_qos), (7, 1));
    let error = of_file(&text.replace("= 7", "= 7\nmax_keep_alive = \"19h\"")).unwrap_err();
    assert!(error.contains("`listener.0.mqtt.max_keep_alive` is 19h, out of its range"), "{error}");
    assert!(error.contains("plexus.toml:8:18"), "{error}");
}

#[test]
fn ports_that_the_system_chooses_do_not_clash() {
    let text = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n".repeat(2);
    assert!(of_file(&text).is_ok());
}

#[test]
fn every_mistake_of_a_file_is_shown_in_its_order() {
    let text = "colour = \"red\"\n[mqtt]\nmaximum_qos = 3\nmax_inflght = 1\nqueue_policy = 7\n\
                [log]\nlevel = \"loud\"\n[[listener]]\nurl = \"mqtt://x\"\nnmae = \"a\"\n\
                [[listener]]\nname = \"without\"\ntls = { cert_file = 1, key_file = \"k\" }\n";
    let error = load(Sources { file: Some(file(text)), ..Sources::default() }).unwrap_err();
    let lines = error.diagnostics.iter().map(super::Diagnostic::line).collect::<Vec<_>>();
    let starts = [
        "plexus.toml:1: unknown key `colour`; the keys here are ",
        "plexus.toml:3: `mqtt.maximum_qos` is 3, out of its range",
        "plexus.toml:4: unknown key `max_inflght`; did you mean `max_inflight`?",
        "plexus.toml:5: expected one of `\"drop_oldest\"`, ",
        "plexus.toml:7: `loud` is no log filter",
        "plexus.toml:9: unknown scheme `mqtt`",
        "plexus.toml:10: unknown key `nmae`; did you mean `name`?",
        "plexus.toml:11: the key `url` is missing",
        "plexus.toml:13: expected a text in quotes, found `1`",
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
}

#[test]
fn what_follows_from_a_mistake_is_not_told() {
    let text = "[access]\nusers_file = 7\n[[listener]]\nurl = \"tcp://0.0.0.0:1883\"\n";
    let error = of_file(text).unwrap_err();
    assert_eq!(error.matches("error: ").count(), 1, "{error}");
}

#[test]
fn a_listener_in_single_brackets_is_told_to_use_two() {
    shown(
        "[listener]\nurl = \"tcp://127.0.0.1:1883\"\n",
        "
error: there may be several listeners
 --> plexus.toml:1:1
  |
1 | [listener]
  | ^^^^^^^^^^
  = write [[listener]] with two brackets on each side, or listener = [{ url = \
         \"tcp://127.0.0.1:1883\" }]",
    );
    let error = of_variables(&[("PLEXUS__LISTENER__URL", "tcp://127.0.0.1:1883")]).unwrap_err();
    assert!(error.contains("there may be several listeners"), "{error}");
}

#[test]
fn what_mqtt_counts_in_seconds_is_written_in_seconds() {
    for key in ["server_keep_alive", "max_keep_alive", "max_session_expiry", "session_expiry_3x"] {
        let error = of_file(&format!("[mqtt]\n{key} = \"500ms\"\n")).unwrap_err();
        let message = format!("error: `mqtt.{key}` is 500ms, but MQTT carries whole seconds\n");
        assert!(error.starts_with(&message), "{error}");
        assert!(error.contains("= use a duration in whole seconds from "), "{error}");
        assert!(of_file(&format!("[mqtt]\n{key} = \"2000ms\"\n")).is_ok(), "{key}");
    }
    for (text, message) in [
        ("[sys]\ninterval = \"500ms\"\n", "`sys.interval` is 500ms, out of its range"),
        ("[limits]\nconnect_timeout = \"0s\"\n", "`limits.connect_timeout` is 0s, out of"),
        ("[node]\nshutdown_grace = \"2d\"\n", "`node.shutdown_grace` is 2d, out of its range"),
        (
            "[[listener]]\nurl = \"tcp://127.0.0.1\"\nconnect_timeout = \"0s\"\n",
            "`listener.0.connect_timeout` is 0s, out of its range",
        ),
        ("[mqtt]\nmax_packet_size = 64\n", "`mqtt.max_packet_size` is 64B, out of its range"),
    ] {
        let error = of_file(text).unwrap_err();
        assert!(error.starts_with(&format!("error: {message}")), "{error}");
    }
}

#[test]
fn a_variable_with_one_underscore_stops_the_start() {
    let of_names = |names: &[&str]| {
        let variables = names.iter().map(|name| (*name).to_owned()).collect();
        load(Sources { variables, ..Sources::default() })
    };
    let error = of_names(&["PLEXUS_LOG__LEVEL", "PATH"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "\
error: this variable sets no key
 --> environment variable PLEXUS_LOG__LEVEL
  = write PLEXUS__LOG__LEVEL, with two underscores each"
    );
    let warned = of_names(&["PLEXUS_SOMETHING", "PLEXUS_BIN"]).unwrap();
    assert_eq!(warned.warnings.len(), 1);
}

#[test]
fn the_value_of_an_assignment_is_not_shown() {
    let over = Override::assignment("access.users.bob=$argon2id$secret").unwrap();
    assert_eq!(over.origin.to_string(), "option --set access.users.bob");
}

#[test]
fn a_certificate_is_asked_for_in_the_words_of_the_command_line() {
    let listener = toml::Table::from_iter([("url".to_owned(), "tls://127.0.0.1".into())]);
    let listeners = toml::Value::from(vec![toml::Value::from(listener)]);
    let overrides = vec![Override::option("--listen tls://127.0.0.1", &["listener"], listeners)];
    let error = load(Sources { overrides, ..Sources::default() }).unwrap_err().to_string();
    assert!(error.ends_with("= add --tls-cert <file> and --tls-key <file>"), "{error}");
}

#[test]
fn mistakes_without_end_are_cut_off() {
    let lines = (0..1_000).map(|number| format!("key{number} = 1")).collect::<Vec<_>>();
    assert_eq!(of_file(&lines.join("\n")).unwrap_err().matches("error: ").count(), 50);
}

#[test]
fn a_number_that_no_table_holds_is_a_mistake() {
    for number in ["9223372036854775808", "18446744073709551615", "99999999999999999999999"] {
        let error = of_file(&format!("[mqtt]\nmax_queue_bytes = {number}\n")).unwrap_err();
        assert!(error.contains("--> plexus.toml:2:"), "{error}");
    }
}

#[test]
fn no_message_holds_a_secret() {
    let hash = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$AAAA";
    for text in [
        format!("[access]\nusers = \"bob:{hash}\"\n"),
        "[access]\nusers = \"bob:hunter2\"\n".to_owned(),
        "[access]\nusers = [\"hunter2\"]\n".to_owned(),
        "[access.users]\nbob = 72397239\n".to_owned(),
        "[access.users]\nbob = [\"hunter2\"]\n".to_owned(),
        "[access.users]\nbob = \"hunter2\n".to_owned(),
        "access = \"hunter2\"\n".to_owned(),
    ] {
        let error = of_file(&text).unwrap_err();
        for secret in ["hunter2", "72397239", "argon2id$v"] {
            assert!(!error.contains(secret), "{error}");
        }
        assert!(error.contains(" --> plexus.toml:"), "{error}");
    }
    for (name, value) in [
        ("PLEXUS__ACCESS__USERS", "bob:hunter2"),
        ("PLEXUS__ACCESS__USERS", hash),
        ("PLEXUS__ACCESS__USERS", "{ bob = [\"hunter2\"] }"),
        ("PLEXUS__ACCESS", "hunter2"),
        ("PLEXUS__ACCESS", "{ users = \"hunter2\" }"),
        ("PLEXUS__ACCESS__USERS__BOB__X", "hunter2"),
    ] {
        let error = of_variables(&[(name, value)]).unwrap_err();
        assert!(!error.contains("hunter2") && !error.contains("argon2"), "{error}");
    }
    for text in ["access.users=bob:hunter2", "access.users:hunter2", "access.users.bob.x=hunter2"] {
        let error = Override::assignment(text)
            .and_then(|one| load(Sources { overrides: vec![one], ..Sources::default() }));
        let error = error.unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn the_mistakes_of_a_listener_are_shown_at_its_own_lines() {
    let text = "[[listener]]\nname = \"without url\"\n[[listener]]\nurl = \"tcp://127.0.0.1:1\"\n\
                connect_timeout = \"0s\"\n[[listener]]\nurl = 7\n[[listener]]\n\
                url = \"tcp://127.0.0.1:2\"\n[listener.mqtt]\nmaximum_qos = 3\n";
    let error = load(Sources { file: Some(file(text)), ..Sources::default() }).unwrap_err();
    let lines = error.diagnostics.iter().map(super::Diagnostic::line).collect::<Vec<_>>();
    for (line, start) in lines.iter().zip([
        "plexus.toml:1: the key `url` is missing",
        "plexus.toml:5: `listener.1.connect_timeout` is 0s",
        "plexus.toml:7: ",
        "plexus.toml:11: `listener.3.mqtt.maximum_qos` is 3",
    ]) {
        assert!(line.starts_with(start), "{line}\n{start}");
    }
    assert_eq!(lines.len(), 4, "{lines:#?}");
}

#[test]
fn what_does_not_follow_from_a_mistake_is_told_in_the_same_run() {
    let text = "[mqtt]\nmax_inflght = 1\n[access]\nusers_file = 7\n[memory]\n\
                high_watermark = \"90%\"\ncritical_watermark = \"80%\"\n\
                [[listener]]\nurl = \"tls://0.0.0.0\"\n";
    let error = of_file(text).unwrap_err();
    for message in ["unknown key `max_inflght`", "found `7`", "before high", "has no certificate"] {
        assert!(error.contains(message), "{message}: {error}");
    }
    assert!(!error.contains("stranger"), "{error}");
}

#[test]
fn values_of_one_line_stay_on_one_line() {
    let text = "[[listener]]\nurl = \"tcp://127.0.0.1\"\nname = \"a\\nb\\u001b[2J\"\n";
    let error = of_file(&text.repeat(2)).unwrap_err();
    assert!(error.starts_with("error: a second listener `a\\nb\\u{1b}[2J`\n"), "{error}");
}

#[test]
fn a_key_of_one_listener_cannot_be_set_from_outside() {
    let over = Override::assignment("listener.0.url=tcp://127.0.0.1:1").unwrap();
    let error = load(Sources { overrides: vec![over], ..Sources::default() }).unwrap_err();
    let list = "listener=[{ url = \"tcp://127.0.0.1:1883\" }]";
    let help =
        format!("the listeners are one list, set as a whole: '{list}', or serve --listen <url>");
    assert_eq!(error.diagnostics[0].help.as_deref(), Some(help.as_str()));
    let error = of_variables(&[("PLEXUS__LISTENER__0__URL", "tcp://127.0.0.1:1")]).unwrap_err();
    assert!(error.contains("set as a whole: PLEXUS__LISTENER='[{ url = "), "{error}");
}

#[test]
fn toml_that_is_not_closed_is_told() {
    let error = of_variables(&[("PLEXUS__LISTENER", "[{url=\"tcp://127.0.0.1:1\"}")]).unwrap_err();
    assert!(error.starts_with("error: `listener` is no TOML value: "), "{error}");
    assert!(error.contains("are all brackets and quotes closed?"), "{error}");
    let settings = of_variables(&[("PLEXUS__NODE__NAME", "[x")]).unwrap().settings;
    assert_eq!(settings.node.name, "[x", "where a text may stand it is one");
}

#[test]
fn words_that_are_allowed_are_named() {
    let text = "[[listener]]\nurl = \"tcp://127.0.0.1\"\nproxy_protocol = true\n";
    let error = of_file(text).unwrap_err();
    assert!(error.starts_with("error: expected one of `\"off\"`, `\"required\"`\n"), "{error}");
    let error = of_file("[mqtt]\nmax_inflight = 99999999999999999999\n").unwrap_err();
    assert!(!error.contains("i128"), "{error}");
}

#[test]
fn a_module_that_logs_nothing_is_warned_of() {
    let config = of_file("[log]\nlevel = \"info,plexus_nett=debug\"\n").unwrap();
    let lines = config.warnings.iter().map(super::Diagnostic::line).collect::<Vec<_>>();
    let told =
        "plexus.toml:2: no module `plexus_nett` writes to the log; did you mean `plexus_net`?";
    assert_eq!(lines, [told]);
    let config = of_file("[log]\nlevel = \"info,plexus_net::tls=debug\"\n").unwrap();
    assert_eq!(config.warnings, []);
}

#[test]
fn rules_of_topics_are_shown_with_what_is_wrong() {
    shown(
        "[[store.topic]]\nfilter = \"a/#/b\"\ncommit = \"memory\"\n",
        r#"
error: `a/#/b` is no topic filter ('#' must be the whole last level); write for example "telemetry/#"
 --> plexus.toml:2:10
  |
2 | filter = "a/#/b"
  |          ^^^^^^^"#,
    );
    let error = of_file("[[store.topic]]\nfilter = \"$share/g/a\"\ncommit = \"memory\"\n");
    assert!(error.unwrap_err().contains("`$share/g/a` is a shared subscription; write the filter"));
    let error = of_file("[[store.topic]]\nfilter = \"a\"\ncommit = \"disk\"\n").unwrap_err();
    assert!(error.contains("plexus.toml:3:10") && error.contains("memory"), "{error}");
    let error = of_file("[[store.topic]]\nfilter = \"a\"\n").unwrap_err();
    assert!(error.contains("commit"), "{error}");
    let rule = "[[store.topic]]\nfilter = \"a\"\ncommit = \"memory\"\n";
    let error = of_file(&rule.repeat(65)).unwrap_err();
    assert!(error.contains("65 rules for topics"), "{error}");
}

#[test]
fn what_is_to_be_kept_needs_a_place() {
    shown(
        "[[listener]]\nurl = \"tcp://127.0.0.1:1\"\ncommit = \"os\"\n",
        r#"
error: there is no place to keep anything in
 --> plexus.toml:3:10
  |
3 | commit = "os"
  |          ^^^^
  = set node.data_dir (--data-dir), or commit = "memory""#,
    );
    let warned = of_file("[store]\ncommit = \"fsync\"\n").unwrap().warnings;
    assert!(warned[0].to_string().contains("no place"), "{warned:?}");
    assert_eq!(of_file("[store]\ncommit = \"memory\"\n").unwrap().warnings, []);
    let rules =
        "topic = [{ filter = \"a\", commit = \"memory\" }, { filter = \"b\", commit = \"fsync\" }]";
    let error = of_file(&format!("[store]\n{rules}\n")).unwrap_err();
    assert!(error.contains("plexus.toml:2:72") && error.contains("no place"), "{error}");
    assert!(of_file(&format!("[node]\ndata_dir = \"x\"\n[store]\n{rules}\n")).is_ok());
}

#[test]
fn a_variable_sets_the_rules_of_topics() {
    let rules = "[{ filter = \"telemetry/#\", commit = \"memory\" }]";
    let settings = of_variables(&[("PLEXUS__STORE__TOPIC", rules)]).unwrap().settings;
    assert_eq!(settings.store.topic[0].filter.to_string(), "telemetry/#");
}
