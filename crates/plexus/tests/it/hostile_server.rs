//! Servers are strangers, too: what a client of ours is sent is checked as what the node is sent.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use crate::program::{Ended, Place};

const CONNACK: &[u8] = b"\x20\x03\x00\x00\x00";
const SUBACK: &[u8] = b"\x90\x04\x00\x01\x00\x00";

/// A server for one client: it says the first words when the client has said something, the others when
/// it has said more; then it only listens.
fn serve(words: Vec<Vec<u8>>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("mqtt://{}", listener.local_addr().expect("bound"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        for word in words {
            let mut asked = [0; 4096];
            if stream.read(&mut asked).is_ok_and(|count| count > 0) {
                // A client that has had enough is gone.
                drop(stream.write_all(&word));
            }
        }
        drop(stream.read_to_end(&mut Vec::new()));
    });
    (url, server)
}

/// How `plexus sub` ends that hears those words.
fn subscriber(place: &Place, words: &[&[u8]]) -> Ended {
    let (url, server) = serve(words.iter().map(|word| word.to_vec()).collect());
    let args = ["sub", "-V", "5", "-t", "a/#", "-W", "5", "--reconnect", "never", "-L", &url];
    let ended = place.run(args);
    server.join().expect("the client is gone");
    ended
}

/// CVE-2024-3935 was of a bridge: a peer that we went to ourselves sends something crafted.
#[test]
fn a_server_that_sends_nonsense_is_left_with_a_reason() {
    let place = Place::new();
    let publish = |body: &[u8]| {
        let length = u8::try_from(body.len()).expect("short");
        [&[0x30, length], body].concat()
    };
    let crafted: [(&str, Vec<u8>); 9] = [
        ("a topic of nothing", publish(b"\x00\x00\x00x")),
        ("a topic with a wildcard", publish(b"\x00\x03a/#\x00x")),
        ("a topic that is no UTF-8", publish(b"\x00\x03a/\xff\x00x")),
        ("a topic longer than its packet", publish(b"\x7f\xffa/b")),
        ("an alias of nothing", publish(b"\x00\x00\x03\x23\x00\x09x")),
        ("properties that run on", publish(b"\x00\x03a/b\x7f\x01")),
        ("a length of five bytes", b"\x30\xff\xff\xff\xff\x01".to_vec()),
        ("a quality of service of three", b"\x36\x06\x00\x01a\x00\x01\x00".to_vec()),
        ("a packet of a client", b"\x82\x07\x00\x01\x00\x00\x01a\x00".to_vec()),
    ];
    for (what, words) in crafted {
        let ended = subscriber(&place, &[CONNACK, &[SUBACK, &words].concat()]);
        assert!(ended.stderr.starts_with("error: "), "{what}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{what}: {ended:?}");
        assert!(matches!(ended.code, Some(1 | 4)), "{what}: {ended:?}");
    }
}

#[test]
fn a_server_that_answers_something_else_is_left_with_a_reason() {
    let place = Place::new();
    for (what, words) in [
        ("not MQTT", &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]),
        ("a CONNACK that is cut short", b"\x20\x01\x00"),
        ("a CONNACK with a property of CONNECT", b"\x20\x06\x00\x00\x03\x23\x00\x01"),
        ("a PUBLISH first", b"\x30\x05\x00\x01a\x00x"),
    ] {
        let ended = subscriber(&place, &[words]);
        assert!(ended.stderr.starts_with("error: "), "{what}: {ended:?}");
        assert!(!ended.stderr.contains("panicked"), "{what}: {ended:?}");
        assert!(matches!(ended.code, Some(1 | 4 | 5)), "{what}: {ended:?}");
    }
}
