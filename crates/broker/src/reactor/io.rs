//! The sockets of a shard, and the effects of the shard upon them.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError},
    },
    time::Duration,
};

use bytes::BytesMut;
use mio::{Interest, Registry, Token};
use plexus_access::{Credentials, Policy};
use plexus_links::Links;
use plexus_net::{ReadBlock, SpareBuffers};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_stdx::Slots;
use plexus_store::Batch;
use plexus_types::{Instant, ProtocolVersion};
use plexus_wire::Packet;

use super::conn::{Conn, Metered, Stage, Written};
use crate::{
    Pool,
    counters::Counters,
    envelope::Envelope,
    logger,
    ports::{ConnId, Fetch, Ports, Query, Ticket},
    shard::Context,
};

/// Payloads from this size on are written from where they are instead of being copied.
const CHUNK_MIN: usize = 4 * 1024;
/// How long a closing connection may take to accept its last bytes.
const FLUSH_TIME: Duration = Duration::from_secs(5);
/// How long the end of the peer's input is awaited after the last byte was written.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// What a read found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadEnd {
    pub(super) more: bool,
    pub(super) closed: bool,
}

pub(super) struct Io {
    id: u16,
    context: Arc<Context>,
    registry: Registry,
    conns: Slots<Conn>,
    dirty: Vec<ConnId>,
    /// Connections in their last seconds.
    closing: BTreeSet<(Instant, ConnId, u32)>,
    generation: u32,
    /// Connections whose next PUBLISH waits for a moment.
    paced: BTreeSet<(Instant, ConnId)>,
    pub(super) links: Links<Envelope>,
    pub(super) resumed: Vec<ConnId>,
    /// Connections that something could not be written to.
    pub(super) failed: Vec<ConnId>,
    pub(super) checks: plexus_porch::Checks,
    /// The log, if there is one, and what it has not taken yet.
    pub(super) log: Option<SyncSender<logger::Job>>,
    for_log: VecDeque<logger::Job>,
    /// Records that are not known to be kept, in bytes by the position behind them.
    unkept: VecDeque<(LogPosition, usize)>,
    unkept_bytes: usize,
    /// So many of them, and publishers are held back.
    unkept_max: usize,
    block: ReadBlock,
    spares: SpareBuffers,
    pub(super) now: Instant,
}

impl Io {
    pub(super) fn new(
        id: u16,
        context: Arc<Context>,
        registry: Registry,
        links: Links<Envelope>,
        checks: plexus_porch::Checks,
    ) -> Self {
        let (place, shards) = (context.options.log.as_ref(), context.options.shards);
        let unkept_max = place.map_or(usize::MAX, |place| place.unkept_bytes(shards));
        Self {
            id,
            context,
            registry,
            conns: Slots::new(),
            dirty: Vec::new(),
            closing: BTreeSet::new(),
            generation: 0,
            paced: BTreeSet::new(),
            links,
            resumed: Vec::new(),
            failed: Vec::new(),
            checks,
            log: None,
            for_log: VecDeque::new(),
            unkept: VecDeque::new(),
            unkept_bytes: 0,
            unkept_max,
            block: ReadBlock::default(),
            spares: SpareBuffers::new(),
            now: Instant::ZERO,
        }
    }

    pub(super) fn conn(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(id.0)
    }

    pub(super) fn insert(&mut self, mut conn: Conn) -> Option<ConnId> {
        let id = ConnId(self.conns.next_name());
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = conn.stream.register(&self.registry, Token(id.0 as usize), interest) {
            tracing::debug!(%error, "a connection could not be registered");
            return None;
        }
        self.conns.insert(conn);
        Some(id)
    }

    pub(super) fn remove(&mut self, id: ConnId) {
        self.unpace(id);
        self.checks.give_up(id);
        // Closing the socket takes it out of the poll as well.
        drop(self.conns.remove(id.0));
    }

    /// Its next PUBLISH waits until then.
    pub(super) fn pace(&mut self, id: ConnId, until: Instant) -> bool {
        let metered = self.conns.get_mut(id.0).and_then(|conn| conn.metered.as_deref_mut());
        let Some(metered) = metered.filter(|metered| metered.paced_until.is_none()) else {
            return false;
        };
        metered.paced_until = Some(until);
        self.paced.insert((until, id))
    }

    /// The first of those that wait, if it has waited for long enough.
    pub(super) fn pop_paced(&mut self, now: Instant) -> Option<ConnId> {
        let (_, id) = self.paced.first().copied().filter(|(until, _)| *until <= now)?;
        self.unpace(id);
        Some(id)
    }

