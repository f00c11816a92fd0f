//! The one place of the broker that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use plexus_types::Instant;

/// The node's clock: it begins at the system's time, or at the newest time that the log tells if
/// that is later, and then only goes forward. All threads of a node share it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: std::time::Instant,
    began: Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that hands time to everybody else"
)]
impl Clock {
    pub(crate) fn start(newest: Instant) -> Self {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: std::time::Instant::now(), began: newest.max(Instant::ZERO + system) }
    }

    pub(crate) fn now(&self) -> Instant {
        self.began + self.start.elapsed()
    }
}
