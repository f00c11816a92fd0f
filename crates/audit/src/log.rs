//! The thread that writes, and what others report to.

use std::{
    io,
    path::Path,
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plexus_store::{Disk, FileDisk};

use crate::{Book, BookOptions, Event, Kind, Moment, budget::Budget};

/// Records that wait to be written. What finds no room is counted.
const QUEUE: usize = 4_096;
/// Records that are written at once.
const BATCH: usize = 256;
/// How soon a disk that has failed is tried again, and what was left out is told.
const LATER: Duration = Duration::from_secs(1);

/// What the thread is told.
enum Word {
    Event(Moment, Event),
    Close,
}

/// Reports to the thread.
#[derive(Debug)]
struct Recorder {
    words: SyncSender<Word>,
    waiting: Arc<AtomicUsize>,
    missed: Arc<AtomicU64>,
}

impl Recorder {
    fn record(&self, event: impl FnOnce() -> Event) {
        // Nobody makes a record that has no room anyway; two at the same moment may pass.
        if self.waiting.load(Relaxed) >= QUEUE {
            self.missed.fetch_add(1, Relaxed);
            return;
        }
        self.waiting.fetch_add(1, Relaxed);
        match self.words.try_send(Word::Event(now(), event())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.waiting.fetch_sub(1, Relaxed);
                self.missed.fetch_add(1, Relaxed);
            }
        }
    }
}

/// Where a part of the node reports what it refused or did; cheap to clone. It may be given out before there
/// is an audit log, and stays silent where there is none.
#[derive(Debug, Clone, Default)]
pub struct AuditPort(Arc<Ears>);

/// Who hears what is reported.
#[derive(Default)]
struct Ears {
    recorder: OnceLock<Recorder>,
    listeners: RwLock<Vec<Box<Listener>>>,
    /// Whether there is one.
    is_heard: AtomicBool,
}

type Listener = dyn Fn(&Event) + Send + Sync;

impl std::fmt::Debug for Ears {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ears").field("recorder", &self.recorder).finish_non_exhaustive()
    }
}

impl AuditPort {
    /// Records what happened. Never waits: what finds no room in the queue is counted, and a record says
    /// how many were left out. The event is only made where somebody hears it.
    pub fn record(&self, event: impl FnOnce() -> Event) {
        match (self.0.is_heard.load(Relaxed), self.0.recorder.get()) {
            (true, recorder) => {
                let event = event();
                let listeners = self.0.listeners.read().unwrap_or_else(PoisonError::into_inner);
                listeners.iter().for_each(|listener| listener(&event));
                if let Some(recorder) = recorder {
                    recorder.record(|| event);
                }
            }
            (false, Some(recorder)) => recorder.record(event),
            (false, None) => {}
        }
    }

    /// Has that hear of everything, too, on the thread that reports it: it must not wait, nor report anything.
    pub fn listen(&self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        let mut listeners = self.0.listeners.write().unwrap_or_else(PoisonError::into_inner);
        listeners.push(Box::new(listener));
        self.0.is_heard.store(true, Relaxed);
    }
}

/// The audit log of a running node.
#[derive(Debug)]
pub struct AuditLog {
    port: AuditPort,
    words: SyncSender<Word>,
    thread: JoinHandle<()>,
}

impl AuditLog {
    /// Takes the folder for this process, goes on where its files end, and hears what is reported to the
    /// port from then on.
    pub fn start(folder: &Path, options: BookOptions, port: &AuditPort) -> io::Result<Self> {
        let disk = FileDisk::open(folder)?;
        let (book, found) = Book::open(disk, options, now())?;
        if let Some(found) = found {
            tracing::warn!(found, "the audit log goes on in a new file");
        }
        let (words, next) = sync_channel(QUEUE);
        let (waiting, missed) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let recorder = Recorder {
            words: words.clone(),
            waiting: Arc::clone(&waiting),
            missed: Arc::clone(&missed),
        };
        let budget = Budget::default();
        let clerk = Clerk { book, waiting, missed, budget, rationed: 0, told: 0, fails: false };
        let thread =
            std::thread::Builder::new().name("audit".to_owned()).spawn(move || clerk.run(&next))?;
        if port.0.recorder.set(recorder).is_err() {
            return Err(io::Error::other("the port has an audit log already"));
        }
        Ok(Self { port: port.clone(), words, thread })
    }

    /// The port it hears.
    pub fn port(&self) -> &AuditPort {
        &self.port
    }

    /// Writes what was reported until now, and ends.
    pub fn close(self) {
        // It is gone only when it ended in a panic, which its own thread has told.
        if self.words.send(Word::Close).is_ok() {
            drop(self.thread.join());
        }
    }
}

/// The owner of the files.
struct Clerk<D: Disk> {
    book: Book<D>,
    waiting: Arc<AtomicUsize>,
    /// Records that found no room in the queue.
    missed: Arc<AtomicU64>,
    budget: Budget,
    /// Refusals beyond what a second may have.
    rationed: u64,
    /// The second in which it was last told what is missing, and the disk last synced.
    told: u64,
    /// The disk has failed and that was told.
    fails: bool,
}

impl<D: Disk> Clerk<D> {
    fn run(mut self, words: &Receiver<Word>) {
        loop {
            let word = match words.recv_timeout(LATER) {
                Ok(word) => Some(word),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Word::Close),
            };
            // What the disk has not taken goes first: until then nothing new is.
            if self.book.is_pending() {
                self.write(false);
            }
            let open = self.take(word, words);
            // Whoever is refused without end makes the disk sync once a second, and no more often.
            let is_due = !open || now().seconds() != self.told;
            if is_due {
                self.tell_what_is_missing();
            }
            self.write(is_due);
            if !open {
                return;
            }
        }
    }

    /// Takes that word and those that wait behind it; false behind the last.
    fn take(&mut self, word: Option<Word>, words: &Receiver<Word>) -> bool {
        for word in word.into_iter().chain(words.try_iter()).take(BATCH) {
            match word {
                Word::Event(time, event) => {
                    self.waiting.fetch_sub(1, Relaxed);
                    self.add(time, &event);
                }
                Word::Close => return false,
            }
        }
        true
    }

    fn add(&mut self, time: Moment, event: &Event) {
        if self.fails {
            self.missed.fetch_add(1, Relaxed);
        } else if self.budget.takes(time, event) {
            self.book.append(time, event);
        } else {
            self.rationed += 1;
        }
    }

    /// Silence would look as if nothing had been left out.
    fn tell_what_is_missing(&mut self) {
        self.told = now().seconds();
        if self.fails {
            return;
        }
        let missed = self.missed.swap(0, Relaxed);
        let rationed = std::mem::take(&mut self.rationed);
        for (count, why) in [
            (missed, "that the queue or the disk had no room for"),
            (rationed, "beyond what is written of them in a second"),
        ] {
            if count > 0 {
                let because = format!("{count} records {why}");
                self.book.append(now(), &Event::failed(Kind::Audit, "left_out", because));
            }
        }
    }

    fn write(&mut self, and_sync: bool) {
        let written = self.book.write(now());
        match written.and_then(|()| if and_sync { self.book.sync() } else { Ok(()) }) {
            Ok(()) => self.fails = false,
            Err(error) if self.fails => {
                tracing::debug!(%error, "the audit log is still not written");
            }
            Err(error) => {
                self.fails = true;
                tracing::error!(%error, "the audit log cannot be written; make room for it");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a record says when, and this is the shell")]
fn now() -> Moment {
    // A clock before 1970 is told as 1970.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
