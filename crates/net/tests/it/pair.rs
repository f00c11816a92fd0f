//! Every transport carries bytes both ways, whatever their amount.

use std::sync::Arc;

use bytes::Bytes;
use plexus_net::{
    ClientLayers, ClientWebSocket, Layers, TlsClient, TlsClientOptions, TlsOptions, TlsServer,
    Transport, WebSocketOptions,
};

use crate::world::{Authority, End, World, connected, directory};

/// The layers of both ends for a transport, over certificates in a directory of the test's own.
fn layers(test: &str, tls: bool, websocket: bool) -> (ClientLayers, Layers) {
    let (mut client, mut server) = (ClientLayers::default(), Layers::default());
    if tls {
        let authority = Authority::new(&directory(test));
        authority.issue("server", &["localhost"]);
        let options = TlsOptions::new(authority.cert_file("server"), authority.key_file("server"));
        server.tls = Some(TlsServer::new(&options).unwrap());
        let options =
            TlsClientOptions { ca_file: Some(authority.ca_file()), ..TlsClientOptions::default() };
        client.tls = Some((TlsClient::new(&options).unwrap(), "localhost".to_owned()));
    }
    if websocket {
        server.websocket = Some(Arc::new(WebSocketOptions::default()));
        client.websocket =
            Some(ClientWebSocket { host: "localhost".to_owned(), path: "/mqtt".to_owned() });
    }
    (client, server)
}

/// Megabytes in small and large pieces pass both ways at once, in order.
fn exchange(world: &mut World) {
    let mut expected = [Vec::new(), Vec::new()];
    for (at, end) in world.ends.iter_mut().enumerate() {
        for round in 0..200_u32 {
            let small = vec![at as u8 + 1; round as usize];
            end.queue.buffer().extend_from_slice(&small);
            expected[at].extend(small);
            let large = Bytes::from(round.to_le_bytes().repeat(3_000));
            expected[at].extend_from_slice(&large);
            end.queue.push(large);
        }
    }
    let [from_client, from_server] = expected;
    world.until("all bytes at both ends", |world| {
        assert!(!world.ends.iter().any(End::is_over), "{:?}", world.ends[0].error);
        world.ends[0].inbox.len() >= from_server.len()
            && world.ends[1].inbox.len() >= from_client.len()
    });
    assert!(world.ends[0].inbox == from_server, "the client got other bytes");
    assert!(world.ends[1].inbox == from_client, "the server got other bytes");
    for end in &world.ends {
        assert!(end.queue.is_empty() && !end.stream.wants_write() && end.stream.is_established());
    }
}

fn finish(world: &mut World) {
    world.ends[0].stream.shutdown();
    world.until("the server to see the end", |world| world.ends[1].is_over());
    assert!(world.ends[1].error.is_none(), "{:?}", world.ends[1].error);
    world.ends[1].stream.shutdown();
    world.until("the client to see the end", |world| world.ends[0].is_over());
    assert!(world.ends[0].error.is_none(), "{:?}", world.ends[0].error);
}

fn carries(url: &str, tls: bool, websocket: bool, transport: Transport) {
    let (client, server) = layers(&format!("pair_{transport}_{}", url.len()), tls, websocket);
    let mut world = connected(url, &client, &server);
    exchange(&mut world);
    for end in &world.ends {
        assert_eq!(end.stream.facts().transport, transport);
    }
    let (client, server) = (world.ends[0].stream.facts(), world.ends[1].stream.facts());
    assert_eq!((client.local, client.peer), (server.peer, server.local));
    finish(&mut world);
}

#[test]
fn tcp_carries_bytes_over_ipv4_and_ipv6() {
    carries("tcp://127.0.0.1:0", false, false, Transport::Tcp);
    carries("tcp://[::1]:0", false, false, Transport::Tcp);
}

#[test]
fn tls_carries_bytes_over_ipv4_and_ipv6() {
    carries("tls://127.0.0.1:0", true, false, Transport::Tls);
    carries("tls://[::1]:0", true, false, Transport::Tls);
}

#[test]
fn websocket_carries_bytes() {
    carries("ws://127.0.0.1:0", false, true, Transport::Ws);
}

#[test]
fn secure_websocket_carries_bytes_over_ipv4_and_ipv6() {
    carries("wss://127.0.0.1:0", true, true, Transport::Wss);
    carries("wss://[::1]:0", true, true, Transport::Wss);
}

#[test]
fn a_unix_socket_carries_bytes() {
    let path = directory("pair_unix_socket").join("s");
    carries(&format!("unix://{}", path.display()), false, false, Transport::Unix);
    assert!(!path.exists(), "the socket file outlives its listener");
}
