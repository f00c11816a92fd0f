//! Wakes the loop when the next message is due: the loop's own wait counts in milliseconds only.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use mio::Waker;
use plexus_types::Instant;

use crate::clock::Clock;

/// A thread that wakes the loop at a fixed rate until it is dropped.
#[derive(Debug)]
pub(crate) struct Pacer {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Pacer {
    /// Wakes at every multiple of `interval` after `begin`.
    pub(crate) fn start(
        waker: Arc<Waker>,
        clock: Clock,
        begin: Instant,
        interval: Duration,
    ) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let mut due = begin;
            while !stop.load(Ordering::Relaxed) {
                let now = clock.now();
                if now < due {
                    thread::park_timeout(due.saturating_since(now));
                    continue;
                }
                waker.wake()?;
                while due <= now {
                    due = due + interval;
                }
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
