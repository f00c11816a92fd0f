use std::time::Duration;

use plexus_stdx::Seed;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that stood as long was a good one, even if nothing came over it.
const QUIET: Duration = Duration::from_mins(5);
/// Short connections, one after the other, that look as if two clients took them from each other.
const QUICK_ROUNDS: u32 = 3;

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

/// Connections that broke soon after the broker had begun to work on them.
#[derive(Debug, Default)]
pub(crate) struct QuickRounds(u32);

impl QuickRounds {
    /// Counts a connection; whether there are now so many that another client may be the reason:
    /// before MQTT 5.0 a session that is taken over ends without a word.
    pub(crate) fn add(&mut self, stood: Duration, cut_after_answer: bool) -> bool {
        self.0 = if cut_after_answer && stood < LONGEST { self.0 + 1 } else { 0 };
        self.0 == QUICK_ROUNDS
    }
}

/// Whether a connection was of use: a message that comes at once may be one of those that come at
/// each beginning, and an answer comes also to who is thrown out right behind it.
pub(crate) fn was_of_use(stood: Duration, message_came: bool) -> bool {
    stood >= if message_came { LONGEST } else { QUIET }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_stdx::Seed;

    use super::{Backoff, FIRST, LONGEST, QUIET, QuickRounds, was_of_use};

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

    #[test]
    fn only_a_connection_that_stood_was_of_use() {
        let short = LONGEST.checked_sub(Duration::from_millis(1)).unwrap();
        assert!(!was_of_use(short, true) && was_of_use(LONGEST, true));
        assert!(!was_of_use(LONGEST, false) && was_of_use(QUIET, false));
    }

    #[test]
    fn a_few_quick_rounds_are_told_once() {
        let mut rounds = QuickRounds::default();
        let mut told =
            |cuts: &[bool]| cuts.iter().map(|cut| rounds.add(FIRST, *cut)).collect::<Vec<_>>();
        assert_eq!(told(&[true, true, true, true]), [false, false, true, false]);
        assert_eq!(told(&[false, true, true]), [false; 3]);
        assert!(!rounds.add(LONGEST, true) && !rounds.add(FIRST, true));
    }
}
