//! The one clock of the load generator.

use plexus_types::Instant;

/// Nanoseconds since the clock was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    /// Starts at zero.
    #[expect(clippy::disallowed_methods, reason = "a load generator is a shell: it owns a clock")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
