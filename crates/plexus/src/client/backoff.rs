use std::time::Duration;

use plexus_stdx::Seed;

const FIRST: Duration = Duration::from_millis(500);
/// The longest wait; a connection that stood as long counts as a good one.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait before the next attempt: twice as long each time, and never the same for two
/// clients, so that they do not all come back in one moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    seed: Seed,
}

impl Backoff {
    pub(crate) const fn new(seed: Seed) -> Self {
        Self { next: FIRST, seed }
    }

    /// The connection was of use: the next one that is lost is a new beginning.
    pub(crate) const fn reset(&mut self) {
        self.next = FIRST;
    }

    /// Between half of the time and all of it.
    pub(crate) fn wait(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(LONGEST);
        let half = whole / 2;
        let millis = usize::try_from(half.as_millis()).unwrap_or(usize::MAX);
        half + Duration::from_millis(self.seed.below(millis + 1) as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_stdx::Seed;

    use super::{Backoff, FIRST, LONGEST};

    #[test]
    fn the_wait_doubles_up_to_a_limit_and_begins_anew_after_success() {
        let mut backoff = Backoff::new(Seed::new(1));
        let mut whole = FIRST;
        for _ in 0..20 {
            let wait = backoff.wait();
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.wait() <= FIRST);
    }

    #[test]
    fn two_clients_wait_differently() {
        let waits = |seed| {
            let mut backoff = Backoff::new(Seed::new(seed));
            (0..8).map(|_| backoff.wait()).collect::<Vec<Duration>>()
        };
        assert_ne!(waits(1), waits(2));
    }
}
