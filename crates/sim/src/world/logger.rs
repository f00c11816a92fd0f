//! The log's thread, as the node's own: it takes what has come, writes it with one commit, tells the
//! shards, and cleans. Its disk is in memory and fails as the world wants.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use plexus_broker::{
    ports::{Door, Fetch},
    shard::{Context, Restored, Shard},
};
use plexus_recovery::Recovery;
use plexus_session::LogPosition;
use plexus_stdx::Seed;
use plexus_store::{
    Batch, ClockMap, Identity, Log, LogError, LogOptions, SegmentNumber, Stat,
    testing::{Call, Fault, MemoryDisk},
};
use plexus_types::{Instant, Message, MessageId};

use super::World;
use crate::{agenda::Event, plan::Storage, seen::Rest};

/// How long the thread waits before it tries a disk again that refused.
const RETRY: Duration = Duration::from_millis(250);
/// How often it looks whether to clean.
const IDLE: Duration = Duration::from_secs(1);
/// Bytes that a step of cleaning moves in peace.
const CLEAN_BYTES: usize = 1024 * 1024;

/// What a shard wants of the log.
#[derive(Debug)]
enum Job {
    Commit(u16, Batch, LogPosition),
    Fetch(u16, Fetch),
}

/// Messages for a shard, none if they could not be read.
type Answer = (Fetch, Option<Vec<Arc<Message>>>);

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Logger {
    pub(super) disk: MemoryDisk,
    disk_bytes: u64,
    pub(super) options: LogOptions,
    log: Option<Log<MemoryDisk>>,
    jobs: VecDeque<Job>,
    /// What is not written yet.
    waiting: Vec<(u16, Batch, LogPosition)>,
    /// What the shards were last asked to write anew.
    asked: Option<SegmentNumber>,
    /// When its next round is due.
    awake: Instant,
    /// When to try a disk again that refused.
    retry_at: Instant,
    answers: BTreeMap<u64, Answer>,
    answered: u64,
    /// When a shard gets the newest of what it is told: it is told in order.
    told: BTreeMap<u16, Instant>,
}

impl Logger {
    pub(super) fn new(storage: &Storage, seed: Seed) -> Self {
        let identity = Identity {
            store: u128::from(seed.derive(8).value()),
            hash_seed: seed.derive(2).value(),
            created_millis: 0,
        };
        let mut options = LogOptions::new(identity, ClockMap::default());
        options.segment_bytes = storage.segment_bytes;
        options.allowance_bytes = storage.allowance_bytes;
        options.bytes_max = storage.bytes_max;
        options.plant = storage.plant;
        Self {
            disk: MemoryDisk::new(seed.derive(9).value()),
            disk_bytes: storage.disk_bytes,
            options,
            log: None,
            jobs: VecDeque::new(),
            waiting: Vec::new(),
            asked: None,
            awake: Instant::FAR_FUTURE,
            retry_at: Instant::ZERO,
            answers: BTreeMap::new(),
            answered: 0,
            told: BTreeMap::new(),
        }
    }

    /// Reads the log, as a node does that starts.
    pub(super) fn open(&mut self, recovery: &mut Recovery) -> Result<(), String> {
        self.disk.heal();
        // A node that has stored much starts all the same: the end of its disk is met later.
        self.disk.limit(0);
        let mut log = Log::open(self.disk.clone(), self.options.clone(), recovery)
            .map_err(|error| error.to_string())?;
        log.set_references(recovery.references()).map_err(|error| error.to_string())?;
        self.disk.limit(self.disk_bytes);
        log.measure_disk();
        self.log = Some(log);
        Ok(())
    }

    fn log(&self) -> &Log<MemoryDisk> {
        self.log.as_ref().expect("invariant: the node is up")
    }

    pub(super) fn newest(&self) -> Instant {
        Instant::from_millis(self.log().newest_millis())
    }

    pub(super) fn seed(&self) -> Seed {
        Seed::new(self.log().identity().hash_seed)
    }

    pub(super) fn deal(
        &self,
        recovery: Recovery,
        context: &Context,
        door: &Arc<Door>,
    ) -> Result<Vec<Restored>, String> {
        let log = self.log();
        context.log.note_segment(log.current_segment());
        let next = log.next_message_id();
        recovery
            .deal(context.places(), next, |_| Arc::clone(door), |id| read(log, id))
            .map_err(|error: LogError| error.to_string())
    }

