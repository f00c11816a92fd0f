use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of the spans, data points or records that there were. Any thread may add.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// The collector has taken them.
    pub(crate) sent: AtomicU64,
    /// They found no room, or nobody took them in time.
    pub(crate) lost: AtomicU64,
    /// The collector would not have them.
    pub(crate) refused: AtomicU64,
}

impl Tally {
    pub(crate) fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Relaxed);
    }

    pub(crate) fn send(&self, count: u64, refused: u64) {
        self.sent.fetch_add(count.saturating_sub(refused), Relaxed);
        self.refused.fetch_add(refused.min(count), Relaxed);
    }

    pub(crate) fn refuse(&self, count: u64) {
        self.refused.fetch_add(count, Relaxed);
    }

    /// Sent, lost and refused.
    pub(crate) fn read(&self) -> [u64; 3] {
        [&self.sent, &self.lost, &self.refused].map(|number| number.load(Relaxed))
    }
}
