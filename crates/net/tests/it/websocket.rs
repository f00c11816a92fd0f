//! What a WebSocket listener answers to whoever calls.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::Arc,
};

use plexus_net::{
    ClientLayers, ClientWebSocket, Layers, Stream, StreamError, WebSocketOptions,
    websocket::{ResponseFault, WebSocketError},
};

use crate::world::{End, World, accept, address, bind, connected, directory};

fn layers(options: WebSocketOptions) -> Layers {
    Layers { websocket: Some(Arc::new(options)), ..Layers::default() }
}

fn asking(path: &str) -> ClientLayers {
    let websocket = ClientWebSocket { host: "localhost".to_owned(), path: path.to_owned() };
    ClientLayers { tls: None, websocket: Some(websocket) }
}

#[test]
fn another_path_is_refused_and_both_sides_know_why() {
    let server = layers(WebSocketOptions::default());
    let mut world = connected("ws://127.0.0.1:0", &asking("/other"), &server);
    world.ends[0].send(b"never read");
    world.until("both ends to be over", |world| world.ends.iter().all(End::is_over));
    assert!(matches!(
        world.ends[0].error,
        Some(StreamError::WebSocket(WebSocketError::Response(ResponseFault::Status(404))))
    ));
    assert!(matches!(
        world.ends[1].error,
        Some(StreamError::WebSocket(WebSocketError::Refused(_)))
    ));
    assert!(world.ends[1].inbox.is_empty());
    assert_eq!(world.ends[0].queue.len(), 10, "bytes wait for the upgrade in the queue");
}

#[test]
fn a_stray_http_client_gets_a_whole_answer() {
    let mut listener = bind("ws://127.0.0.1:0");
    let mut client = TcpStream::connect(address(&listener)).unwrap();
    client.write_all(b"GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let server = layers(WebSocketOptions::default());
    let stream = Stream::server(accept(&mut listener).socket, &server).unwrap();
    let mut world = World::new(vec![stream]);
    world.until("the refusal", |world| world.ends[0].error.is_some());
    drop(world);
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert_eq!(
        answer,
        "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Length: 30\r\n\
         Connection: close\r\n\r\nonly WebSocket is served here\n"
    );
}

#[test]
fn a_frame_beyond_the_limit_ends_the_stream_with_its_code() {
    let server = layers(WebSocketOptions { frame_size_max: 1000, ..WebSocketOptions::default() });
    let mut world = connected("ws://127.0.0.1:0", &asking("/mqtt"), &server);
    world.until("the upgrade", |world| world.ends.iter().all(|e| e.stream.is_established()));
    world.ends[0].send(&[0; 1000]);
    world.until("a frame at the limit", |world| world.ends[1].inbox.len() == 1000);
    world.ends[0].send(&[0; 1001]);
    world.until("both ends to be over", |world| world.ends.iter().all(End::is_over));
    assert!(matches!(world.ends[1].error, Some(StreamError::WebSocket(WebSocketError::TooLong))));
    assert!(world.ends[0].closed, "the close frame arrived");
    assert_eq!(world.ends[1].inbox.len(), 1000);
}

#[test]
fn a_peer_that_pings_without_reading_makes_nothing_grow() {
    // A Unix socket, because its buffers are small.
    let path = directory("websocket_pings").join("s");
    let mut listener = bind(&format!("unix://{}", path.display()));
    let mut client = UnixStream::connect(&path).unwrap();
    let server = layers(WebSocketOptions::default());
    let stream = Stream::server(accept(&mut listener).socket, &server).unwrap();
    let request = "GET /mqtt HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Protocol: mqtt\r\n\r\n";
    client.write_all(request.as_bytes()).unwrap();
    let mut world = World::new(vec![stream]);
    world.until("the upgrade", |world| world.ends[0].stream.is_established());

    let ping = [&[0x89, 0xFD, 0, 0, 0, 0][..], &[b'p'; 125]].concat();
    let (mut sent, mut after_full) = (0, 0);
    while after_full < 100 {
        client.write_all(&ping).unwrap();
        sent += 1;
        world.ends[0].drive();
        assert!(!world.ends[0].is_over());
        after_full += usize::from(world.ends[0].stream.wants_write());
        assert!(sent < 1_000_000, "the socket takes everything");
    }
    // Those that came while nothing could leave were read, and all but the latest forgotten.
    client.set_nonblocking(true).unwrap();
    let mut answers = 0;
    let mut space = [0; 4096];
    while let Ok(count) = client.read(&mut space) {
        answers += count;
        world.ends[0].drive();
    }
    let pongs = (answers - answers % 127) / 127;
    assert!(pongs > 1 && pongs + 90 < sent, "{pongs} answers to {sent}");
}
