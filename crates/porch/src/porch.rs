//! The thread before the shards: it accepts connections and owns them until their CONNECT has been
//! read. PROXY headers, TLS and WebSocket handshakes and peers that say nothing are its business, so
//! none of them can hold up a shard.

mod doors;
mod gate;
mod guest;

use std::{
    collections::{BinaryHeap, VecDeque},
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender},
    },
    time::Duration,
};

use mio::{Events, Poll, Token};
use plexus_fences::{Bucket, Comings, Handshakes};
use plexus_links::Bell;
use plexus_net::{ListenUrl, ReadBlock};
use plexus_stdx::Seed;
use plexus_types::Instant;
use slab::Slab;

use self::{
    doors::{OpenDoor, OpenListener},
    guest::{Guest, Progress},
};
use crate::{
    Clock, Fences, Gauge, Homes, Incoming, Limits, ListenerOptions, OpenError, PorchOptions, Seat,
    Seats, Timings,
};

/// The token of the waker that a porch's poll is to have.
pub const WAKER: Token = Token(usize::MAX);
/// Tokens of listeners start here; those of guests are below.
const LISTENERS: usize = 1 << 40;
/// Connections accepted from one listener in a turn.
const ACCEPTS_A_TURN: usize = 256;
/// Reads from one guest in a turn.
const STEPS_A_TURN: usize = 8;
/// How long accepting rests when the system has no descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What other threads tell the porch.
#[derive(Debug)]
pub enum Command {
    /// Listen there too; the answer names the real addresses.
    Open(Box<ListenerOptions>, SyncSender<Result<Vec<ListenUrl>, OpenError>>),
    /// Listen there no longer; connections stay. The answer says whether there was one.
    Close(String, SyncSender<bool>),
    /// Read certificates anew; the answer names the listeners where that failed.
    ReloadTls(SyncSender<Vec<(String, String)>>),
    /// Have these limits hold for whoever comes from then on; the answer names the listeners that are not
    /// open.
    Renew(Box<Limits>, SyncSender<Vec<String>>),
    /// Accept nobody any more, say so, and stop.
    Stop(SyncSender<()>),
}

/// Counts a connection, of its listener, of the node and of its place, as long as it lives.
#[derive(Debug)]
pub struct Guard {
    node: Arc<AtomicUsize>,
    listener: Arc<AtomicUsize>,
    /// One of its place, where those are limited.
    seat: Option<Box<Seat>>,
}

impl Guard {
    fn new(node: &Arc<AtomicUsize>, listener: &Arc<AtomicUsize>) -> Self {
        node.fetch_add(1, Relaxed);
        listener.fetch_add(1, Relaxed);
        Self { node: Arc::clone(node), listener: Arc::clone(listener), seat: None }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.node.fetch_sub(1, Relaxed);
        self.listener.fetch_sub(1, Relaxed);
    }
}

/// What the porch's thread is made of.
pub struct Parts {
    /// Its poll, whose waker has the token [`WAKER`].
    pub poll: Poll,
    /// Rings that waker.
    pub bell: Bell,
    /// What it is told.
    pub commands: Receiver<Command>,
    /// Where clients live.
    pub homes: Box<dyn Homes>,
    /// Its limits.
    pub options: PorchOptions,
    /// The fences of the node.
    pub fences: Arc<Fences>,
    /// The seed of the node.
    pub seed: Seed,
    /// How short memory is.
    pub gauge: Arc<Gauge>,
    /// What the node measures.
    pub timings: Arc<Timings>,
    /// The clock of the node.
    pub clock: Clock,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("options", &self.options).finish_non_exhaustive()
    }
}

