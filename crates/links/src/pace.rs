//! How many threads there is work for. Pure.

use std::time::Duration;

use plexus_types::Instant;

/// The time that is looked back on: long enough to be more than one burst, short enough that clients
/// hardly notice that one thread is not enough.
const WINDOW: Duration = Duration::from_millis(20);
/// More threads when those that are active were busy for so many per cent of it.
const BUSY: u128 = 80;
/// Fewer when half of them would be busy for less than so many, and that for so long. Fewer threads have
/// less to do, because they wake less often: what keeps two busy for 66 per cent of one is 45 for one.
const CALM: u128 = 65;
const PATIENCE: Duration = Duration::from_secs(1);

/// Who says how many.
#[derive(Debug)]
pub enum Pace {
    /// As the load asks for.
    ByLoad(Load),
    /// One more each time, and again from one on.
    Restless,
}

impl Pace {
    /// By what that many threads have had to do.
    pub const fn by_load(now: Instant, threads: usize) -> Self {
        Self::ByLoad(Load::new(now, threads))
    }
}

/// What the threads have had to do.
#[derive(Debug)]
pub struct Load {
    /// Since when, and how long the threads together had been busy then.
    since: Instant,
    busy: Duration,
    calm_since: Option<Instant>,
    threads: usize,
}

impl Load {
    const fn new(now: Instant, threads: usize) -> Self {
        Self { since: now, busy: Duration::ZERO, calm_since: None, threads }
    }

    /// How many threads are to be active, if not as many as are. `busy` is for how long all of them
    /// have been so far.
    pub fn adjust(&mut self, now: Instant, busy: Duration, active: usize) -> Option<usize> {
        let span = now.saturating_since(self.since).as_nanos();
        if span < WINDOW.as_nanos() {
            return None;
        }
        let load = busy.saturating_sub(self.busy).as_nanos() * 100 / span;
        (self.since, self.busy) = (now, busy);
        let half = active.div_ceil(2);
        if active < self.threads && load > BUSY * active as u128 {
            self.calm_since = None;
            return Some((2 * active).min(self.threads));
        }
        if active == 1 || load > CALM * half as u128 {
            self.calm_since = None;
            return None;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if now.saturating_since(calm_since) < PATIENCE {
            return None;
        }
        self.calm_since = None;
        Some(half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is decided when the threads are busy for so many per cent of one, for so many windows.
    fn decided(pace: &mut Load, at: &mut (Instant, Duration, usize), load: u32, windows: usize) {
        for _ in 0..windows {
            at.0 = at.0 + WINDOW;
            at.1 += WINDOW * load / 100;
            if let Some(active) = pace.adjust(at.0, at.1, at.2) {
                at.2 = active;
            }
        }
    }

    #[test]
    fn threads_come_at_once_and_go_after_a_while() {
        let begin = Instant::from_secs(1);
        let (mut pace, mut at) = (Load::new(begin, 6), (begin, Duration::ZERO, 6));
        decided(&mut pace, &mut at, 5, 40);
        assert_eq!(at.2, 6, "it may be a pause");
        decided(&mut pace, &mut at, 5, 200);
        assert_eq!(at.2, 1);
        decided(&mut pace, &mut at, 50, 100);
        assert_eq!(at.2, 1);
        for (load, active) in [(95, 2), (190, 4), (350, 6), (600, 6)] {
            decided(&mut pace, &mut at, load, 1);
            assert_eq!(at.2, active, "at {load} per cent");
        }
        // What three would be busy with for two thirds of their time stays with six.
        decided(&mut pace, &mut at, 200, 200);
        assert_eq!(at.2, 6);
        decided(&mut pace, &mut at, 90, 60);
        assert_eq!(at.2, 3);
    }

    #[test]
    fn nothing_is_decided_within_a_window() {
        let begin = Instant::from_secs(1);
        let mut pace = Load::new(begin, 2);
        let busy = Duration::from_millis(19);
        assert_eq!(pace.adjust(begin + busy, busy, 1), None);
        assert_eq!(pace.adjust(begin + WINDOW, busy, 1), Some(2));
    }
}
