//! Packets by their bytes, for peers that no client library would play.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::broker::PATIENCE;

pub(crate) const CONNACK: [u8; 4] = [0x20, 2, 0, 0];
/// CONNACK of a session that was there.
pub(crate) const CONNACK_PRESENT: [u8; 4] = [0x20, 2, 1, 0];
pub(crate) const PINGRESP: [u8; 2] = [0xD0, 0];
pub(crate) const SUBACK_QOS_0: [u8; 5] = [0x90, 3, 0, 1, 0];

pub(crate) fn open(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream
}

/// A packet.
pub(crate) fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![first];
    let mut rest = body.len();
    loop {
        let low = u8::try_from(rest % 128).expect("below 128");
        rest /= 128;
        bytes.push(low | if rest > 0 { 0x80 } else { 0 });
        if rest == 0 {
            return [bytes, body].concat();
        }
    }
}

pub(crate) fn text(words: &str) -> Vec<u8> {
    let length = u16::try_from(words.len()).expect("short");
    [&length.to_be_bytes(), words.as_bytes()].concat()
}

/// CONNECT of 3.1.1 with a clean session.
pub(crate) fn connect(client: &str) -> Vec<u8> {
    packet(0x10, &[&text("MQTT"), &[4, 0x02, 0, 60], &text(client)])
}

/// CONNECT of 3.1.1 whose session stays.
pub(crate) fn connect_to_stay(client: &str) -> Vec<u8> {
    packet(0x10, &[&text("MQTT"), &[4, 0, 0, 0], &text(client)])
}

pub(crate) fn subscribe(filter: &str, qos: u8) -> Vec<u8> {
    packet(0x82, &[&[0, 1], &text(filter), &[qos]])
}

pub(crate) fn publish(topic: &str, payload: &str) -> Vec<u8> {
    packet(0x30, &[&text(topic), payload.as_bytes()])
}

pub(crate) fn expect(stream: &mut TcpStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    stream.read_exact(&mut got).expect("an answer");
    assert_eq!(got, expected);
}

/// Sends it and gets the answer.
pub(crate) fn ask(stream: &mut TcpStream, bytes: &[u8], expected: &[u8]) {
    stream.write_all(bytes).expect("sent");
    expect(stream, expected);
}

/// The next packet: first byte and body.
pub(crate) fn hear(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut byte = [0];
    stream.read_exact(&mut byte).expect("a packet");
    let [first] = byte;
    let (mut length, mut shift) = (0, 0);
    loop {
        stream.read_exact(&mut byte).expect("its length");
        length |= usize::from(byte[0] & 0x7F) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("all of it");
    (first, body)
}
