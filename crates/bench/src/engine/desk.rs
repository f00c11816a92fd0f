//! What a worker has besides its connections, and what it does with one of them.

mod deliver;
mod publish;
mod stay;
mod subscribe;

use std::{collections::VecDeque, sync::Arc};

use bytes::{BufMut, BytesMut};
use plexus_net::{ReadBlock, SpareBuffers};
use plexus_session::{ClientClose, ClientOutput};
use plexus_stdx::Seed;
use plexus_types::{Instant, ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{ProtocolError, encode};

pub(super) use self::deliver::{home, share};
use super::{
    Shared,
    conn::{Conn, Link, Part, Phase},
    pace::{Connects, Timers},
    reason,
};
use crate::{
    counts::{Census, Count, Counts},
    meter::{Meters, Metric},
    plan::{Group, Sessions},
    seen::Seen,
};

/// What a worker found out that the counts do not tell.
#[derive(Debug, Default)]
pub(crate) struct Harvest {
    /// Messages that were left out, of publishers whose audience is not known.
    pub(crate) gaps: u64,
    /// Of these, the ones that had QoS 1 or 2 on their whole way.
    pub(crate) gaps_assured: u64,
    /// What came over shared subscriptions, by share and publisher.
    pub(crate) seen: Vec<Seen>,
}

/// The state of a worker that its connections use.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) index: usize,
    pub(super) shared: Arc<Shared>,
    /// The groups of the plan, this worker's own copy: counting references to what all workers see
    /// would send a cache line to and fro for each message.
    groups: Arc<[Group]>,
    pub(super) now: Instant,
    pub(super) counts: Counts,
    pub(super) meters: Meters,
    pub(super) connects: Connects,
    pub(super) timers: Timers,
    /// Slots with bytes to write.
    pub(super) touched: Vec<u32>,
    /// Slots of publishers that may be able to go on.
    pub(super) refill: Vec<u32>,
    /// Publishers of other workers whose messages arrived here, by worker.
    pub(super) remote: Vec<Vec<u32>>,
    /// Times of what is due in here are recorded.
    pub(super) measured: (Instant, Instant),
    pub(super) publishing: bool,
    /// Whether clients that have connected leave and come again.
    pub(super) storming: bool,
    /// By group: whoever is ready is to leave, and whether its session may be forgotten.
    pub(super) leaving: Vec<Option<bool>>,
    /// By group: its clients come and go.
    pub(super) roaming: Vec<bool>,
    /// When something arrived or was acknowledged last.
    pub(super) moved: Instant,
    pub(super) block: ReadBlock,
    inbox: BytesMut,
    outputs: VecDeque<ClientOutput>,
    spares: SpareBuffers,
    arena: BytesMut,
    text: String,
    seed: Seed,
    seen: Vec<Seen>,
}

/// Why a connection is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was ended from this side.
    Wanted,
    /// It is to end without a word.
    Dropped,
    /// Somebody else ended it.
    Because(String),
}

impl Desk {
    pub(super) fn new(index: usize, shared: Arc<Shared>) -> Self {
        let plan = &shared.plan;
        let connects = Connects::new(plan.connect_rate, index, plan.workers, plan.connecting_max);
        Self {
            index,
            groups: plan.workload.groups.iter().cloned().collect(),
            now: shared.clock.now(),
            counts: Counts::new(plan.workload.groups.len()),
            meters: Meters::default(),
            connects,
            timers: Timers::default(),
            touched: Vec::new(),
            refill: Vec::new(),
            remote: vec![Vec::new(); plan.workers],
            measured: (Instant::ZERO, Instant::FAR_FUTURE),
            publishing: false,
            storming: false,
            leaving: vec![None; plan.workload.groups.len()],
            roaming: vec![false; plan.workload.groups.len()],
            moved: Instant::ZERO,
            block: ReadBlock::default(),
            inbox: BytesMut::new(),
            outputs: VecDeque::new(),
            spares: SpareBuffers::new(),
            arena: BytesMut::new(),
            text: String::new(),
            seed: plan.seed.derive(index as u64),
            seen: Vec::new(),
            shared,
        }
    }