/// See the module's documentation.
pub struct Porch {
    poll: Poll,
    bell: Bell,
    commands: Receiver<Command>,
    homes: Box<dyn Homes>,
    options: PorchOptions,
    fences: Arc<Fences>,
    gauge: Arc<Gauge>,
    timings: Arc<Timings>,
    clock: Clock,
    connections: Arc<AtomicUsize>,
    /// Who came to the node, to its listeners and from each place.
    comings: Bucket,
    comings_of_place: Option<Comings>,
    seats: Option<Arc<Seats>>,
    /// Guests by their places.
    handshakes: Handshakes,
    /// Guests that are only told that they are refused.
    turned_away: usize,
    /// Bytes that guests hold, beside what each may hold in any case.
    held_bytes: usize,
    doors: Vec<Arc<OpenDoor>>,
    listeners: Slab<OpenListener>,
    guests: Slab<Guest>,
    serial: u32,
    /// Deadlines of guests; an entry whose guest is gone or another is void.
    deadlines: BinaryHeap<std::cmp::Reverse<(Instant, usize, u32)>>,
    /// Guests that have more to say than one turn takes.
    again: Vec<usize>,
    /// Listeners that have connections waiting.
    waiting: Vec<usize>,
    /// Connections for homes that are full.
    stuck: VecDeque<(u16, Box<Incoming>)>,
    rest_until: Option<Instant>,
    block: ReadBlock,
    stopped: bool,
}

impl std::fmt::Debug for Porch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Porch").field("guests", &self.guests.len()).finish_non_exhaustive()
    }
}

impl Porch {
    /// The porch of a node; [`Porch::run`] is its thread.
    pub fn new(parts: Parts) -> Self {
        let Parts { poll, bell, commands, homes, options, fences, seed, gauge, timings, clock } =
            parts;
        let limits = &options.fences;
        let or_none = |most: usize| if most == 0 { usize::MAX } else { most };
        let of_place = or_none(limits.handshakes_of_place_max);
        Self {
            poll,
            bell,
            commands,
            homes,
            fences,
            gauge,
            timings,
            clock,
            connections: Arc::default(),
            comings: Bucket::default(),
            comings_of_place: limits.connection_rate_of_place.map(|rate| Comings::new(rate, seed)),
            seats: Seats::new(limits.connections_of_place_max, seed),
            handshakes: Handshakes::new(options.handshakes_max, of_place),
            turned_away: 0,
            held_bytes: 0,
            options,
            doors: Vec::new(),
            listeners: Slab::new(),
            guests: Slab::new(),
            serial: 0,
            deadlines: BinaryHeap::new(),
            again: Vec::new(),
            waiting: Vec::new(),
            stuck: VecDeque::new(),
            rest_until: None,
            block: ReadBlock::default(),
            stopped: false,
        }
    }

