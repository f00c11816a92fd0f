use std::{num::NonZeroU64, time::Duration};

use plexus_types::Instant;

/// So much in a time: all of it at once, then one after the other, evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    amount: NonZeroU64,
    per: Duration,
}

impl Rate {
    /// That amount in that time.
    pub const fn new(amount: NonZeroU64, per: Duration) -> Self {
        Self { amount, per }
    }

    /// How much comes in [`Self::per`], and may come at once.
    pub const fn amount(self) -> u64 {
        self.amount.get()
    }

    /// The time in which so much comes.
    pub const fn per(self) -> Duration {
        self.per
    }

    /// The time in which that amount comes, in nanoseconds.
    fn nanos_of(self, amount: u64) -> u64 {
        let nanos =
            u128::from(amount).saturating_mul(self.per.as_nanos()) / u128::from(self.amount.get());
        u64::try_from(nanos).unwrap_or(u64::MAX)
    }
}

/// A bucket that fills at a [`Rate`], which is passed in: many have the same.
///
/// It knows only when it will be full again, so that it takes eight bytes and needs no visit to fill. What
/// is taken beyond what is there is owed, and delays what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bucket {
    full_at: Instant,
}

impl Bucket {
    /// A bucket that begins to fill at that moment.
    pub fn empty_at(rate: Rate, at: Instant) -> Self {
        Self { full_at: at + rate.per }
    }

    /// A bucket that is full at that moment: what [`Self::full_at`] said.
    pub const fn full_from(full_at: Instant) -> Self {
        Self { full_at }
    }

    /// When it is full if nothing is taken any more.
    pub const fn full_at(self) -> Instant {
        self.full_at
    }

    /// Whether nothing is missing.
    pub fn is_full(self, now: Instant) -> bool {
        self.full_at <= now
    }

    /// Takes that amount, whether it is there or not; says when the next may be taken.
    pub fn take(&mut self, rate: Rate, now: Instant, amount: u64) -> Instant {
        let from = self.full_at.max(now).as_nanos();
        self.full_at = Instant::from_nanos(from.saturating_add(rate.nanos_of(amount)));
        self.opens_at(rate, now)
    }

    /// Takes one if it is there; whether it was.
    pub fn admit(&mut self, rate: Rate, now: Instant) -> bool {
        let open = self.opens_at(rate, now) <= now;
        if open {
            self.take(rate, now, 1);
        }
        open
    }

    /// When there is one to be taken.
    fn opens_at(self, rate: Rate, now: Instant) -> Instant {
        let full_at = self.full_at.max(now).as_nanos();
        let whole = u64::try_from(rate.per.as_nanos()).unwrap_or(u64::MAX);
        let opens = full_at.saturating_add(rate.nanos_of(1)).saturating_sub(whole);
        Instant::from_nanos(opens)
    }
}

#[cfg(test)]
mod tests;