    /// Those that wait.
    pub(super) fn paced(&self) -> impl Iterator<Item = ConnId> {
        self.paced.iter().map(|(_, id)| *id)
    }

    /// When the first of them goes on.
    pub(super) fn next_paced(&self) -> Option<Instant> {
        self.paced.first().map(|(until, _)| *until)
    }

    fn unpace(&mut self, id: ConnId) {
        let metered = self.conns.get_mut(id.0).and_then(|conn| conn.metered.as_deref_mut());
        if let Some(until) = metered.and_then(|metered| metered.paced_until.take()) {
            self.paced.remove(&(until, id));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// Puts a connection on the list of those to be written.
    pub(super) fn touch(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(id.0)
            && !conn.dirty
        {
            conn.dirty = true;
            self.dirty.push(id);
        }
    }

    pub(super) fn is_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    pub(super) fn take_dirty(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.dirty)
    }

    pub(super) fn is_congested(&self) -> bool {
        self.links.is_congested() || self.unkept_bytes > self.unkept_max
    }

    pub(super) fn has_pending(&self) -> bool {
        self.links.has_pending() || !self.for_log.is_empty()
    }

    /// Whether the log had no room for something.
    pub(super) fn waits_for_log(&self) -> bool {
        !self.for_log.is_empty()
    }

    /// Hands to the log what it has room for; the rest waits.
    pub(super) fn hand_to_log(&mut self) {
        let Some(log) = &self.log else { return };
        while let Some(job) = self.for_log.pop_front() {
            match log.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(job)) => return self.for_log.push_front(job),
                // The log's thread ends after all others.
                Err(TrySendError::Disconnected(_)) => return self.for_log.clear(),
            }
        }
    }

    /// The shard's thread ends: what is left goes to the log, however long that takes.
    pub(super) fn finish_log(&mut self) {
        let Some(log) = self.log.take() else { return };
        let records = |job: &logger::Job| matches!(job, logger::Job::Commit { .. });
        for job in self.for_log.drain(..).filter(records) {
            // Nobody is there to take it if the log's thread has ended in a panic.
            drop(log.send(job));
        }
    }

    /// The log has everything up to this position.
    pub(super) fn note_kept(&mut self, upto: LogPosition) {
        while let Some((position, bytes)) = self.unkept.front().copied()
            && position <= upto
        {
            self.unkept.pop_front();
            self.unkept_bytes -= bytes;
        }
    }

    pub(super) fn read(&mut self, id: ConnId, input: &mut BytesMut) -> ReadEnd {
        let Some(conn) = self.conns.get_mut(id.0) else { return ReadEnd::default() };
        match conn.stream.read(&mut self.block, input) {
            Ok(read) => {
                if let Some(counters) = self.context.counters.get(usize::from(self.id)) {
                    counters.bytes_received.add(read.bytes as u64);
                }
                if conn.stream.wants_write() {
                    self.touch(id);
                }
                ReadEnd { more: read.more, closed: read.closed }
            }
            Err(error) => {
                tracing::debug!(%error, "a connection failed");
                ReadEnd { more: false, closed: true }
            }
        }
    }

    /// Reads on after the end so that the peer's last bytes do not reset the connection.
    pub(super) fn discard_input(&mut self, id: ConnId) {
        let mut input = BytesMut::new();
        let end = self.read(id, &mut input);
        let lingers = self.conn(id).is_some_and(|conn| matches!(conn.stage, Stage::Lingering(_)));
        if end.closed && lingers {
            self.remove(id);
        } else if end.more {
            self.resumed.push(id);
        }
    }

    pub(super) fn write(&mut self, id: ConnId, now: Instant) -> Option<Written> {
        let conn = self.conns.get_mut(id.0)?;
        conn.dirty = false;
        let before = conn.queue.len();
        let flushed = conn.stream.write(&mut conn.queue);
        let done = match flushed {
            Ok(flushed) => flushed.done,
            Err(error) => {
                tracing::debug!(%error, "a connection failed");
                if conn.is_closing() {
                    self.remove(id);
                    return None;
                }
                return Some(Written::Failed);
            }
        };
        let written = before.saturating_sub(conn.queue.len());
        if let Some(counters) = self.context.counters.get(usize::from(self.id)) {
            counters.bytes_sent.add(written as u64);
        }
        if !done {
            conn.slow = true;
            return Some(Written::Part);
        }
        conn.queue.give_back(&mut self.spares);
        let tell = conn.slow || before > self.context.options.write_buffer_max;
        conn.slow = false;
        if matches!(conn.stage, Stage::Flushing(_)) {
            self.linger(id, now);
            return None;
        }
        tell.then_some(Written::All)
    }

    /// All is written: half-close, and wait for the peer's end, unless nothing follows from there.
    fn linger(&mut self, id: ConnId, now: Instant) {
        let until = now + LINGER_TIME;
        let Some(conn) = self.conns.get_mut(id.0) else { return };
        if conn.parted {
            conn.stream.finish();
            return self.remove(id);
        }
        conn.stream.shutdown();
        conn.stage = Stage::Lingering(until);
        self.closing.insert((until, id, conn.generation));
        self.resumed.push(id);
    }

    /// Ends the connections whose last seconds are over.
    pub(super) fn sweep(&mut self, now: Instant) {
        while let Some((at, id, generation)) = self.closing.first().copied()
            && at <= now
        {
            self.closing.pop_first();
            let over = self.conn(id).is_some_and(|conn| {
                conn.generation == generation
                    && matches!(conn.stage, Stage::Flushing(until) | Stage::Lingering(until) if until <= now)
            });
            if over {
                self.remove(id);
            }
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.closing.first().map(|(at, ..)| *at)
    }

    fn counters(&self) -> Option<&Counters> {
        self.context.counters.get(usize::from(self.id))
    }
}

