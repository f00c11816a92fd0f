use plexus_stdx::Seed;
use plexus_types::Instant;

use crate::{Bucket, Place, Rate, ledger::Ledger};

/// Places that are remembered, some 5 MB.
const PLACES_MAX: usize = 65_536;

/// How often somebody may come from each place.
#[derive(Debug)]
pub struct Comings {
    rate: Rate,
    seed: Seed,
    places: Ledger<Bucket>,
}

impl Comings {
    /// So often from each.
    pub fn new(rate: Rate, seed: Seed) -> Self {
        Self { rate, seed, places: Ledger::new(PLACES_MAX, seed) }
    }

    /// Somebody comes from there; whether that was not too often. Where more places come than are
    /// remembered, it is the rate of the node that limits the rest.
    pub fn admit(&mut self, now: Instant, place: Place) -> bool {
        let name = self.seed.hash(&place);
        let mut left = self.places.get(name).copied().unwrap_or_default();
        let admitted = left.admit(self.rate, now);
        self.places.put(now, name, left.full_at(), left);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU64, time::Duration};

    use plexus_stdx::Seed;
    use plexus_types::Instant;

    use super::Comings;
    use crate::{Place, Rate};

    #[test]
    fn each_place_has_its_own() {
        let rate = Rate::new(NonZeroU64::new(2).unwrap(), Duration::from_secs(10));
        let mut comings = Comings::new(rate, Seed::new(4));
        let now = Instant::from_secs(100);
        let mut admit =
            |place, seconds| comings.admit(now + Duration::from_secs(seconds), Place::V4(place));
        assert_eq!([1, 1, 1, 2].map(|place| admit(place, 0)), [true, true, false, true]);
        assert!(!admit(1, 4));
        assert!(admit(1, 5));
    }
}
