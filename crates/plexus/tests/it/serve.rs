use std::{
    io::Write,
    net::{TcpListener, TcpStream},
};

use crate::program::{Node, Place, run};

#[test]
fn the_ready_lines_name_the_real_addresses() {
    let place = Place::new();
    let node =
        Node::start(&place, &["--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0"]);
    let [tcp, websocket] = &node.urls[..] else { panic!("two listeners: {:?}", node.urls) };
    assert!(tcp.starts_with("tcp://127.0.0.1:") && !tcp.ends_with(":0"), "{tcp}");
    assert!(websocket.starts_with("ws://127.0.0.1:"), "{websocket}");
    TcpStream::connect(tcp.trim_start_matches("tcp://")).expect("somebody listens");
}

#[test]
fn a_node_that_is_told_to_stop_ends_in_order() {
    let place = Place::new();
    for signal in ["TERM", "INT"] {
        let mut node = Node::start(&place, &["--listen", "tcp://127.0.0.1:0"]);
        node.signal(signal);
        let ended = node.ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.contains("\"stopped\""), "{ended:?}");
    }
}

#[test]
fn the_log_is_json_where_no_terminal_is() {
    let place = Place::new();
    let ended = Node::start(&place, &["--listen", "tcp://127.0.0.1:0"]).stop();
    for line in ended.stderr.lines() {
        let line = serde_json::from_str::<serde_json::Value>(line).expect(line);
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn a_hangup_reads_the_log_level_anew_and_the_node_goes_on() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n[log]\nlevel = \"info\"\n",
    );
    let mut node = Node::start(&place, &[]);
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n[log]\nlevel = \"off\"\n",
    );
    let told = node.reload();
    assert!(told.contains("\"level\":\"INFO\"") && told.contains("log level off"), "{told}");
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stderr.contains("stopped"), "{ended:?}");
}

#[test]
fn a_hangup_with_a_broken_file_changes_nothing() {
    let place = Place::new();
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    let node = Node::start(&place, &[]);
    place.write("plexus.toml", "[mqtt]\nmax_inflght = 1\nmaximum_qos = 3\n");
    node.signal("HUP");
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the configuration cannot be read"), "{ended:?}");
    for line in ["plexus.toml:2: unknown key", "plexus.toml:3: `mqtt.maximum_qos` is 3"] {
        assert!(ended.stderr.contains(&format!("\"error\":\"{line}")), "{ended:?}");
    }
    assert!(!ended.stderr.contains("\\n"), "no record has several lines: {ended:?}");
    assert!(ended.stderr.contains("stopped"), "{ended:?}");
}

#[test]
fn strangers_from_outside_need_a_word_of_the_operator() {
    let place = Place::new();
    let error = place.run(["serve", "--listen", "tcp://0.0.0.0:0"]).failed(3);
    assert_eq!(
        error,
        "error: option --listen tcp://0.0.0.0:0: tcp://0.0.0.0:0 would let every stranger in: no \
         users are configured; set access.users_file (make one with `plexus passwd`), or \
         access.allow_anonymous = true (--allow-anonymous), or listen at 127.0.0.1\n"
    );
    let node = Node::start(&place, &["--allow-anonymous", "--listen", "tcp://0.0.0.0:0"]);
    assert!(node.urls[0].starts_with("tcp://0.0.0.0:"), "{:?}", node.urls);
}

#[test]
fn a_url_that_is_none_is_refused_with_the_mend() {
    let place = Place::new();
    assert_eq!(
        place.run(["serve", "--listen", "mqtt://127.0.0.1"]).failed(3),
        "error: option --listen mqtt://127.0.0.1: unknown scheme `mqtt`; use tcp, tls, ws, wss or \
         unix (mqtt:// is tcp:// here)\n"
    );
    assert_eq!(
        place.run(["serve", "--listen", "tcp://"]).failed(3),
        "error: option --listen tcp://: no host; write for example tcp://127.0.0.1:1883 for this \
         machine only, or tcp://0.0.0.0:1883 for every interface\n"
    );
}

#[test]
fn an_address_that_is_taken_is_told() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", taken.local_addr().unwrap());
    let error = place.run(["serve", "--listen", &url]).failed(1);
    let told = format!(
        "error: cannot listen at {url}: another program or listener has it; stop that one or \
         choose another"
    );
    assert_eq!(error, format!("{told} with --listen\n"));
    place.write("plexus.toml", &format!("[[listener]]\nurl = \"{url}\"\n"));
    let error = place.run(["serve"]).failed(1);
    assert_eq!(error, format!("{told} as its url (plexus.toml:2)\n"));
}

#[test]
fn listeners_and_warnings_are_logged_beside_the_ready_lines() {
    let place = Place::new();
    let ended = Node::start(&place, &["--listen", "tcp://127.0.0.1:0"]).stop();
    assert!(ended.stderr.contains("\"listening\""), "{ended:?}");
    assert!(ended.stderr.contains("only this machine can connect"), "{ended:?}");
}

#[test]
fn passwords_over_plain_addresses_are_warned_of() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "alice"]), b"one\n").ok();
    let users = ["--set", "access.users_file=users", "--listen", "tcp://0.0.0.0:0"];
    let ended = Node::start(&place, &users).stop();
    assert!(ended.stderr.contains("passwords travel readable"), "{ended:?}");
    let users = ["--set", "access.users_file=users", "--listen", "tcp://127.0.0.1:0"];
    let ended = Node::start(&place, &users).stop();
    assert!(!ended.stderr.contains("passwords travel readable"), "{ended:?}");
}

