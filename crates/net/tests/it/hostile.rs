//! Peers that dribble, lie or leave.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
};

use bytes::BytesMut;
use plexus_net::{
    ClientLayers, ClientWebSocket, Layers, PeerAddr, ProxyProtocol, Socket, Stream, StreamError,
    TlsClient, TlsClientOptions, TlsOptions, TlsServer, WebSocketOptions,
    proxy::{HEADER_SIZE_MAX, ProxyError},
};

use crate::world::{Authority, End, World, accept, address, bind, directory};

fn secure(test: &str) -> (ClientLayers, Layers) {
    let authority = Authority::new(&directory(test));
    authority.issue("server", &["localhost"]);
    let options = TlsOptions::new(authority.cert_file("server"), authority.key_file("server"));
    let trusting =
        TlsClientOptions { ca_file: Some(authority.ca_file()), ..TlsClientOptions::default() };
    let client = ClientLayers {
        tls: Some((TlsClient::new(&trusting).unwrap(), "localhost".to_owned())),
        websocket: Some(ClientWebSocket { host: "localhost".to_owned(), path: "/mqtt".to_owned() }),
    };
    let server = Layers {
        proxy: ProxyProtocol::Required,
        tls: Some(TlsServer::new(&options).unwrap()),
        websocket: Some(Arc::new(WebSocketOptions::default())),
    };
    (client, server)
}

/// A raw peer (blocking) and the server's end of its connection.
fn raw(layers: &Layers) -> (TcpStream, World) {
    let mut listener = bind("tcp://127.0.0.1:0");
    let client = TcpStream::connect(address(&listener)).unwrap();
    client.set_nodelay(true).unwrap();
    let stream = Stream::server(accept(&mut listener).socket, layers).unwrap();
    (client, World::new(vec![stream]))
}

/// Sends one byte after the other, each only when the server has taken the one before.
fn dribble(peer: &mut TcpStream, bytes: &[u8], world: &mut World) {
    for byte in bytes {
        peer.write_all(&[*byte]).unwrap();
        let mut events = 0;
        world.until("the byte to be read", |_| {
            events += 1;
            events > 1
        });
        assert!(world.ends[0].error.is_none(), "{:?}", world.ends[0].error);
    }
}

/// What waits in a socket, if anything.
fn drain(peer: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    match peer.read(&mut bytes) {
        Ok(count) => bytes.truncate(count),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            bytes.clear();
        }
    }
    bytes
}

#[test]
fn every_layer_is_passed_one_byte_at_a_time() {
    let (client, server) = secure("hostile_dribble");
    let (mut to_server, mut world) = raw(&server);
    // Our client talks to a wire that the test holds.
    let mut wire = bind("tcp://127.0.0.1:0");
    let socket = Socket::connect(address(&wire)).unwrap();
    let mut client = World::new(vec![Stream::client(socket, &client).unwrap()]);
    let Socket::Tcp(from_client) = accept(&mut wire).socket else { panic!("TCP") };
    let mut from_client = TcpStream::from(from_client);
    to_server.set_nonblocking(true).unwrap();

    dribble(&mut to_server, b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 8084\r\n", &mut world);
    client.ends[0].send(b"hello from far away");
    let mut rounds = 0;
    while world.ends[0].inbox != "hello from far away" {
        client.ends[0].drive();
        dribble(&mut to_server, &drain(&mut from_client), &mut world);
        from_client.write_all(&drain(&mut to_server)).unwrap();
        client.ends[0].drive();
        rounds += 1;
        assert!(rounds < 10_000_000, "the handshake does not end");
    }
    let facts = world.ends[0].stream.facts();
    assert_eq!(facts.peer, PeerAddr::Ip("192.0.2.1:1000".parse().unwrap()));
    assert_eq!(facts.local, PeerAddr::Ip("192.0.2.2:8084".parse().unwrap()));
    assert!(facts.tls.is_some());
}

#[test]
fn a_proxy_header_names_the_client_and_the_rest_passes_through() {
    let layers = Layers { proxy: ProxyProtocol::Required, ..Layers::default() };
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0C\xC0\0\x02\x01\xC0\0\x02\x02\x03\xE8\x07\x5B";
    for header in [&b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 1883\r\n"[..], v2] {
        let (mut peer, mut world) = raw(&layers);
        peer.write_all(header).unwrap();
        peer.write_all(b"application").unwrap();
        world.until("the bytes behind", |world| world.ends[0].inbox == "application");
        let facts = world.ends[0].stream.facts();
        assert_eq!(facts.peer, PeerAddr::Ip("192.0.2.1:1000".parse().unwrap()));
        assert_eq!(facts.local, PeerAddr::Ip("192.0.2.2:1883".parse().unwrap()));
        world.ends[0].send(b"answer");
        let mut answer = [0; 6];
        peer.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"answer");
    }
    let (mut peer, mut world) = raw(&layers);
    peer.write_all(b"PROXY UNKNOWN\r\nx").unwrap();
    world.until("the byte behind", |world| world.ends[0].inbox == "x");
    let real = PeerAddr::from(peer.local_addr().unwrap());
    assert_eq!(world.ends[0].stream.facts().peer, real);
}