    /// From some call on everything that the disk is asked for fails.
    pub(super) fn fail_for_good(&self, mut seed: Seed) {
        for call in [Call::Create, Call::Name, Call::Write, Call::Sync] {
            let first = 1 + seed.below(3) as u64;
            for nth in first..first + 20 {
                let fault = if seed.below(2) == 0 { Fault::Half } else { Fault::Device };
                self.disk.fail(call, nth, fault);
            }
        }
    }

    /// Writes what waits.
    pub(super) fn commit(&mut self, now_millis: u64) -> Result<(), LogError> {
        while let Some(job) = self.jobs.pop_front() {
            if let Job::Commit(shard, batch, upto) = job {
                self.waiting.push((shard, batch, upto));
            }
        }
        let batches: Vec<_> = self.waiting.iter().map(|(_, batch, _)| batch).collect();
        let Some(log) = &mut self.log else { return Ok(()) };
        log.commit(now_millis, &batches).map(|_| ())
    }

    /// The process is gone, and with a seed the power too.
    pub(super) fn end(&mut self, power: Option<Seed>) {
        self.log = None;
        self.jobs.clear();
        self.waiting.clear();
        self.asked = None;
        self.awake = Instant::FAR_FUTURE;
        self.retry_at = Instant::ZERO;
        self.answers.clear();
        self.told.clear();
        self.disk.heal();
        if let Some(seed) = power {
            self.disk.crash(seed.value());
        }
    }

    /// Nothing is written or to be cleaned.
    pub(super) fn is_at_rest(&self, now: Instant) -> bool {
        let idle = self.awake.saturating_since(now) > RETRY;
        idle && self.jobs.is_empty()
            && self.waiting.is_empty()
            && self.log.as_ref().is_some_and(|log| log.wants_refresh().is_none())
    }

    pub(super) fn stat(&self) -> Stat {
        self.log().stat()
    }

    /// The largest file that the log has.
    fn largest(&self) -> u64 {
        use plexus_store::Disk;
        let files = self.disk.list().unwrap_or_default();
        files.into_iter().map(|(_, length)| length).max().unwrap_or(0)
    }
}

fn read(log: &Log<MemoryDisk>, id: MessageId) -> Result<Arc<Message>, LogError> {
    log.read(id).map(|stored| Arc::new(stored.into_message(&ClockMap::default())))
}

impl World {
    pub(super) fn record(&mut self, shard: u16, batch: Batch, upto: LogPosition) {
        let now = self.now;
        self.story.tell(now, &(66, shard, upto.get()), || {
            format!("shard {shard} records up to {}: {batch:?}", upto.get())
        });
        self.order(Job::Commit(shard, batch, upto));
    }

    pub(super) fn want(&mut self, shard: u16, fetch: Fetch) {
        self.order(Job::Fetch(shard, fetch));
    }

    fn order(&mut self, job: Job) {
        let Some(logger) = &mut self.logger else { return };
        logger.jobs.push_back(job);
        let most = self.plan.storage.as_ref().map_or(0, |storage| storage.write_micros_max);
        let delay = if self.calm { Duration::ZERO } else { self.dice.micros(0, most) };
        self.wake_log(delay);
    }

    /// The thread does a round after such a time, or before.
    pub(super) fn wake_log(&mut self, after: Duration) {
        let at = self.now + after;
        let Some(logger) = &mut self.logger else { return };
        if at < logger.awake {
            logger.awake = at;
            self.agenda.enter(at, Event::Log);
        }
    }

    /// One round of the thread.
    pub(super) fn work_log(&mut self) {
        let calm = self.calm;
        let Some(logger) = &mut self.logger else { return };
        if logger.awake > self.now || logger.log.is_none() {
            return; // It was woken earlier than by this.
        }
        logger.awake = Instant::FAR_FUTURE;
        let count = logger.jobs.len();
        let taken = if calm { count } else { self.dice.between(count.min(1), count) };
        let jobs: Vec<_> = logger.jobs.drain(..taken).collect();
        for job in jobs {
            match job {
                Job::Commit(shard, batch, upto) => {
                    self.logger.iter_mut().for_each(|logger| {
                        logger.waiting.push((shard, batch.clone(), upto));
                    });
                }
                Job::Fetch(shard, fetch) => self.answer_fetch(shard, &fetch),
            }
        }
        self.trouble_disk();
        self.commit_waiting();
        self.tempt_fate();
        if self.dying {
            return;
        }
        let more = self.clean_log();
        self.tempt_fate();
        let Some(logger) = &self.logger else { return };
        let refused = logger.retry_at > self.now;
        let soon = more || !logger.jobs.is_empty() || !logger.waiting.is_empty();
        let pause = match (refused, soon) {
            (true, _) => RETRY,
            (false, true) => Duration::from_micros(50),
            (false, false) => IDLE,
        };
        self.wake_log(pause);
    }

