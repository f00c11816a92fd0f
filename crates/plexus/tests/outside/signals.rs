//! What an operator's signals do.

use std::{io::Read, net::TcpStream};

use super::broker::{Broker, PATIENCE};

/// CONNECT of 5.0 with that client identifier of one letter.
fn connect(port: u16, letter: u8) -> TcpStream {
    use std::io::Write;
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    let packet = [0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 60, 0, 0, 1, letter];
    stream.write_all(&packet).expect("sent");
    let [mut kind, mut length] = [[0], [0]];
    stream.read_exact(&mut kind).expect("CONNACK");
    stream.read_exact(&mut length).expect("CONNACK");
    assert_eq!(kind, [0x20]);
    let mut rest = vec![0; usize::from(length[0])];
    stream.read_exact(&mut rest).expect("CONNACK");
    assert_eq!(rest.get(1), Some(&0), "accepted");
    stream
}

#[test]
fn sigterm_tells_every_client_and_ends_with_success() {
    let broker = Broker::plain();
    let port = broker.port("tcp");
    let mut clients: Vec<_> = (b'a'..=b'j').map(|letter| connect(port, letter)).collect();
    broker.signal("TERM");
    for client in &mut clients {
        let mut last = Vec::new();
        client.read_to_end(&mut last).expect("closed in order");
        // [MQTT-3.14.4-1] DISCONNECT 0x8B, Server shutting down.
        assert_eq!(last.get(..1), Some(&[0xE0][..]), "{last:?}");
        assert_eq!(last.get(2), Some(&0x8B), "{last:?}");
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err(), "nobody is accepted any more");
    assert!(broker.wait().success());
}

#[test]
fn sighup_is_no_end() {
    let broker = Broker::all();
    let port = broker.port("tcp");
    let _before = connect(port, b'a');
    broker.signal("HUP");
    let _after = connect(port, b'b');
    broker.signal("TERM");
    assert!(broker.wait().success());
}