    /// The group of a client.
    fn group(&self, conn: &Conn) -> Option<&Group> {
        self.groups.get(usize::from(conn.group))
    }

    /// Whether its group is on its way out.
    pub(super) fn is_leaving(&self, conn: &Conn) -> bool {
        self.leaving.get(usize::from(conn.group)).is_some_and(Option::is_some)
    }

    pub(super) fn note(&mut self, conn: &Conn, census: Census) {
        self.counts.note(usize::from(conn.group), census);
    }

    /// Lets the client act and carries out what it wants; why the connection is over, if it is.
    pub(super) fn act(
        &mut self,
        slot: u32,
        conn: &mut Conn,
        act: impl FnOnce(&mut Conn, Instant),
    ) -> Option<End> {
        let was_ready = conn.phase == Phase::Ready;
        conn.client.lend_outputs(&mut self.outputs);
        act(conn, self.now);
        let mut end = self.drain(slot, conn);
        while end.is_none() && self.go_on(conn) {
            end = self.drain(slot, conn);
        }
        // Nothing is said any more on a connection that is over, and nothing of it is heard.
        while conn.client.poll_output().is_some() {}
        conn.client.lend_outputs(&mut self.outputs);
        if self.publishing && !was_ready && conn.phase == Phase::Ready {
            // A publisher that comes again goes on where it was.
            self.refill.push(slot);
        }
        self.arm(slot, conn);
        end
    }

    /// Sets the timer of a client, if it has to be earlier than the one that is set.
    pub(super) fn arm(&mut self, slot: u32, conn: &mut Conn) {
        let deadline = conn.deadline();
        self.timers.arm(slot, &mut conn.timer, deadline);
    }

    /// What follows from the outputs that have been carried out; whether the client acted.
    fn go_on(&mut self, conn: &mut Conn) -> bool {
        if conn.phase == Phase::Standing && self.subscribe_on(conn) {
            return true;
        }
        if conn.phase == Phase::Standing {
            return false;
        }
        let apart = matches!(&conn.part, Part::Subscribe(subscriber) if subscriber.is_on);
        if conn.phase == Phase::Ready && apart && self.subscribe_apart(conn) {
            return true;
        }
        let leaving = self.leaving.get(usize::from(conn.group)).copied().flatten();
        let leaving = leaving.or_else(|| self.storming.then_some(false));
        match leaving {
            Some(forget) if conn.is_accepted() => {
                Self::say_good_bye(conn, self.now, forget);
                true
            }
            Some(_) | None => self.part(conn),
        }
    }

    /// DISCONNECT; with `forget` the broker may forget the session, where the version has a word for
    /// it. Called from within [`Self::act`].
    pub(super) fn say_good_bye(conn: &mut Conn, now: Instant, forget: bool) {
        let mut properties = plexus_wire::DisconnectProperties::default();
        if forget && conn.client.version().is_v5() {
            properties.session_expiry_interval = Some(0);
        }
        conn.client.disconnect(now, ReasonCode::Success, properties);
        conn.enter(Phase::Closing, now);
    }

    /// A random number below a bound.
    pub(super) fn draw(&mut self, bound: usize) -> u64 {
        self.seed.below(bound) as u64
    }