    fn answer_fetch(&mut self, shard: u16, fetch: &Fetch) {
        let at = self.told_at(shard);
        let Some(logger) = &mut self.logger else { return };
        let messages: Result<Vec<_>, _> =
            fetch.ids.iter().map(|id| read(logger.log(), *id)).collect();
        if let Err(error) = &messages {
            let error = error.to_string();
            let lost = !matches!(messages, Err(LogError::Io { .. } | LogError::Full { .. }));
            self.story.tell(self.now, &(62, shard), || format!("cannot read: {error}"));
            if lost {
                return self.violated("readable", error);
            }
        }
        let Some(logger) = &mut self.logger else { return };
        logger.answered += 1;
        let number = logger.answered;
        logger.answers.insert(number, (fetch.clone(), messages.ok()));
        self.agenda.enter(at, Event::Fetched(shard, number));
    }

    /// When a shard gets what it is told now.
    fn told_at(&mut self, shard: u16) -> Instant {
        let most = self.plan.storage.as_ref().map_or(0, |storage| storage.write_micros_max);
        let at = self.now + if self.calm { Duration::ZERO } else { self.dice.micros(0, most) };
        let Some(logger) = &mut self.logger else { return at };
        let told = logger.told.entry(shard).or_default();
        *told = at.max(*told);
        *told
    }

    fn commit_waiting(&mut self) {
        let now = self.node_now().as_millis();
        let Some(logger) = &mut self.logger else { return };
        if logger.waiting.is_empty() || logger.retry_at > self.now {
            return;
        }
        let log = logger.log.as_mut().expect("invariant: the node is up");
        let batches = logger.waiting.iter().map(|(_, batch, _)| batch);
        let outcome = log.commit_first(now, batches, logger.options.segment_bytes / 4);
        logger.retry_at = if outcome.is_err() { self.now + RETRY } else { self.now };
        self.common.log.set_failing(outcome.is_err());
        self.report_room();
        let Some(logger) = &mut self.logger else { return };
        match outcome {
            Ok((committed, count)) => {
                self.common.log.note_segment(committed.segment);
                let done: Vec<_> = logger.waiting.drain(..count).collect();
                self.story.tell(self.now, &(63, count), || {
                    format!("the log keeps {count} batches in {}", committed.segment.get())
                });
                for (shard, _, upto) in done {
                    let at = self.told_at(shard);
                    self.agenda.enter(at, Event::Marked(shard, upto));
                }
            }
            Err(error) => {
                self.story.tell(self.now, &64, || format!("the log cannot write: {error}"));
            }
        }
    }

    /// Says whether nothing more may be let in. In peace everything is taken, or what is refused would
    /// be tried for ever.
    fn report_room(&mut self) {
        let Some(logger) = &self.logger else { return };
        let full = !self.calm && logger.log().room_to_grow() < logger.options.segment_bytes;
        let pressed = !logger.log().has_room_for_refresh();
        if self.common.log.set_pressed(pressed) && !pressed {
            (0..self.plan.shards)
                .for_each(|shard| self.agenda.enter(self.now, Event::EndTurn(shard)));
        }
        if self.common.log.set_full(full) != full {
            self.story.tell(self.now, &(67, full), || format!("the log is full: {full}"));
        }
    }

    /// A step of cleaning; whether there is more to do.
    fn clean_log(&mut self) -> bool {
        let now = self.node_now().as_millis();
        let budget = if self.calm { CLEAN_BYTES } else { self.dice.between(1, 8_000) };
        let Some(logger) = &mut self.logger else { return false };
        let log = logger.log.as_mut().expect("invariant: the node is up");
        if self.calm || self.dice.chance(4) {
            log.measure_disk();
        }
        let wanted = log.wants_refresh();
        let cleaned = log.clean(now, budget);
        if let Some(upto) = wanted.filter(|_| wanted != logger.asked) {
            logger.asked = wanted;
            for shard in 0..self.plan.shards {
                let at = self.told_at(shard);
                self.agenda.enter(at, Event::Refresh(shard, upto));
            }
        }
        self.report_room();
        match cleaned {
            Ok(more) => more,
            Err(LogError::Io { .. } | LogError::Full { .. }) => false,
            Err(error) => {
                self.violated("cleans", error.to_string());
                false
            }
        }
    }

