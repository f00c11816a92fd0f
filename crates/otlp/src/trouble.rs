use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use plexus_types::Instant;

use crate::collector::Signal;

/// Trouble is told no more often than that.
const PAUSE: Duration = Duration::from_mins(1);

/// What the log is told of a collector in trouble: that it began, once, and that it is over.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    told_at: Option<Instant>,
    /// Why, when it was told last.
    why: String,
    /// Signals of which it is known that they fail.
    failing: [bool; 3],
}

impl Trouble {
    /// A request has failed. Whether that is news.
    pub(crate) fn begins(&self, now: Instant, signal: Signal, why: &str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { told_at, why: last, failing } = &mut *state;
        let is_same = failing.contains(&true) && *last == why;
        let is_soon = told_at.is_some_and(|at| now.saturating_since(at) < PAUSE);
        let Some(known) = failing.get_mut(signal as usize) else { return false };
        if *known || (is_soon && !is_same) {
            return false;
        }
        *known = true;
        if is_same {
            return false;
        }
        *told_at = Some(now);
        why.clone_into(last);
        true
    }

    /// A request was taken. Whether everything is well again, after it was told that it was not.
    pub(crate) fn ends(&self, signal: Signal) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = state.failing.get_mut(signal as usize) else { return false };
        std::mem::take(known) && !state.failing.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::Instant;

    use super::Trouble;
    use crate::collector::Signal::{Logs, Metrics, Traces};

    #[test]
    fn trouble_is_told_once_and_its_end_too() {
        let (trouble, at) = (Trouble::default(), Instant::from_secs);
        assert!(trouble.begins(at(100), Traces, "dead"));
        assert!(!trouble.begins(at(101), Logs, "dead"), "the same of another signal");
        assert!(!trouble.begins(at(900), Traces, "dead"));
        assert!(!trouble.ends(Traces), "the other is still in trouble");
        assert!(!trouble.ends(Metrics));
        assert!(trouble.ends(Logs));
        assert!(!trouble.ends(Logs));
    }

    #[test]
    fn what_comes_and_goes_is_told_once_a_minute() {
        let (trouble, at) = (Trouble::default(), Instant::from_secs);
        let told = (0..600_u64).filter(|second| {
            let told = trouble.begins(at(1_000 + second), Traces, &format!("error {second}"));
            trouble.ends(Traces);
            told
        });
        assert_eq!(told.count(), 10);
        assert!(trouble.begins(at(5_000), Traces, "one"));
        assert!(!trouble.begins(at(5_001), Logs, "two"));
        assert!(trouble.begins(at(5_061), Logs, "two"), "later");
    }
}
