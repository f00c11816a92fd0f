//! The event loop of one shard: readiness in, a turn of decisions, every touched socket written
//! once. The only code that knows that a shard lives on a thread (RFD 1).

mod conn;
mod io;

use std::{
    collections::VecDeque,
    os::fd::{AsRawFd, RawFd},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender},
    },
    time::Duration,
};

use bytes::BytesMut;
use mio::{Events, Interest, Poll, Token, unix::SourceFd};
use plexus_links::{Bell, Intake, Links};
use plexus_porch::{Checks, Clock, Gauge, Incoming, Pressure};
use plexus_session::LogPosition;
use plexus_store::SegmentNumber;
use plexus_types::{ClientId, Instant, Message, ReasonCode};
use plexus_wire::{Packet, ProtocolError};

use self::{
    conn::{Conn, Metered},
    io::Io,
};
use crate::{
    envelope::Envelope,
    logger::{self, Mark},
    ports::{Arrival, ConnId, Fetch, Turn},
    shard::{Context, Question, Restored, Shard, is_acknowledged_publish},
};

/// The token of the waker; connections use their own numbers.
pub(crate) const WAKER: Token = Token(usize::MAX);
/// Other files that the poll may watch for the thread; their tokens are just below that of the waker.
const COMPANIONS: usize = 128;
/// Events taken from the system at once.
const EVENTS: usize = 1_024;
/// Messages of control taken in a turn.
const CONTROLS_A_TURN: usize = 256;
/// Rounds of writing in a turn: what the second round makes writable waits for the next turn.
const WRITE_ROUNDS: usize = 2;
/// How often held clients count as alive: below every Keep Alive.
const VOUCH: Duration = Duration::from_millis(500);
/// PUBLISH packets above QoS 0 that are taken from a connection in a turn: what its receivers say meanwhile
/// is heard before they have more than they can take.
const PUBLISHES_A_TURN: usize = 64;
/// Connections whose end is carried out in a turn, and in one that does not get through all events.
/// Where a hundred thousand end at once, who stays is served between them.
const DEPARTURES_A_TURN: usize = 64;
const DEPARTURES_IN_A_RUSH: usize = 8;
/// How long a shard sleeps when another shard's ring was full.
const RETRY: Duration = Duration::from_millis(1);

/// What other threads tell a shard.
pub(crate) enum Control {
    /// A client whose home this is.
    Arrive(Box<Incoming>),
    /// Messages that were asked for from the log.
    Fetched(Fetch, Option<Vec<Arc<Message>>>),
    /// The log wants what began in segments up to there to be written anew.
    Refresh(SegmentNumber),
    /// All shards are restored: route what was open.
    Reopen,
    /// The rules have changed: end sessions with subscriptions that are not allowed any more.
    Review,
    /// Somebody asks.
    Ask(Question),
    /// Tell every client, flush until then, and stop.
    ShutDown(Instant),
}

/// What a shard's thread is made of.
pub(crate) struct Parts {
    pub(crate) id: u16,
    pub(crate) poll: Poll,
    pub(crate) bell: Bell,
    pub(crate) links: Links<Envelope>,
    pub(crate) control: Receiver<Control>,
    pub(crate) context: Arc<Context>,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) clock: Clock,
    /// The log, if there is one.
    pub(crate) log: Option<LogEnd>,
}

/// A shard's end of the log.
pub(crate) struct LogEnd {
    pub(crate) jobs: SyncSender<logger::Job>,
    pub(crate) mark: Mark,
    /// What the log says of the shard.
    pub(crate) restored: Restored,
    /// Says once that the shard is restored.
    pub(crate) ready: SyncSender<()>,
}

/// What a turn has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Its poll has more to tell.
    More,
    /// Nothing that its poll would not announce.
    Done,
}

/// What a look has found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct News {
    /// Something of the shard itself.
    pub(crate) own: bool,
    /// Companions, a bit each.
    companions: u128,
}

impl News {
    /// Whether there was something of that companion.
    pub(crate) const fn of(self, companion: usize) -> bool {
        self.companions & 1 << companion != 0
    }

    fn note(&mut self, token: Token) {
        match companion_of(token) {
            Some(companion) => self.companions |= 1 << companion,
            None => self.own = true,
        }
    }
}

