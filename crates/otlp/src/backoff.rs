use std::time::Duration;

use plexus_stdx::Seed;

/// The first wait, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);
/// What a collector may ask for at most; the least is the first wait.
const ASKED_MAX: Duration = Duration::from_mins(1);

/// How long a request waits that was not taken: twice as long each time, and never as long as another node's.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
    /// What is left for waits.
    patience: Duration,
}

impl Backoff {
    /// The waits together are no longer than `patience`.
    pub(crate) const fn new(patience: Duration) -> Self {
        Self { next: FIRST, patience }
    }

    /// The wait before it is tried again: what the collector asked for, or between half and all of what is due. None
    /// when it is given up.
    pub(crate) fn next(&mut self, asked: Option<Duration>, draw: &mut Seed) -> Option<Duration> {
        let due = self.next;
        self.next = (due * 2).min(LONGEST);
        let wait = asked.map_or_else(
            || {
                let half = due / 2;
                let millis = usize::try_from(half.as_millis()).unwrap_or(usize::MAX);
                half + Duration::from_millis(draw.below(millis) as u64)
            },
            |asked| asked.clamp(FIRST, ASKED_MAX),
        );
        self.patience = self.patience.checked_sub(wait)?;
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_stdx::Seed;

    use super::Backoff;

    #[test]
    fn waits_grow_and_end() {
        let (mut backoff, mut draw) = (Backoff::new(Duration::from_mins(1)), Seed::new(1));
        let waits: Vec<_> =
            std::iter::from_fn(|| backoff.next(None, &mut draw)).map(|it| it.as_millis()).collect();
        let bounds = [500..=1_000, 1_000..=2_000, 2_000..=4_000, 4_000..=8_000, 8_000..=16_000];
        for (wait, bound) in waits.iter().zip(bounds) {
            assert!(bound.contains(wait), "{waits:?}");
        }
        assert!((5..=7).contains(&waits.len()), "{waits:?}");
        assert!(waits.iter().sum::<u128>() <= 60_000);
    }

    #[test]
    fn what_is_asked_for_is_kept_to_within_bounds() {
        let (mut backoff, mut draw) = (Backoff::new(Duration::from_mins(1)), Seed::new(1));
        let ask = |backoff: &mut Backoff, draw: &mut Seed, seconds| {
            backoff.next(Some(Duration::from_secs(seconds)), draw)
        };
        assert_eq!(ask(&mut backoff, &mut draw, 7), Some(Duration::from_secs(7)));
        assert_eq!(ask(&mut backoff, &mut draw, 0), Some(Duration::from_secs(1)), "no flood");
        assert_eq!(ask(&mut backoff, &mut draw, u64::MAX), None, "it is not waited for");
        let mut other = Backoff::new(Duration::from_mins(1));
        assert_eq!(ask(&mut other, &mut draw, u64::MAX), Some(Duration::from_mins(1)));
    }
}
