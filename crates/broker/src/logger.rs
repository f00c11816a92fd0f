//! The thread of the log: one writer for all shards, one sync for all that has come.

mod spare;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
};

use plexus_links::Bell;
use plexus_porch::Clock;
use plexus_session::LogPosition;
use plexus_store::{
    Batch, ClockMap, Committed, FileDisk, Log, LogError, SegmentNumber, StoredMessage,
};
use plexus_types::{Instant, Message, MessageId};

pub(crate) use self::spare::SpareMaker;
use crate::{ports::Fetch, reactor::Control, shard::Context};

/// Orders that wait for the log.
pub(crate) const JOBS: usize = 4_096;
/// Bytes of records that are written at once.
const COMMIT_BYTES: usize = 16 * 1024 * 1024;
/// The same of a turn of a shard.
pub(crate) const TURN_BYTES: usize = 4 * 1024 * 1024;
/// Where segments are small all of these are, but not less than this.
const BYTES_MIN: usize = 64 * 1024;
/// How long the log waits before it tries a disk again that refused.
const RETRY: Duration = Duration::from_millis(250);
/// The same for a disk that is full.
const FULL_RETRY: Duration = Duration::from_secs(1);
/// The same for cleaning, which may write much before it is refused.
const CLEAN_RETRY: Duration = Duration::from_secs(2);
/// How often the log looks whether it should be cleaned when nobody has anything for it.
const IDLE: Duration = Duration::from_secs(1);
/// How often the disk is asked how much room it has.
const MEASURE: Duration = Duration::from_secs(1);
/// Bytes that one step of cleaning moves.
const CLEAN_BYTES: usize = 1024 * 1024;
/// Steps between two commits while there is hardly any room: as much as a commit may take.
const PRESSED_STEPS: usize = COMMIT_BYTES / CLEAN_BYTES;
/// How long there has to be room before it is said that there is: cleaning makes it and what comes
/// takes it many times a second.
const ROOM_LASTS: Duration = Duration::from_secs(5);

/// Where a node keeps its log, and how.
#[derive(Debug, Clone)]
pub struct LogPlace {
    /// The folder of the log, for one process alone.
    pub folder: PathBuf,
    /// The size of a segment's file.
    pub segment_bytes: u64,
    /// What all files may take together; 0 for what the disk has.
    pub bytes_max: u64,
}

/// What is under way when a disk is full goes into what is kept for that, which is counted in segments.
impl LogPlace {
    fn part(&self, parts: u64, most: usize) -> usize {
        let part = usize::try_from(self.segment_bytes / parts.max(1)).unwrap_or(most);
        part.clamp(BYTES_MIN, most)
    }

    /// Bytes of records that are written at once.
    pub(crate) fn commit_bytes(&self) -> usize {
        self.part(4, COMMIT_BYTES)
    }

    /// Bytes of records after which a shard ends its turn.
    pub(crate) fn turn_bytes(&self, shards: u16) -> usize {
        self.part(2 * u64::from(shards), TURN_BYTES)
    }

    /// Bytes of records of a shard that may wait for the log before publishers are held back.
    pub(crate) fn unkept_bytes(&self, shards: u16) -> usize {
        self.part(shards.into(), COMMIT_BYTES)
    }
}

/// What a shard wants of the log.
pub(crate) enum Job {
    Commit { shard: u16, batch: Batch, upto: LogPosition },
    Fetch { shard: u16, fetch: Fetch },
}

/// Up to where the log has each shard's records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mark(Arc<AtomicU64>);

impl Mark {
    pub(crate) fn read(&self) -> LogPosition {
        LogPosition::new(self.0.load(SeqCst))
    }

    fn set(&self, upto: LogPosition) {
        self.0.store(upto.get(), SeqCst);
    }
}

/// A shard as the log sees it.
pub(crate) struct Owner {
    pub(crate) control: SyncSender<Control>,
    pub(crate) bell: Bell,
    pub(crate) mark: Mark,
}

/// What the thread is made of.
pub(crate) struct Parts {
    pub(crate) log: Log<FileDisk>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) owners: Vec<Owner>,
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Clock,
    pub(crate) maker: Option<SpareMaker>,
}

/// See the module's documentation.
pub(crate) struct Logger {
    log: Log<FileDisk>,
    jobs: Receiver<Job>,
    owners: Vec<Owner>,
    context: Arc<Context>,
    clock: Clock,
    maker: Option<SpareMaker>,
    /// What has not been written yet.
    waiting: Vec<(u16, Batch, LogPosition)>,
    waiting_bytes: usize,
    segment_bytes: u64,
    /// Bytes of records that are written at once.
    commit_bytes: usize,
    /// When to try a disk again that refused.
    retry_at: Option<Instant>,
    /// When to ask it again how much room it has.
    measure_at: Instant,
    /// When nothing more could be let in for the last time, as long as the alarm stands.
    full_at: Option<Instant>,
    /// What the shards were last asked to write anew.
    asked: Option<SegmentNumber>,
    /// When to try again to clean a log on a disk that refused, and whether that was told.
    clean_at: Option<Instant>,
    cannot_clean: bool,
}