    /// Now and then the disk fails, or has no room for a while.
    fn trouble_disk(&mut self) {
        let Some(storage) = &self.plan.storage else { return };
        if self.calm || !self.dice.chance(storage.faults) {
            return;
        }
        let calls = [Call::Create, Call::Name, Call::Read, Call::Write, Call::Sync, Call::Sync];
        let call = self.dice.pick(&calls);
        let fault = self.dice.pick(&[Fault::NoSpace, Fault::Device, Fault::Half]);
        let nth = self.dice.between(1, 6) as u64;
        let full = self.dice.chance(10);
        let relief = self.now + self.dice.millis(1, 5_000);
        let Some(logger) = &self.logger else { return };
        if full {
            logger.disk.limit(1);
            self.agenda.enter(relief, Event::Relieve);
        } else {
            logger.disk.fail(call, nth, fault);
        }
        self.story.tell(self.now, &(65, nth, full), || {
            if full { "the disk is full".into() } else { format!("{call:?} {nth} will {fault:?}") }
        });
    }

    /// There is room again, as much as the disk has.
    pub(super) fn relieve_disk(&mut self) {
        if let Some(logger) = &self.logger {
            logger.disk.limit(logger.disk_bytes);
        }
    }

    /// Nothing fails any more, and the disk has no end.
    pub(super) fn heal_disk(&mut self) {
        if let Some(logger) = &mut self.logger {
            logger.retry_at = Instant::ZERO;
            logger.disk_bytes = 0;
            logger.disk.limit(0);
            logger.disk.heal();
        }
        // As the next round would, which may be a second away.
        if let Some(log) = self.logger.as_mut().and_then(|logger| logger.log.as_mut()) {
            log.measure_disk();
            self.report_room();
        }
    }

    pub(super) fn mark(&mut self, shard: u16, upto: LogPosition) {
        if self.home(shard).marked < upto {
            self.home(shard).marked = upto;
            self.call(shard, |shard, turn| shard.handle_committed(turn, upto));
        }
    }

    pub(super) fn fetched(&mut self, shard: u16, number: u64) {
        let answer = self.logger.as_mut().and_then(|logger| logger.answers.remove(&number));
        let Some((fetch, messages)) = answer else { return };
        self.call(shard, |shard, turn| shard.handle_fetched(turn, fetch, messages));
    }

    /// A call into a shard with a log is a turn of its own, or one of several of a turn.
    pub(super) fn pass_turn(&mut self, shard: u16) {
        let most = self.plan.storage.as_ref().map_or(0, |storage| storage.turn_micros_max);
        if self.calm || most == 0 {
            return self.end_turn(shard);
        }
        if !std::mem::replace(&mut self.home(shard).in_turn, true) {
            let at = self.now + self.dice.micros(0, most);
            self.agenda.enter(at, Event::EndTurn(shard));
        }
    }

    pub(super) fn end_turn(&mut self, shard: u16) {
        self.home(shard).in_turn = false;
        self.act(shard, Shard::end_turn);
        if self.dying {
            return;
        }
        if self.home(shard).shard.has_records() {
            self.home(shard).in_turn = true;
            self.agenda.enter(self.now, Event::EndTurn(shard));
        } else {
            for (to, envelope) in std::mem::take(&mut self.home(shard).outgoing) {
                self.post(shard, to, envelope);
            }
        }
        self.open_when_restored();
    }

    /// What the log takes at rest.
    pub(super) fn rest(&self) -> Option<Rest> {
        let logger = self.logger.as_ref()?;
        let durable = self.actors.iter().filter(|actor| {
            let home = self.homes.get(usize::from(actor.home));
            let session = home.and_then(|home| home.shard.session(&actor.id));
            session.is_some_and(|(_, session)| session.is_durable())
        });
        Some(Rest {
            stat: logger.stat(),
            segment_bytes: logger.options.segment_bytes,
            largest_bytes: logger.largest(),
            allowance_bytes: logger.options.allowance_bytes,
            sessions: durable.count() as u64,
        })
    }

    pub(super) fn is_log_at_rest(&self) -> bool {
        let records = self.homes.iter().any(|home| home.shard.has_records() || home.in_turn);
        self.logger.as_ref().is_none_or(|logger| logger.is_at_rest(self.now) && !records)
    }
}
