use std::time::Duration;

use plexus_stdx::Seed;

/// Draws whatever is left to chance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(Seed);

impl Dice {
    pub(crate) const fn new(seed: Seed) -> Self {
        Self(seed)
    }

    pub(crate) fn seed(&mut self) -> Seed {
        Seed::new(self.0.next_u64())
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items.get(self.below(items.len())).expect("invariant: something to pick from").clone()
    }

    pub(crate) fn micros(&mut self, low: usize, high: usize) -> Duration {
        Duration::from_micros(self.between(low, high) as u64)
    }

    pub(crate) fn millis(&mut self, low: usize, high: usize) -> Duration {
        Duration::from_millis(self.between(low, high) as u64)
    }
}