    fn drain(&mut self, slot: u32, conn: &mut Conn) -> Option<End> {
        let mut said = None;
        while let Some(output) = conn.client.poll_output() {
            match output {
                ClientOutput::Send(packet) => self.send(slot, conn, &packet),
                ClientOutput::Message(message) => self.deliver(conn, &message),
                ClientOutput::Published { ticket, reason } => {
                    self.settle(slot, conn, ticket, reason);
                }
                ClientOutput::Connected(connack) => self.accepted(conn, connack.session_present),
                ClientOutput::Subscribed(ticket, suback) => {
                    self.subscribed(conn, ticket, &suback.reasons);
                }
                ClientOutput::Refused(connack) => {
                    said = Some(format!("refused by the broker: {}", connack.reason));
                }
                ClientOutput::Disconnected(disconnect) => {
                    said = Some(format!("ended by the broker: {}", disconnect.reason));
                }
                ClientOutput::Close(close) if close != ClientClose::Wanted => {
                    let reason = said.take().or_else(|| reason::of_close(close));
                    return Some(reason.map_or(End::Wanted, End::Because));
                }
                // The good-bye is on its way; the broker's end follows.
                ClientOutput::Close(_)
                | ClientOutput::Unsubscribed(..)
                | ClientOutput::Abandoned(_)
                | ClientOutput::Pong
                | ClientOutput::Authentication(_) => {}
            }
        }
        None
    }

    fn send(&mut self, slot: u32, conn: &mut Conn, packet: &plexus_wire::Packet) {
        let version = conn.client.version();
        let Some(link) = &mut conn.link else { return };
        link.out.lend(&mut self.spares);
        encode(packet, version, link.out.buffer())
            .expect("invariant: the client makes packets of its version");
        self.touch(slot, conn);
    }

    /// Bytes of this client are to be written at the end of the turn.
    pub(super) fn touch(&mut self, slot: u32, conn: &mut Conn) {
        if !conn.touched {
            conn.touched = true;
            self.touched.push(slot);
        }
    }

    fn accepted(&mut self, conn: &mut Conn, session_present: bool) {
        let group = self.group(conn);
        let is_kept = group.is_some_and(|group| match group.sessions {
            Sessions::Kept { .. } => true,
            Sessions::Asked => self.shared.plan.keeps_sessions(),
            Sessions::Clean => false,
        });
        // 3.1 has no word for it.
        let is_v31 = conn.client.version() == ProtocolVersion::V31;
        let session_present = session_present || (is_v31 && is_kept);
        self.connects.under_way = self.connects.under_way.saturating_sub(1);
        self.note(conn, Census::Accepted);
        self.moved = self.now;
        let time = self.now.saturating_since(conn.due);
        self.record(Metric::Connect, conn.due, time);
        conn.enter(Phase::Standing, self.now);
        self.forgive(conn);
        if let Part::Subscribe(subscriber) = &mut conn.part {
            let had = subscriber.answered > 0 && !conn.ending;
            if had && is_kept && !session_present {
                self.shared.note_reason("the broker had lost the session".to_owned());
            }
            subscriber.join(self.now);
            subscriber.pending.clear();
            // What was asked for and not answered is asked for again.
            subscriber.asked = subscriber.answered;
            if !session_present {
                (subscriber.asked, subscriber.answered) = (0, 0);
            }
        }
    }

    /// Records a time, if it is of the measured part.
    fn record(&mut self, metric: Metric, due: Instant, time: std::time::Duration) {
        if due >= self.measured.0 && due < self.measured.1 {
            self.meters.record(metric, time);
        }
    }

    /// Reads once and handles what came; why the connection is over, or whether there is more.
    pub(super) fn read(&mut self, slot: u32, conn: &mut Conn) -> Result<bool, End> {
        let Some(link) = &mut conn.link else { return Ok(false) };
        // The inbox of the worker serves everybody whose last packet was whole.
        if link.inbox.is_empty() {
            std::mem::swap(&mut link.inbox, &mut self.inbox);
        }
        let read = link.stream.read(&mut self.block, &mut link.inbox);
        let read = read.map_err(|error| End::Because(reason::of_stream(&error)))?;
        let handled = self.decode(slot, conn);
        let Some(link) = &mut conn.link else { return Ok(false) };
        if link.inbox.is_empty() {
            std::mem::swap(&mut link.inbox, &mut self.inbox);
            link.inbox = BytesMut::new();
        }
        if !link.out.is_empty() || link.stream.wants_write() {
            self.touch(slot, conn);
        }
        handled?;
        if read.closed {
            return Err(match conn.phase {
                Phase::Closing => End::Wanted,
                Phase::Standing | Phase::Ready => {
                    End::Because("closed by the broker without a word".to_owned())
                }
                Phase::Away | Phase::Resting | Phase::Queued | Phase::Connecting | Phase::Asked => {
                    End::Because("closed by the broker without an answer".to_owned())
                }
            });
        }
        Ok(read.more)
    }

