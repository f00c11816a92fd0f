//! The threads that drive the clients, and what they share.
//!
//! A worker owns its part of the connections with one poll and obeys [`Command`]s. It counts for
//! itself and shows the numbers on its board; nothing of a connection is shared. Only a window that
//! waits for deliveries crosses threads: by one counter a publisher, and by a list of those whose
//! messages arrived elsewhere.

mod conn;
mod desk;
#[cfg(test)]
pub(crate) mod fixture;
mod pace;
mod publisher;
mod reason;
mod subscriber;
mod worker;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
};

use mio::{Poll, Waker};
use plexus_types::Instant;

pub(crate) use self::{desk::Harvest, worker::Worker};
use crate::{
    clock::Clock,
    counts::{Board, Counts},
    meter::Meters,
    plan::{Audience, Body, Plan, Role, Senders},
};

/// Kinds of trouble that are told apart.
const REASONS_MAX: usize = 64;
/// Commands that may wait for a worker.
const COMMANDS_MAX: usize = 64;
/// Bytes of stack: a worker keeps its state on the heap.
const STACK: usize = 1024 * 1024;

/// What a worker is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    /// Connect the clients of a group that are not connected; anew so that their sessions end.
    Connect { group: usize, anew: bool, begin: Instant },
    /// Publish with a group from then on. What is due in the measured time is recorded.
    Publish { group: usize, begin: Instant, measured: (Instant, Instant) },
    /// Subscribe with a group to all its filters.
    Subscribe { group: usize },
    /// Connect and disconnect the clients of a group as fast as it goes, again and again.
    Storm { group: usize, begin: Instant },
    /// The clients of a group come and go, as it says.
    Roam { group: usize, begin: Instant },
    /// The clients of a group stay, and who is away comes.
    Gather { group: usize },
    /// Record the times of what is due in this time.
    Measure(Instant, Instant),
    /// Publish no more, churn no more, connect nobody more.
    Halt,
    /// Say good-bye for a group.
    Leave { group: usize, forget: bool },
    /// Hand over the times that were recorded.
    Flush,
    /// Everything is over.
    Finish,
}

/// What all threads of a run see.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) clock: Clock,
    /// When the run began: what is stamped earlier is not of this run.
    pub(crate) begun: Instant,
    /// Who hears the messages of each publisher.
    pub(crate) audience: Audience,
    /// By publisher: deliveries that a message waits for before it leaves the window.
    awaited: Vec<u32>,
    /// Whose message came, where it has no stamp.
    senders: Senders,
    /// By publisher: its worker and its slot there.
    homes: Vec<(u32, u32)>,
    /// Whether a stamp may stand in a text.
    texts: bool,
    /// By publisher: its messages from one to the next on the same topic. Nothing where each of them has
    /// one topic, or as many as messages.
    strides: Vec<u32>,
    /// By publisher: deliveries that arrived, on whatever thread.
    delivered: Vec<AtomicU64>,
    boards: Vec<Board>,
    wakers: Vec<Arc<Waker>>,
    /// By worker: publishers of it whose messages arrived on other threads.
    mailboxes: Vec<Mutex<Vec<u32>>>,
    reasons: Mutex<BTreeMap<String, u64>>,
    recent: Mutex<Meters>,
    flushed: AtomicUsize,
}

/// All workers.
#[derive(Debug)]
pub(crate) struct Crew {
    pub(crate) shared: Arc<Shared>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    commands: SyncSender<Command>,
    thread: JoinHandle<Harvest>,
}

impl Crew {
    /// Starts the workers of a plan.
    pub(crate) fn start(plan: Plan, clock: Clock) -> io::Result<Self> {
        let polls =
            (0..plan.workers.max(1)).map(|_| Poll::new()).collect::<io::Result<Vec<_>>>()?;
        let wakers =
            polls.iter().map(|poll| Waker::new(poll.registry(), Worker::WAKER).map(Arc::new));
        let wakers = wakers.collect::<io::Result<Vec<_>>>()?;
        let groups = plan.workload.groups.len();
        let audience = plan.workload.audience();
        let senders = Senders::of(&plan.workload);
        let homes = homes(&plan);
        let texts = plan.workload.groups.iter().any(|group| match &group.role {
            Role::Publish(publishing) => matches!(publishing.body, Body::Template(_)),
            Role::Connect | Role::Subscribe(_) => false,
        });
        let shared = Arc::new(Shared {
            begun: clock.now(),
            clock,
            delivered: audience.publishers.iter().map(|_| AtomicU64::new(0)).collect(),
            awaited: plan.workload.awaited(&senders, &audience),
            senders,
            audience,
            strides: strides(&plan),
            homes,
            texts,
            boards: polls.iter().map(|_| Board::new(groups)).collect(),
            mailboxes: polls.iter().map(|_| Mutex::default()).collect(),
            wakers,
            reasons: Mutex::default(),
            recent: Mutex::default(),
            flushed: AtomicUsize::new(0),
            plan,
        });
        let start = |(index, poll)| {
            let (sender, commands) = sync_channel(COMMANDS_MAX);
            let worker = Worker::new(index, Arc::clone(&shared), poll, commands);
            let thread = thread::Builder::new().name(format!("bench-{index}")).stack_size(STACK);
            let thread = thread.spawn(move || worker.run())?;
            Ok(Member { commands: sender, thread })
        };
        let members = polls.into_iter().enumerate().map(start).collect::<io::Result<Vec<_>>>()?;
        Ok(Self { shared, members })
    }