#[test]
fn a_peer_without_its_proxy_header_is_closed_and_sent_nothing() {
    let layers = Layers { proxy: ProxyProtocol::Required, ..Layers::default() };
    let too_long = [b"\r\n\r\n\0\r\nQUIT\n\x21\x11".as_slice(), &[0xFF; 2]].concat();
    let table = [
        (b"\x10\x0C\0\x04MQTT\x04".to_vec(), ProxyError::Missing),
        (vec![b'\r'; HEADER_SIZE_MAX], ProxyError::Missing),
        (too_long, ProxyError::TooLong),
    ];
    for (bytes, expected) in table {
        let (mut peer, mut world) = raw(&layers);
        world.ends[0].send(b"a greeting that must wait");
        peer.write_all(&bytes).unwrap();
        world.until("the refusal", |world| world.ends[0].is_over());
        match &world.ends[0].error {
            Some(StreamError::Proxy(error)) => assert_eq!(*error, expected),
            other => panic!("{other:?}"),
        }
        drop(world);
        let mut answer = Vec::new();
        let _reset_or_end = peer.read_to_end(&mut answer);
        assert!(answer.is_empty());
    }
}

#[test]
fn garbage_where_tls_is_spoken_is_answered_by_an_alert() {
    let (_, mut server) = secure("hostile_garbage");
    server.proxy = ProxyProtocol::Off;
    let (mut peer, mut world) = raw(&server);
    peer.write_all(b"\x10\x0C\0\x04MQTT\x04\x02\0\0\0\0").unwrap();
    world.until("the refusal", |world| world.ends[0].is_over());
    assert!(matches!(world.ends[0].error, Some(StreamError::Tls(_))));
    drop(world);
    let mut answer = Vec::new();
    peer.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.first(), Some(&0x15), "no alert in {answer:?}");
}

#[test]
fn a_handshake_message_without_end_is_cut_off() {
    let (_, mut server) = secure("hostile_endless_hello");
    server.proxy = ProxyProtocol::Off;
    let (mut peer, mut world) = raw(&server);
    peer.set_nonblocking(true).unwrap();
    // Records of one byte each, of a hello that announces 60,000 bytes.
    let mut hello = vec![0x16, 3, 1, 0, 4, 1, 0, 0xEA, 0x60];
    hello.extend([0x16, 3, 1, 0, 1, 3].repeat(60_000));
    let mut rest = &hello[..];
    world.until("the refusal", |world| {
        if let Ok(count) = peer.write(rest) {
            rest = &rest[count..];
        }
        world.ends[0].is_over()
    });
    assert!(matches!(world.ends[0].error, Some(StreamError::Tls(_))));
}

#[test]
fn a_peer_that_leaves_in_the_middle_of_a_handshake_is_closed() {
    let (_, server) = secure("hostile_leaving");
    for beginning in [&b""[..], b"PROXY TCP4", b"PROXY UNKNOWN\r\n", b"PROXY UNKNOWN\r\n\x16\x03"] {
        let (mut peer, mut world) = raw(&server);
        peer.write_all(beginning).unwrap();
        drop(peer);
        world.until("the end", |world| world.ends[0].is_over());
        assert!(world.ends[0].closed && world.ends[0].inbox.is_empty());
    }
}

#[test]
fn a_silent_peer_causes_no_events() {
    let (_, server) = secure("hostile_silence");
    let (peer, mut world) = raw(&server);
    let mut events = mio::Events::with_capacity(4);
    // The socket is writable once; nothing makes that come again (CVE-2023-5632).
    for _ in 0..3 {
        world.poll.poll(&mut events, Some(std::time::Duration::from_millis(20))).unwrap();
        world.ends[0].drive();
    }
    assert!(events.is_empty());
    assert!(!world.ends[0].stream.wants_write() && !world.ends[0].stream.is_established());
    drop(peer);
}

#[test]
fn an_end_reads_into_nothing_when_nothing_comes() {
    let (_peer, world) = raw(&Layers::default());
    let End { mut stream, mut block, .. } = world.ends.into_iter().next().unwrap();
    let mut out = BytesMut::new();
    let read = stream.read(&mut block, &mut out).unwrap();
    assert_eq!((read.bytes, read.closed, out.capacity()), (0, false, 0));
}
