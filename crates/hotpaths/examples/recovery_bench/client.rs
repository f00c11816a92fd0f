//! A client that comes back and takes what waited for it.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use plexus_types::{PacketId, ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{Ack, Connect, ConnectProperties, Decoder, Limits, Packet, encode};

use crate::{
    Outcome,
    shape::{Shape, payload},
};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
/// How long a client waits for a word of the node.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Client {
    stream: TcpStream,
    decoder: Decoder,
    buffer: BytesMut,
}

/// Comes as that session and checks that exactly its messages come, in order, whole, and as what
/// they were.
pub(crate) fn check(address: SocketAddr, shape: Shape, session: u64) -> Outcome<u64> {
    let (mut client, present) = Client::connect(address, session)?;
    if !present {
        return Err(format!("session {session} is not there").into());
    }
    let mut count = 0;
    for expected in shape.waiting(session) {
        let (qos, got) = client.next_message()?;
        if got != payload(expected) || qos != Shape::qos(expected) {
            return Err(
                format!("session {session}: not message {expected} in place {count}").into()
            );
        }
        count += 1;
    }
    client.expect_nothing(session)?;
    Ok(count)
}

impl Client {
    /// Connects with the session's identifier; whether the node knew it.
    pub(crate) fn connect(address: SocketAddr, session: u64) -> Outcome<(Self, bool)> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let decoder = Decoder::client(VERSION, Limits::default());
        let mut client = Self { stream, decoder, buffer: BytesMut::new() };
        let properties =
            ConnectProperties { session_expiry_interval: u32::MAX, ..Default::default() };
        client.send(&Packet::Connect(Box::new(Connect {
            version: VERSION,
            bridge: false,
            clean_start: false,
            keep_alive: 0,
            client_id: plexus_types::Text::try_from(Shape::client(session).as_str())?,
            will: None,
            user_name: None,
            password: None,
            properties,
        })))?;
        match client.receive()? {
            Packet::ConnAck(connack) if connack.reason == ReasonCode::Success => {
                Ok((client, connack.session_present))
            }
            other => Err(format!("CONNACK expected, got {other:?}").into()),
        }
    }

    /// The next PUBLISH, acknowledged; a PUBREL in between is answered.
    fn next_message(&mut self) -> Outcome<(Qos, Bytes)> {
        loop {
            match self.receive()? {
                Packet::Publish(publish) => {
                    let id = publish.packet_id.ok_or("a message without identifier")?;
                    let ack = Ack::new(id, ReasonCode::Success);
                    self.send(&match publish.qos {
                        Qos::ExactlyOnce => Packet::PubRec(ack),
                        _ => Packet::PubAck(ack),
                    })?;
                    return Ok((publish.qos, publish.payload));
                }
                Packet::PubRel(ack) => self.complete(ack.packet_id)?,
                other => return Err(format!("PUBLISH expected, got {other:?}").into()),
            }
        }
    }

    fn complete(&mut self, id: PacketId) -> Outcome<()> {
        self.send(&Packet::PubComp(Ack::new(id, ReasonCode::Success)))
    }

    /// Nothing comes before the answer to a PINGREQ but what ends a delivery.
    fn expect_nothing(&mut self, session: u64) -> Outcome<()> {
        self.send(&Packet::PingReq)?;
        loop {
            match self.receive()? {
                Packet::PingResp => return Ok(()),
                Packet::PubRel(ack) => self.complete(ack.packet_id)?,
                other => return Err(format!("session {session}: too much: {other:?}").into()),
            }
        }
    }

    fn send(&mut self, packet: &Packet) -> Outcome<()> {
        let mut bytes = BytesMut::new();
        encode(packet, VERSION, &mut bytes)?;
        Ok(self.stream.write_all(&bytes)?)
    }

    fn receive(&mut self) -> Outcome<Packet> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.buffer)? {
                return Ok(packet);
            }
            let mut block = [0; 16 * 1024];
            let count = self.stream.read(&mut block)?;
            if count == 0 {
                return Err("the node closed the connection".into());
            }
            self.buffer.extend_from_slice(block.get(..count).unwrap_or_default());
        }
    }
}
