//! A back end that fails is left alone for a while, so that nobody waits for it in vain.

use std::time::Duration;

use plexus_types::Instant;

/// Failures in a row that count as "it is down".
const FAILURES: u32 = 5;
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(30);

/// ```text
///  closed ──5 failures in a row──▶ open ──rest over──▶ one is let through ──success──▶ closed
///                                   ▲                        │
///                                   └──failure, rest doubled─┘
/// ```
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    rest: Duration,
    /// Nobody is let through before.
    until: Option<Instant>,
    /// Whether one was let through to see.
    probing: bool,
}

impl Breaker {
    /// Whether somebody may ask now.
    pub(crate) fn lets_through(&mut self, now: Instant) -> bool {
        match self.until {
            None => true,
            Some(until) if now < until || self.probing => false,
            Some(_) => {
                self.probing = true;
                true
            }
        }
    }

    /// An answer came, whatever it said; whether that ends a rest.
    pub(crate) fn succeed(&mut self) -> bool {
        std::mem::take(self).until.is_some()
    }

    /// No answer came; whether a rest begins.
    pub(crate) fn fail(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let open = self.until.is_some();
        if self.failures < FAILURES || (open && !self.probing) {
            return false;
        }
        self.probing = false;
        self.rest = (self.rest * 2).clamp(REST_MIN, REST_MAX);
        self.until = Some(now + self.rest);
        !open
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_types::Instant;

    use super::{Breaker, FAILURES, REST_MAX};

    fn broken(breaker: &mut Breaker, now: Instant) {
        for _ in 0..FAILURES {
            assert!(breaker.lets_through(now));
            breaker.fail(now);
        }
    }

    #[test]
    fn after_failures_in_a_row_it_rests_and_then_one_tries() {
        let (mut breaker, now) = (Breaker::default(), Instant::from_secs(100));
        broken(&mut breaker, now);
        assert!(!breaker.lets_through(now));
        let later = now + Duration::from_secs(1);
        assert!(breaker.lets_through(later), "one tries");
        assert!(!breaker.lets_through(later), "and only one");
        assert!(breaker.succeed());
        assert!(breaker.lets_through(later) && breaker.lets_through(later));
        assert!(!breaker.succeed(), "it was not resting any more");
    }

    #[test]
    fn the_rest_doubles_up_to_a_limit() {
        let (mut breaker, mut now) = (Breaker::default(), Instant::from_secs(100));
        broken(&mut breaker, now);
        let mut rests = Vec::new();
        for _ in 0..7 {
            let from = now;
            while !breaker.lets_through(now) {
                now = now + Duration::from_millis(500);
            }
            rests.push(now.saturating_since(from).as_secs());
            breaker.fail(now);
        }
        assert_eq!(rests, [1, 2, 4, 8, 16, 30, REST_MAX.as_secs()]);
    }

    #[test]
    fn answers_between_failures_keep_it_closed() {
        let (mut breaker, now) = (Breaker::default(), Instant::from_secs(1));
        for _ in 0..20 {
            breaker.fail(now);
            breaker.fail(now);
            breaker.succeed();
        }
        assert!(breaker.lets_through(now));
    }

    #[test]
    fn failures_of_those_who_were_under_way_do_not_prolong_the_rest() {
        let (mut breaker, now) = (Breaker::default(), Instant::from_secs(1));
        broken(&mut breaker, now);
        for _ in 0..50 {
            assert!(!breaker.fail(now));
        }
        assert!(breaker.lets_through(now + Duration::from_secs(1)));
    }
}
