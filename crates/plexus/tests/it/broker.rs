//! A broker that does what the test says, packet by packet.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

use bytes::BytesMut;
use plexus_types::{PacketId, ProtocolVersion, ReasonCode};
use plexus_wire::{
    Ack, ConnAck, ConnAckProperties, Connect, Decoder, Limits, Packet, Publish, encode,
};

#[derive(Debug)]
pub(crate) struct Script(TcpListener);

/// A port that is taken, so that nobody else gets it, and where yet nobody listens: the near end of
/// a connection to somewhere else.
#[derive(Debug)]
pub(crate) struct Deaf {
    _far: TcpListener,
    near: TcpStream,
}

impl Deaf {
    pub(crate) fn new() -> Self {
        let far = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let near = TcpStream::connect(far.local_addr().expect("bound")).expect("connected");
        Self { _far: far, near }
    }

    pub(crate) fn port(&self) -> String {
        self.near.local_addr().expect("connected").port().to_string()
    }
}

#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    decoder: Decoder,
    buffer: BytesMut,
    connect: Option<Box<Connect>>,
}

impl Script {
    pub(crate) fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("a free port"))
    }

    pub(crate) fn port(&self) -> String {
        self.0.local_addr().expect("bound").port().to_string()
    }

    /// The next connection, whose CONNECT is answered with these bytes and the end.
    pub(crate) fn answer(&self, bytes: &[u8]) {
        let (mut stream, _) = self.0.accept().expect("a connection");
        let mut head = [0; 2];
        stream.read_exact(&mut head).expect("CONNECT");
        // Bytes that nobody reads would make a reset of the end, and the answer could be lost.
        let [_, length] = head;
        stream.read_exact(&mut vec![0; usize::from(length)]).expect("CONNECT");
        stream.write_all(bytes).expect("the client reads");
    }

    /// The next connection, whose CONNECT is accepted.
    pub(crate) fn accept(&self, session_present: bool) -> Peer {
        self.accept_with(ReasonCode::Success, session_present)
    }

    /// The next connection, whose CONNECT is answered so.
    pub(crate) fn accept_with(&self, reason: ReasonCode, session_present: bool) -> Peer {
        let properties = ConnAckProperties::default();
        self.answer_with(ConnAck { session_present, reason, properties })
    }

    /// The next connection, which may have so many messages under way.
    pub(crate) fn accept_so_many(&self, receive_maximum: u16) -> Peer {
        let receive_maximum = Some(receive_maximum);
        let properties = ConnAckProperties { receive_maximum, ..ConnAckProperties::default() };
        let (session_present, reason) = (false, ReasonCode::Success);
        self.answer_with(ConnAck { session_present, reason, properties })
    }

    fn answer_with(&self, connack: ConnAck) -> Peer {
        let (stream, _) = self.0.accept().expect("a connection");
        let decoder = Decoder::server(Limits::default());
        let mut peer = Peer { stream, decoder, buffer: BytesMut::new(), connect: None };
        match peer.expect() {
            Packet::Connect(connect) => peer.connect = Some(connect),
            other => panic!("no CONNECT but {other:?}"),
        }
        peer.send(&Packet::ConnAck(Box::new(connack)));
        peer
    }
}

impl Peer {
    /// Reads so many bytes and ends the connection when more have come, so that the system resets it.
    pub(crate) fn reset_behind(mut self, count: usize) {
        self.stream.read_exact(&mut vec![0; count]).expect("bytes");
        let peeked = self.stream.peek(&mut [0]).expect("bytes");
        assert_eq!(peeked, 1, "something is left unread");
    }

    /// The next packet but a ping, which is answered; `None` at the end of the connection.
    pub(crate) fn next(&mut self) -> Option<Packet> {
        loop {
            match self.next_of_all() {
                Some(Packet::PingReq) => self.send(&Packet::PingResp),
                other => return other,
            }
        }
    }

    /// The next packet, of whatever kind.
    pub(crate) fn next_of_all(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.buffer).expect("a packet") {
                return Some(packet);
            }
            let mut block = [0; 4096];
            match self.stream.read(&mut block).expect("bytes") {
                0 => return None,
                count => self.buffer.extend_from_slice(block.get(..count).expect("a part")),
            }
        }
    }

    pub(crate) fn expect(&mut self) -> Packet {
        self.next().expect("a packet, not the end")
    }

    pub(crate) fn expect_publish(&mut self) -> Publish {
        match self.expect() {
            Packet::Publish(publish) => publish,
            other => panic!("no PUBLISH but {other:?}"),
        }
    }

    /// DISCONNECT, then the end.
    pub(crate) fn expect_end(&mut self) {
        let last = self.expect();
        assert!(matches!(last, Packet::Disconnect(_)), "{last:?}");
        assert_eq!(self.next(), None);
    }

    pub(crate) fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        encode(packet, self.version(), &mut bytes).expect("a packet of the version");
        self.stream.write_all(&bytes).expect("the client reads");
    }

    pub(crate) fn acknowledge(&mut self, packet_id: Option<PacketId>, reason: ReasonCode) {
        let packet_id = packet_id.expect("QoS above 0");
        self.send(&Packet::PubAck(Ack::new(packet_id, reason)));
    }

    /// The CONNECT of the connection.
    pub(crate) fn connect(&self) -> Connect {
        self.connect.as_deref().cloned().expect("accepted")
    }

    pub(crate) fn version(&self) -> ProtocolVersion {
        self.decoder.version()
    }
}
