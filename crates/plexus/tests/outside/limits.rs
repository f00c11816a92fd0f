//! Peers that say nothing, too much, or nonsense.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::broker::{Broker, PATIENCE};

fn open(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// Whether the broker closes after these bytes, whatever it says before.
fn closes_after(port: u16, bytes: &[u8]) -> bool {
    let mut stream = open(port);
    // The broker may close while we still write.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
    }
}

fn resident_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().and_then(|text| text.parse().ok()).expect("a number")
}

const SMALL: &str = r#"
[[listener]]
name = "small"
url = "tcp://127.0.0.1:0"
connect_timeout = "1s"
max_connections = 3
"#;

#[test]
fn who_says_nothing_is_shown_out() {
    let broker = Broker::configured(SMALL);
    let port = broker.port("tcp");
    assert!(closes_after(port, &[]), "silence");
    assert!(closes_after(port, &[0x10]), "half a header");
    assert!(closes_after(port, &[0x10, 0x40, 0, 4, b'M']), "half a CONNECT");
}

#[test]
fn what_is_no_connect_is_closed_at_once() {
    let broker = Broker::plain();
    let port = broker.port("tcp");
    for (name, bytes) in [
        ("an HTTP request", &b"GET / HTTP/1.1\r\n\r\n"[..]),
        ("a PUBLISH", &[0x30, 3, 0, 1, b'a']),
        ("a CONNACK", &[0x20, 2, 0, 0]),
        ("a huge announcement", &[0x10, 0xFF, 0xFF, 0xFF, 0x7F]),
        ("a length of five bytes", &[0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]),
        ("packet type zero", &[0x00, 0x00]),
        ("a TLS hello", &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
    ] {
        assert!(closes_after(port, bytes), "{name}");
    }
}

#[test]
fn nonsense_by_the_thousand_leaves_no_trace() {
    let broker = Broker::plain();
    let port = broker.port("tcp");
    let malformed = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 9, 99];
    for _ in 0..10_000 {
        closes_after(port, &malformed);
    }
    let before = resident_kib(broker.pid());
    for _ in 0..10_000 {
        closes_after(port, &malformed);
    }
    let after = resident_kib(broker.pid());
    assert!(after < before + 6_144, "from {before} to {after} KiB");
}

#[test]
fn connections_above_the_limit_are_refused_with_a_reason() {
    let broker = Broker::configured(SMALL);
    let port = broker.port("tcp");
    let connect = |letter: u8| {
        let mut stream = open(port);
        let packet = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 1, letter];
        stream.write_all(&packet).expect("sent");
        let mut head = [0; 4];
        stream.read_exact(&mut head).expect("CONNACK");
        (stream, head[3])
    };
    let held: Vec<_> = (b'a'..=b'c').map(connect).collect();
    assert!(held.iter().all(|(_, reason)| *reason == 0));
    let (_refused, reason) = connect(b'd');
    assert_eq!(reason, 0x97, "Quota exceeded");
}