impl Logger {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { log, jobs, owners, context, clock, maker } = parts;
        let place = context.options.log.as_ref();
        let segment_bytes = place.map_or(0, |place| place.segment_bytes);
        let commit_bytes = place.map_or(COMMIT_BYTES, LogPlace::commit_bytes);
        Self {
            log,
            jobs,
            owners,
            context,
            clock,
            maker,
            waiting: Vec::new(),
            waiting_bytes: 0,
            segment_bytes,
            commit_bytes,
            retry_at: None,
            measure_at: Instant::ZERO,
            full_at: None,
            asked: None,
            clean_at: None,
            cannot_clean: false,
        }
    }

    /// Runs until all shards are gone and everything of theirs is written.
    pub(crate) fn run(mut self) {
        let mut more = false;
        loop {
            let open = self.gather(self.patience(more));
            self.commit_due(open);
            if !open && (self.waiting.is_empty() || self.retry_at.is_some()) {
                return self.end();
            }
            more = self.tend();
        }
    }

    /// What the log needs beside commits; whether there is more to clean at once.
    fn tend(&mut self) -> bool {
        self.measure();
        let more = self.clean_enough();
        if let Some(maker) = &mut self.maker {
            maker.tend(&mut self.log, self.clock.now());
        }
        more
    }

    /// Nobody is there any more. What is kept is kept without the log's last word, too: a full disk goes
    /// without.
    fn end(mut self) {
        if !self.waiting.is_empty() {
            tracing::error!(batches = self.waiting.len(), "records could not be written");
            return;
        }
        match self.log.close(self.clock.now().as_millis()) {
            Ok(()) | Err(LogError::Full { .. }) => {}
            Err(error) => tracing::warn!("the log cannot be closed: {}", told(&error)),
        }
    }

    fn measure(&mut self) {
        let now = self.clock.now();
        if self.measure_at <= now {
            self.measure_at = now + MEASURE;
            self.log.measure_disk();
        }
    }

    /// How long nothing has to be done but what comes.
    fn patience(&self, more: bool) -> Duration {
        match self.retry_at {
            Some(at) => at.saturating_since(self.clock.now()),
            None if more || !self.waiting.is_empty() => Duration::ZERO,
            None => IDLE,
        }
    }

    /// Takes what has come; false when nobody is there any more. From a disk that refuses it may still be
    /// read, so that orders are taken then too: the shards see to it that they are not too many.
    fn gather(&mut self, patience: Duration) -> bool {
        match self.jobs.recv_timeout(patience) {
            Ok(job) => self.take(job),
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
        // What is read must not put off what is written.
        for _ in 0..JOBS {
            if self.retry_at.is_none() && self.waiting_bytes >= self.commit_bytes {
                break;
            }
            let Ok(job) = self.jobs.try_recv() else { break };
            self.take(job);
        }
        true
    }

    fn take(&mut self, job: Job) {
        match job {
            Job::Commit { shard, batch, upto } => {
                self.waiting_bytes += batch.bytes();
                self.waiting.push((shard, batch, upto));
            }
            Job::Fetch { shard, fetch } => self.fetch(shard, fetch),
        }
    }

    /// A disk that refused is tried again although nothing waits: whoever noticed may have been cleaning,
    /// and nothing that waits would come as long as nothing is taken.
    fn commit_due(&mut self, open: bool) {
        let due = self.retry_at.is_none_or(|at| at <= self.clock.now());
        let wanted = !self.waiting.is_empty() || self.retry_at.is_some();
        if wanted && (due || !open) {
            self.commit();
        }
    }

    /// Writes what waits, as much as one commit takes; where that does not fit, as much as does.
    fn commit(&mut self) {
        let batches = self.waiting.iter().map(|(_, batch, _)| batch);
        let began = self.clock.now();
        match self.log.commit_first(began.as_millis(), batches, self.commit_bytes as u64) {
            Ok((committed, count)) => {
                let took = self.clock.now().saturating_since(began);
                self.context.timings.commit.add_time(took, 1);
                self.note_committed(committed, count);
            }
            Err(error) => self.note_failed(&error),
        }
    }

    /// The log cannot be written, and is to be tried again.
    fn note_failed(&mut self, error: &LogError) {
        // To find out that a disk is still full may take a file's worth of writing.
        let full = matches!(error, LogError::Full { .. });
        let pause = if full { FULL_RETRY } else { RETRY };
        self.retry_at = Some(self.clock.now() + pause);
        self.report_health(Some(error));
    }

    /// Tells the shards that the first so many of what waited are kept.
    fn note_committed(&mut self, committed: Committed, count: usize) {
        self.context.log.note_segment(committed.segment);
        self.report_room();
        self.report_health(None);
        self.retry_at = None;
        for (shard, batch, upto) in self.waiting.drain(..count) {
            self.waiting_bytes -= batch.bytes();
            if let Some(owner) = self.owners.get(usize::from(shard)) {
                owner.mark.set(upto);
            }
        }
        self.owners.iter().for_each(|owner| owner.bell.ring());
    }

    /// Says once when the disk refuses and once when it takes records again.
    fn report_health(&self, error: Option<&LogError>) {
        let failing = error.is_some();
        if self.context.log.set_failing(failing) == failing {
            return;
        }
        match error {
            Some(error) => self.raise(
                FAILING,
                format!("{}; {}", told(error), error.mend()),
                "until then what has to be kept is refused",
            ),
            None => self.clear(FAILING, "the log can be written again"),
        }
    }

    fn raise(&self, name: &'static str, what: String, meanwhile: &str) {
        tracing::error!(alarm = name, "{what}; {meanwhile}");
        self.context.alarms.raise(name, self.clock.now(), what);
        self.wake_speaker();
    }

    fn clear(&self, name: &'static str, what: &str) {
        let now = self.clock.now();
        let Some(alarm) = self.context.alarms.clear(name, self.clock.now()) else { return };
        let lasted = now.saturating_since(alarm.since).as_secs();
        tracing::warn!(
            alarm = name,
            seconds = lasted,
            "{what}; what has to be kept is taken again"
        );
        self.wake_speaker();
    }

    /// The shard that speaks for the node publishes alarms.
    fn wake_speaker(&self) {
        if let Some(speaker) = self.owners.first() {
            speaker.bell.ring();
        }
    }

    /// Tells figures. Says once when nothing more may be let in, and once when there has been room for a while.
    fn report_room(&mut self) {
        let now = self.clock.now();
        let (shortage, stat) = (self.log.shortage(), self.log.stat());
        self.context.log.note_bytes(stat.file_bytes(), stat.living_bytes());
        self.context.log.set_full(shortage.is_some());
        let pressed = !self.log.has_room_for_refresh();
        if self.context.log.set_pressed(pressed) && !pressed {
            self.owners.iter().for_each(|owner| owner.bell.ring());
        }
        match (shortage, self.full_at) {
            (Some(shortage), told) => {
                self.full_at = Some(now);
                if told.is_none() {
                    let meanwhile = "as long as the log has no room, what has to be kept is \
                                     refused; the alarm ends when it has had room for five seconds";
                    self.raise(FULL, self.log.tell(shortage), meanwhile);
                }
            }
            (None, Some(last)) if last + ROOM_LASTS <= now => {
                self.full_at = None;
                self.clear(FULL, "the log has had room again for five seconds");
            }
            (None, _) => {}
        }
    }

    fn fetch(&self, shard: u16, fetch: Fetch) {
        let Some(owner) = self.owners.get(usize::from(shard)) else { return };
        let messages = self.log.read_all(&fetch.ids);
        let messages = messages
            .map(|messages| messages.into_iter().map(in_memory).collect())
            .inspect_err(|error| tracing::error!(%error, "a message cannot be read from the log"))
            .ok();
        // A shard that is gone needs it no more.
        drop(owner.control.send(Control::Fetched(fetch, messages)));
        owner.bell.ring();
    }

    /// A step of cleaning, or several when there is hardly any room; whether there is more to do at once.
    fn clean_enough(&mut self) -> bool {
        for _ in 1..PRESSED_STEPS {
            let more = self.clean();
            if !more || self.log.room_to_grow() >= 2 * self.segment_bytes {
                return more;
            }
        }
        self.clean()
    }

    /// One step of cleaning; whether there is more to do at once.
    fn clean(&mut self) -> bool {
        if self.clean_at.is_some_and(|at| at > self.clock.now()) {
            return false;
        }
        self.clean_at = None;
        let wanted = self.log.wants_refresh();
        if wanted.is_some() && wanted != self.asked {
            self.asked = wanted;
            let upto = wanted.unwrap_or(SegmentNumber::ZERO);
            for owner in &self.owners {
                drop(owner.control.send(Control::Refresh(upto)));
                owner.bell.ring();
            }
        }
        match self.log.clean(self.clock.now().as_millis(), CLEAN_BYTES) {
            Ok(more) => {
                if std::mem::replace(&mut self.cannot_clean, false) {
                    tracing::warn!("the log can be cleaned again");
                }
                self.report_room();
                more
            }
            Err(error) => {
                // Of other errors only a commit can tell whether they keep records from being kept.
                if matches!(error, LogError::Gone { .. }) {
                    self.note_failed(&error);
                } else if !std::mem::replace(&mut self.cannot_clean, true) {
                    tracing::error!(
                        "the log cannot be cleaned: {}; {}",
                        told(&error),
                        error.mend()
                    );
                }
                self.clean_at = Some(self.clock.now() + CLEAN_RETRY);
                self.report_room();
                false
            }
        }
    }
}

/// The log cannot be written.
const FAILING: &str = "store/failing";
/// The log may not grow.
const FULL: &str = "store/full";

/// The error and what has caused it.
fn told(error: &LogError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A message as the shards have it.
pub(crate) fn read_message(log: &Log<FileDisk>, id: MessageId) -> Result<Arc<Message>, LogError> {
    log.read(id).map(in_memory)
}

fn in_memory(stored: StoredMessage) -> Arc<Message> {
    Arc::new(stored.into_message(&ClockMap::default()))
}

#[cfg(test)]
mod tests;
