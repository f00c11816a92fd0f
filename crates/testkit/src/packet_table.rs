//! The table of packets: bytes on one side, the packet or the fault on the other, and the statements
//! of the specification that say so.

mod acks;
mod auth;
mod connack;
mod connect;
mod connect_faults;
mod disconnect;
mod framing;
mod publish;
mod publish_faults;
mod subscribe;
mod unsubscribe;

use bytes::BytesMut;
use plexus_types::ProtocolVersion;
use plexus_wire::{Decoder, Limits, Packet, ProtocolError, encode};

use crate::build;

/// Who sends the bytes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A client, as its first bytes.
    Stranger,
    /// A client after its CONNECT.
    Client,
    /// A server.
    Server,
}

/// What the bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This packet, and it is written as these bytes.
    Packet(Packet),
    /// This packet, though it is written in another form.
    Accepted(Packet),
    /// No packet.
    Refused(ProtocolError),
}

/// One line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who sends it.
    pub sender: Sender,
    /// The versions for which it holds.
    pub versions: &'static [ProtocolVersion],
    /// The marks of the statements that it shows, or words where no statement has a number.
    pub clauses: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they are.
    pub outcome: Outcome,
}

impl Row {
    /// A decoder that has come as far as the sender.
    pub fn decoder(&self, version: ProtocolVersion) -> Decoder {
        let limits = Limits::default();
        if self.sender == Sender::Server {
            return Decoder::client(version, limits);
        }
        let mut decoder = Decoder::server(limits);
        if self.sender == Sender::Client {
            let connect = Packet::Connect(Box::new(build::connect(version, "")));
            let mut buffer = BytesMut::new();
            encode(&connect, version, &mut buffer).expect("invariant: CONNECT can be said");
            decoder.decode(&mut buffer).expect("invariant: CONNECT is valid");
        }
        decoder
    }
}

const V31: &[ProtocolVersion] = &[ProtocolVersion::V31];
const V311: &[ProtocolVersion] = &[ProtocolVersion::V311];
const V3: &[ProtocolVersion] = &[ProtocolVersion::V31, ProtocolVersion::V311];
const V311_AND_V5: &[ProtocolVersion] = &[ProtocolVersion::V311, ProtocolVersion::V5];
const V5: &[ProtocolVersion] = &[ProtocolVersion::V5];
const ALL: &[ProtocolVersion] = build::VERSIONS;

/// The whole table.
pub fn packet_table() -> Vec<Row> {
    [
        framing::rows(),
        connect::rows(),
        connect_faults::rows(),
        connack::rows(),
        publish::rows(),
        publish_faults::rows(),
        acks::rows(),
        subscribe::rows(),
        unsubscribe::rows(),
        disconnect::rows(),
        auth::rows(),
    ]
    .concat()
}

/// The rows of one sender for some versions.
#[derive(Debug)]
struct Rows {
    sender: Sender,
    versions: &'static [ProtocolVersion],
    table: Vec<Row>,
}

impl Rows {
    const fn new(sender: Sender, versions: &'static [ProtocolVersion]) -> Self {
        Self { sender, versions, table: Vec::new() }
    }

    /// These bytes are this packet, both ways.
    fn is(self, clauses: &'static str, bytes: &str, packet: Packet) -> Self {
        self.row(clauses, bytes, Outcome::Packet(packet))
    }

    /// These bytes are taken for this packet.
    fn accepted(self, clauses: &'static str, bytes: &str, packet: Packet) -> Self {
        self.row(clauses, bytes, Outcome::Accepted(packet))
    }

    /// These bytes are refused.
    fn refused(self, clauses: &'static str, bytes: &str, error: ProtocolError) -> Self {
        self.row(clauses, bytes, Outcome::Refused(error))
    }

    fn row(mut self, clauses: &'static str, bytes: &str, outcome: Outcome) -> Self {
        let Self { sender, versions, .. } = self;
        self.table.push(Row { sender, versions, clauses, bytes: bytes_of(bytes), outcome });
        self
    }
}

/// The bytes of a notation in which hexadecimal digits are bytes, `'text'` stands for its
/// characters and blanks mean nothing: `"10 0E 0004 'MQTT' 04 02 003C 0002 'c1'"`.
pub fn bytes_of(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in notation.split('\'').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u32> = part
            .chars()
            .filter(|character| !character.is_whitespace())
            .map(|digit| digit.to_digit(16).expect("invariant: hexadecimal digits"))
            .collect();
        let (pairs, rest) = digits.as_chunks::<2>();
        assert!(rest.is_empty(), "a byte has two digits: {notation}");
        bytes.extend(pairs.iter().map(|[high, low]| (high << 4 | low) as u8));
    }
    bytes
}
