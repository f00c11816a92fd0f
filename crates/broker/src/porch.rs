//! The thread before the shards: it accepts connections and owns them until their CONNECT has been
//! read. PROXY headers, TLS and WebSocket handshakes and peers that say nothing are its business, so
//! none of them can hold up a shard.

mod doors;
mod guest;

use std::{
    collections::{BinaryHeap, VecDeque},
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError},
    },
    time::Duration,
};

use mio::{Events, Poll, Token};
use plexus_links::Bell;
use plexus_net::{Accepted, ListenUrl, ReadBlock, Stream};
use plexus_types::{Instant, ReasonCode};
use slab::Slab;

use self::{
    doors::{OpenDoor, OpenListener},
    guest::{Guest, Progress},
};
use crate::{
    clock::Clock,
    error::OpenError,
    memory::{Gauge, Pressure},
    options::ListenerOptions,
    reactor::{Control, WAKER},
    shard::Context,
};

/// Tokens of listeners start here; those of guests are below.
const LISTENERS: usize = 1 << 40;
/// Connections accepted from one listener in a turn.
const ACCEPTS_A_TURN: usize = 256;
/// Reads from one guest in a turn.
const STEPS_A_TURN: usize = 8;
/// How long accepting rests when the system has no descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// Connections above the limit that are still told why they are refused.
const REFUSED_POLITELY: usize = 256;

/// What other threads tell the porch.
pub(crate) enum Command {
    /// Listen there too; the answer names the real addresses.
    Open(Box<ListenerOptions>, SyncSender<Result<Vec<ListenUrl>, OpenError>>),
    /// Listen there no longer; connections stay. The answer says whether there was one.
    Close(String, SyncSender<bool>),
    /// Read certificates anew; the answer names the listeners where that failed.
    ReloadTls(SyncSender<Vec<(String, String)>>),
    /// Accept nobody any more, say so, and stop.
    Stop(SyncSender<()>),
}

/// Counts a connection, of its listener and of the node, as long as it lives.
#[derive(Debug)]
pub(crate) struct Guard {
    node: Arc<AtomicUsize>,
    listener: Arc<AtomicUsize>,
}