    /// Tells all workers.
    pub(crate) fn order(&self, command: &Command) {
        for (member, waker) in self.members.iter().zip(&self.shared.wakers) {
            // A worker that is gone has ended by a panic, which `finish` passes on.
            let _ = member.commands.send(command.clone());
            let _ = waker.wake();
        }
    }

    /// How many have answered [`Command::Flush`] so far, over the whole run.
    pub(crate) fn flushed(&self) -> usize {
        self.shared.flushed.load(Ordering::Acquire)
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.members.len()
    }

    /// Ends all workers and takes what they found.
    pub(crate) fn finish(self) -> Vec<Harvest> {
        self.order(&Command::Finish);
        let ended = self.members.into_iter().map(|member| member.thread.join());
        ended.map(|found| found.expect("invariant: a worker does not panic")).collect()
    }
}

impl Shared {
    /// The sums of all workers.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::new(self.plan.workload.groups.len());
        self.boards.iter().for_each(|board| board.add_to(&mut counts));
        counts
    }

    /// When something came last, on whatever thread.
    pub(crate) fn moved(&self) -> Instant {
        self.boards.iter().map(Board::moved).max().unwrap_or_default()
    }

    /// Takes the times that were recorded since the last call.
    pub(crate) fn take_recent(&self, into: &mut Meters) {
        into.absorb(&mut lock(&self.recent));
    }

    /// The messages of a publisher on one topic are numbered without gaps: which of its topics it is, and
    /// the number there.
    fn lane(&self, index: usize, sequence: u32) -> (u32, u32) {
        let stride = self.strides.get(index).copied().unwrap_or(1).max(1);
        (sequence % stride, sequence / stride)
    }

    /// Whether the messages of a publisher go to several topics, so that their order means nothing.
    fn is_spread(&self, index: usize) -> bool {
        let group = self.publisher(index as u32).map(|(group, _)| group);
        let group = group.and_then(|group| self.plan.workload.groups.get(group));
        group.is_some_and(|group| match &group.role {
            Role::Publish(publishing) => publishing.topic.varies(),
            Role::Connect | Role::Subscribe(_) => false,
        })
    }

    /// What went wrong, and how often.
    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        lock(&self.reasons).clone()
    }

    fn note_reason(&self, reason: String) {
        let mut reasons = lock(&self.reasons);
        let known = reasons.len() < REASONS_MAX || reasons.contains_key(&reason);
        *reasons.entry(if known { reason } else { "other".to_owned() }).or_default() += 1;
    }

    fn board(&self, worker: usize) -> Option<&Board> {
        self.boards.get(worker)
    }

    /// The group and the number in it of a publisher.
    fn publisher(&self, index: u32) -> Option<(usize, u32)> {
        let workload = &self.plan.workload;
        (0..workload.groups.len()).find_map(|group| {
            let base = workload.publisher_base(group);
            let number = index.checked_sub(base)?;
            let found = workload.groups.get(group)?;
            let publishes = matches!(found.role, Role::Publish(_));
            (publishes && number < found.count).then_some((group, number))
        })
    }
}

/// Where each publisher is, in the order of their numbers.
fn homes(plan: &Plan) -> Vec<(u32, u32)> {
    let mut homes = Vec::new();
    for (index, group) in plan.workload.groups.iter().enumerate() {
        if let Role::Publish(_) = &group.role {
            homes.extend((0..group.count).map(|number| {
                let (worker, slot) = desk::home(plan, index, number);
                (worker as u32, slot)
            }));
        }
    }
    homes
}

/// From one message of each publisher to the next on the same topic.
fn strides(plan: &Plan) -> Vec<u32> {
    let mut strides = Vec::new();
    for group in &plan.workload.groups {
        if let Role::Publish(publishing) = &group.role {
            let stride = publishing.stride(group.count);
            strides.extend((0..group.count).map(|_| stride));
        }
    }
    if strides.iter().all(|stride| *stride == 1) { Vec::new() } else { strides }
}

/// What a thread left behind that panicked is still good: every value is whole at any time.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
