//! The loop of one thread.

mod orders;

use std::{
    io,
    sync::{Arc, atomic::AtomicBool, mpsc::Receiver},
    time::Duration,
};

use bytes::BytesMut;
use mio::{Events, Interest, Poll, Token};
use plexus_net::{PeerAddr, WriteQueue};
use plexus_types::Instant;
use plexus_wire::{Decoder, Limits, PACKET_SIZE_MAX};

use super::{
    Command, Shared,
    conn::{Conn, Link, Part, Phase},
    desk::{Desk, End, Harvest},
    lock,
    pace::Source,
    reason,
};
use crate::{counts::Census, pacer::Pacer};

/// Ready connections that are looked at in one turn.
const EVENTS_MAX: usize = 1_024;
/// Messages of a fixed rate that are sent in one turn before anything is read again.
const DUE_MAX: usize = 4_096;
/// Connections that are begun in one turn.
const CONNECTS_MAX: usize = 64;
/// The longest wait, so that commands and seconds are noticed.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// How often the recorded times are handed over.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Without any event for so long, open windows are given up: the broker has dropped the messages.
const STALL: Duration = Duration::from_secs(1);

/// One thread with its part of the clients.
#[derive(Debug)]
pub(crate) struct Worker {
    index: usize,
    shared: Arc<Shared>,
    poll: Poll,
    events: Events,
    commands: Receiver<Command>,
    conns: Vec<Option<Box<Conn>>>,
    desk: Desk,
    /// Slots whose socket holds more than was read.
    again: Vec<u32>,
    sources: Vec<Source>,
    pacer: Option<Pacer>,
    /// Somebody waits for a turn to connect: the pacer looks at it.
    queued: Arc<AtomicBool>,
    flush_at: Instant,
    /// When open windows were given up last, or publishing began.
    restarted: Instant,
    finished: bool,
}

impl Worker {
    /// The waker's place in the poll.
    pub(crate) const WAKER: Token = Token(usize::MAX);

    pub(crate) fn new(
        index: usize,
        shared: Arc<Shared>,
        poll: Poll,
        commands: Receiver<Command>,
    ) -> Self {
        Self {
            index,
            desk: Desk::new(index, Arc::clone(&shared)),
            flush_at: shared.clock.now() + FLUSH_INTERVAL,
            shared,
            poll,
            events: Events::with_capacity(EVENTS_MAX),
            commands,
            conns: Vec::new(),
            again: Vec::new(),
            sources: Vec::new(),
            pacer: None,
            queued: Arc::default(),
            restarted: Instant::ZERO,
            finished: false,
        }
    }

    /// Drives the clients until [`Command::Finish`].
    pub(crate) fn run(mut self) -> Harvest {
        while !self.finished {
            if let Err(error) = self.turn() {
                // Without its poll a thread can do nothing; what it holds ends with it.
                self.shared.note_reason(format!("waiting failed: {}", reason::of_io(&error)));
                break;
            }
        }
        let conns = self.conns.iter().flatten().map(|conn| &**conn);
        self.desk.harvest(conns)
    }

    fn turn(&mut self) -> io::Result<()> {
        self.wait()?;
        self.desk.now = self.shared.clock.now();
        while let Ok(command) = self.commands.try_recv() {
            self.obey(&command);
        }
        self.take_mail();
        self.read_ready();
        self.time_out();
        self.connect_due();
        self.pace_connects();
        self.publish_due();
        self.refill();
        self.restart_if_stalled();
        self.flush();
        self.send_mail();
        self.show();
        Ok(())
    }

