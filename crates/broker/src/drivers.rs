//! The threads that drive shards, as many of them as there is work for (RFD 4).
//!
//! A shard with its sockets is a value that does nothing between turns, so it may move. With *k* threads
//! active, shard *i* is driven by thread *i* modulo *k*: at a low rate by one thread, which takes what
//! its shards say to each other without waking anybody; under load each by its own. The others
//! wait for a shard to come.
//!
//! A thread waits in the poll of its first shard, which watches the polls of its others too: who drives
//! one alone makes one system call to hear of a message, not two.

use std::{
    io,
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use mio::{Events, Poll, Waker};
use plexus_links::Pace;
use plexus_porch::Clock;
use plexus_types::Instant;

use crate::reactor::{Reactor, Step, WAKER};

/// Rounds in which shards of a thread hear each other before it looks at its sockets again.
const HEARINGS: usize = 4;
/// How often the first thread looks whether fewer would do.
const LOOK: Duration = Duration::from_millis(250);

/// How often a shard is looked after that the system does not watch.
const UNWATCHED: Duration = Duration::from_millis(1);
/// How often the system is asked again: it looks through all sockets of a shard before it refuses.
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// The thread's waker among what the first shard's poll watches; shards come behind it.
const SEAT: usize = 0;

/// What comes to a thread; nothing more when all shards have ended.
type Arrival = Option<Box<Reactor>>;

/// What the threads share.
#[derive(Debug)]
struct Team {
    seats: Vec<Seat>,
    /// How many threads drive shards.
    active: AtomicUsize,
    /// Shards that have ended.
    ended: AtomicUsize,
}

/// On cache lines of its own: its thread writes there every round.
#[derive(Debug)]
#[repr(align(128))]
struct Seat {
    arrivals: SyncSender<Arrival>,
    waker: Waker,
    /// How long the thread has been busy, in nanoseconds; only it writes that.
    busy: AtomicU64,
}

/// One of the threads.
pub(crate) struct Driver {
    number: usize,
    team: Arc<Team>,
    arrivals: Receiver<Arrival>,
    /// Tells that somebody woke the thread, nothing else.
    poll: Poll,
    /// Whether the poll of the first shard tells of `poll`.
    watched: bool,
    /// When the system, which refused to watch something, is asked again.
    ask: Instant,
    clock: Clock,
    /// The first one's poll is where the thread waits.
    held: Vec<Held>,
    pace: Pace,
}

/// A shard that the thread drives.
struct Held {
    reactor: Box<Reactor>,
    /// Whether it has something to do.
    ready: bool,
    /// When it has something to do by itself.
    due: Instant,
    /// Whether the poll of the first shard tells of its sockets.
    watched: bool,
}

impl Team {
    /// The thread that drives the shard.
    fn owner(&self, shard: usize) -> usize {
        shard % self.active.load(SeqCst).max(1)
    }

    fn busy(&self) -> Duration {
        Duration::from_nanos(self.seats.iter().map(|seat| seat.busy.load(SeqCst)).sum())
    }

    fn send(&self, to: usize, arrival: Arrival) {
        let Some(seat) = self.seats.get(to) else { return };
        // There is a place for every shard, and a thread that has ended drives none.
        drop(seat.arrivals.try_send(arrival));
        wake(seat);
    }

    fn set_active(&self, active: usize) {
        self.active.store(active, SeqCst);
        self.seats.iter().for_each(wake);
        tracing::debug!(active, "threads drive shards");
    }

    /// A shard has ended; with the last one all threads do.
    fn end_one(&self) {
        if self.ended.fetch_add(1, SeqCst) + 1 == self.seats.len() {
            (0..self.seats.len()).for_each(|seat| self.send(seat, None));
        }
    }
}

fn wake(seat: &Seat) {
    // It fails only if the thread's poll is gone, and then nobody needs waking.
    drop(seat.waker.wake());
}

impl Driver {
    /// A thread for each shard, which drives that one first: what the log says of them is taken over
    /// by all at once.
    pub(crate) fn team(
        reactors: Vec<Reactor>,
        clock: Clock,
        restless: bool,
    ) -> io::Result<Vec<Self>> {
        let count = reactors.len();
        let (mut seats, mut parts) = (Vec::new(), Vec::new());
        for reactor in reactors {
            // One more for the end.
            let (sender, arrivals) = sync_channel(count + 1);
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WAKER)?;
            seats.push(Seat { arrivals: sender, waker, busy: AtomicU64::new(0) });
            parts.push((arrivals, poll, reactor));
        }
        let (active, ended) = (AtomicUsize::new(count), AtomicUsize::new(0));
        let team = Arc::new(Team { seats, active, ended });
        let drivers = parts.into_iter().enumerate().map(|(number, (arrivals, poll, reactor))| {
            let pace = if restless { Pace::Restless } else { Pace::by_load(clock.now(), count) };
            let mut driver = Self {
                number,
                team: Arc::clone(&team),
                arrivals,
                poll,
                watched: false,
                ask: Instant::ZERO,
                clock,
                held: Vec::new(),
                pace,
            };
            driver.take(Box::new(reactor));
            Ok(driver)
        });
        drivers.collect()
    }

    /// Runs until all shards have ended.
    pub(crate) fn run(mut self) {
        for held in &mut self.held {
            held.reactor.restore();
        }
        if self.team.seats.len() == 1 {
            // Nobody to share with.
            return self.held.into_iter().for_each(|held| held.reactor.run());
        }
        let mut events = Events::with_capacity(1);
        loop {
            let idle = self.held.is_empty();
            let arrival =
                if idle { self.arrivals.recv().ok() } else { self.arrivals.try_recv().ok() };
            match arrival {
                Some(Some(reactor)) => {
                    self.take(reactor);
                    continue;
                }
                Some(None) => return,
                None if self.held.is_empty() => return,
                None => {}
            }
            self.hand_over();
            self.round(&mut events);
        }
    }

    fn take(&mut self, reactor: Box<Reactor>) {
        self.held.push(Held { reactor, ready: true, due: Instant::FAR_FUTURE, watched: false });
    }

    /// Has the first shard's poll wait for the thread's waker and for the other shards. Where the system
    /// refuses that, they are looked after every moment until it does not; whether something is refused.
    fn watch(&mut self) -> bool {
        let Some((Held { reactor: first, .. }, others)) = self.held.split_first_mut() else {
            return false;
        };
        let refused = |others: &[Held]| others.iter().any(|held| !held.watched);
        if self.watched && !refused(others) {
            return false;
        }
        let now = self.clock.now();
        if now < self.ask {
            return true;
        }
        self.watched = self.watched || first.watch(SEAT, self.poll.as_raw_fd());
        for held in &mut *others {
            // What came before it was watched is told at once.
            held.watched =
                held.watched || first.watch(SEAT + 1 + held.reactor.number(), held.reactor.fd());
        }
        let refused = !self.watched || refused(others);
        self.ask = if refused { now + ASK_AGAIN } else { Instant::ZERO };
        refused
    }

    /// Takes out the shards of which that is true. When the first one goes, another one's poll has to
    /// watch all the rest.
    fn take_out(&mut self, goes: impl Fn(&Held) -> bool) -> Vec<Held> {
        let Some((first, others)) = self.held.split_first_mut() else { return Vec::new() };
        let anew = goes(first);
        for held in others.iter_mut().filter(|held| held.watched && (anew || goes(held))) {
            held.watched = false;
            first.reactor.unwatch(held.reactor.fd());
        }
        if anew && std::mem::take(&mut self.watched) {
            first.reactor.unwatch(self.poll.as_raw_fd());
        }
        self.held.extract_if(.., |held| goes(held)).collect()
    }

    /// Gives away what another thread is to drive.
    fn hand_over(&mut self) {
        let (number, team) = (self.number, Arc::clone(&self.team));
        for Held { reactor, .. } in
            self.take_out(|held| team.owner(held.reactor.number()) != number)
        {
            team.send(team.owner(reactor.number()), Some(reactor));
        }
    }

    /// Waits until a shard has something to do, and has it done.
    fn round(&mut self, events: &mut Events) {
        let wait = self.wait();
        let Some(Held { reactor: first, .. }) = self.held.first_mut() else { return };
        first.look(wait);
        let began = self.clock.now();
        if first.news().of(SEAT)
            && let Err(error) = self.poll.poll(events, Some(Duration::ZERO))
        {
            tracing::warn!(%error, "a thread's waker cannot be put back");
        }
        self.act(began);
        for _ in 0..HEARINGS {
            let now = self.clock.now();
            let heard = self.held.iter_mut().fold(false, |any, it| it.reactor.serve(now) | any);
            if !heard {
                break;
            }
        }
        for Held { reactor, .. } in self.take_out(|held| held.reactor.is_over()) {
            reactor.finish();
            self.team.end_one();
        }
        let ended = self.clock.now();
        self.note_busy(ended.saturating_since(began));
        if self.number == 0 {
            let active = self.team.active.load(SeqCst);
            let wanted = match &mut self.pace {
                Pace::ByLoad(load) => load.adjust(ended, self.team.busy(), active),
                Pace::Restless => Some(active % self.team.seats.len() + 1),
            };
            if let Some(active) = wanted {
                self.team.set_active(active);
            }
        }
    }

    /// Has every shard do what its sockets, its timers and the first one's poll say.
    fn act(&mut self, began: Instant) {
        let Some((first, others)) = self.held.split_first_mut() else { return };
        first.reactor.wake_up();
        let news = first.reactor.news();
        for held in &mut *others {
            held.reactor.wake_up();
            held.ready |= !held.watched || held.due <= began;
            held.ready |= news.of(SEAT + 1 + held.reactor.number());
        }
        if first.ready || first.due <= began || news.own {
            first.ready = first.reactor.act() == Step::More;
        }
        for held in others.iter_mut().filter(|held| held.ready) {
            let interrupted = held.reactor.look(Some(Duration::ZERO));
            held.ready = held.reactor.act() == Step::More || interrupted;
        }
    }

    /// How long there is nothing to do.
    fn wait(&mut self) -> Option<Duration> {
        let mut wait = (self.number == 0 && self.team.active.load(SeqCst) > 1).then_some(LOOK);
        if self.watch() {
            wait = wait.into_iter().chain([UNWATCHED]).min();
        }
        for held in &mut self.held {
            let rest = if held.ready { Some(Duration::ZERO) } else { held.reactor.wait() };
            held.ready |= rest == Some(Duration::ZERO);
            held.due = rest.map_or(Instant::FAR_FUTURE, |rest| self.clock.now() + rest);
            wait = wait.into_iter().chain(rest).min();
        }
        wait
    }

    fn note_busy(&self, time: Duration) {
        if let Some(seat) = self.team.seats.get(self.number) {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            seat.busy.store(seat.busy.load(SeqCst).wrapping_add(nanos), SeqCst);
        }
    }
}

#[cfg(test)]
mod tests;
