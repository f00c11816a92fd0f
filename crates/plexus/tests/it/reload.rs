//! What SIGHUP reads anew while the node runs.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use crate::program::{Node, Place, run};

fn set(place: &Place, user: &str, password: &str) {
    run(&mut place.plexus(["passwd", "users", user]), password.as_bytes()).ok();
}

/// Connects with 3.1.1 and gives the connection and the return code of CONNACK.
fn connect(node: &Node, user: &str, password: &str) -> (TcpStream, u8) {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).expect("short").to_be_bytes();
        [&length[..], text.as_bytes()].concat()
    };
    let body = [&b"\x00\x04MQTT\x04\xc2\x00\x00"[..], &text(user), &text(user), &text(password)];
    let body = body.concat();
    let packet = [&[0x10, u8::try_from(body.len()).expect("short")][..], &body].concat();
    let address = node.urls.first().expect("a listener").trim_start_matches("tcp://");
    let mut stream = TcpStream::connect(address).expect("somebody listens");
    stream.write_all(&packet).expect("sent");
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).expect("CONNACK");
    let [kind, length, _, code] = answer;
    assert_eq!((kind, length), (0x20, 2));
    (stream, code)
}

const ACCEPTED: u8 = 0;
const BAD_USER_NAME_OR_PASSWORD: u8 = 4;

#[test]
fn users_are_read_anew_for_connections_from_then_on() {
    let place = Place::new();
    set(&place, "alice", "one");
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    let (mut before, code) = connect(&node, "alice", "one");
    assert_eq!(code, ACCEPTED);
    set(&place, "alice", "two");
    set(&place, "bob", "three");
    let told = node.reload();
    assert!(told.contains("read anew: 2 users, log level info"), "{told}");
    assert_eq!(connect(&node, "alice", "one").1, BAD_USER_NAME_OR_PASSWORD);
    assert_eq!(connect(&node, "bob", "three").1, ACCEPTED);
    // Whoever was let in stays: PINGREQ is answered.
    before.write_all(&[0xC0, 0]).unwrap();
    let mut answer = [0; 2];
    before.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0xD0, 0]);
}

#[test]
fn a_broken_user_file_leaves_the_old_users() {
    let place = Place::new();
    set(&place, "alice", "one");
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    place.write("users", &(place.read("users") + "bob:hunter2\n"));
    let told = node.reload();
    assert!(!told.contains("users"), "{told}");
    assert_eq!(connect(&node, "alice", "one").1, ACCEPTED);
    let ended = node.stop();
    assert!(ended.stderr.contains("\"the old users of that file stay\""), "{ended:?}");
    assert!(ended.stderr.contains("\"error\":\"users:2: the password of user `bob`"), "{ended:?}");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

#[test]
fn users_that_cannot_be_read_in_the_place_of_tokens_open_no_door() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[[access.jwt]]\nname = \"tokens\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n\
         user_name_claim = \"sub\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    let refused = connect(&node, "alice", "one").1;
    assert_ne!(refused, ACCEPTED);
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    for users in [None, Some("no colon\n")] {
        if let Some(users) = users {
            place.write("users", users);
        }
        node.reload();
        assert_eq!(connect(&node, "alice", "one").1, refused, "{users:?}");
    }
}

#[test]
fn a_certificate_that_cannot_be_read_is_told_with_its_cause() {
    let place = Place::new();
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("cert.pem", &certified.cert.pem());
    place.write("key.pem", &certified.signing_key.serialize_pem());
    let args = ["--listen", "tls://127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let mut node = Node::start(&place, &args);
    let told = node.reload();
    assert!(told.contains("read anew: certificates of 1 listener, log level info"), "{told}");
    std::fs::remove_file(place.path().join("cert.pem")).unwrap();
    let told = node.reload();
    assert!(!told.contains("certificates"), "{told}");
    let ended = node.stop();
    assert!(ended.stderr.contains("the old certificate stays"), "{ended:?}");
    let cause = "tls://127.0.0.1:0: cannot read cert.pem: No such file or directory";
    assert!(ended.stderr.contains(cause), "{ended:?}");
}

#[test]
fn a_change_that_waits_for_the_next_start_is_told() {
    let place = Place::new();
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    let mut node = Node::start(&place, &[]);
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:1\"\n");
    node.reload();
    let ended = node.stop();
    assert!(ended.stderr.contains("wait for the next start"), "{ended:?}");
    assert!(ended.stderr.contains("\"keys\":\"listener\""), "{ended:?}");
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    let place = Place::new();
    set(&place, "alice", "one");
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    std::fs::remove_file(place.path().join("users")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(place.path().join("users")).status();
    assert!(pipe.unwrap().success());
    let told = node.reload();
    assert!(told.contains("read anew: log level info"), "{told}");
    assert_eq!(connect(&node, "alice", "one").1, ACCEPTED);
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("users_file users: cannot read the file: it is no regular file"));
}

#[test]
fn mistakes_without_end_are_counted_at_a_hangup() {
    let place = Place::new();
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    let node = Node::start(&place, &[]);
    let lines = (0..35).map(|number| format!("key{number} = 1\n")).collect::<Vec<_>>();
    place.write("plexus.toml", &lines.concat());
    node.signal("HUP");
    let ended = node.stop();
    assert_eq!(ended.stderr.matches("the configuration cannot be read").count(), 10, "{ended:?}");
    assert!(ended.stderr.contains("\"more\":25"), "{ended:?}");
    assert!(!ended.stderr.contains("similar lines were left out"), "{ended:?}");
    assert!(ended.stderr.contains("\"nothing could be read anew\""), "{ended:?}");
}

#[test]
fn a_user_file_named_later_is_read_though_the_configuration_breaks_then() {
    let place = Place::new();
    set(&place, "alice", "one");
    let text = "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", text);
    let mut node = Node::start(&place, &[]);
    run(&mut place.plexus(["passwd", "others", "bob"]), b"two").ok();
    place.write("plexus.toml", &text.replace("\"users\"", "\"others\""));
    node.reload();
    place.write("plexus.toml", "broken");
    let told = node.reload();
    assert!(told.contains("read anew: 1 user\""), "{told}");
    assert_eq!(connect(&node, "bob", "two").1, ACCEPTED);
    assert_eq!(connect(&node, "alice", "one").1, BAD_USER_NAME_OR_PASSWORD);
}

#[test]
fn the_log_tells_of_weak_passwords_at_the_start_and_anew() {
    let place = Place::new();
    let weak = "$sha256$salt=after$TmFDbC1vZi0yMDI2$ZkTBsXaGlPojAp5S/Y88z9k+k/R2PmeG1Hpiuc/Sq2U";
    place.write("users", &format!("alice:{weak}\n"));
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    let (_, code) = connect(&node, "alice", "secret");
    assert_eq!(code, ACCEPTED, "it lets in all the same");
    place.write("users", &format!("alice:{weak}\nbob:{weak} superuser\n"));
    node.reload();
    let log = node.stop().stderr;
    for told in ["1 user with a weak stored password", "2 users with a weak stored password"] {
        assert_eq!(log.matches(told).count(), 1, "{log}");
    }
}
