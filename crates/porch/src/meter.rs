//! How much clients may have and publish. Nobody is refused for what he publishes: who has published more than
//! his rate is not read from until it has come again.

use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use plexus_fences::{Bucket, Rate};
use plexus_types::Instant;

/// Messages and bytes that may be published in a time; none for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pace {
    /// PUBLISH packets.
    pub messages: Option<Rate>,
    /// Bytes of those packets.
    pub bytes: Option<Rate>,
}

impl Pace {
    /// Whether nothing is limited.
    pub fn is_free(self) -> bool {
        self == Self::default()
    }
}

/// What several clients may have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quota {
    /// What they publish.
    pub pace: Pace,
    /// Subscriptions of all their sessions; none for no limit.
    pub subscriptions_max: Option<NonZeroU64>,
}

impl Quota {
    /// Whether nothing is limited.
    pub fn is_free(self) -> bool {
        self == Self::default()
    }
}

/// What the clients of a node, a listener, a tenant, a user name or an address share. Whoever publishes takes,
/// and waits until that has come again: so each has his turn.
#[derive(Debug, Default)]
pub struct Pool {
    quota: Quota,
    /// When the buckets are full again, in nanoseconds.
    messages: AtomicU64,
    bytes: AtomicU64,
    subscriptions: AtomicU64,
}

impl Pool {
    /// Of those who share that quota; none where it limits nothing.
    pub fn new(quota: Quota) -> Option<Arc<Self>> {
        (!quota.is_free()).then(|| Arc::new(Self { quota, ..Self::default() }))
    }

    /// Whether they are limited in what they publish.
    pub fn has_pace(&self) -> bool {
        !self.quota.pace.is_free()
    }

    /// Whether they are limited in how many subscriptions they have.
    pub fn limits_subscriptions(&self) -> bool {
        self.quota.subscriptions_max.is_some()
    }

    /// How many subscriptions they may have besides those that they have. Two who ask at the same moment may
    /// exceed it by what both have asked for.
    pub fn room(&self) -> u64 {
        let most = self.quota.subscriptions_max.map_or(u64::MAX, NonZeroU64::get);
        most.saturating_sub(self.subscriptions.load(Relaxed))
    }

    /// They have so many more.
    pub fn add_subscriptions(&self, count: usize) {
        self.subscriptions.fetch_add(count as u64, Relaxed);
    }

    /// They have so many less.
    pub fn remove_subscriptions(&self, count: usize) {
        self.subscriptions.fetch_sub(count as u64, Relaxed);
    }

    /// Whether nothing that was published counts any more.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        let full_at = self.messages.load(Relaxed).max(self.bytes.load(Relaxed));
        Instant::from_nanos(full_at) <= now
    }

    fn take(&self, now: Instant, bytes: u64) -> Instant {
        let of_messages = take_shared(&self.messages, self.quota.pace.messages, now, 1);
        of_messages.max(take_shared(&self.bytes, self.quota.pace.bytes, now, bytes))
    }
}

fn take_shared(full_at: &AtomicU64, rate: Option<Rate>, now: Instant, amount: u64) -> Instant {
    let Some(rate) = rate else { return Instant::ZERO };
    let mut next = Instant::ZERO;
    let taken = full_at.fetch_update(Relaxed, Relaxed, |nanos| {
        let mut bucket = Bucket::full_from(Instant::from_nanos(nanos));
        next = bucket.take(rate, now, amount);
        Some(bucket.full_at().as_nanos())
    });
    debug_assert!(taken.is_ok(), "something is taken in any case");
    next
}

/// The paces that hold for each client of a listener.
#[derive(Debug, Clone, Default)]
pub struct MeterOptions {
    /// Each for itself.
    pub client: Pace,
    /// Together with others.
    pub pools: Vec<Arc<Pool>>,
}

/// What one client has published.
#[derive(Debug)]
pub struct Meter {
    options: Arc<MeterOptions>,
    messages: Bucket,
    bytes: Bucket,
    next: Instant,
}

impl Meter {
    /// The meter of a new connection.
    pub fn new(options: Arc<MeterOptions>) -> Self {
        let (messages, bytes) = (Bucket::default(), Bucket::default());
        Self { options, messages, bytes, next: Instant::ZERO }
    }

    /// What holds for it.
    pub const fn options(&self) -> &Arc<MeterOptions> {
        &self.options
    }

    /// When its next PUBLISH may be taken.
    pub const fn next(&self) -> Instant {
        self.next
    }

    /// A PUBLISH of so many bytes was taken.
    pub fn note(&mut self, now: Instant, bytes: u64) {
        let pace = self.options.client;
        let mut next = Instant::ZERO;
        if let Some(rate) = pace.messages {
            next = self.messages.take(rate, now, 1);
        }
        if let Some(rate) = pace.bytes {
            next = next.max(self.bytes.take(rate, now, bytes));
        }
        let pools = self.options.pools.iter().map(|pool| pool.take(now, bytes));
        self.next = pools.fold(next, Instant::max);
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU64, sync::Arc, time::Duration};

    use plexus_fences::Rate;
    use plexus_types::Instant;

    use super::{Meter, MeterOptions, Pace, Pool, Quota};

    fn pace(messages: u64, bytes: u64) -> Pace {
        let rate = |amount| Some(Rate::new(NonZeroU64::new(amount)?, Duration::from_secs(1)));
        Pace { messages: rate(messages), bytes: rate(bytes) }
    }

    /// Publishes as soon as it may, for so many seconds; how many that were.
    fn publish(meters: &mut [Meter], bytes: u64, seconds: u64) -> Vec<u64> {
        let mut counts = vec![0; meters.len()];
        for millis in 0..seconds * 1_000 {
            let now = Instant::from_millis(1_000_000 + millis);
            for (meter, count) in meters.iter_mut().zip(&mut counts) {
                while meter.next() <= now {
                    meter.note(now, bytes);
                    *count += 1;
                }
            }
        }
        counts
    }

    #[test]
    fn the_smaller_of_messages_and_bytes_decides() {
        let client = pace(10, 1_000);
        let meter = || Meter::new(Arc::new(MeterOptions { client, pools: Vec::new() }));
        assert_eq!(publish(&mut [meter()], 1, 10), [10 + 99]);
        assert_eq!(publish(&mut [meter()], 1_000, 10), [11]);
    }

    #[test]
    fn those_who_share_a_pace_share_it_evenly() {
        let pool = Pool::new(Quota { pace: pace(10, 0), ..Quota::default() });
        let options = MeterOptions { client: Pace::default(), pools: Vec::from_iter(pool) };
        let options = Arc::new(options);
        let mut meters = [(); 4].map(|()| Meter::new(Arc::clone(&options)));
        let counts = publish(&mut meters, 1, 100);
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*least >= 240 && *most <= 262, "{counts:?}");
        let total: u64 = counts.iter().sum();
        assert!((1_000..=1_014).contains(&total), "{total}");
    }

    #[test]
    fn no_limit_is_no_meter() {
        assert!(Pool::new(Quota::default()).is_none());
    }
}
