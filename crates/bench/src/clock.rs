//! The one clock of the load generator.

use std::time::{Duration, SystemTime};

use plexus_types::Instant;

/// Begins at the system's time and then only goes forward, so that stamps of two generators can be
/// compared.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    begin: std::time::Instant,
    epoch: Duration,
}

impl Clock {
    /// Reads the system's time once.
    #[expect(clippy::disallowed_methods, reason = "a load generator is a shell: it owns a clock")]
    pub(crate) fn start() -> Self {
        let epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { begin: std::time::Instant::now(), epoch }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Instant {
        let nanos = (self.epoch + self.begin.elapsed()).as_nanos();
        Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}
