//! The border between a shard's decisions and the world: what comes in with a connection, and the
//! effects that a shell carries out.

use std::sync::Arc;

use plexus_access::{Credentials, Policy};
use plexus_porch::Pool;
pub use plexus_porch::{Arrival, ConnId, Door, Query, Ticket};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_store::Batch;
use plexus_types::{Instant, MessageId, ProtocolVersion};
use plexus_wire::Packet;

use crate::{
    envelope::{ClientRef, Envelope},
    shard::Opened,
};

/// Messages that are to be read from the log.
#[derive(Debug, Clone)]
pub struct Fetch {
    /// Whom they are for.
    pub reader: Reader,
    /// Their names.
    pub ids: Vec<MessageId>,
}

/// Who needs a message that is only in the log.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A client of the shard.
    Client(ClientRef),
    /// Another member of a shared group.
    Group(GroupRead),
}

/// A message of a group that is open in the log until another member has it.
#[derive(Debug, Clone)]
pub struct GroupRead {
    /// Ascends with each of the shard that reads.
    pub number: u64,
    /// The group's whole filter.
    pub filter: Arc<str>,
    /// What the log knows of it.
    pub open: Opened,
}

/// The effects of a shard, carried out by a shell: the reactor over sockets, the simulator over
/// queues in memory.
pub trait Ports {
    /// Appends the packet to the connection's output.
    fn send(&mut self, conn: ConnId, packet: &Packet, version: ProtocolVersion);
    /// Appends the delivery to the connection's output.
    fn deliver(&mut self, conn: ConnId, outgoing: &Outgoing, version: ProtocolVersion);
    /// Bytes of output that the connection has not yet taken.
    fn backlog(&self, conn: ConnId) -> usize;
    /// Flushes what is there and closes; the shard hears nothing of the connection afterwards.
    fn close(&mut self, conn: ConnId, reason: CloseReason);
    /// The shard takes packets of this connection again (a decision has come).
    fn resume(&mut self, conn: ConnId);
    /// What the connection publishes counts for that pool, too.
    fn share_pace(&mut self, _conn: ConnId, _pool: &Arc<Pool>) {}
    /// Sends to another shard; order is kept per pair of shards and class of envelope.
    fn forward(&mut self, shard: u16, envelope: Envelope);
    /// Hands the records of a turn to the log; the answer comes to `Shard::handle_committed`.
    fn commit(&mut self, batch: Batch, upto: LogPosition);
    /// Has messages read from the log; the answer comes to `Shard::handle_fetched`.
    fn fetch(&mut self, fetch: Fetch);
    /// Has slow credentials checked elsewhere; the outcome comes to `Shard::handle_verified`. False
    /// when too many checks are under way.
    fn verify(&mut self, ticket: Ticket, policy: Arc<dyn Policy>, credentials: Credentials)
    -> bool;
    /// Has somebody elsewhere asked about an act; the outcome comes to `Shard::handle_advised`. False when
    /// too many questions are under way.
    fn ask(&mut self, query: Query, policy: Arc<dyn Policy>, credentials: Credentials) -> bool;
}

/// The moment and the effects of one call into the shard.
pub struct Turn<'a> {
    /// The time, read once a turn by the shell.
    pub now: Instant,
    /// Where effects go.
    pub ports: &'a mut dyn Ports,
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("now", &self.now).finish_non_exhaustive()
    }
}