/// Whether the system may have had more to tell.
fn is_full(events: &Events) -> bool {
    events.iter().nth(EVENTS - 1).is_some()
}

/// The companion that has that token.
fn companion_of(token: Token) -> Option<usize> {
    (WAKER.0 - 1).checked_sub(token.0).filter(|companion| *companion < COMPANIONS)
}

/// See the module's documentation.
pub(crate) struct Reactor {
    id: u16,
    poll: Poll,
    /// None when the poll has failed.
    events: Option<Events>,
    news: News,
    /// The node shuts down, and all is said.
    over: bool,
    bell: Bell,
    control: Receiver<Control>,
    gauge: Arc<Gauge>,
    clock: Clock,
    shard: Shard,
    io: Io,
    /// Connections that have input to be read.
    ready: VecDeque<ConnId>,
    /// Connections whose peer has ended them; what it had said before is still to be read.
    departing: VecDeque<ConnId>,
    /// Connections whose next packet is a PUBLISH that must wait.
    held: Vec<ConnId>,
    /// What a long turn has left of a batch of another shard.
    taken: Option<(u16, std::vec::IntoIter<Envelope>)>,
    hold: bool,
    /// When held clients were last counted as alive.
    vouched: Instant,
    stop: Option<Instant>,
    mark: Option<Mark>,
    /// Up to where the shard has been told that the log is kept.
    marked: LogPosition,
    /// What the shard begins with, and who waits for it.
    restored: Option<Restored>,
    restored_to: Option<SyncSender<()>>,
}

impl Reactor {
    pub(crate) fn new(parts: Parts) -> std::io::Result<Self> {
        let Parts { id, poll, bell, links, control, context, gauge, clock, log } = parts;
        let registry = poll.registry().try_clone()?;
        let checks = Checks::new(bell.clone(), Arc::clone(&context.fences), clock);
        let mut io = Io::new(id, Arc::clone(&context), registry, links, checks);
        let (mut mark, mut restored, mut ready) = (None, None, None);
        if let Some(log) = log {
            io.log = Some(log.jobs);
            (mark, restored, ready) = (Some(log.mark), Some(log.restored), Some(log.ready));
        }
        let shard = Shard::new(clock.now(), id, context);
        Ok(Self {
            id,
            poll,
            events: Some(Events::with_capacity(EVENTS)),
            news: News::default(),
            over: false,
            bell,
            control,
            gauge,
            clock,
            shard,
            io,
            ready: VecDeque::new(),
            departing: VecDeque::new(),
            held: Vec::new(),
            taken: None,
            hold: false,
            vouched: Instant::ZERO,
            stop: None,
            mark,
            marked: LogPosition::ZERO,
            restored,
            restored_to: ready,
        })
    }

    /// Which shard it is.
    pub(crate) fn number(&self) -> usize {
        usize::from(self.id)
    }

    /// The file of its poll, for another poll to wait for.
    pub(crate) fn fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Has its poll wait for another file too, under a number below 128; whether the system lets it.
    pub(crate) fn watch(&self, companion: usize, fd: RawFd) -> bool {
        debug_assert!(companion < COMPANIONS, "there are fewer shards than that");
        let (registry, token) = (self.poll.registry(), Token(WAKER.0 - 1 - companion));
        registry.register(&mut SourceFd(&fd), token, Interest::READABLE).is_ok()
    }

    /// Ends that; a file that is not there is not waited for.
    pub(crate) fn unwatch(&self, fd: RawFd) {
        drop(self.poll.registry().deregister(&mut SourceFd(&fd)));
    }

    /// What the last look has found.
    pub(crate) const fn news(&self) -> News {
        self.news
    }

    /// Runs until the node shuts down.
    pub(crate) fn run(mut self) {
        while !self.is_over() {
            let wait = self.wait();
            self.look(wait);
            self.wake_up();
            let _more = self.act();
        }
        self.finish();
    }

