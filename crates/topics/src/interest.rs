use std::hash::{BuildHasher, Hasher};

use plexus_stdx::{Seed, SeededState};

use crate::parts::Parts;

/// Literal prefixes longer than this many levels are cut to it: coarser, never wrong.
const LEVELS_MAX: usize = 62;

/// The low bits of a key: the number of literal levels, or [`EXACT`].
const DEPTH_BITS: u64 = 0b11_1111;
const EXACT: u64 = DEPTH_BITS;

/// Shards that the bit sets can name.
const SHARDS_MAX: u16 = 64;

/// Which shards may have subscribers for a topic? Every shard holds the same table and hears of
/// each change, so that a message goes only to shards that may want it; those match exactly.
///
/// The table knows filters by the literal levels before their first wildcard, hashed with a seed
/// that all shards share; a filter without wildcard by the hash of the whole. It may say yes for
/// nothing, it never says no for something.
#[derive(Debug)]
pub struct Interest {
    state: SeededState,
    /// Shards with such filters.
    known: Parts<u64>,
    /// How many more such filters than one the local shard has: most keys have one filter alone and
    /// are not in here.
    more: Parts<u32>,
    local: u16,
    /// How many keys there are of each depth: depths without a key need no look-up.
    depths: [u32; DEPTH_BITS as usize + 1],
    /// Bit `n` is set when `depths[n]` is not zero.
    present: u64,
}

/// A change of one shard's interest that the other shards are to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterestDelta {
    /// The hash of the literal levels, and in its six low bits how many they are.
    pub key: u64,
    /// Whether the interest begins or ends.
    pub present: bool,
}

impl Interest {
    /// The table of shard `local`; all shards of a node use the same seed.
    pub fn new(seed: Seed, local: u16) -> Self {
        assert!(local < SHARDS_MAX, "invariant: a set of shards is one word");
        let depths = [0; DEPTH_BITS as usize + 1];
        let (known, more) = (Parts::new(seed), Parts::new(seed));
        Self { state: seed.hasher(), known, more, local, depths, present: 0 }
    }

    /// Counts a filter of the local shard; the delta is to be told to all others.
    pub fn add_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let key = self.key_of(filter);
        if self.is_local(key) {
            *self.more.entry(key) += 1;
            return None;
        }
        let delta = InterestDelta { key, present: true };
        self.apply(self.local, &delta);
        Some(delta)
    }

    /// Discounts a filter of the local shard; the delta is to be told to all others.
    pub fn remove_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let key = self.key_of(filter);
        if let Some(more) = self.more.get_mut(key) {
            *more -= 1;
            if *more == 0 {
                self.more.remove(key);
            }
            return None;
        }
        if !self.is_local(key) {
            return None;
        }
        let delta = InterestDelta { key, present: false };
        self.apply(self.local, &delta);
        Some(delta)
    }

    /// Takes in what another shard told.
    pub fn apply(&mut self, from_shard: u16, delta: &InterestDelta) {
        assert!(from_shard < SHARDS_MAX, "invariant: a set of shards is one word");
        let bit = 1 << from_shard;
        if delta.present {
            let shards = self.known.entry(delta.key);
            let new = *shards == 0;
            *shards |= bit;
            if new {
                self.count(delta.key, true);
            }
        } else if let Some(shards) = self.known.get_mut(delta.key) {
            *shards &= !bit;
            if *shards == 0 {
                self.known.remove(delta.key);
                self.count(delta.key, false);
            }
        }
    }

    /// The shards, bit by bit and the local one among them, that may have subscribers for `topic`.
    pub fn shards(&self, topic: impl AsRef<[u8]>) -> u64 {
        if self.present == 0 {
            return 0;
        }
        let mut shards = 0;
        // The topics that begin with `$` are hidden from leading wildcards ([MQTT-4.7.2-1]
        // [MQTT3-4.7.2-1]).
        let topic = topic.as_ref();
        if topic.first() != Some(&b'$') {
            shards |= self.ask(0, 0);
        }
        let mut hash = 0;
        let mut depth = 0_u64;
        for level in topic.split(|byte| *byte == b'/') {
            if depth as usize == LEVELS_MAX {
                // Deeper filters are all known by their first levels.
                return shards;
            }
            if self.present >> (depth + 1) == 0 {
                // No shard has filters with that many literal levels.
                return shards;
            }
            hash = self.extend(hash, level);
            depth += 1;
            shards |= self.ask(hash, depth);
        }
        shards | self.ask(hash, EXACT)
    }

    /// The number of keys in the table.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no shard has any interest.
    pub fn is_empty(&self) -> bool {
        self.known.len() == 0
    }

    /// The bytes reserved.
    pub fn memory(&self) -> usize {
        self.known.memory() + self.more.memory() + size_of::<Self>()
    }

    /// Whether the local shard has such filters.
    fn is_local(&self, key: u64) -> bool {
        self.known.get(key).is_some_and(|shards| shards & 1 << self.local != 0)
    }

    fn key_of(&self, filter: &str) -> u64 {
        let mut hash = 0;
        for (depth, level) in (0_u64..).zip(filter.split('/')) {
            if depth as usize == LEVELS_MAX || matches!(level, "+" | "#") {
                return key(hash, depth);
            }
            hash = self.extend(hash, level.as_bytes());
        }
        key(hash, EXACT)
    }

    #[inline]
    fn ask(&self, hash: u64, depth: u64) -> u64 {
        if self.present & 1 << depth == 0 {
            return 0;
        }
        self.known.get(key(hash, depth)).copied().unwrap_or(0)
    }

    #[inline]
    fn extend(&self, hash: u64, level: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(hash);
        hasher.write(level);
        hasher.finish()
    }

    fn count(&mut self, key: u64, more: bool) {
        let depth = key & DEPTH_BITS;
        let count = self.depths.get_mut(depth as usize).expect("invariant: six bits");
        *count = if more { *count + 1 } else { *count - 1 };
        let bit = 1 << depth;
        self.present = if *count > 0 { self.present | bit } else { self.present & !bit };
    }
}

#[inline]
fn key(hash: u64, depth: u64) -> u64 {
    hash & !DEPTH_BITS | depth
}

#[cfg(test)]
mod tests;
