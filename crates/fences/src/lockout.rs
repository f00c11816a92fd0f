//! Failed log-ins make the next ones wait.
//!
//! | what fails | what it locks |
//! |---|---|
//! | a user name from one place | that user name from that place |
//! | any user names from one place | the place, but not user names that have been proved from there |
//! | a user name from many places | nothing; but elsewhere no failure of it is free any more |
//!
//! So a stranger never locks a user out who comes from elsewhere: he can take from him his free failures,
//! and only where the user has never been. Where both come from one place, behind the same translator
//! of addresses, nothing tells them apart until the user has come in once.

use std::{num::NonZeroU64, time::Duration};

use plexus_stdx::Seed;
use plexus_types::Instant;

use crate::{Bucket, Place, Rate, ledger::Ledger};

/// How many failures are free, and how long others wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockoutOptions {
    /// Free failures of a user name from one place.
    pub free: Rate,
    /// Free failures from one place, of all user names.
    pub free_of_place: Rate,
    /// Failures of a user name from all places, beyond which none of it is free where it was not proved.
    pub free_of_user: Rate,
    /// The wait after the first failure that is not free; each further one doubles it.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// What is remembered of each kind.
    pub entries_max: usize,
}

/// Five failures, fifty of a place and a hundred of a user name in ten minutes; waits from a second to a quarter
/// of an hour; and 65,536 of each kind, some 6 MB at most.
impl Default for LockoutOptions {
    fn default() -> Self {
        let of = |amount| {
            let amount = NonZeroU64::new(amount).expect("invariant: a constant above zero");
            Rate::new(amount, Duration::from_mins(10))
        };
        Self {
            free: of(5),
            free_of_place: of(50),
            free_of_user: of(100),
            first: Duration::from_secs(1),
            longest: Duration::from_mins(15),
            entries_max: 65_536,
        }
    }
}

/// What is remembered of one who failed.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    free: Bucket,
    /// Failures that were not free, since it had all its free ones.
    strikes: u32,
    locked_until: Instant,
}

impl Tally {
    /// One more, of those that may be free at that rate.
    fn fail(&mut self, now: Instant, rate: Rate, is_free: bool, options: &LockoutOptions) {
        if self.free.is_full(now) {
            self.strikes = 0;
        }
        if is_free && self.free.admit(rate, now) {
            return;
        }
        let doubled = 1_u32.checked_shl(self.strikes).unwrap_or(u32::MAX);
        let wait = options.first.saturating_mul(doubled).min(options.longest);
        self.strikes = self.strikes.saturating_add(1).min(u32::BITS);
        self.locked_until = self.locked_until.max(now + wait);
        // Waiting earns nothing: free failures come again after it.
        self.free = Bucket::empty_at(rate, self.locked_until);
    }

    fn lock(&self, now: Instant) -> Option<Instant> {
        (self.locked_until > now).then_some(self.locked_until)
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Lockout {
    options: LockoutOptions,
    seed: Seed,
    pairs: Ledger<Tally>,
    places: Ledger<Tally>,
    users: Ledger<Bucket>,
    /// User names that were proved, each with its place.
    proved: Ledger<()>,
}

impl Lockout {
    /// Nobody has failed yet.
    pub fn new(options: LockoutOptions, seed: Seed) -> Self {
        let max = options.entries_max;
        Self {
            options,
            seed,
            pairs: Ledger::new(max, seed),
            places: Ledger::new(max, seed),
            users: Ledger::new(max, seed),
            proved: Ledger::new(max, seed),
        }
    }

    /// Until when nobody of that user name is listened to who comes from there, if that is so.
    pub fn locked_until(
        &self,
        now: Instant,
        user: Option<&str>,
        place: Option<Place>,
    ) -> Option<Instant> {
        let pair = self.seed.hash(&(user, place));
        let of_pair = self.pairs.get(pair).and_then(|tally| tally.lock(now));
        let of_place = || {
            let tally = self.places.get(self.seed.hash(&place?))?;
            tally.lock(now).filter(|_| self.proved.get(pair).is_none())
        };
        of_pair.or_else(of_place)
    }

    /// Somebody from there was not who he says.
    pub fn note_failure(&mut self, now: Instant, user: Option<&str>, place: Option<Place>) {
        let pair = self.seed.hash(&(user, place));
        let is_pressed = user.is_some_and(|user| self.is_pressed(now, user));
        let is_free = !is_pressed || self.proved.get(pair).is_some();
        fail(&mut self.pairs, pair, now, (self.options.free, is_free), &self.options);
        if let Some(place) = place {
            let (name, rate) = (self.seed.hash(&place), self.options.free_of_place);
            fail(&mut self.places, name, now, (rate, true), &self.options);
        }
    }

    /// Somebody from there is who he says: what he got wrong before is forgotten.
    pub fn note_success(&mut self, now: Instant, user: Option<&str>, place: Option<Place>) {
        // Who gives no name has proved nothing.
        if user.is_some() {
            let pair = self.seed.hash(&(user, place));
            self.pairs.remove(pair);
            self.proved.put(now, pair, now, ());
        }
    }

    /// Counts a failure of the user name; whether there have been too many of it.
    fn is_pressed(&mut self, now: Instant, user: &str) -> bool {
        let name = self.seed.hash(user);
        let mut left = self.users.get(name).copied().unwrap_or_default();
        let open = left.admit(self.options.free_of_user, now);
        self.users.put(now, name, left.full_at(), left);
        !open
    }
}

/// Where there is no room because all are locked, nothing is free: a newcomer waits for as long as there is, in the
/// place of the one that would be free first. So who frees one by it has locked another.
fn fail(
    ledger: &mut Ledger<Tally>,
    name: u64,
    now: Instant,
    (rate, is_free): (Rate, bool),
    options: &LockoutOptions,
) {
    let mut tally = ledger.get(name).copied().unwrap_or_default();
    let has_room = ledger.has_room(now, name);
    tally.fail(now, rate, is_free && has_room, options);
    if !has_room {
        tally.locked_until = now + options.longest;
    }
    ledger.force(name, tally.locked_until.max(now), tally);
}

#[cfg(test)]
mod tests;
