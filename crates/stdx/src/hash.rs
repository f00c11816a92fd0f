use std::hash::BuildHasher;

/// The state that every hash map of the tree is built with.
pub type SeededState = foldhash::fast::SeedableRandomState;

/// A hash map whose seed is injected; build it with [`Seed::map`].
#[expect(clippy::disallowed_types, reason = "this is the replacement that the ban names")]
pub type HashMap<K, V> = std::collections::HashMap<K, V, SeededState>;

/// A hash set whose seed is injected; build it with [`Seed::set`].
#[expect(clippy::disallowed_types, reason = "this is the replacement that the ban names")]
pub type HashSet<K> = std::collections::HashSet<K, SeededState>;

/// The one source of unpredictability below the shells.
///
/// A shell draws it from the operating system at start; a simulation takes it from its argument.
/// Equal seeds give equal behaviour, unknown seeds keep hash flooding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// A seed of the given value.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value that this seed was made of.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// A seed of its own for one named part, so that parts do not draw the same numbers.
    #[must_use]
    pub fn derive(self, part: u64) -> Self {
        let mut draw = Self(self.0 ^ part.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        draw.next_u64();
        draw
    }

    /// The next number of this seed's sequence (SplitMix64; Steele, Lea, Flood 2014).
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; zero when `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        // Multiply-shift: the bias is below 2^-32 for every bound that fits a queue or a list.
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// The hashing state of this seed.
    pub fn hasher(self) -> SeededState {
        SeededState::with_seed(self.0, foldhash::SharedSeed::global_fixed())
    }

    /// An empty map that hashes with this seed.
    pub fn map<K, V>(self) -> HashMap<K, V> {
        HashMap::with_hasher(self.hasher())
    }

    /// An empty set that hashes with this seed.
    pub fn set<K>(self) -> HashSet<K> {
        HashSet::with_hasher(self.hasher())
    }

    /// The hash of `value` under this seed.
    pub fn hash<T: std::hash::Hash + ?Sized>(self, value: &T) -> u64 {
        self.hasher().hash_one(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn equal_seeds_draw_and_hash_alike_and_others_do_not() {
        let (mut one, mut same, mut other) = (Seed::new(7), Seed::new(7), Seed::new(8));
        assert_eq!(one.hash("topic"), same.hash("topic"));
        assert_ne!(one.hash("topic"), other.hash("topic"));
        let draws = |seed: &mut Seed| (0..8).map(|_| seed.next_u64()).collect::<Vec<_>>();
        assert_eq!(draws(&mut one), draws(&mut same));
        assert_ne!(draws(&mut one), draws(&mut other));
    }

    #[test]
    fn below_stays_below_and_reaches_every_value() {
        let mut seed = Seed::new(1);
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[seed.below(7)] = true;
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(seed.below(0), 0);
    }
}