    fn decode(&mut self, slot: u32, conn: &mut Conn) -> Result<(), End> {
        loop {
            let Some(Link { decoder, inbox, .. }) = &mut conn.link else { return Ok(()) };
            let packet = match decoder.decode(inbox) {
                Ok(Some(packet)) => Ok(packet),
                Ok(None) => return Ok(()),
                Err(error) => Err(error),
            };
            if let Some(end) = self.handle(slot, conn, packet) {
                return Err(end);
            }
        }
    }

    fn handle(
        &mut self,
        slot: u32,
        conn: &mut Conn,
        packet: Result<plexus_wire::Packet, ProtocolError>,
    ) -> Option<End> {
        self.act(slot, conn, |conn, now| conn.client.handle_packet(now, packet))
    }

    /// Writes what waits; why the connection is over, if it is.
    pub(super) fn write(&mut self, slot: u32, conn: &mut Conn) -> Option<End> {
        conn.touched = false;
        let Some(link) = &mut conn.link else { return None };
        let written = match link.stream.write(&mut link.out) {
            Ok(written) => written,
            Err(_) if conn.phase == Phase::Closing => return Some(End::Wanted),
            Err(error) => return Some(End::Because(reason::of_stream(&error))),
        };
        link.out.give_back(&mut self.spares);
        if !written.done {
            return None;
        }
        match (conn.phase, &mut conn.part) {
            (Phase::Closing, _) => link.stream.shutdown(),
            (Phase::Ready, Part::Publish(publisher))
                if publisher.has_waiting() || publisher.is_unbounded() =>
            {
                self.refill.push(slot);
            }
            _ => {}
        }
        None
    }

    /// What the worker found out besides the counts.
    pub(super) fn harvest<'a>(&mut self, conns: impl Iterator<Item = &'a Conn>) -> Harvest {
        let shared = Arc::clone(&self.shared);
        let heard =
            |publisher| shared.index_of(publisher).and_then(|index| shared.audience.get(index));
        let counts = |publisher| heard(publisher).is_none_or(|heard| heard.receivers.is_none());
        let mut harvest = Harvest { seen: std::mem::take(&mut self.seen), ..Harvest::default() };
        for conn in conns {
            let (Part::Subscribe(subscriber), Some(group)) = (&conn.part, self.group(conn)) else {
                continue;
            };
            for (publisher, gaps) in subscriber.gaps(counts) {
                // What another program published had the quality of service that was asked for.
                let published = heard(publisher).map_or(Qos::ExactlyOnce, |heard| heard.qos);
                harvest.gaps += gaps;
                if group.qos_of(published) > Qos::AtMostOnce {
                    harvest.gaps_assured += gaps;
                }
            }
        }
        harvest
    }
}

impl Shared {
    /// The place of a stamped publisher among those of this run.
    fn index_of(&self, publisher: u32) -> Option<usize> {
        let index = publisher.wrapping_sub(self.publisher_first()) as usize;
        (index < self.audience.publishers.len()).then_some(index)
    }

    /// What the first publisher writes into its stamps.
    fn publisher_first(&self) -> u32 {
        self.plan.workload.groups.first().map_or(0, |group| group.first as u32)
    }
}

/// Room for one more payload.
fn reserve(arena: &mut BytesMut, length: usize) {
    const BLOCK: usize = 64 * 1024;
    if arena.capacity() < length {
        arena.reserve(length.max(BLOCK));
    }
}

/// A payload without a stamp.
fn blank(arena: &mut BytesMut, length: usize) {
    arena.put_bytes(0, length);
}

/// Whether messages of that quality of service are acknowledged.
fn is_acknowledged(qos: Qos) -> bool {
    qos != Qos::AtMostOnce
}
