//! The one place of the broker that reads the clock.

use plexus_types::Instant;

/// The node's monotonic clock; all threads of a node share its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: std::time::Instant,
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that hands time to everybody else"
)]
impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: std::time::Instant::now() }
    }

    pub(crate) fn now(&self) -> Instant {
        let nanos = self.start.elapsed().as_nanos();
        // One nanosecond after zero at least, so that "now" is never the start itself.
        Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX).max(1))
    }
}