impl Ports for Io {
    fn share_pace(&mut self, conn: ConnId, pool: &Arc<Pool>) {
        let Some(at) = self.conns.get_mut(conn.0) else { return };
        let mut options = at.metered.as_ref().map(|metered| metered.meter.options()).cloned();
        let options = options.get_or_insert_default();
        Arc::make_mut(options).pools.push(Arc::clone(pool));
        at.metered = Some(Box::new(Metered::new(options)));
    }

    fn send(&mut self, conn: ConnId, packet: &Packet, version: ProtocolVersion) {
        let Some(at) = self.conns.get_mut(conn.0) else { return };
        at.queue.lend(&mut self.spares);
        if let Err(error) = plexus_wire::encode(packet, version, at.queue.buffer()) {
            tracing::warn!(%error, "a packet could not be encoded");
            // That client ends, and nobody else.
            self.failed.push(conn);
            return;
        }
        self.touch(conn);
    }

    fn deliver(&mut self, conn: ConnId, outgoing: &Outgoing, version: ProtocolVersion) {
        let Some(at) = self.conns.get_mut(conn.0) else { return };
        let message = &outgoing.message;
        let head = outgoing.head();
        at.queue.lend(&mut self.spares);
        if message.payload.len() >= CHUNK_MIN {
            plexus_wire::encode_publish_head(&head, message, version, at.queue.buffer());
            at.queue.push(message.payload.clone());
        } else {
            plexus_wire::encode_publish(&head, message, version, at.queue.buffer());
        }
        self.touch(conn);
        if let Some(counters) = self.counters() {
            counters.packets_sent.add(1);
        }
    }

    fn backlog(&self, conn: ConnId) -> usize {
        self.conns.get(conn.0).map_or(0, |at| at.queue.len())
    }

    fn close(&mut self, conn: ConnId, reason: CloseReason) {
        let until = self.now + FLUSH_TIME;
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let Some(at) = self.conns.get_mut(conn.0) else { return };
        if at.is_closing() {
            return;
        }
        tracing::debug!(?reason, "connection closed");
        at.stage = Stage::Flushing(until);
        at.parted = reason == CloseReason::ByClient;
        at.generation = generation;
        at.input = None;
        self.closing.insert((until, conn, generation));
        self.touch(conn);
    }

    fn resume(&mut self, conn: ConnId) {
        self.resumed.push(conn);
    }

    fn commit(&mut self, batch: Batch, upto: LogPosition) {
        let bytes = batch.bytes();
        self.unkept.push_back((upto, bytes));
        self.unkept_bytes += bytes;
        self.for_log.push_back(logger::Job::Commit { shard: self.id, batch, upto });
    }

    fn fetch(&mut self, fetch: Fetch) {
        self.for_log.push_back(logger::Job::Fetch { shard: self.id, fetch });
    }

    fn forward(&mut self, shard: u16, envelope: Envelope) {
        self.links.push(shard, envelope);
    }

    fn verify(
        &mut self,
        ticket: Ticket,
        policy: Arc<dyn Policy>,
        credentials: Credentials,
    ) -> bool {
        self.checks.begin(ticket, &policy, credentials)
    }

    fn ask(&mut self, query: Query, policy: Arc<dyn Policy>, credentials: Credentials) -> bool {
        self.checks.ask(query, &*policy, credentials)
    }
}
