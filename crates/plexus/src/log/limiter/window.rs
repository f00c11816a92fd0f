//! How many lines each place may write.

use std::{fmt, hash::Hash, time::Duration};

use plexus_stdx::{HashMap, Seed};
use tracing::Metadata;

/// Lines of one place in one window.
const LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// A place in the program that logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    target: &'static str,
    line: u32,
}

impl Place {
    pub(super) fn of(metadata: &Metadata<'static>) -> Self {
        Self { target: metadata.target(), line: metadata.line().unwrap_or_default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.target, self.line)
    }
}

/// Counts lines by the place that writes them. There are as many places as the program has.
#[derive(Debug)]
pub(super) struct Limiter<K> {
    places: HashMap<K, Window>,
    swept: Duration,
}

#[derive(Debug)]
struct Window {
    place: Place,
    began: Duration,
    lines: u32,
    left_out: u32,
}

impl<K: Hash + Eq> Limiter<K> {
    pub(super) fn new() -> Self {
        Self { places: Seed::new(0).map(), swept: Duration::ZERO }
    }

    /// Whether the line may be written.
    pub(super) fn admit(&mut self, now: Duration, key: K, place: impl FnOnce() -> Place) -> bool {
        let window = self.places.entry(key).or_insert_with(|| Window {
            place: place(),
            began: now,
            lines: 0,
            left_out: 0,
        });
        if now.saturating_sub(window.began) >= WINDOW {
            window.began = now;
            window.lines = 0;
        }
        if window.lines < LINES {
            window.lines += 1;
            return true;
        }
        window.left_out = window.left_out.saturating_add(1);
        false
    }

    /// What was left out in windows that are over; looked for once a window.
    pub(super) fn due(&mut self, now: Duration) -> Vec<(Place, u32)> {
        if now.saturating_sub(self.swept) < WINDOW {
            return Vec::new();
        }
        self.swept = now;
        let over = self
            .places
            .values_mut()
            .filter(|window| window.left_out > 0 && now.saturating_sub(window.began) >= WINDOW);
        over.map(|window| (window.place, std::mem::take(&mut window.left_out))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LINES, Limiter, Place};

    const PLACE: Place = Place { target: "net", line: 7 };

    #[test]
    fn a_flood_is_its_first_lines_and_a_count() {
        let mut limiter = Limiter::new();
        let at = Duration::from_millis;
        let written = (0..100).filter(|_| limiter.admit(at(5), 'a', || PLACE)).count();
        assert_eq!(written, LINES as usize);
        assert!(limiter.admit(at(6), 'b', || PLACE), "another place has lines of its own");
        assert_eq!(limiter.due(at(900)), []);
        assert_eq!(limiter.due(at(1_100)), [(PLACE, 100 - LINES)]);
        assert!(limiter.admit(at(1_100), 'a', || PLACE), "a new window begins");
        assert_eq!(limiter.due(at(5_000)), []);
    }

    #[test]
    fn a_flood_that_goes_on_is_counted_again_and_again() {
        let mut limiter = Limiter::new();
        let mut counted = 0;
        let mut written = 0;
        for millis in 0..10_000 {
            let now = Duration::from_millis(millis);
            counted += limiter.due(now).iter().map(|(_, count)| count).sum::<u32>();
            written += u32::from(limiter.admit(now, 'a', || PLACE));
        }
        counted += limiter.due(Duration::from_secs(20)).iter().map(|(_, count)| count).sum::<u32>();
        assert_eq!(written, 10 * LINES);
        assert_eq!(written + counted, 10_000);
    }
}
