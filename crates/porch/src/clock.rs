//! The one place of a node that reads the clock.

use std::time::{SystemTime, UNIX_EPOCH};

use plexus_types::Instant;

/// The node's clock: it begins at the system's time, or at the newest time that the log tells if
/// that is later, and then only goes forward. All threads of a node share it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: std::time::Instant,
    began: Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that hands time to everybody else"
)]
impl Clock {
    /// Starts it; `newest` is the newest time that the log tells.
    pub fn start(newest: Instant) -> Self {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: std::time::Instant::now(), began: newest.max(Instant::ZERO + system) }
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.began + self.start.elapsed()
    }

    /// The moment that the system's clock, which may have been set meanwhile, calls so: as far away by this
    /// one as it is by that.
    pub fn of_system(&self, moment: Instant) -> Instant {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.now() + moment.saturating_since(Instant::ZERO + system)
    }
}