    /// Runs until the node shuts down.
    pub fn run(mut self) {
        let mut events = Events::with_capacity(1_024);
        loop {
            self.bell.fall_asleep();
            self.obey();
            if self.stopped {
                return;
            }
            let wait = self.wait();
            if let Err(error) = self.poll.poll(&mut events, wait) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                tracing::error!(%error, "the porch's poll failed");
                return;
            }
            let now = self.clock.now();
            self.bell.wake_up();
            for event in &events {
                match event.token() {
                    WAKER => {}
                    Token(number) if number >= LISTENERS => self.waiting.push(number - LISTENERS),
                    Token(number) => {
                        if let Some(guest) = self.guests.get_mut(number) {
                            guest.note(event);
                        }
                        self.attend(number, now);
                    }
                }
            }
            self.retry_stuck();
            self.accept_all(now);
            for key in std::mem::take(&mut self.again) {
                self.attend(key, now);
            }
            self.show_out(now);
        }
    }

    fn wait(&self) -> Option<Duration> {
        let now = self.clock.now();
        let resting = self.rest_until.is_some_and(|until| until > now) || !self.stuck.is_empty();
        if !self.again.is_empty() || (!self.waiting.is_empty() && !resting) {
            return Some(Duration::ZERO);
        }
        if !self.stuck.is_empty() {
            return Some(Duration::from_millis(1));
        }
        let deadline = self.deadlines.peek().map(|std::cmp::Reverse((at, ..))| *at);
        let due = deadline.into_iter().chain(self.rest_until).min()?;
        let millis = due.saturating_since(now).as_micros().div_ceil(1_000);
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }

    fn accept_all(&mut self, now: Instant) {
        if self.rest_until.is_some_and(|until| until > now) || !self.stuck.is_empty() {
            return;
        }
        self.rest_until = None;
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable();
        waiting.dedup();
        for number in waiting {
            // Readiness is told once: who still has connections is asked again.
            let drained = (0..ACCEPTS_A_TURN).any(|_| !self.accept(number, now));
            if !drained {
                self.waiting.push(number);
            }
        }
    }

    /// Accepts one connection; false when there is none, or when accepting has to rest.
    fn accept(&mut self, number: usize, now: Instant) -> bool {
        let Some(listener) = self.listeners.get(number) else { return false };
        if self.handshakes.is_full_of_singles() {
            // The oldest handshakes time out soon; until then the system's backlog holds the rest.
            self.waiting.push(number);
            self.rest_until = Some(now + ACCEPT_REST);
            return false;
        }
        match listener.listener.accept() {
            Ok(accepted) => {
                let door = Arc::clone(&listener.door);
                self.welcome(accepted, door, now);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted
                ) =>
            {
                true
            }
            Err(error) => {
                tracing::warn!(%error, listener = %listener.door.name(), "accept failed");
                self.waiting.push(number);
                self.rest_until = Some(now + ACCEPT_REST);
                false
            }
        }
    }

    /// A guest has something to say, or can hear again.
    fn attend(&mut self, key: usize, now: Instant) {
        for _ in 0..STEPS_A_TURN {
            let Some(guest) = self.guests.get_mut(key) else { return };
            let heard = guest.hear(&mut self.block);
            if !self.seat_guest(key, now, false) {
                return self.dismiss(key);
            }
            let Some(guest) = self.guests.get_mut(key) else { return };
            let mut progress = heard.map_or(Progress::Gone, |heard| guest.progress(heard));
            if matches!(progress, Progress::Arrived) {
                progress = self.receive(key, now);
            }
            match progress {
                Progress::Gone => return self.dismiss(key),
                Progress::Arrived => return self.hand_over(key),
                Progress::Waiting | Progress::More if !self.weigh(key) => return self.dismiss(key),
                Progress::Waiting => return,
                Progress::More => {}
                Progress::Refused => {
                    let until = now + Duration::from_secs(2);
                    let serial = self.guests.get(key).map_or(0, Guest::serial);
                    self.deadlines.push(std::cmp::Reverse((until, key, serial)));
                    return;
                }
            }
        }
        self.again.push(key);
    }

    fn hand_over(&mut self, key: usize) {
        let Some(mut guest) = self.take_out(key) else { return };
        guest.deregister(self.poll.registry());
        let took = self.clock.now().saturating_since(guest.came_at());
        self.timings.handshake.add_time(took, 1);
        let Some((home, incoming)) = guest.into_incoming() else { return };
        self.send(home, Box::new(incoming));
    }

    fn send(&mut self, home: u16, incoming: Box<Incoming>) {
        if let Err(incoming) = self.homes.hand_over(home, incoming) {
            self.stuck.push_back((home, incoming));
        }
    }

    fn retry_stuck(&mut self) {
        for _ in 0..self.stuck.len() {
            let Some((home, incoming)) = self.stuck.pop_front() else { return };
            self.send(home, incoming);
        }
    }

    /// Closing the socket takes it out of the poll.
    fn dismiss(&mut self, key: usize) {
        drop(self.take_out(key));
    }

    /// Ends guests that took too long.
    fn show_out(&mut self, now: Instant) {
        while let Some(std::cmp::Reverse((at, key, serial))) = self.deadlines.peek().copied()
            && at <= now
        {
            self.deadlines.pop();
            if self.guests.get(key).is_some_and(|guest| guest.serial() == serial) {
                self.dismiss(key);
            }
        }
    }
}
