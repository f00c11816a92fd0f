use bytes::Bytes;
use proptest::prelude::*;

use super::*;

mod frames;
mod upgrades;

const NONCE: [u8; 16] = *b"the sample nonce";

pub(super) fn request(change: impl Fn(String) -> String) -> Vec<u8> {
    let request = ClientRequest::new(NONCE).encode("broker:8083", "/mqtt").unwrap();
    change(request).into_bytes()
}

pub(super) fn options() -> WebSocketOptions {
    WebSocketOptions::default()
}

fn drain(queue: &mut WriteQueue) -> BytesMut {
    let mut bytes = BytesMut::new();
    queue.gather(usize::MAX, &mut bytes);
    bytes
}

/// What `side` owes its peer.
fn replies(side: &mut WebSocket) -> BytesMut {
    let mut out = WriteQueue::new();
    if side.has_replies() {
        side.take_replies(&mut out).unwrap();
    }
    drain(&mut out)
}

/// `bytes` as the payload of as many frames as it takes.
fn framed(side: &mut WebSocket, bytes: &[u8], portion: usize) -> BytesMut {
    let (mut queue, mut out) = (WriteQueue::new(), WriteQueue::new());
    queue.buffer().extend_from_slice(bytes);
    while !queue.is_empty() {
        side.encode(&mut queue, &mut out, portion).unwrap();
    }
    drain(&mut out)
}

/// Both sides behind a finished upgrade.
fn open_pair() -> (WebSocket, WebSocket) {
    let asked = ClientWebSocket { host: "broker".to_owned(), path: "/mqtt".to_owned() };
    let mut client = WebSocket::client(&asked).unwrap();
    let mut server = WebSocket::server(Arc::new(options()));
    let mut none = BytesMut::new();
    server.receive(&replies(&mut client), &mut none).unwrap();
    assert!(server.is_open() && !client.is_open());
    client.receive(&replies(&mut server), &mut none).unwrap();
    assert!(client.is_open() && none.is_empty());
    (client, server)
}

fn client_frame(opcode: Opcode, fin: bool, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 2, 3, 4];
    let mut bytes = BytesMut::new();
    encode_header(
        &FrameHeader { fin, opcode, mask: Some(mask), length: payload.len() },
        &mut bytes,
    );
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    apply_mask(&mut bytes[start..], mask, 0);
    bytes.to_vec()
}

#[test]
fn application_bytes_pass_both_ways() {
    let (mut client, mut server) = open_pair();
    let mut out = BytesMut::new();
    let frame = framed(&mut client, b"to the server", usize::MAX);
    assert!(!frame.windows(6).any(|window| window == b"server"), "a client masks");
    server.receive(&frame, &mut out).unwrap();
    assert_eq!(out, "to the server");
    out.clear();
    client.receive(&framed(&mut server, b"to the client", usize::MAX), &mut out).unwrap();
    assert_eq!(out, "to the client");
}

#[test]
fn one_flush_is_one_frame_and_a_large_payload_is_not_copied() {
    let (_, mut server) = open_pair();
    let payload = Bytes::from(vec![7; 50_000]);
    let place = payload.as_ptr();
    let (mut queue, mut out) = (WriteQueue::new(), WriteQueue::new());
    queue.buffer().extend_from_slice(b"first");
    queue.push(payload);
    queue.buffer().extend_from_slice(b"last");
    server.encode(&mut queue, &mut out, usize::MAX).unwrap();
    assert!(queue.is_empty());
    out.advance(4 + 5);
    assert_eq!(out.front().as_ptr(), place);
    out.advance(50_000);
    assert_eq!(drain(&mut out), "last");
}

#[test]
fn frames_of_a_queue_that_leaves_in_portions_stay_whole() {
    let (_, mut server) = open_pair();
    let bytes = framed(&mut server, &[5; 1000], 300);
    assert_eq!(bytes.len(), 4 + 1000, "one header for all portions");
    let (mut queue, mut out) = (WriteQueue::new(), WriteQueue::new());
    queue.buffer().extend_from_slice(&[5; 1000]);
    server.encode(&mut queue, &mut out, 300).unwrap();
    server.receive(&client_frame(Opcode::Ping, true, b"?"), &mut BytesMut::new()).unwrap();
    assert!(!server.has_replies(), "no pong inside of a frame");
    server.encode(&mut queue, &mut out, usize::MAX).unwrap();
    assert_eq!(replies(&mut server), &b"\x8A\x01?"[..]);
}

#[test]
fn a_ping_is_answered_and_only_the_latest() {
    let (_, mut server) = open_pair();
    let mut out = BytesMut::new();
    for payload in [b"one", b"two"] {
        server.receive(&client_frame(Opcode::Ping, true, payload), &mut out).unwrap();
    }
    server.receive(&client_frame(Opcode::Pong, true, b"unasked"), &mut out).unwrap();
    assert_eq!(replies(&mut server), &b"\x8A\x03two"[..]);
    assert!(replies(&mut server).is_empty() && out.is_empty());
}

