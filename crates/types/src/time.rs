use std::{fmt, ops::Add, time::Duration};

/// A moment on the node's clock: nanoseconds since 1970 by a clock that begins at the system's time
/// and then only goes forward. So a moment means the same after a restart, and a step of the system's
/// clock means nothing. Passed in, never read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Instant(u64);

impl Instant {
    /// 1970, before everything.
    pub const ZERO: Self = Self(0);
    /// Later than every moment that is reached.
    pub const FAR_FUTURE: Self = Self(u64::MAX);

    /// The moment that many nanoseconds after 1970.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment that many milliseconds after 1970.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Milliseconds since 1970, as the log keeps it.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The moment that many seconds after 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::FAR_FUTURE`].
    fn add(self, duration: Duration) -> Self {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000_000, self.0 % 1_000_000_000 / 1_000)
    }
}
