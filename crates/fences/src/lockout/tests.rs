use std::{num::NonZeroU64, time::Duration};

use plexus_stdx::Seed;
use plexus_types::Instant;
use proptest::prelude::*;

use super::{Lockout, LockoutOptions};
use crate::{Place, Rate};

const HOME: Option<Place> = Some(Place::V4(1));
const ELSEWHERE: Option<Place> = Some(Place::V4(2));
const ANN: Option<&str> = Some("ann");

fn rate(amount: u64) -> Rate {
    Rate::new(NonZeroU64::new(amount).unwrap(), Duration::from_mins(10))
}

fn options() -> LockoutOptions {
    LockoutOptions {
        free: rate(3),
        free_of_place: rate(6),
        free_of_user: rate(10),
        first: Duration::from_secs(1),
        longest: Duration::from_mins(15),
        entries_max: 2_000,
    }
}

fn lockout() -> Lockout {
    Lockout::new(options(), Seed::new(5))
}

fn at(seconds: u64) -> Instant {
    Instant::from_secs(10_000 + seconds)
}

/// Fails whenever it may until `end`; how often that was.
fn guess(lockout: &mut Lockout, user: &str, place: Option<Place>, end: u64) -> usize {
    let mut guesses = 0;
    for second in 0..end {
        while lockout.locked_until(at(second), Some(user), place).is_none() {
            lockout.note_failure(at(second), Some(user), place);
            guesses += 1;
        }
    }
    guesses
}

#[test]
fn some_failures_are_free_and_then_each_wait_is_twice_as_long() {
    let mut lockout = lockout();
    for _ in 0..3 {
        lockout.note_failure(at(0), ANN, HOME);
        assert_eq!(lockout.locked_until(at(0), ANN, HOME), None);
    }
    let mut now = 0;
    for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900] {
        lockout.note_failure(at(now), ANN, HOME);
        assert_eq!(lockout.locked_until(at(now), ANN, HOME), Some(at(now + wait)));
        now += wait;
        assert_eq!(lockout.locked_until(at(now), ANN, HOME), None);
    }
}

#[test]
fn a_day_of_guessing_is_few_guesses() {
    let mut lockout = lockout();
    assert_eq!(guess(&mut lockout, "ann", HOME, 24 * 60 * 60), 108);
}

#[test]
fn a_success_clears_what_was_wrong_before() {
    let mut lockout = lockout();
    for _ in 0..3 {
        lockout.note_failure(at(0), ANN, HOME);
    }
    lockout.note_success(at(1), ANN, HOME);
    for _ in 0..3 {
        lockout.note_failure(at(2), ANN, HOME);
        assert_eq!(lockout.locked_until(at(2), ANN, HOME), None);
    }
}

#[test]
fn a_stranger_locks_nobody_out_who_comes_from_elsewhere() {
    let mut lockout = lockout();
    for stranger in 100..1_000 {
        guess(&mut lockout, "ann", Some(Place::V4(stranger)), 10);
    }
    assert_eq!(lockout.locked_until(at(10), ANN, HOME), None, "she has never been there before");
    lockout.note_success(at(10), ANN, HOME);
    lockout.note_failure(at(11), ANN, HOME);
    assert_eq!(lockout.locked_until(at(11), ANN, HOME), None, "she has, and may be wrong again");
}

#[test]
fn many_places_have_no_free_failures_of_one_user() {
    let mut lockout = lockout();
    let places = (100..200).map(|number| Some(Place::V4(number)));
    let guesses: usize = places.map(|place| guess(&mut lockout, "ann", place, 1)).sum();
    assert_eq!(guesses, 4 + 4 + 3 + 97, "the tenth is the last that is free");
}

#[test]
fn a_place_that_tries_many_users_is_locked_but_not_for_those_who_were_in() {
    let mut lockout = lockout();
    lockout.note_success(at(0), ANN, HOME);
    for user in 0..7 {
        lockout.note_failure(at(0), Some(&format!("user-{user}")), HOME);
    }
    assert!(lockout.locked_until(at(0), Some("bob"), HOME).is_some());
    assert!(lockout.locked_until(at(0), None, HOME).is_some());
    assert_eq!(lockout.locked_until(at(0), ANN, HOME), None);
    assert_eq!(lockout.locked_until(at(0), Some("bob"), ELSEWHERE), None);
}

#[test]
fn who_leaves_it_alone_for_long_begins_anew() {
    let mut lockout = lockout();
    for _ in 0..6 {
        lockout.note_failure(at(0), ANN, HOME);
    }
    let later = at(4 + 10 * 60);
    lockout.note_failure(later, ANN, HOME);
    assert_eq!(lockout.locked_until(later, ANN, HOME), None);
}

#[test]
fn a_full_table_never_lets_a_locked_one_go() {
    let mut lockout = Lockout::new(LockoutOptions { entries_max: 10, ..options() }, Seed::new(5));
    for _ in 0..14 {
        lockout.note_failure(at(0), ANN, None);
    }
    for user in 0..1_000 {
        lockout.note_failure(at(1), Some(&format!("user-{user}")), None);
    }
    assert!(lockout.locked_until(at(1), ANN, None).is_some());
}

#[test]
fn a_table_full_of_locked_ones_has_nothing_free_for_newcomers() {
    let mut lockout = Lockout::new(LockoutOptions { entries_max: 10, ..options() }, Seed::new(5));
    for user in 0..10 {
        for _ in 0..14 {
            lockout.note_failure(at(0), Some(&format!("user-{user}")), None);
        }
    }
    assert_eq!(guess(&mut lockout, "eve", None, 800), 1, "and waits for as long as there is");
    assert_eq!(lockout.locked_until(at(1), ANN, None), None, "who makes no mistake is let in");
}

proptest! {
    /// Whatever strangers do elsewhere, a user who makes no mistake is never made to wait.
    #[test]
    fn who_makes_no_mistake_never_waits(
        strangers in prop::collection::vec((0_u64..100, 10_u32..20, 0_usize..3), 0..300),
    ) {
        let mut lockout = lockout();
        let mut strangers = strangers;
        strangers.sort_unstable();
        for (second, place, user) in strangers {
            let user = ["ann", "bob", "cyd"].get(user).copied();
            lockout.note_failure(at(second), user, Some(Place::V4(place)));
            prop_assert_eq!(lockout.locked_until(at(second), ANN, HOME), None);
            lockout.note_success(at(second), ANN, HOME);
        }
    }

    /// In no time more failures of a user come from one place than are free and than the waits leave.
    #[test]
    fn guesses_are_few(gaps in prop::collection::vec(0_u64..300, 1..200)) {
        let mut lockout = lockout();
        let (mut now, mut guesses) = (0, 0_u64);
        for gap in gaps {
            now += gap;
            if lockout.locked_until(at(now), ANN, HOME).is_none() {
                lockout.note_failure(at(now), ANN, HOME);
                guesses += 1;
            }
        }
        // All that is free, one for each doubling, one for each longest wait, and what refills.
        let most = 3 + 10 + now / 900 + 3 * now / 600 + 1;
        prop_assert!(guesses <= most, "{guesses} in {now} s, at most {most}");
    }
}