    /// Waits so long at most for what its sockets have, [`Reactor::act`] follows; whether a signal ended
    /// that.
    pub(crate) fn look(&mut self, wait: Option<Duration>) -> bool {
        self.news = News::default();
        let Some(events) = &mut self.events else { return false };
        match self.poll.poll(events, wait) {
            Ok(()) => {
                events.iter().for_each(|event| self.news.note(event.token()));
                false
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => true,
            Err(error) => {
                // Without its events it is over.
                tracing::error!(%error, "the shard's poll failed");
                self.events = None;
                false
            }
        }
    }

    /// One turn, with what the last look has found.
    pub(crate) fn act(&mut self) -> Step {
        let Some(events) = self.events.take() else { return Step::Done };
        let began = self.clock.now();
        let sent = self.shard.counters().messages_sent.read();
        self.turn(&events, began);
        let full = is_full(&events);
        self.events = Some(events);
        let counters = self.shard.counters();
        counters.turns.add(1);
        let spent = self.clock.now().saturating_since(began);
        counters.busy_micros.add(u64::try_from(spent.as_micros()).unwrap_or(0));
        self.note_delivered(spent, sent);
        self.over |= self.is_finished(began);
        if full { Step::More } else { Step::Done }
    }

    /// What was sent since there were so many has taken so long.
    fn note_delivered(&self, took: Duration, before: u64) {
        let sent = self.shard.counters().messages_sent.read().wrapping_sub(before);
        if sent > 0 {
            self.shard.note_delivered(took, sent);
        }
    }

    /// The thread is awake: nobody has to ring.
    pub(crate) fn wake_up(&self) {
        self.bell.wake_up();
    }

    /// Whether it has nothing to do any more, ever.
    pub(crate) const fn is_over(&self) -> bool {
        self.over || self.events.is_none()
    }

    /// Hands over what is left for the log.
    pub(crate) fn finish(mut self) {
        // The log's thread may wait for room there.
        drop(self.control);
        self.io.finish_log();
    }

    /// Takes over what the log says, before anything else happens.
    pub(crate) fn restore(&mut self) {
        let Some(restored) = self.restored.take() else { return };
        let now = self.clock.now();
        self.io.now = now;
        let mut turn = Turn { now, ports: &mut self.io };
        self.shard.restore(&mut turn, restored);
        // Nothing else may ever wake a shard that has nothing to wait for.
        self.settle_log(now);
        self.io.links.flush();
    }

    /// Hands the records of the turn to the log, and hears what it has.
    fn settle_log(&mut self, now: Instant) {
        if let Some(upto) = self.mark.as_ref().map(Mark::read).filter(|upto| *upto > self.marked) {
            self.marked = upto;
            self.io.note_kept(upto);
            let mut turn = Turn { now, ports: &mut self.io };
            self.shard.handle_committed(&mut turn, upto);
        }
        let mut turn = Turn { now, ports: &mut self.io };
        self.shard.end_turn(&mut turn);
        self.io.hand_to_log();
        if self.shard.is_restored()
            && let Some(ready) = self.restored_to.take()
            && ready.try_send(()).is_err()
        {
            tracing::debug!("nobody waits for the shard any more");
        }
    }

    fn turn(&mut self, events: &Events, now: Instant) {
        self.io.now = now;
        self.release_held(now);
        for event in events {
            if event.token() == WAKER || companion_of(event.token()).is_some() {
                continue;
            }
            let conn = ConnId(event.token().0 as u32);
            if let Some(at) = self.io.conn(conn) {
                at.stream.note(event);
            }
            if event.is_writable() {
                self.io.touch(conn);
            }
            if event.is_read_closed() || event.is_error() {
                self.note_departure(conn);
            } else if event.is_readable() {
                self.make_ready(conn);
            }
        }
        for _ in 0..self.ready.len() {
            let Some(conn) = self.ready.pop_front() else { break };
            self.pump(conn, now);
        }
        self.see_off(events, now);
        self.take_control(now);
        self.take_envelopes(now);
        if self.shard.poll_timeout().is_some_and(|due| due <= now) {
            let mut turn = Turn { now, ports: &mut self.io };
            self.shard.handle_timeout(&mut turn);
        }
        self.settle_log(now);
        self.flush(now);
        self.io.sweep(now);
    }

    /// Takes what other threads have for the shard, and carries it out; whether there was anything.
    pub(crate) fn serve(&mut self, now: Instant) -> bool {
        self.io.now = now;
        let sent = self.shard.counters().messages_sent.read();
        let marked = self.mark.as_ref().is_some_and(|mark| mark.read() > self.marked);
        let any = self.take_envelopes(now) | self.take_control(now) | marked;
        if any {
            self.settle_log(now);
            self.flush(now);
            // Most of what comes from other shards to one that sleeps is delivered here, and not in a turn.
            self.note_delivered(self.clock.now().saturating_since(now), sent);
            self.over |= self.is_finished(now);
        }
        any
    }

    /// How long to sleep; before a real sleep, one more look at the rings.
    pub(crate) fn wait(&mut self) -> Option<Duration> {
        if self.shard.has_records()
            || !self.ready.is_empty()
            || !self.departing.is_empty()
            || self.io.is_dirty()
            || !self.io.resumed.is_empty()
            || self.taken.is_some()
        {
            return Some(Duration::ZERO);
        }
        self.bell.fall_asleep();
        let now = self.clock.now();
        if self.serve(now) {
            return Some(Duration::ZERO);
        }
        if self.io.has_pending() || !self.held.is_empty() {
            return Some(RETRY);
        }
        // Who waits for its rate is to count as alive meanwhile.
        let paced = self.io.next_paced().map(|next| next.min(self.vouched + VOUCH));
        let due = [self.shard.poll_timeout(), self.io.next_deadline(), self.stop, paced];
        let due = due.into_iter().flatten().min()?;
        // Rounded up, or the loop would spin through the last part of a millisecond.
        let wait = due.saturating_since(now).as_micros().div_ceil(1_000);
        Some(Duration::from_millis(u64::try_from(wait).unwrap_or(u64::MAX)))
    }

    fn make_ready(&mut self, conn: ConnId) {
        if let Some(at) = self.io.conn(conn)
            && !at.ready
        {
            at.ready = true;
            self.ready.push_back(conn);
        }
    }

    fn note_departure(&mut self, conn: ConnId) {
        if let Some(at) = self.io.conn(conn)
            && !at.departing
        {
            at.departing = true;
            self.departing.push_back(conn);
        }
    }

    /// Reads the last of some connections that were ended, and ends them here too.
    fn see_off(&mut self, events: &Events, now: Instant) {
        let count = if is_full(events) { DEPARTURES_IN_A_RUSH } else { DEPARTURES_A_TURN };
        for _ in 0..count {
            let Some(conn) = self.departing.pop_front() else { return };
            self.depart(conn, now);
        }
    }

    fn depart(&mut self, conn: ConnId, now: Instant) {
        // The number may be another connection's by now.
        if let Some(at) = self.io.conn(conn)
            && std::mem::take(&mut at.departing)
        {
            self.pump(conn, now);
        }
    }

    /// Whoever comes back finds his old connection as he left it: a DISCONNECT that it ended with counts.
    fn see_off_earlier(&mut self, arrival: &Arrival, now: Instant) {
        if self.departing.is_empty() {
            return;
        }
        // Nobody has an identifier that was only now drawn.
        let client = ClientId::new(&arrival.connect.client_id);
        let tenant = arrival.door.tenant.as_ref().or(arrival.named.as_ref());
        for conn in self.shard.connections_of(&client, tenant) {
            self.depart(conn, now);
        }
    }

    /// Decides anew whether publishers are held back, and lets them go on if not.
    fn release_held(&mut self, now: Instant) {
        self.hold = self.gauge.read() >= Pressure::High || self.io.is_congested();
        if now.saturating_since(self.vouched) >= VOUCH {
            // Who is not listened to cannot show that it is alive.
            self.vouched = now;
            for conn in self.held.iter().copied().chain(self.io.paced()) {
                self.shard.handle_activity(now, conn);
            }
        }
        if !self.hold {
            // Before all others: it is their turn, and who may take little may find itself held again.
            for conn in std::mem::take(&mut self.held).into_iter().rev() {
                let Some(at) = self.io.conn(conn) else { continue };
                at.held = false;
                if !std::mem::replace(&mut at.ready, true) {
                    self.ready.push_front(conn);
                }
            }
        }
        while let Some(conn) = self.io.pop_paced(now) {
            self.make_ready(conn);
        }
        for conn in std::mem::take(&mut self.io.resumed) {
            self.make_ready(conn);
        }
    }

    /// Reads what one connection has to say, a bounded part of it a turn.
    fn pump(&mut self, id: ConnId, now: Instant) {
        // What this turn has already put into the rings counts.
        self.hold |= self.io.is_congested();
        let Some(conn) = self.io.conn(id) else { return };
        conn.ready = false;
        if conn.is_closing() {
            self.io.discard_input(id);
            return;
        }
        let mut input = conn.input.take().map_or_else(BytesMut::new, |input| *input);
        if !input.is_empty() && !self.decode(id, now, &mut input) {
            self.keep(id, input);
            return;
        }
        let read = self.io.read(id, &mut input);
        if !input.is_empty() && !self.decode(id, now, &mut input) {
            // What came before the end is heard first: the end is read again afterwards.
            self.keep(id, input);
            return;
        }
        self.keep(id, input);
        if read.closed {
            self.lose(id, now);
        } else if read.more {
            self.make_ready(id);
        }
    }

    /// Gives the shard every whole packet of `input`; false if one has to wait.
    fn decode(&mut self, id: ConnId, now: Instant, input: &mut BytesMut) -> bool {
        let mut taken = 0;
        let mut behind = None;
        loop {
            let first = input.first().copied();
            let waits = first.is_some_and(is_acknowledged_publish);
            let is_behind = waits && *behind.get_or_insert_with(|| self.io.links.is_behind());
            let Some(conn) = self.io.conn(id) else { return true };
            if conn.is_closing() {
                input.clear();
                return true;
            }
            let is_publish = first.is_some_and(|byte| byte >> 4 == 3);
            if is_behind || (self.hold && is_publish) {
                self.put_off(id);
                return false;
            }
            if is_publish
                && let Some(metered) = conn.metered.as_deref()
                && metered.meter.next() > now
            {
                let next = metered.meter.next();
                self.put_off_until(id, next);
                return false;
            }
            if !self.shard.wants_packets(id, first) {
                return false;
            }
            if self.shard.is_turn_long() || taken >= PUBLISHES_A_TURN {
                self.make_ready(id);
                return false;
            }
            taken += usize::from(waits);
            let before = input.len();
            let decoded = conn.decoder.decode(input);
            if is_publish
                && let Some(metered) = conn.metered.as_deref_mut()
                && input.len() < before
            {
                metered.meter.note(now, (before - input.len()) as u64);
            }
            let packet = match decoded {
                Ok(None) => return true,
                Ok(Some(packet)) => Ok(packet),
                Err(fault) => Err(fault),
            };
            self.shard.counters().packets_received.add(1);
            self.give(id, now, packet);
        }
    }

    /// Its next packet waits until publishers are released.
    fn put_off(&mut self, id: ConnId) {
        if let Some(conn) = self.io.conn(id)
            && !conn.held
        {
            conn.held = true;
            self.held.push(id);
        }
    }

    /// It has published as much as it may for now.
    fn put_off_until(&mut self, id: ConnId, next: Instant) {
        if self.io.pace(id, next) {
            self.shard.counters().paced.add(1);
        }
    }

    fn give(&mut self, id: ConnId, now: Instant, packet: Result<Packet, ProtocolError>) {
        let mut turn = Turn { now, ports: &mut self.io };
        self.shard.handle_packet(&mut turn, id, packet);
    }

    fn keep(&mut self, id: ConnId, input: BytesMut) {
        if let Some(conn) = self.io.conn(id)
            && !input.is_empty()
        {
            // A part of a packet gets memory of its own: it may wait for long.
            let spacious = input.len() < input.capacity() / 2;
            let input = if spacious { BytesMut::from(&input[..]) } else { input };
            conn.input = Some(Box::new(input));
        }
    }

    fn lose(&mut self, id: ConnId, now: Instant) {
        if self.io.conn(id).is_none_or(|conn| conn.is_closing()) {
            return;
        }
        self.io.remove(id);
        let mut turn = Turn { now, ports: &mut self.io };
        self.shard.handle_lost(&mut turn, id);
    }

    fn take_control(&mut self, now: Instant) -> bool {
        let mut any = false;
        for _ in 0..CONTROLS_A_TURN {
            let Some((ticket, outcome)) = self.io.checks.next_outcome() else { break };
            any = true;
            let mut turn = Turn { now, ports: &mut self.io };
            self.shard.handle_verified(&mut turn, ticket, outcome);
        }
        for _ in 0..CONTROLS_A_TURN {
            let Some((query, outcome)) = self.io.checks.next_advice() else { break };
            any = true;
            let mut turn = Turn { now, ports: &mut self.io };
            self.shard.handle_advised(&mut turn, query, outcome);
        }
        for _ in 0..CONTROLS_A_TURN {
            if self.shard.is_turn_long() {
                any = true;
                break;
            }
            let Ok(control) = self.control.try_recv() else { break };
            any = true;
            match control {
                Control::Arrive(incoming) => self.arrive(*incoming, now),
                Control::Fetched(fetch, messages) => {
                    let mut turn = Turn { now, ports: &mut self.io };
                    self.shard.handle_fetched(&mut turn, fetch, messages);
                }
                Control::Refresh(upto) => self.shard.handle_refresh(upto),
                Control::Reopen => {
                    let mut turn = Turn { now, ports: &mut self.io };
                    self.shard.reopen(&mut turn);
                }
                Control::Review => self.shard.handle_review(),
                Control::Ask(question) if self.hold && question.brings() => question.refuse(),
                Control::Ask(question) => {
                    let is_long = question.is_long();
                    let mut turn = Turn { now, ports: &mut self.io };
                    self.shard.handle_question(&mut turn, question);
                    if is_long {
                        break;
                    }
                }
                Control::ShutDown(deadline) => {
                    self.stop = Some(deadline);
                    let mut turn = Turn { now, ports: &mut self.io };
                    self.shard.shut_down(&mut turn, ReasonCode::ServerShuttingDown);
                }
            }
        }
        any
    }

    fn arrive(&mut self, incoming: Incoming, now: Instant) {
        let Incoming { stream, decoder, rest, arrival, guard } = incoming;
        self.see_off_earlier(&arrival, now);
        let mut conn = Conn::new(stream, decoder, rest, guard);
        conn.metered = arrival.door.meter.as_ref().map(Metered::new).map(Box::new);
        let Some(id) = self.io.insert(conn) else { return };
        let mut turn = Turn { now, ports: &mut self.io };
        if self.stop.is_some() {
            Shard::refuse(&mut turn, id, arrival, ReasonCode::ServerShuttingDown);
            return;
        }
        self.shard.handle_arrival(&mut turn, id, arrival);
        // Bytes may have come before the connection was registered here.
        self.make_ready(id);
    }

    fn take_envelopes(&mut self, now: Instant) -> bool {
        let mut intake = Intake::default();
        let mut any = false;
        while !self.shard.is_turn_long() {
            let next = self.taken.as_mut().and_then(|(from, batch)| Some((*from, batch.next()?)));
            if let Some((from, envelope)) = next {
                let mut turn = Turn { now, ports: &mut self.io };
                self.shard.handle_envelope(&mut turn, from, envelope);
                any = true;
                continue;
            }
            let batch = self.io.links.receive(&mut intake);
            self.taken = batch.map(|(from, batch)| (from, batch.into_iter()));
            if self.taken.is_none() {
                break;
            }
            any = true;
        }
        any
    }

    /// Writes every touched connection once; what that makes room for is written in a second round.
    fn flush(&mut self, now: Instant) {
        for _ in 0..WRITE_ROUNDS {
            for id in self.io.take_dirty() {
                let Some(outcome) = self.io.write(id, now) else { continue };
                match outcome {
                    conn::Written::All => {
                        let mut turn = Turn { now, ports: &mut self.io };
                        self.shard.handle_flushed(&mut turn, id);
                    }
                    conn::Written::Part => {}
                    conn::Written::Failed => self.lose(id, now),
                }
            }
        }
        for id in std::mem::take(&mut self.io.failed) {
            self.lose(id, now);
        }
        // Another shard's records must not be kept before those of this one that they follow from.
        if self.shard.has_records() {
            self.settle_log(now);
        }
        if !self.io.waits_for_log() && !self.shard.has_records() {
            self.io.links.flush();
        }
    }

    fn is_finished(&self, now: Instant) -> bool {
        self.stop.is_some_and(|deadline| self.io.is_empty() || deadline <= now)
    }
}
