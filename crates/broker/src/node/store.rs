//! The log at the start of a node: read, dealt out to the shards, and given to its thread.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use plexus_links::Bell;
use plexus_porch::{Clock, ListenerOptions};
use plexus_stdx::Seed;
use plexus_store::{ClockMap, Disk, FileDisk, Identity, Log, LogOptions, MissingBodies, OpenError};
use plexus_types::{Durability, Instant};

use super::{random, spawn, system};
use crate::{
    error::StartError,
    logger::{self, Job, LogPlace, Logger, Mark, Owner, SpareMaker, read_message},
    ports::Door,
    reactor::{Control, LogEnd},
    shard::{Context, Restored},
};
use plexus_records::{Progress, kept::Writer};
use plexus_recovery::{Crew, Recovery};

/// Reads the log on a thread that ends with it. What it has allocated then belongs to nobody, so that
/// the threads of the shards can use again what they free of it.
pub(super) fn open_apart(place: LogPlace, shards: u16) -> Result<Store, StartError> {
    let thread = std::thread::Builder::new().name("recovery".into());
    let opened = std::thread::scope(|scope| {
        let reading = thread.spawn_scoped(scope, move || Store::open(place, shards));
        Ok(reading?.join())
    });
    match opened.map_err(|source| system("a thread", source))? {
        Ok(store) => store,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Tells the log what is referred to. What a repair has lost is forgotten, and said to be lost.
fn count_references(
    log: &mut Log<FileDisk>,
    recovery: &mut Recovery,
    now: Instant,
) -> Result<(), MissingBodies> {
    let Err(missing) = log.set_references(recovery.references()) else { return Ok(()) };
    if log.recovered().holes == 0 {
        return Err(missing);
    }
    forget(log, recovery, &missing, now)
}

/// What is forgotten is recorded, too: the place of the loss goes when the log is cleaned, and then
/// whatever still referred to it would be damage. A full disk does not stop the start; the log keeps the
/// place until it has the records.
fn forget<D: Disk>(
    log: &mut Log<D>,
    recovery: &mut Recovery,
    missing: &MissingBodies,
    now: Instant,
) -> Result<(), MissingBodies> {
    let mut records = Vec::new();
    let writer = Writer::new(Seed::new(log.identity().hash_seed));
    let places = recovery.forget(&missing.bodies, &writer, &mut records);
    let (messages, first) = (missing.bodies.len(), missing.bodies.first().map(|id| id.get()));
    tracing::error!(
        messages,
        first,
        places,
        "messages are lost with what `plexus store repair` has taken out of use; sessions and \
         retained topics that had them go on without"
    );
    log.set_references(recovery.references())?;
    if let Err(error) = log.forget(now.as_millis(), records) {
        tracing::error!(
            %error,
            "that they are lost is not recorded yet: the log does it before the next commit, or the \
             next start says it again"
        );
    }
    Ok(())
}

/// Where there is no log yet nothing is wrong with what it holds.
fn not_opened(folder: &Path, error: OpenError) -> StartError {
    let folder = folder.display().to_string();
    match error {
        OpenError::NoRoom { .. } => StartError::Begin { folder, source: error },
        error => StartError::Log { folder, source: Box::new(error) },
    }
}

/// When the start began.
#[derive(Debug, Clone, Copy)]
struct Began(Clock, Instant);

impl Began {
    fn now() -> Self {
        let clock = Clock::start(Instant::ZERO);
        Self(clock, clock.now())
    }

    fn millis(self) -> u64 {
        let Self(clock, began) = self;
        u64::try_from(clock.now().saturating_since(began).as_millis()).unwrap_or(u64::MAX)
    }
}

/// A log that has been read.
pub(super) struct Store {
    log: Log<FileDisk>,
    recovery: Recovery,
    folder: PathBuf,
    began: Began,
}

impl Store {
    fn open(place: LogPlace, shards: u16) -> Result<Self, StartError> {
        let LogPlace { folder, segment_bytes, bytes_max, .. } = place;
        let disk = FileDisk::open(&folder).map_err(|source| StartError::Folder {
            folder: folder.display().to_string(),
            source,
        })?;
        let began = Began::now();
        let Began(clock, start) = began;
        let identity = Identity {
            store: u128::from(random()?) << 64 | u128::from(random()?),
            hash_seed: random()?,
            created_millis: start.as_millis(),
        };
        let options = LogOptions {
            segment_bytes,
            bytes_max,
            spares_on_order: true,
            ..LogOptions::new(identity, ClockMap::default())
        };
        let progress = Progress::new(move || clock.now());
        let seed = Seed::new(random()?);
        let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| StartError::Log {
            folder: folder.display().to_string(),
            source,
        };
        let (mut log, mut recovery) = std::thread::scope(|scope| {
            let crew = Crew::new(scope, shards, seed, progress);
            let mut crew = crew.map_err(|source| system("a thread", source))?;
            let log = Log::open(disk, options, &mut crew);
            let log = log.map_err(|error| not_opened(&folder, error))?;
            let recovery = crew.finish().map_err(|error| unreadable(Box::new(error)))?;
            Ok((log, recovery))
        })?;
        count_references(&mut log, &mut recovery, start)
            .map_err(|error| unreadable(Box::new(error)))?;
        let (sessions, retained) = recovery.counts();
        let bytes = log.recovered().bytes;
        let took_millis = began.millis();
        tracing::info!(
            folder = %folder.display(), sessions, retained, bytes, took_millis, "log read"
        );
        if let Some(cut) = &log.recovered().cut {
            tracing::warn!(
                file = cut.file,
                offset = cut.offset,
                bytes = cut.bytes,
                "the end of the log is not whole, and nothing says that it was kept: it was being written \
                 when the node stopped, and is cut off"
            );
        }
        if log.disk_is_small() {
            tracing::warn!(
                folder = %folder.display(),
                free_bytes = log.disk_free_bytes(),
                segment_bytes,
                "there is little room for the log, which keeps six segments of it for order: choose \
                 a smaller store.segment_size or make room"
            );
        }
        Ok(Self { log, recovery, folder, began })
    }

    /// The seed by which everything hashes to slots; the same for the life of the store.
    pub(super) fn seed(&self) -> Seed {
        Seed::new(self.log.identity().hash_seed)
    }

    /// The newest time in the log.
    pub(super) fn newest(&self) -> Instant {
        Instant::from_millis(self.log.newest_millis())
    }

    /// What each shard begins with.
    pub(super) fn deal(
        self,
        context: &Context,
        listeners: &[ListenerOptions],
    ) -> Result<Dealt, StartError> {
        let Self { log, recovery, folder, began } = self;
        context.log.note_segment(log.current_segment());
        let doors: Vec<Arc<Door>> =
            listeners.iter().map(|options| Arc::new(Door::of(options))).collect();
        let find = |name: &str| {
            let known = doors.iter().find(|door| &*door.name == name);
            // The listener is gone: the session keeps to the rules of another until it comes back.
            known.or_else(|| doors.first()).map_or_else(|| Arc::new(closed(name)), Arc::clone)
        };
        let next = log.next_message_id();
        let restored = recovery
            .deal(context.places(), next, find, |id| read_message(&log, id))
            .map_err(|error| StartError::Log {
                folder: folder.display().to_string(),
                source: Box::new(error),
            })?;
        Ok(Dealt { log, restored, began })
    }
}

/// A door of a node without listeners.
fn closed(name: &str) -> Door {
    let options = plexus_session::Options { durable: true, ..plexus_session::Options::default() };
    Door {
        meter: None,
        tenant: None,
        name: name.into(),
        options: Arc::new(options),
        policy: Arc::new(plexus_access::AllowAll),
        durability: Durability::Synced,
    }
}

/// A log with what it says, by shard.
pub(super) struct Dealt {
    log: Log<FileDisk>,
    restored: Vec<Restored>,
    began: Began,
}

/// Where the shards are given their ends of the log.
pub(super) struct Desk {
    log: Log<FileDisk>,
    restored: std::vec::IntoIter<Restored>,
    began: Began,
    jobs: SyncSender<Job>,
    jobs_in: Receiver<Job>,
    marks: Vec<Mark>,
    ready: SyncSender<()>,
    ready_in: Receiver<()>,
}

impl Desk {
    pub(super) fn new(dealt: Dealt) -> Self {
        let (jobs, jobs_in) = sync_channel(logger::JOBS);
        let (ready, ready_in) = sync_channel(dealt.restored.len());
        let Dealt { log, restored, began } = dealt;
        let restored = restored.into_iter();
        Self { log, restored, began, jobs, jobs_in, marks: Vec::new(), ready, ready_in }
    }

    /// The next shard's end.
    pub(super) fn seat(&mut self) -> Option<LogEnd> {
        let mark = Mark::default();
        self.marks.push(mark.clone());
        let (jobs, ready) = (self.jobs.clone(), self.ready.clone());
        Some(LogEnd { jobs, mark, restored: self.restored.next()?, ready })
    }

    /// Starts the log's thread, waits until all shards are restored, and has them route what was
    /// open.
    pub(super) fn open(
        self,
        shards: &[(SyncSender<Control>, Bell)],
        context: &Arc<Context>,
        clock: Clock,
    ) -> Result<JoinHandle<()>, StartError> {
        let Self { log, began, jobs, jobs_in, marks, ready, ready_in, .. } = self;
        let owners = shards.iter().zip(marks).map(|((control, bell), mark)| Owner {
            control: control.clone(),
            bell: bell.clone(),
            mark,
        });
        let maker = context.options.log.as_ref().map(|place| SpareMaker::start(&place.folder));
        let logger = Logger::new(logger::Parts {
            log,
            jobs: jobs_in,
            owners: owners.collect(),
            context: Arc::clone(context),
            clock,
            maker: maker.transpose()?,
        });
        let thread = spawn("log".into(), move || logger.run())?;
        // Only the shards hold the ends now: when they have ended, so do log and waiting.
        drop((jobs, ready));
        for _ in shards {
            if ready_in.recv().is_err() {
                break;
            }
        }
        tracing::info!(took_millis = began.millis(), "what the log says is restored");
        for (control, bell) in shards {
            // A shard that is gone has nothing open.
            drop(control.send(Control::Reopen));
            bell.ring();
        }
        Ok(thread)
    }
}

#[cfg(test)]
mod tests {
    use plexus_session::{Image, Sequence};
    use plexus_store::{
        Batch, Commit,
        testing::{Call, Fault, MemoryDisk},
    };
    use plexus_types::MessageId;

    use super::*;
    use plexus_recovery::testing::{begun, given_back, image, opened, queued, retained};

    fn open(disk: &MemoryDisk) -> (Log<MemoryDisk>, Recovery) {
        let identity = Identity { store: 1, hash_seed: 2, created_millis: 3 };
        let mut recovery = Recovery::new(Seed::new(4));
        let options = LogOptions::new(identity, ClockMap::default());
        let log = Log::open(disk.clone(), options, &mut recovery).unwrap();
        (log, recovery)
    }

    /// References to bodies that are nowhere, as a repair leaves them.
    fn dangling() -> MemoryDisk {
        let disk = MemoryDisk::new(1);
        let mut batch = Batch::new();
        batch.mode(Commit::Synced);
        let [listener, session] = begun(0, 7);
        let told = [listener, session, queued(0, 7, 1), retained(2, "a"), opened(3), given_back(1)];
        for (_, group, record) in told {
            batch.entry(plexus_store::Group(group), |into| record.encode(into));
        }
        let (mut log, recovery) = open(&disk);
        log.set_references(recovery.references()).unwrap();
        log.commit(10, &[&batch]).unwrap();
        disk
    }

    /// A later start has to find nothing missing when the place of the loss has been cleaned away.
    #[test]
    fn what_is_forgotten_once_is_not_missed_again() {
        let disk = dangling();
        let (mut log, mut recovery) = open(&disk);
        let missing = log.set_references(recovery.references()).unwrap_err();
        assert_eq!(missing.bodies, [1, 2, 3].map(MessageId::new));
        forget(&mut log, &mut recovery, &missing, Instant::from_millis(20)).unwrap();
        drop(log);
        let (mut log, recovery) = open(&disk);
        log.set_references(recovery.references()).unwrap();
        assert_eq!(recovery.counts(), (1, 0));
        let kept = recovery.into_kept();
        assert_eq!((kept.sessions.len(), kept.open.len()), (1, 0));
        let next = Sequence::new(2); // No place in a queue is given twice.
        assert_eq!(*kept.sessions[0].image, Image { next, ..image(7) });
    }

    #[test]
    fn a_log_that_cannot_be_begun_is_not_called_unreadable() {
        let folder = Path::new("data/log");
        let begin = not_opened(folder, OpenError::NoRoom { bytes: 1, free: None });
        assert_eq!(begin.to_string(), "the log in data/log cannot be begun");
        let read = not_opened(folder, OpenError::Empty);
        assert_eq!(read.to_string(), "the log in data/log cannot be read");
    }

    #[test]
    fn a_start_that_forgets_goes_on_when_the_disk_takes_nothing() {
        let disk = dangling();
        let (mut log, mut recovery) = open(&disk);
        let missing = log.set_references(recovery.references()).unwrap_err();
        for nth in 1..4 {
            disk.fail(Call::Write, nth, Fault::NoSpace);
        }
        forget(&mut log, &mut recovery, &missing, Instant::from_millis(20)).unwrap();
        assert_eq!(recovery.references().count(), 0);
        disk.heal();
        let (mut copy, recovery) = open(&disk.copied());
        let again = copy.set_references(recovery.references()).unwrap_err();
        assert_eq!(again.bodies, missing.bodies, "a crash at once");
        // The next commit takes it along.
        log.commit(30, &[]).unwrap();
        drop(log);
        let (mut log, recovery) = open(&disk);
        log.set_references(recovery.references()).unwrap();
    }
}
