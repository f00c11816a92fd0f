use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use plexus_stdx::{HashMap, Seed};
use plexus_types::Instant;

use crate::{Pool, Quota};

/// Below so many nobody looks for those that may go.
const FEW: usize = 1_024;
/// More are not kept for those who have gone: who comes back by then starts anew.
const KEPT_MAX: usize = 262_144;

/// A pool for each name, by its hash. It stays until what its clients published is forgiven: whoever leaves
/// and comes back finds it as it was.
#[derive(Debug)]
pub(super) struct Pools {
    quota: Quota,
    seed: Seed,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    pools: HashMap<u64, Arc<Pool>>,
    /// How many there are when somebody looks for those that may go.
    look_at: usize,
}

impl Pools {
    /// Each with that quota; none where it limits nothing.
    pub(super) fn new(quota: Quota, seed: Seed) -> Option<Self> {
        let known = Known { pools: seed.map(), look_at: FEW };
        (!quota.is_free()).then(|| Self { quota, seed, known: Mutex::new(known) })
    }

    /// The one of that name.
    pub(super) fn of(&self, now: Instant, name: &impl Hash) -> Option<Arc<Pool>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.pools.len() >= known.look_at {
            known.clean(now);
        }
        let quota = self.quota;
        let pools = &mut known.pools;
        let name = self.seed.hash(name);
        if let Some(pool) = pools.get(&name) {
            return Some(Arc::clone(pool));
        }
        let pool = Pool::new(quota)?;
        pools.insert(name, Arc::clone(&pool));
        Some(pool)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.known.lock().unwrap().pools.len()
    }
}

impl Known {
    fn clean(&mut self, now: Instant) {
        let is_held = |pool: &Arc<Pool>| Arc::strong_count(pool) > 1;
        self.pools.retain(|_, pool| is_held(pool) || !pool.is_full(now));
        if self.pools.len() > KEPT_MAX {
            self.pools.retain(|_, pool| is_held(pool));
        }
        self.look_at = (2 * self.pools.len()).max(FEW);
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU64, sync::Arc, time::Duration};

    use plexus_fences::Rate;
    use plexus_stdx::Seed;
    use plexus_types::Instant;

    use super::{FEW, Pools};
    use crate::{Meter, MeterOptions, Pace, Quota};

    fn pools() -> Pools {
        let rate = Rate::new(NonZeroU64::MIN, Duration::from_mins(1));
        let pace = Pace { messages: Some(rate), bytes: None };
        Pools::new(Quota { pace, subscriptions_max: None }, Seed::new(1)).unwrap()
    }

    #[test]
    fn whoever_comes_back_finds_what_he_left() {
        let (pools, now) = (pools(), Instant::from_secs(1_000));
        let publish = |now: Instant, name: &str| {
            let pools = Vec::from_iter(pools.of(now, &name));
            let mut meter = Meter::new(Arc::new(MeterOptions { client: Pace::default(), pools }));
            meter.note(now, 100);
            meter.next().saturating_since(now)
        };
        assert_eq!(publish(now, "one"), Duration::from_mins(1));
        assert_eq!(publish(now, "one"), Duration::from_mins(2));
        assert_eq!(publish(now, "other"), Duration::from_mins(1));
        // Many come and go meanwhile, and say nothing.
        for number in 0..10 * FEW {
            drop(pools.of(now, &number));
        }
        assert!(pools.len() <= FEW + 2);
        assert_eq!(publish(now, "one"), Duration::from_mins(3));
        let later = now + Duration::from_mins(4);
        for number in 0..10 * FEW {
            drop(pools.of(later, &number));
        }
        assert_eq!(publish(later, "one"), Duration::from_mins(1));
    }

    #[test]
    fn subscriptions_are_counted_together() {
        let quota = Quota { subscriptions_max: NonZeroU64::new(3), ..Quota::default() };
        let pools = Pools::new(quota, Seed::new(1)).unwrap();
        let [one, again] = [(); 2].map(|()| pools.of(Instant::ZERO, &"one").unwrap());
        one.add_subscriptions(2);
        assert_eq!((one.room(), again.room()), (1, 1));
        again.add_subscriptions(2);
        assert_eq!(one.room(), 0);
        one.remove_subscriptions(2);
        assert_eq!(one.room(), 1);
        assert!(!one.has_pace());
        assert_eq!(pools.of(Instant::ZERO, &"other").unwrap().room(), 3);
    }
}
