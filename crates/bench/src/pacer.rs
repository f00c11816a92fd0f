//! Wakes the loop when the next message is due: the loop's own wait counts in milliseconds only.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use mio::Waker;
use plexus_types::Instant;

use crate::clock::Clock;

/// A thread that wakes the loop at the times of a schedule until it is dropped.
#[derive(Debug)]
pub(crate) struct Pacer {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Pacer {
    /// Wakes at once and then whenever `after` says, given the time of the last wake-up, as long as it
    /// says something.
    pub(crate) fn start(
        waker: Arc<Waker>,
        clock: Clock,
        after: impl Fn(Instant) -> Option<Instant> + Send + 'static,
    ) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let mut next = Some(clock.now());
            while let Some(due) = next.filter(|_| !stop.load(Ordering::Relaxed)) {
                let now = clock.now();
                if now < due {
                    thread::park_timeout(due.saturating_since(now));
                    continue;
                }
                waker.wake()?;
                next = after(now);
            }
            Ok(())
        });
        Self { stopped, thread: Some(thread) }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A failed wake-up shows as a stalled run; there is nobody left to tell here.
            let _ = thread.join();
        }
    }
}
