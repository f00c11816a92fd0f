//! A node of one shard in memory: bytes of clients in, bytes for clients out, in the reactor's order
//! of a turn, with neither sockets nor a clock.

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use plexus_access::{AllowAll, Credentials, Policy};
use plexus_broker::{
    NodeOptions,
    envelope::Envelope,
    ports::{Arrival, ConnId, Door, Fetch, Ports, Query, Ticket, Turn},
    shard::{Context, Shard},
};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_stdx::Seed;
use plexus_store::Batch;
use plexus_types::{Durability, Instant, PacketId, ProtocolVersion};
use plexus_wire::{Decoder, Packet};

use crate::packets::LIMITS;

/// From one turn to the next.
const TURN: Duration = Duration::from_micros(100);

/// The server's end of a connection.
struct Conn {
    decoder: Decoder,
    output: BytesMut,
    dirty: bool,
}

/// The connections, and what the shard did with them.
#[derive(Default)]
struct Desk {
    conns: Vec<Conn>,
    dirty: Vec<ConnId>,
    done: Done,
}

/// What has come out of the shard since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// Packets but for PUBLISH.
    pub(crate) sent: u64,
    /// Messages.
    pub(crate) delivered: u64,
    /// Connections that the shard closed.
    pub(crate) closed: u64,
    /// Bytes of all packets.
    pub(crate) bytes: u64,
    /// The identifier of the last message.
    pub(crate) last_id: Option<PacketId>,
}

impl Desk {
    fn conn(&mut self, conn: ConnId) -> &mut Conn {
        self.conns.get_mut(conn.0 as usize).expect("invariant: connections are opened in order")
    }

    /// The output of the connection, on the list of those to be written.
    fn output(&mut self, conn: ConnId) -> &mut BytesMut {
        let at = self.conns.get_mut(conn.0 as usize);
        let at = at.expect("invariant: connections are opened in order");
        if !at.dirty {
            at.dirty = true;
            self.dirty.push(conn);
        }
        &mut at.output
    }
}

impl Ports for Desk {
    fn send(&mut self, conn: ConnId, packet: &Packet, version: ProtocolVersion) {
        self.done.sent += 1;
        let output = self.output(conn);
        plexus_wire::encode(packet, version, output)
            .expect("invariant: a session sends what can be encoded");
    }

    fn deliver(&mut self, conn: ConnId, outgoing: &Outgoing, version: ProtocolVersion) {
        let message = &outgoing.message;
        let head = outgoing.head();
        self.done.delivered += 1;
        self.done.last_id = outgoing.packet_id;
        plexus_wire::encode_publish(&head, message, version, self.output(conn));
    }

    fn backlog(&self, conn: ConnId) -> usize {
        self.conns.get(conn.0 as usize).map_or(0, |at| at.output.len())
    }

    fn close(&mut self, _: ConnId, _: CloseReason) {
        self.done.closed += 1;
    }

    fn resume(&mut self, _: ConnId) {}

    fn forward(&mut self, _: u16, _: Envelope) {
        unreachable!("one shard talks to nobody");
    }

    fn commit(&mut self, _: Batch, _: LogPosition) {
        unreachable!("there is no log");
    }

    fn fetch(&mut self, _: Fetch) {
        unreachable!("there is no log");
    }

    fn ask(&mut self, _: Query, _: Arc<dyn Policy>, _: Credentials) -> bool {
        unreachable!("nobody is asked about what anybody does");
    }

    fn verify(&mut self, _: Ticket, _: Arc<dyn Policy>, _: Credentials) -> bool {
        unreachable!("nobody has to show who it is");
    }
}

/// See the module's documentation.
pub(crate) struct Node {
    shard: Shard,
    desk: Desk,
    door: Arc<Door>,
    now: Instant,
}

impl Node {
    /// A node without clients.
    pub(crate) fn new() -> Self {
        let now = Instant::from_secs(1_000_000);
        let options = NodeOptions { sys_interval: None, ..NodeOptions::default() };
        let door = Door {
            meter: None,
            name: Arc::from("default"),
            options: Arc::default(),
            policy: Arc::new(AllowAll),
            durability: Durability::Memory,
            tenant: None,
        };
        let shard = Shard::new(now, 0, Context::new(options, Seed::new(1)));
        Self { shard, desk: Desk::default(), door: Arc::new(door), now }
    }

    /// A place for one more connection.
    pub(crate) fn open(&mut self) -> ConnId {
        let conn = ConnId(self.desk.conns.len() as u32);
        let (decoder, output) = (Decoder::server(LIMITS), BytesMut::new());
        self.desk.conns.push(Conn { decoder, output, dirty: false });
        conn
    }

    /// The porch reads CONNECT from a connection and hands that to the shard, which is its home.
    pub(crate) fn connect(&mut self, conn: ConnId, bytes: &[u8]) {
        let decoder = &mut self.desk.conn(conn).decoder;
        *decoder = Decoder::server(LIMITS);
        let Ok(Some(Packet::Connect(connect))) = decoder.decode(&mut read(bytes)) else {
            unreachable!("a client begins with CONNECT");
        };
        let door = Arc::clone(&self.door);
        let arrival =
            Arrival { connect, assigned: None, door, peer: None, certificate: None, named: None };
        let mut turn = Turn { now: self.now, ports: &mut self.desk };
        self.shard.handle_arrival(&mut turn, conn, arrival);
    }

    /// The reactor reads from a connection.
    pub(crate) fn hear(&mut self, conn: ConnId, bytes: &[u8]) {
        let mut input = read(bytes);
        while self.shard.wants_packets(conn, input.first().copied()) {
            let packet = match self.desk.conn(conn).decoder.decode(&mut input) {
                Ok(None) => return,
                Ok(Some(packet)) => Ok(packet),
                Err(fault) => Err(fault),
            };
            self.shard.counters().packets_received.add(1);
            let mut turn = Turn { now: self.now, ports: &mut self.desk };
            self.shard.handle_packet(&mut turn, conn, packet);
        }
    }

    /// Ends the turn: what is due happens, and every connection takes its output.
    pub(crate) fn end_turn(&mut self) {
        let mut turn = Turn { now: self.now, ports: &mut self.desk };
        if self.shard.poll_timeout().is_some_and(|due| due <= self.now) {
            self.shard.handle_timeout(&mut turn);
        }
        self.shard.end_turn(&mut turn);
        while let Some(conn) = self.desk.dirty.pop() {
            let at = self.desk.conn(conn);
            at.dirty = false;
            let bytes = std::hint::black_box(&at.output).len() as u64;
            at.output.clear();
            self.desk.done.bytes += bytes;
        }
        self.now = self.now + TURN;
    }

    /// What has come out so far.
    pub(crate) fn done(&self) -> Done {
        self.desk.done
    }
}

/// A read of less than the reactor's limit for sharing: a copy of its own.
fn read(bytes: &[u8]) -> BytesMut {
    let mut input = BytesMut::new();
    input.extend_from_slice(bytes);
    input
}
