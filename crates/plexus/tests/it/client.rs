//! A client of MQTT 5.0 by its bytes: it shows every reason code.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::program::Node;

/// How long an answer may take: a bound of failure.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection.
pub(crate) struct Client(TcpStream);

impl Client {
    /// Connects with a clean start.
    pub(crate) fn connect(node: &Node, id: &str) -> Self {
        let mut client = Self::knock(node, id, 0x02, &[]);
        assert_eq!(client.connack(), (false, 0), "accepted");
        client
    }

    /// Connects to a session that stays for a minute; says whether there was one.
    pub(crate) fn resume(node: &Node, id: &str) -> (Self, bool) {
        let mut client = Self::knock(node, id, 0x00, &[0x11, 0, 0, 0, 60]);
        let (present, reason) = client.connack();
        assert_eq!(reason, 0, "accepted");
        (client, present)
    }

    /// Connects with a will at QoS 1.
    pub(crate) fn with_will(node: &Node, id: &str, topic: &str) -> Self {
        let will = [&[0], &text(topic)[..], &text("gone")].concat();
        let head = [b"\x00\x04MQTT\x05\x0e\x00\x00\x00", &text(id)[..], &will].concat();
        let mut client = Self::knock_with(node, &head);
        assert_eq!(client.connack(), (false, 0), "accepted");
        client
    }

    /// Sends a CONNECT with these flags and properties.
    pub(crate) fn knock(node: &Node, id: &str, flags: u8, properties: &[u8]) -> Self {
        let length = u8::try_from(properties.len()).expect("short");
        let head = [b"\x00\x04MQTT\x05", &[flags, 0, 0, length][..], properties].concat();
        Self::knock_with(node, &[head, text(id)].concat())
    }

    /// Sends a CONNECT with that body.
    pub(crate) fn knock_with(node: &Node, body: &[u8]) -> Self {
        Self::knock_at(node.urls.first().expect("a listener"), body)
    }

    /// The same at that listener.
    pub(crate) fn knock_at(url: &str, body: &[u8]) -> Self {
        let mut client = Self::open(url.trim_start_matches("tcp://"));
        client.send(0x10, body);
        client
    }

    /// The same with a body of 128 bytes and more.
    pub(crate) fn knock_long_at(url: &str, body: &[u8]) -> Self {
        let mut client = Self::open(url.trim_start_matches("tcp://"));
        let [low, high] = [body.len() % 128 + 128, body.len() / 128];
        let head = [low, high].map(|part| u8::try_from(part).expect("two bytes of length"));
        client.0.write_all(&[&[0x10], &head[..], body].concat()).expect("sent");
        client
    }

    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        Self(stream)
    }

    /// Session Present and the reason code of CONNACK.
    pub(crate) fn connack(&mut self) -> (bool, u8) {
        let (kind, body) = self.hear();
        assert_eq!(kind, 0x20, "CONNACK");
        (body.first() == Some(&1), *body.get(1).expect("a reason"))
    }

    pub(crate) fn send(&mut self, kind: u8, body: &[u8]) {
        let length = u8::try_from(body.len()).ok().filter(|length| *length < 128);
        let head = [kind, length.expect("a short packet")];
        self.0.write_all(&[&head, body].concat()).expect("sent");
    }

    pub(crate) fn hear(&mut self) -> (u8, Vec<u8>) {
        let mut byte = || {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("a packet");
            byte[0]
        };
        let (kind, mut length, mut shift) = (byte(), 0, 0);
        loop {
            let part = byte();
            length |= usize::from(part & 0x7F) << shift;
            shift += 7;
            if part < 0x80 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("all of it");
        (kind, body)
    }

    /// The reason code of PUBACK.
    pub(crate) fn publish(&mut self, topic: &str) -> u8 {
        self.publish_at(0x32, topic, b"x")
    }

    /// The same of a message that is to be retained.
    pub(crate) fn retain(&mut self, topic: &str, payload: &[u8]) -> u8 {
        self.publish_at(0x33, topic, payload)
    }

    fn publish_at(&mut self, kind: u8, topic: &str, payload: &[u8]) -> u8 {
        self.send(kind, &[&text(topic)[..], &[0, 1, 0], payload].concat());
        let (kind, body) = self.hear();
        assert_eq!(kind, 0x40, "PUBACK");
        body.get(2).copied().unwrap_or(0)
    }

    /// The reason code of SUBACK.
    pub(crate) fn subscribe(&mut self, filter: &str) -> u8 {
        self.send(0x82, &[&[0, 2, 0], &text(filter)[..], &[1]].concat());
        let (kind, body) = self.hear();
        assert_eq!(kind, 0x90, "SUBACK");
        *body.last().expect("a reason")
    }

    /// Topic and payload of the next message.
    pub(crate) fn receive(&mut self) -> (String, Vec<u8>) {
        let (kind, body) = self.hear();
        assert_eq!(kind & 0xF0, 0x30, "PUBLISH, and no {body:?}");
        let (length, rest) = body.split_at(2);
        let (topic, rest) = rest.split_at(usize::from(*length.last().expect("two bytes")));
        // Behind it the packet identifier of QoS 1 and an empty list of properties.
        let (_, payload) = rest.split_at(if kind & 0x06 == 0 { 1 } else { 3 });
        (String::from_utf8(topic.to_vec()).expect("text"), payload.to_vec())
    }

    /// Says goodbye and waits until the node has heard it.
    pub(crate) fn leave(mut self) {
        self.send(0xE0, &[]);
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("closed");
        assert_eq!(rest, b"", "nothing more comes");
    }
}

/// A UTF-8 Encoded String.
pub(crate) fn text(words: &str) -> Vec<u8> {
    let length = u16::try_from(words.len()).expect("short");
    [&length.to_be_bytes(), words.as_bytes()].concat()
}
