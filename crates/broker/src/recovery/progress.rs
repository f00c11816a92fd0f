//! Tells the operator how far reading the log has come, when it takes long.

use std::time::Duration;

use plexus_types::Instant;

/// How long it is silent at first, and how often it speaks.
const PERIOD: Duration = Duration::from_secs(1);

/// The clock is the caller's.
pub struct Progress {
    now: Box<dyn FnMut() -> Instant + Send>,
    told: Instant,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Progress {
    /// Reading begins now.
    pub fn new(mut now: impl FnMut() -> Instant + Send + 'static) -> Self {
        let told = now();
        Self { now: Box::new(now), told }
    }

    /// So many bytes of how many have been read.
    pub(super) fn note(&mut self, done: u64, total: u64) {
        if self.is_due() {
            let percent = done * 100 / total.max(1);
            tracing::info!(percent, bytes = done, of = total, "reading the log");
        }
    }

    pub(super) fn is_due(&mut self) -> bool {
        let now = (self.now)();
        let due = now.saturating_since(self.told) >= PERIOD;
        if due {
            self.told = now;
        }
        due
    }
}