#[test]
fn listeners_come_from_the_environment_too() {
    let place = Place::new();
    let mut command = place.plexus(["serve", "--print-listeners"]);
    command.env("PLEXUS__LISTENER", "[{url=\"tcp://127.0.0.1:0\"}]").env("PLEXUS_HOME", "/");
    let node = Node::start_command(&mut command);
    assert!(node.urls[0].starts_with("tcp://127.0.0.1:"), "{:?}", node.urls);
    let ended = node.stop();
    assert!(ended.stderr.contains("PLEXUS_HOME: this variable is not read"), "{ended:?}");
    let mut command = place.plexus(["serve"]);
    command.env("PLEXUS_LOG__LEVEL", "debug");
    let error = run(&mut command, b"").failed(3);
    assert!(error.contains("write PLEXUS__LOG__LEVEL"), "{error}");
}

#[test]
fn a_data_directory_that_cannot_be_is_told() {
    let place = Place::new();
    place.write("data", "a file");
    let args = ["serve", "--listen", "tcp://127.0.0.1:0", "--data-dir"];
    let error = place.run(args.iter().chain(&["data"])).failed(1);
    assert_eq!(
        error,
        "error: the data directory data is a file; choose another with --data-dir or \
         node.data_dir\n"
    );
    let error = place.run(args.iter().chain(&["data/below"])).failed(1);
    assert!(error.starts_with("error: cannot make the data directory data/below: "), "{error}");
    assert!(error.contains("let the user that runs plexus write there"), "{error}");
}

#[test]
fn two_nodes_do_not_share_a_data_directory() {
    let place = Place::new();
    let args = ["--listen", "tcp://127.0.0.1:0", "--data-dir", "data/node"];
    let node = Node::start(&place, &args);
    let error = place.run(["serve"].iter().chain(&args)).failed(1);
    let number: String = error.chars().filter(char::is_ascii_digit).collect();
    assert_eq!(
        error,
        format!(
            "error: another node (process {number}) uses the data directory data/node; stop it or \
             choose another directory\n"
        )
    );
    assert!(!number.is_empty());
    node.stop();
    Node::start(&place, &args);
}

#[test]
fn tls_by_options_needs_both_files_that_fit() {
    let place = Place::new();
    let error = place.run(["serve", "--listen", "tls://127.0.0.1:0"]).failed(3);
    assert_eq!(
        error,
        "error: option --listen tls://127.0.0.1:0: tls://127.0.0.1:0 has no certificate; add \
         --tls-cert <file> and --tls-key <file>\n"
    );
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("cert.pem", &certified.cert.pem());
    place.write("key.pem", &certified.signing_key.serialize_pem());
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let args = ["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0"];
    let node = Node::start(&place, &[&args[..], &tls[..]].concat());
    assert_eq!(node.urls.len(), 2);
    let unused = [&["--listen", "tcp://127.0.0.1:0"], &tls[..]].concat();
    let ended = Node::start(&place, &unused).stop();
    assert!(ended.stderr.contains("--tls-cert and --tls-key are unused"), "{ended:?}");
    let error = place.run(["serve", "--tls-cert", "cert.pem"]).failed(2);
    assert!(error.contains("--tls-key"), "{error}");
}

#[test]
fn a_broken_user_file_stops_the_start() {
    let place = Place::new();
    place.write("users", "alice:hunter2\n");
    place.write("plexus.toml", "[access]\nusers_file = \"users\"\n");
    let error = run(&mut place.plexus(["serve"]), b"").failed(3);
    assert!(error.starts_with("error: users:1: the password of user `alice` "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn a_record_of_the_start_names_version_and_configuration() {
    let place = Place::new();
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    let ended = Node::start(&place, &[]).stop();
    let first = ended.stderr.lines().next().unwrap();
    let first = serde_json::from_str::<serde_json::Value>(first).unwrap();
    assert_eq!(first["fields"]["message"], "started");
    assert_eq!(first["fields"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["fields"]["configuration"], "plexus.toml");
}

/// A client that subscribes to everything, publishes much of it and reads nothing.
fn deaf_client(node: &Node) -> TcpStream {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{}", node.port())).expect("connected");
    stream.write_all(b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a").expect("sent");
    stream.write_all(b"\x82\x06\x00\x01\x00\x01#\x00").expect("sent");
    let payload = vec![0; 1_000_000];
    for _ in 0..40 {
        // PUBLISH at QoS 0 to the topic `t`; 1,000,003 bytes remain.
        stream.write_all(b"\x30\xc3\x84\x3d\x00\x01t").expect("sent");
        stream.write_all(&payload).expect("sent");
    }
    stream
}

#[test]
fn a_second_signal_ends_a_node_that_waits() {
    let place = Place::new();
    let args = ["--listen", "tcp://127.0.0.1:0", "--set", "node.shutdown_grace=1d"];
    let mut node = Node::start(&place, &args);
    let _deaf = deaf_client(&node);
    while node.is_running() {
        node.signal("TERM");
    }
    let ended = node.ended();
    assert_eq!(ended.code, None, "it is the signal that ends it: {ended:?}");
    assert_eq!(ended.stderr.matches("a second signal: ended at once").count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains("\"stopped\""), "{ended:?}");
}
