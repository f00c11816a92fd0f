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
    pub fn note(&mut self, done: u64, total: u64) {
        if let Some(percent) = self.percent_due(done, total) {
            tracing::info!(percent, bytes = done, of = total, "reading the log");
        }
    }

    /// How much that is of all, if it is time to say so.
    pub fn percent_due(&mut self, done: u64, total: u64) -> Option<u64> {
        let now = (self.now)();
        if now.saturating_since(self.told) < PERIOD {
            return None;
        }
        self.told = now;
        Some(done.saturating_mul(100) / total.max(1))
    }
}
