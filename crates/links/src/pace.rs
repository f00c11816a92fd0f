//! How many threads there is work for. Pure.

use std::time::Duration;

use plexus_types::Instant;

/// The time that is looked back on: long enough to be more than one burst, short enough that clients
/// hardly notice that one thread is not enough.
const WINDOW: Duration = Duration::from_millis(20);
/// More threads when those that are active were busy for so many per cent of it.
const BUSY: u128 = 80;
/// Fewer when half of them would be busy for less than so many, and that for so long. Fewer threads have
/// less to do, because they wake less often: what keeps two busy for 66 per cent of one is 45 for one, while nobody is
/// woken for one message. How much less cannot be known before it is tried: where it was too few, it is tried
/// again after twice the time.
const CALM: u128 = 130;
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_MAX: Duration = Duration::from_secs(64);
/// What has held for so long was no mistake.
const PROVED: Duration = Duration::from_secs(2);

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
    /// How long it has to be calm.
    patience: Duration,
    /// When there were made fewer, until that has proved right.
    tried: Option<Instant>,
    threads: usize,
}

impl Load {
    const fn new(now: Instant, threads: usize) -> Self {
        let (calm_since, patience, tried) = (None, PATIENCE, None);
        Self { since: now, busy: Duration::ZERO, calm_since, patience, tried, threads }
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
        if self.tried.is_some_and(|tried| now.saturating_since(tried) >= PROVED) {
            (self.tried, self.patience) = (None, PATIENCE);
        }
        if active < self.threads && load > BUSY * active as u128 {
            self.calm_since = None;
            if self.tried.take().is_some() {
                self.patience = (2 * self.patience).min(PATIENCE_MAX);
            }
            return Some((2 * active).min(self.threads));
        }
        if active == 1 || load > CALM * half as u128 {
            self.calm_since = None;
            return None;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if now.saturating_since(calm_since) < self.patience {
            return None;
        }
        (self.calm_since, self.tried) = (None, Some(now));
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
        // What is more than three can do, though they have to do less, stays with six.
        decided(&mut pace, &mut at, 400, 200);
        assert_eq!(at.2, 6);
        decided(&mut pace, &mut at, 90, 60);
        assert_eq!(at.2, 3);
    }

    #[test]
    fn what_was_too_few_is_tried_less_and_less_often() {
        let begin = Instant::from_secs(1);
        let (mut pace, mut at) = (Load::new(begin, 2), (begin, Duration::ZERO, 2));
        // They take no less when they are fewer.
        let mut seconds = Vec::new();
        for second in 0..60 {
            for _ in 0..50 {
                let before = at.2;
                decided(&mut pace, &mut at, 83, 1);
                if at.2 < before {
                    seconds.push(second);
                }
            }
        }
        assert_eq!(seconds, [1, 3, 7, 15, 31]);
        // Calm lasts: the next time it is tried at once.
        decided(&mut pace, &mut at, 20, 64 * 50);
        assert_eq!(at.2, 1);
        decided(&mut pace, &mut at, 20, 150);
        decided(&mut pace, &mut at, 90, 1);
        assert_eq!(at.2, 2);
        decided(&mut pace, &mut at, 20, 60);
        assert_eq!(at.2, 1);
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
