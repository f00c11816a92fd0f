use std::{num::NonZeroU64, time::Duration};

use plexus_types::Instant;
use proptest::prelude::*;

use super::{Bucket, Rate};

fn rate(amount: u64, per: Duration) -> Rate {
    Rate::new(NonZeroU64::new(amount).unwrap(), per)
}

#[test]
fn what_may_come_at_once_comes_at_once_and_the_rest_evenly() {
    let rate = rate(5, Duration::from_secs(10));
    let mut bucket = Bucket::default();
    let start = Instant::from_secs(1_000);
    let admitted = (0..8).filter(|_| bucket.admit(rate, start)).count();
    assert_eq!(admitted, 5);
    for (seconds, admits) in [(1, false), (2, true), (3, false), (4, true), (13, true)] {
        let now = start + Duration::from_secs(seconds);
        assert_eq!(bucket.admit(rate, now), admits, "after {seconds} s");
    }
    let later = start + Duration::from_hours(1);
    assert!(bucket.is_full(later));
    assert_eq!(
        (0..8).filter(|_| bucket.admit(rate, later)).count(),
        5,
        "no more than that is saved"
    );
}

#[test]
fn what_is_owed_delays_the_next() {
    let rate = rate(1_000, Duration::from_secs(1));
    let now = Instant::from_secs(7);
    let mut bucket = Bucket::default();
    assert_eq!(bucket.take(rate, now, 10_000), now + Duration::from_millis(9_001));
    assert!(!bucket.admit(rate, now + Duration::from_secs(9)));
    assert!(bucket.admit(rate, now + Duration::from_millis(9_001)));
}

#[test]
fn the_largest_numbers_wait_for_ever_and_do_not_wrap() {
    let rate = rate(1, Duration::from_secs(u64::MAX));
    let mut bucket = Bucket::default();
    assert_eq!(bucket.take(rate, Instant::ZERO, u64::MAX), Instant::ZERO);
    let now = Instant::from_secs(1);
    assert_eq!(Bucket::full_from(bucket.full_at()), bucket);
    assert_eq!(bucket.full_at(), Instant::FAR_FUTURE);
    assert!(!bucket.is_full(now));
}

proptest! {
    /// However they come: in no time more is admitted than what may come at once and what that time brings.
    #[test]
    fn no_stretch_of_time_has_more_than_its_rate(
        amount in 1_u64..50,
        millis in 1_u64..5_000,
        steps in prop::collection::vec(0_u64..400, 1..200),
    ) {
        let rate = rate(amount, Duration::from_millis(millis));
        let mut bucket = Bucket::default();
        let mut now = Instant::from_secs(50);
        let mut admitted = Vec::new();
        for step in steps {
            now = now + Duration::from_millis(step);
            if bucket.admit(rate, now) {
                admitted.push(now);
            }
        }
        let one = rate.nanos_of(1);
        for (first, from) in admitted.iter().enumerate() {
            for (last, to) in admitted.iter().enumerate().skip(first) {
                let count = (last - first + 1) as u64;
                let passed = to.saturating_since(*from) + rate.per();
                prop_assert!(u128::from(count * one) <= passed.as_nanos());
            }
        }
    }

    /// Nobody is refused for longer than what he has taken lasts.
    #[test]
    fn who_waits_as_long_as_told_is_admitted(taken in 0_u64..1_000, amount in 1_u64..100) {
        let rate = rate(amount, Duration::from_secs(1));
        let now = Instant::from_secs(9);
        let mut bucket = Bucket::default();
        let next = bucket.take(rate, now, taken);
        let mut at_once = bucket;
        prop_assert_eq!(at_once.admit(rate, now), next <= now);
        prop_assert!(bucket.admit(rate, next.max(now)));
    }
}