    fn wait(&mut self) -> io::Result<()> {
        let now = self.shared.clock.now();
        let busy = !self.again.is_empty()
            || !self.desk.refill.is_empty()
            || self.desk.connects.is_due(now);
        let due = [self.desk.timers.next(), self.desk.connects.next(), Some(self.flush_at)];
        let due = due.into_iter().flatten().map(|at| at.saturating_since(now));
        let wait = if busy { Duration::ZERO } else { due.fold(WAIT_MAX, Duration::min) };
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Lets a client act; if its connection is over, ends it.
    fn with(&mut self, slot: u32, act: impl FnOnce(&mut Desk, &mut Conn) -> Option<End>) {
        let conn = self.conns.get_mut(slot as usize).and_then(Option::as_mut);
        let Some(conn) = conn else { return };
        if let Some(end) = act(&mut self.desk, conn) {
            self.end(slot, end);
        }
    }

    fn read_ready(&mut self) {
        let mut slots = std::mem::take(&mut self.again);
        for event in &self.events {
            let Token(slot) = event.token();
            let conn = self.conns.get_mut(slot).and_then(Option::as_mut);
            let Some(conn) = conn else { continue };
            let Some(link) = &mut conn.link else { continue };
            link.stream.note(event);
            let slot = slot as u32;
            if event.is_writable() {
                self.desk.touch(slot, conn);
            }
            if event.is_readable() || conn.phase == Phase::Connecting {
                slots.push(slot);
            }
        }
        for slot in slots.drain(..) {
            let mut more = false;
            self.with(slot, |desk, conn| {
                if conn.phase == Phase::Connecting {
                    match connected(conn) {
                        Err(end) => return Some(end),
                        Ok(false) => return None,
                        Ok(true) => {}
                    }
                    conn.enter(Phase::Asked, desk.now);
                    let end = desk.act(slot, conn, |conn, now| conn.client.connect(now));
                    if end.is_some() {
                        return end;
                    }
                }
                match desk.read(slot, conn) {
                    Ok(found) => {
                        more = found;
                        None
                    }
                    Err(end) => Some(end),
                }
            });
            if more {
                self.again.push(slot);
            }
        }
    }

    fn time_out(&mut self) {
        while let Some(slot) = self.desk.timers.pop(self.desk.now) {
            let mut again = None;
            self.with(slot, |desk, conn| {
                conn.timer = Instant::FAR_FUTURE;
                if conn.deadline() > desk.now {
                    desk.arm(slot, conn);
                    return None;
                }
                match conn.phase {
                    Phase::Away | Phase::Queued => None,
                    Phase::Resting => {
                        conn.enter(Phase::Away, desk.now);
                        again = desk.may_come(conn).then_some(conn.turn);
                        None
                    }
                    Phase::Connecting => Some(End::Because("no connection in time".to_owned())),
                    Phase::Closing => Some(End::Wanted),
                    Phase::Ready if conn.turn <= desk.now => desk.leave_by_itself(slot, conn),
                    Phase::Asked | Phase::Standing | Phase::Ready => {
                        desk.act(slot, conn, |conn, now| conn.client.handle_timeout(now))
                    }
                }
            });
            if let Some(due) = again {
                self.queue(slot, Some(due));
            }
        }
    }

    /// A client that is away is to connect, at its next turn after `due` or at the next there is.
    fn queue(&mut self, slot: u32, due: Option<Instant>) {
        let conn = self.conns.get_mut(slot as usize).and_then(Option::as_mut);
        let Some(conn) = conn.filter(|conn| conn.phase == Phase::Away) else { return };
        conn.enter(Phase::Queued, self.desk.now);
        match due {
            Some(due) => self.desk.connects.add_again(slot, due),
            None => self.desk.connects.add(slot),
        }
    }

    fn connect_due(&mut self) {
        for _ in 0..CONNECTS_MAX {
            let Some((slot, due)) = self.desk.connects.pop(self.desk.now) else { return };
            if let Err(end) = self.open(slot, due) {
                self.end(slot, end);
            }
        }
    }

    fn open(&mut self, slot: u32, due: Instant) -> Result<(), End> {
        let plan = &self.shared.plan;
        let conn = self.conns.get_mut(slot as usize).and_then(Option::as_mut);
        let Some(conn) = conn else { return Ok(()) };
        self.desk.note(conn, Census::Begun);
        conn.due = due;
        conn.enter(Phase::Connecting, self.desk.now);
        let turn = (conn.number as usize).checked_rem(plan.sources.len());
        let source = turn.and_then(|turn| plan.sources.get(turn)).copied();
        let failed = |error| End::Because(reason::of_stream(&error));
        let mut stream = plan.place.open(source, &plan.layers).map_err(failed)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        stream
            .register(self.poll.registry(), Token(slot as usize), interest)
            .map_err(|error| failed(error.into()))?;
        let limits = Limits {
            packet_size: PACKET_SIZE_MAX as u32,
            user_properties: u16::MAX,
            ..Limits::default()
        };
        let decoder = Decoder::client(conn.client.version(), limits);
        let (out, inbox) = (WriteQueue::new(), BytesMut::new());
        conn.link = Some(Link { stream, out, inbox, decoder });
        self.desk.arm(slot, conn);
        Ok(())
    }

    fn publish_due(&mut self) {
        if !self.desk.publishing {
            return;
        }
        let mut sources = std::mem::take(&mut self.sources);
        // A group that cannot keep up takes nothing from the others.
        let most = DUE_MAX.div_ceil(sources.len().max(1));
        for source in &mut sources {
            let mut sent = 0;
            while sent < most
                && let Some((number, due)) = source.pop(self.desk.now)
            {
                let (_, slot) = self.shared.home(source.group, number);
                self.with(slot, |desk, conn| desk.publish_due(slot, conn, due));
                sent += 1;
            }
        }
        self.sources = sources;
    }

    fn refill(&mut self) {
        let mut slots = std::mem::take(&mut self.desk.refill);
        for slot in slots.drain(..) {
            self.with(slot, |desk, conn| desk.refill(slot, conn));
        }
        // What was added meanwhile is for the next turn.
        slots.append(&mut self.desk.refill);
        self.desk.refill = slots;
    }

    fn restart_if_stalled(&mut self) {
        let since = self.desk.moved.max(self.restarted);
        let still = self.desk.now.saturating_since(since);
        if !self.desk.publishing || still < STALL {
            return;
        }
        self.restarted = self.desk.now;
        for slot in 0..self.conns.len() as u32 {
            self.with(slot, |desk, conn| {
                desk.write_off(slot, conn);
                None
            });
        }
    }

    fn flush(&mut self) {
        let mut slots = std::mem::take(&mut self.desk.touched);
        for slot in slots.drain(..) {
            self.with(slot, |desk, conn| desk.write(slot, conn));
        }
        slots.append(&mut self.desk.touched);
        self.desk.touched = slots;
    }

    fn take_mail(&mut self) {
        if let Some(mailbox) = self.shared.mailboxes.get(self.index) {
            self.desk.refill.append(&mut lock(mailbox));
        }
    }

    fn send_mail(&mut self) {
        for (worker, slots) in self.desk.remote.iter_mut().enumerate() {
            if slots.is_empty() {
                continue;
            }
            slots.dedup();
            if let Some(mailbox) = self.shared.mailboxes.get(worker) {
                lock(mailbox).append(slots);
            }
            if let Some(waker) = self.shared.wakers.get(worker) {
                // A worker that cannot be woken looks by itself a moment later.
                let _ = waker.wake();
            }
        }
    }

    /// Shows the numbers, and once a second hands over the recorded times.
    fn show(&mut self) {
        if let Some(board) = self.shared.board(self.index) {
            board.show(&self.desk.counts, self.desk.moved);
        }
        if self.desk.now >= self.flush_at {
            self.flush_at = self.desk.now + FLUSH_INTERVAL;
            lock(&self.shared.recent).absorb(&mut self.desk.meters);
        }
    }

    /// A connection is over.
    fn end(&mut self, slot: u32, end: End) {
        let conn = self.conns.get_mut(slot as usize).and_then(Option::as_mut);
        let Some(conn) = conn else { return };
        let desk = &mut self.desk;
        let phase = conn.phase;
        let census = match phase {
            Phase::Away | Phase::Resting | Phase::Queued => return,
            Phase::Connecting | Phase::Asked => {
                desk.connects.under_way = desk.connects.under_way.saturating_sub(1);
                Census::Failed
            }
            Phase::Standing | Phase::Ready if matches!(end, End::Because(_)) => Census::Lost,
            Phase::Standing | Phase::Ready | Phase::Closing => Census::Left,
        };
        let is_dropped = end == End::Dropped;
        desk.note(conn, census);
        if let (End::Because(reason), false) = (end, phase == Phase::Closing) {
            self.shared.note_reason(reason);
        }
        if let Some(mut link) = conn.link.take() {
            if is_dropped {
                // Closing the socket is all.
            } else if link.out.is_empty() {
                link.stream.shutdown();
            } else {
                // What the broker is owed, such as DISCONNECT, as far as the socket takes it.
                let _ = link.stream.write(&mut link.out);
            }
        }
        conn.client.handle_connection_lost(desk.now);
        while conn.client.poll_output().is_some() {}
        (conn.touched, conn.parting) = (false, false);
        conn.enter(Phase::Away, desk.now);
        if desk.storming && census == Census::Left {
            self.queue(slot, None);
        } else if let Some(turn) = desk.comes_again(conn, census == Census::Left) {
            conn.enter(Phase::Resting, desk.now);
            conn.turn = turn;
            desk.arm(slot, conn);
        }
    }
}

/// Whether the socket stands; why not, if it failed.
fn connected(conn: &Conn) -> Result<bool, End> {
    let Some(link) = &conn.link else { return Ok(false) };
    let failed = |error: &io::Error| End::Because(reason::of_io(error));
    match link.stream.take_error() {
        Ok(None) => Ok(link.stream.facts().peer != PeerAddr::Unknown),
        Ok(Some(error)) | Err(error) => Err(failed(&error)),
    }
}

#[cfg(test)]
mod tests;
