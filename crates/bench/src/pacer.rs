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
    /// Wakes at once and then whenever `after` says, given the time of the last wake-up. When it says
    /// nothing, nobody is woken until [`Self::ask_again`].
    pub(crate) fn start(
        waker: Arc<Waker>,
        clock: Clock,
        after: impl Fn(Instant) -> Option<Instant> + Send + 'static,
    ) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            let mut woken = clock.now();
            waker.wake()?;
            while !stop.load(Ordering::Acquire) {
                let Some(due) = after(woken) else {
                    thread::park();
                    continue;
                };
                let now = clock.now();
                if now < due {
                    thread::park_timeout(due.saturating_since(now));
                } else {
                    woken = now;
                    waker.wake()?;
                }
            }
            Ok(())
        });
        Self { stopped, thread: Some(thread) }
    }

    /// What is due next has changed.
    pub(crate) fn ask_again(&self) {
        self.thread.iter().for_each(|thread| thread.thread().unpark());
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A failed wake-up shows as a stalled run; there is nobody left to tell here.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll, Token};

    use super::*;

    #[test]
    fn a_pacer_that_has_nothing_to_wait_for_rests_until_it_is_asked() {
        let mut poll = Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), Token(0)).unwrap());
        let wanted = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&wanted);
        // As soon as it is wanted, each wake-up is due at once.
        let after = move |woken| asked.swap(false, Ordering::AcqRel).then_some(woken);
        let pacer = Pacer::start(waker, Clock::start(), after);
        let mut events = Events::with_capacity(1);
        for _ in 0..3 {
            poll.poll(&mut events, None).unwrap();
            assert!(!events.is_empty());
            wanted.store(true, Ordering::Release);
            pacer.ask_again();
        }
    }
}
