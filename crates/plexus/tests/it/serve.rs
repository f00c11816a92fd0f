use std::net::{TcpListener, TcpStream};

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
    let node = Node::start(&place, &[]);
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n[log]\nlevel = \"off\"\n",
    );
    node.signal("HUP");
    // Signals are taken one after the other, so the order to stop comes after the new level.
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("anew") && !ended.stderr.contains("stopped"), "{ended:?}");
}

#[test]
fn a_hangup_with_a_broken_file_changes_nothing() {
    let place = Place::new();
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    let node = Node::start(&place, &[]);
    place.write("plexus.toml", "broken\n");
    node.signal("HUP");
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("the old log level stays"), "{ended:?}");
    assert!(ended.stderr.contains("stopped"), "{ended:?}");
}

#[test]
fn strangers_from_outside_need_a_word_of_the_operator() {
    let place = Place::new();
    let error = place.run(["serve", "--listen", "tcp://0.0.0.0:0"]).failed(3);
    assert_eq!(
        error,
        "\
error: tcp://0.0.0.0:0 would let every stranger in: no users are configured
 --> option --listen tcp://0.0.0.0:0
  = set access.users_file (make one with `plexus passwd`), or access.allow_anonymous = true \
         (--allow-anonymous), or listen at 127.0.0.1
"
    );
    let node = Node::start(&place, &["--allow-anonymous", "--listen", "tcp://0.0.0.0:0"]);
    assert!(node.urls[0].starts_with("tcp://0.0.0.0:"), "{:?}", node.urls);
}

#[test]
fn a_url_that_is_none_is_refused_with_the_mend() {
    let place = Place::new();
    assert_eq!(
        place.run(["serve", "--listen", "mqtt://127.0.0.1"]).failed(3),
        "\
error: unknown scheme `mqtt`; use tcp, tls, ws, wss or unix (mqtt:// is tcp:// here)
 --> option --listen mqtt://127.0.0.1
"
    );
}

#[test]
fn an_address_that_is_taken_is_told() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", taken.local_addr().unwrap());
    let error = place.run(["serve", "--listen", &url]).failed(1);
    assert!(
        error.contains(&format!("cannot listen at {}", taken.local_addr().unwrap())),
        "{error}"
    );
    assert!(error.contains("another program or listener has it"), "{error}");
}

#[test]
fn two_nodes_do_not_share_a_data_directory() {
    let place = Place::new();
    let args = ["--listen", "tcp://127.0.0.1:0", "--data-dir", "data/node"];
    let node = Node::start(&place, &args);
    let error = place.run(["serve"].iter().chain(&args)).failed(1);
    assert_eq!(
        error,
        "error: another node uses the data directory data/node; stop it or choose another \
         directory\n"
    );
    node.stop();
    Node::start(&place, &args);
}

#[test]
fn tls_by_options_needs_both_files_that_fit() {
    let place = Place::new();
    let error = place.run(["serve", "--listen", "tls://127.0.0.1:0"]).failed(3);
    assert!(error.starts_with("error: tls://127.0.0.1:0 has no certificate"), "{error}");
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("cert.pem", &certified.cert.pem());
    place.write("key.pem", &certified.signing_key.serialize_pem());
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let args = ["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0"];
    let node = Node::start(&place, &[&args[..], &tls[..]].concat());
    assert_eq!(node.urls.len(), 2);
    let error = place.run(["serve", "--tls-cert", "cert.pem"]).failed(2);
    assert!(error.contains("--tls-key"), "{error}");
}

#[test]
fn a_broken_user_file_stops_the_start() {
    let place = Place::new();
    place.write("users", "alice:hunter2\n");
    place.write("plexus.toml", "[access]\nusers_file = \"users\"\n");
    let error = run(&mut place.plexus(["serve"]), b"").failed(3);
    assert!(error.contains(" --> users:1:1\n"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
