//! What only a plain stream promises, and what every stream promises to its driver.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    thread,
};

use bytes::BytesMut;
use mio::{Events, Poll, Token, event::Event};
use plexus_net::{
    ClientLayers, Facts, Layers, ListenerOptions, PeerAddr, ReadBlock, Socket, Stream, TlsClient,
    TlsServer, WriteQueue,
};

use crate::world::{BOTH, PATIENCE, World, accept, address, bind, connected};

#[test]
fn a_waiting_connection_is_small() {
    // In debug builds mio notes with which poll a socket is registered.
    let limit = 24 + if cfg!(debug_assertions) { 8 } else { 0 };
    assert!(size_of::<Stream>() <= limit, "{} bytes", size_of::<Stream>());
    assert!(size_of::<WriteQueue>() <= 32);
}

#[test]
fn everything_moves_between_threads() {
    fn movable<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    movable::<Stream>();
    movable::<Socket>();
    movable::<WriteQueue>();
    movable::<ReadBlock>();
    movable::<plexus_net::Listener>();
    movable::<plexus_net::SpareBuffers>();
    shared::<TlsServer>();
    shared::<TlsClient>();
    shared::<Layers>();
    shared::<ClientLayers>();
    shared::<ListenerOptions>();
    shared::<Facts>();
}

#[test]
fn a_stream_changes_its_poll_and_its_thread_with_bytes_in_flight() {
    let mut listener = bind("tcp://127.0.0.1:0");
    let mut client = TcpStream::connect(address(&listener)).unwrap();
    let stream = Stream::server(accept(&mut listener).socket, &Layers::default()).unwrap();
    let mut world = World::new(vec![stream]);
    client.write_all(b"before ").unwrap();
    world.until("the first bytes", |world| world.ends[0].inbox.len() == 7);

    let mut end = world.ends.remove(0);
    end.stream.deregister(world.poll.registry()).unwrap();
    client.write_all(b"between ").unwrap();
    let home = thread::spawn(move || {
        let poll = Poll::new().unwrap();
        end.stream.register(poll.registry(), Token(0), BOTH).unwrap();
        let mut world = World { poll, ends: vec![end] };
        world.until("all bytes", |world| world.ends[0].inbox.len() == 20);
        world.ends[0].send(b"heard");
        world
    });
    client.write_all(b"after").unwrap();
    let mut heard = [0; 5];
    client.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"heard");
    assert_eq!(home.join().unwrap().ends[0].inbox, "before between after");
}

#[test]
fn a_read_takes_no_more_than_its_block_and_says_so() {
    let mut world = connected("tcp://127.0.0.1:0", &ClientLayers::default(), &Layers::default());
    world.ends[0].send(&vec![7; 50_000]);
    let server = &mut world.ends[1];
    let (mut block, mut total) = (ReadBlock::new(4096), 0);
    let mut polled = Events::with_capacity(4);
    while total < 50_000 {
        let mut out = BytesMut::new();
        let read = server.stream.read(&mut block, &mut out).unwrap();
        assert!(read.bytes <= 4096 && read.bytes == out.len() && !read.closed);
        assert!(out.iter().all(|byte| *byte == 7));
        total += read.bytes;
        if read.bytes == 0 {
            world.poll.poll(&mut polled, Some(PATIENCE)).unwrap();
        }
    }
    let read = server.stream.read(&mut block, &mut BytesMut::new()).unwrap();
    assert_eq!(read, plexus_net::Read::default());
}

#[test]
fn a_peer_that_does_not_read_stops_the_writer_and_nothing_else() {
    let mut world = connected("tcp://127.0.0.1:0", &ClientLayers::default(), &Layers::default());
    let writer = &mut world.ends[0];
    // More than any socket buffer takes.
    writer.queue.push(vec![1; 64 * 1024 * 1024].into());
    let flushed = writer.stream.write(&mut writer.queue).unwrap();
    assert!(!flushed.done && !writer.queue.is_empty());
    let left = writer.queue.len();
    assert!(!writer.stream.write(&mut writer.queue).unwrap().done);
    assert!(writer.queue.len() <= left);
    world.until("everything in the end", |world| world.ends[1].inbox.len() == 64 * 1024 * 1024);
    assert!(world.ends[0].queue.is_empty());
}

#[test]
fn the_last_bytes_come_before_the_end() {
    let mut listener = bind("tcp://127.0.0.1:0");
    let mut client = TcpStream::connect(address(&listener)).unwrap();
    client.write_all(b"good-bye").unwrap();
    drop(client);
    let stream = Stream::server(accept(&mut listener).socket, &Layers::default()).unwrap();
    let mut world = World::new(vec![stream]);
    world.until("the end", |world| world.ends[0].closed);
    assert_eq!(world.ends[0].inbox, "good-bye");
}

#[test]
fn an_end_that_comes_with_the_last_bytes_needs_no_second_event() {
    let mut listener = bind("tcp://127.0.0.1:0");
    let mut client = TcpStream::connect(address(&listener)).unwrap();
    client.write_all(b"good-bye").unwrap();
    drop(client);
    let mut stream = Stream::server(accept(&mut listener).socket, &Layers::default()).unwrap();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    stream.register(poll.registry(), Token(0), BOTH).unwrap();
    // The end itself, not only the bytes before it, has to be there when the one event is told.
    let ended = |events: &Events| events.iter().any(Event::is_read_closed);
    while !ended(&events) {
        poll.poll(&mut events, Some(PATIENCE)).unwrap();
        assert!(!events.is_empty());
    }
    for event in &events {
        stream.note(event);
    }
    let (mut block, mut out) = (ReadBlock::default(), BytesMut::new());
    let first = stream.read(&mut block, &mut out).unwrap();
    assert_eq!((first.bytes, first.more, first.closed), (8, true, false));
    let last = stream.read(&mut block, &mut out).unwrap();
    assert_eq!((last.bytes, last.more, last.closed), (0, false, true));
}

#[test]
fn a_connection_that_nobody_takes_fails_with_its_reason() {
    let listener = bind("tcp://127.0.0.1:0");
    let nobody = address(&listener);
    drop(listener);
    let socket = Socket::connect(nobody).unwrap();
    let mut world = World::new(vec![Stream::client(socket, &ClientLayers::default()).unwrap()]);
    world.until("the failure", |world| world.ends[0].is_over());
    assert!(world.ends[0].error.is_some());
}

#[test]
fn facts_outlive_nothing_they_do_not_know() {
    let mut listener = bind("tcp://127.0.0.1:0");
    let client = TcpStream::connect(address(&listener)).unwrap();
    let stream = Stream::server(accept(&mut listener).socket, &Layers::default()).unwrap();
    let facts = stream.facts();
    assert_eq!(facts.peer, PeerAddr::from(client.local_addr().unwrap()));
    assert_eq!(facts.local, PeerAddr::from(address(&listener)));
    assert!(facts.tls.is_none());
}
