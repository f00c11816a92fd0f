//! The deadlines of a session: one enum, one array.

use plexus_types::Instant;

/// What a deadline is for; due ones fire in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Nothing was heard for too long.
    KeepAlive,
    /// The Will Delay Interval is over.
    WillDelay,
    /// The Session Expiry Interval is over.
    SessionExpiry,
    /// What the client showed when it was let in holds no longer.
    Authorization,
}

const ALL: [Timer; 4] =
    [Timer::KeepAlive, Timer::WillDelay, Timer::SessionExpiry, Timer::Authorization];

/// One deadline per [`Timer`]; one that is not armed lies in the far future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timers([Instant; ALL.len()]);

impl Timers {
    pub(crate) const fn new() -> Self {
        Self([Instant::FAR_FUTURE; ALL.len()])
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        *self.slot(timer) = at;
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        *self.slot(timer) = Instant::FAR_FUTURE;
    }

    /// The first timer that is due, stopped.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let due = ALL.into_iter().find(|timer| *self.slot(*timer) <= now)?;
        self.stop(due);
        Some(due)
    }

    /// The next deadline.
    pub(crate) fn next(&self) -> Option<Instant> {
        let [keep_alive, will_delay, session_expiry, authorization] = self.0;
        let due = keep_alive.min(will_delay).min(session_expiry).min(authorization);
        (due != Instant::FAR_FUTURE).then_some(due)
    }

    fn slot(&mut self, timer: Timer) -> &mut Instant {
        let [keep_alive, will_delay, session_expiry, authorization] = &mut self.0;
        match timer {
            Timer::KeepAlive => keep_alive,
            Timer::WillDelay => will_delay,
            Timer::SessionExpiry => session_expiry,
            Timer::Authorization => authorization,
        }
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::Instant;

    use super::{Timer, Timers};

    #[test]
    fn due_timers_fire_once_and_the_next_deadline_is_the_earliest() {
        let mut timers = Timers::new();
        assert_eq!(timers.next(), None);
        timers.set(Timer::SessionExpiry, Instant::from_secs(5));
        timers.set(Timer::WillDelay, Instant::from_secs(5));
        timers.set(Timer::KeepAlive, Instant::from_secs(9));
        assert_eq!(timers.next(), Some(Instant::from_secs(5)));
        assert_eq!(timers.take_due(Instant::from_secs(4)), None);
        assert_eq!(timers.take_due(Instant::from_secs(5)), Some(Timer::WillDelay));
        assert_eq!(timers.take_due(Instant::from_secs(5)), Some(Timer::SessionExpiry));
        assert_eq!(timers.take_due(Instant::from_secs(5)), None);
        timers.stop(Timer::KeepAlive);
        assert_eq!(timers.next(), None);
    }
}