impl Guard {
    fn new(node: &Arc<AtomicUsize>, listener: &Arc<AtomicUsize>) -> Self {
        node.fetch_add(1, Relaxed);
        listener.fetch_add(1, Relaxed);
        Self { node: Arc::clone(node), listener: Arc::clone(listener) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.node.fetch_sub(1, Relaxed);
        self.listener.fetch_sub(1, Relaxed);
    }
}

/// What the porch's thread is made of.
pub(crate) struct Parts {
    pub(crate) poll: Poll,
    pub(crate) bell: Bell,
    pub(crate) commands: Receiver<Command>,
    pub(crate) shards: Vec<(SyncSender<Control>, Bell)>,
    pub(crate) context: Arc<Context>,
    pub(crate) gauge: Arc<Gauge>,
    pub(crate) clock: Clock,
}

/// See the module's documentation.
pub(crate) struct Porch {
    poll: Poll,
    bell: Bell,
    commands: Receiver<Command>,
    shards: Vec<(SyncSender<Control>, Bell)>,
    context: Arc<Context>,
    gauge: Arc<Gauge>,
    clock: Clock,
    connections: Arc<AtomicUsize>,
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
    /// Connections for shards that are full.
    stuck: VecDeque<(usize, Control)>,
    rest_until: Option<Instant>,
    block: ReadBlock,
    stopped: bool,
}

impl Porch {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { poll, bell, commands, shards, context, gauge, clock } = parts;
        Self {
            poll,
            bell,
            commands,
            shards,
            context,
            gauge,
            clock,
            connections: Arc::default(),
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
    pub(crate) fn run(mut self) {
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
        match listener.listener.accept() {
            Ok(accepted) => {
                let door = Arc::clone(&listener.door);
                // A crowd that says nothing keeps nobody out who has something to say.
                let most = self.context.options.handshakes_max;
                while self.guests.len() >= most && self.show_out_next() {}
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

    fn welcome(&mut self, accepted: Accepted, door: Arc<OpenDoor>, now: Instant) {
        let options = &self.context.options;
        let node = self.connections.load(Relaxed);
        let here = door.connections.load(Relaxed);
        let refusal = if self.gauge.read() == Pressure::Critical {
            Some(ReasonCode::ServerBusy)
        } else if node >= options.connections_max || here >= door.connections_max {
            Some(ReasonCode::QuotaExceeded)
        } else {
            None
        };
        if let Some(reason) = refusal {
            tracing::warn!(%reason, connections = node, listener = %door.name(), "client refused");
        }
        let hopeless = node >= options.connections_max.saturating_add(REFUSED_POLITELY)
            || here >= door.connections_max.saturating_add(REFUSED_POLITELY);
        if hopeless {
            return;
        }
        let guard = Guard::new(&self.connections, &door.connections);
        let Ok(stream) = Stream::server(accepted.socket, &door.layers) else { return };
        self.serial = self.serial.wrapping_add(1);
        let deadline = now + door.connect_timeout;
        let serial = self.serial;
        let guest = Guest::new((stream, accepted.peer), door, guard, serial, refusal);
        let key = self.guests.insert(guest);
        // When many come at once CONNECT is often here already, and no poll need know of the guest.
        self.attend(key, now);
        let Some(guest) = self.guests.get_mut(key) else { return };
        if let Err(error) = guest.register(self.poll.registry(), Token(key)) {
            tracing::warn!(%error, "a connection could not be registered");
            self.guests.remove(key);
            return;
        }
        self.deadlines.push(std::cmp::Reverse((deadline, key, serial)));
    }

    /// A guest has something to say, or can hear again.
    fn attend(&mut self, key: usize, now: Instant) {
        for _ in 0..STEPS_A_TURN {
            let Some(guest) = self.guests.get_mut(key) else { return };
            match guest.progress(&mut self.block, &self.context) {
                Progress::Waiting => return,
                Progress::More => {}
                Progress::Gone => {
                    self.dismiss(key);
                    return;
                }
                Progress::Arrived { home } => {
                    self.hand_over(key, home);
                    return;
                }
                Progress::Refused => {
                    let until = now + Duration::from_secs(2);
                    let serial = guest.serial();
                    self.deadlines.push(std::cmp::Reverse((until, key, serial)));
                    return;
                }
            }
        }
        self.again.push(key);
    }

    fn hand_over(&mut self, key: usize, home: u16) {
        let Some(mut guest) = self.guests.try_remove(key) else { return };
        guest.deregister(self.poll.registry());
        let Some(incoming) = guest.into_incoming() else { return };
        self.send(usize::from(home), Control::Arrive(Box::new(incoming)));
    }

    fn send(&mut self, shard: usize, control: Control) {
        let Some((sender, bell)) = self.shards.get(shard) else { return };
        match sender.try_send(control) {
            Ok(()) => bell.ring(),
            Err(TrySendError::Full(control)) => {
                bell.ring();
                self.stuck.push_back((shard, control));
            }
            Err(TrySendError::Disconnected(_)) => {}
        }
    }

    fn retry_stuck(&mut self) {
        for _ in 0..self.stuck.len() {
            let Some((shard, control)) = self.stuck.pop_front() else { return };
            self.send(shard, control);
        }
    }

    /// Closing the socket takes it out of the poll.
    fn dismiss(&mut self, key: usize) {
        drop(self.guests.try_remove(key));
    }

    /// Ends guests that took too long.
    fn show_out(&mut self, now: Instant) {
        while self.deadlines.peek().is_some_and(|std::cmp::Reverse((at, ..))| *at <= now) {
            self.show_out_next();
        }
    }

    /// Ends the guest whose time is over next, if it is still there; false without any.
    fn show_out_next(&mut self) -> bool {
        let Some(std::cmp::Reverse((_, key, serial))) = self.deadlines.pop() else { return false };
        if self.guests.get(key).is_some_and(|guest| guest.serial() == serial) {
            self.dismiss(key);
        }
        true
    }
}