#[test]
fn a_close_is_answered_with_its_code() {
    for (payload, answer) in [
        (&b""[..], &b"\x88\x02\x03\xE8"[..]),
        (b"\x03\xE9going away", b"\x88\x02\x03\xE9"),
        (b"\x0F\xA0", b"\x88\x02\x0F\xA0"),
    ] {
        let (_, mut server) = open_pair();
        let mut bytes = client_frame(Opcode::Close, true, payload);
        bytes.extend(client_frame(Opcode::Binary, true, b"after the end"));
        let mut out = BytesMut::new();
        server.receive(&bytes, &mut out).unwrap();
        assert!(server.peer_closed() && out.is_empty());
        assert_eq!(replies(&mut server), answer);
        server.close();
        assert!(!server.has_replies(), "one close frame is enough");
    }
}

#[test]
fn our_close_comes_first_and_theirs_ends_it() {
    let (mut client, mut server) = open_pair();
    server.close();
    assert!(!server.is_open());
    let close = replies(&mut server);
    assert_eq!(close, &b"\x88\x02\x03\xE8"[..]);
    let mut out = BytesMut::new();
    client.receive(&close, &mut out).unwrap();
    assert!(client.peer_closed());
    server.receive(&replies(&mut client), &mut out).unwrap();
    assert!(server.peer_closed() && !server.has_replies() && !client.has_replies());
}

#[test]
fn a_breach_is_told_by_its_code() {
    let mut unmasked = BytesMut::new();
    let header = FrameHeader { fin: true, opcode: Opcode::Binary, mask: None, length: 0 };
    encode_header(&header, &mut unmasked);
    let long = vec![0x82, 0xFF, 0, 0, 0, 0, 0x10, 0, 0, 0, 1, 2, 3, 4];
    let table: Vec<(Vec<u8>, WebSocketError, u16)> = vec![
        // [MQTT-6.0.0-1]
        (client_frame(Opcode::Text, true, b"text"), WebSocketError::Text, 1003),
        (unmasked.to_vec(), WebSocketError::Masking, 1002),
        (client_frame(Opcode::Continuation, true, b""), WebSocketError::Order, 1002),
        (
            [client_frame(Opcode::Binary, false, b""), client_frame(Opcode::Binary, true, b"")]
                .concat(),
            WebSocketError::Order,
            1002,
        ),
        (client_frame(Opcode::Ping, false, b""), WebSocketError::Control, 1002),
        (client_frame(Opcode::Ping, true, &[0; 126]), WebSocketError::Control, 1002),
        (client_frame(Opcode::Close, true, b"\x03"), WebSocketError::Close, 1002),
        (client_frame(Opcode::Close, true, b"\x03\xED"), WebSocketError::Close, 1002),
        (client_frame(Opcode::Close, true, b"\x03\xE8\xFF"), WebSocketError::Close, 1002),
        (vec![0xC2, 0x80], WebSocketError::Reserved, 1002),
        (vec![0x83], WebSocketError::Reserved, 1002),
        (long, WebSocketError::TooLong, 1009),
    ];
    for (bytes, error, code) in table {
        let (_, mut server) = open_pair();
        let mut out = BytesMut::new();
        assert_eq!(server.receive(&bytes, &mut out), Err(error), "{bytes:?}");
        let [high, low] = code.to_be_bytes();
        assert_eq!(replies(&mut server), [0x88, 2, high, low].as_slice());
        assert!(out.is_empty() && out.capacity() == 0, "nothing is allocated for a refused frame");
        assert!(server.peer_closed());
        assert_eq!(server.receive(b"more", &mut out), Ok(()), "what follows is not looked at");
    }
}

#[test]
fn a_client_refuses_masked_frames() {
    let (mut client, _) = open_pair();
    let frame = client_frame(Opcode::Binary, true, b"x");
    let result = client.receive(&frame, &mut BytesMut::new());
    assert_eq!(result, Err(WebSocketError::Masking));
}

#[test]
fn a_waiting_side_holds_no_buffer() {
    let (mut client, mut server) = open_pair();
    let mut out = BytesMut::new();
    server.receive(&framed(&mut client, &[1; 9000], 100), &mut out).unwrap();
    server.receive(&client_frame(Opcode::Ping, true, b"ping"), &mut out).unwrap();
    replies(&mut server);
    assert_eq!(server.greeting.capacity(), 0);
    assert!(server.pong.is_none() && matches!(server.state, State::Open));
}

proptest! {
    #[test]
    fn any_bytes_pass_in_any_pieces(
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
        portion in 1..700usize,
        cuts in proptest::collection::vec(1..200usize, 1..50),
        to_server in any::<bool>(),
    ) {
        let (client, server) = open_pair();
        let (mut from, mut to) = if to_server { (client, server) } else { (server, client) };
        let wire = framed(&mut from, &bytes, portion);
        let (mut rest, mut out) = (&wire[..], BytesMut::new());
        for cut in cuts.into_iter().cycle() {
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            to.receive(piece, &mut out).unwrap();
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(&out[..], &bytes[..]);
    }

    #[test]
    fn no_bytes_break_a_side(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        opened in any::<bool>(),
    ) {
        let mut server = WebSocket::server(Arc::new(options()));
        if opened {
            server.receive(&request(|text| text), &mut BytesMut::new()).unwrap();
        }
        let mut out = BytesMut::new();
        let _either = server.receive(&bytes, &mut out);
        prop_assert!(out.len() <= bytes.len());
    }
}
