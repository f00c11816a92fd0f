use std::hash::{BuildHasher, Hasher};

use plexus_stdx::{Seed, SeededState};

use crate::{
    arena::Arena,
    buckets::{Buckets, Link, NONE},
};

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
    known: Arena<Known>,
    buckets: Buckets,
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

/// What is known of a key.
#[derive(Debug, Default)]
struct Known {
    key: u64,
    /// Shards with such filters.
    shards: u64,
    /// How many of them are the local shard's.
    local: u32,
    next: u32,
}

impl Link for Known {
    fn hash(&self) -> u32 {
        hash_of(self.key)
    }

    fn next(&self) -> u32 {
        self.next
    }

    fn set_next(&mut self, next: u32) {
        self.next = next;
    }
}

/// A key is a hash already.
const fn hash_of(key: u64) -> u32 {
    (key >> 32) as u32
}

impl Interest {
    /// The table of shard `local`; all shards of a node use the same seed.
    pub fn new(seed: Seed, local: u16) -> Self {
        assert!(local < SHARDS_MAX, "invariant: a set of shards is one word");
        let depths = [0; DEPTH_BITS as usize + 1];
        let (state, known, buckets) = (seed.hasher(), Arena::new(), Buckets::default());
        Self { state, known, buckets, local, depths, present: 0 }
    }

    /// Counts a filter of the local shard; the delta is to be told to all others.
    pub fn add_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let key = self.key_of(filter);
        let known = self.enter(key);
        let known = self.known.get_mut(known);
        known.local += 1;
        known.shards |= 1 << self.local;
        (known.local == 1).then_some(InterestDelta { key, present: true })
    }

    /// Discounts a filter of the local shard; the delta is to be told to all others.
    pub fn remove_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let key = self.key_of(filter);
        let name = self.find(key)?;
        let known = self.known.get_mut(name);
        known.local = known.local.checked_sub(1)?;
        if known.local > 0 {
            return None;
        }
        self.unset(name, self.local);
        Some(InterestDelta { key, present: false })
    }

    /// Takes in what another shard told.
    pub fn apply(&mut self, from_shard: u16, delta: &InterestDelta) {
        assert!(from_shard < SHARDS_MAX, "invariant: a set of shards is one word");
        if delta.present {
            let name = self.enter(delta.key);
            self.known.get_mut(name).shards |= 1 << from_shard;
        } else if let Some(name) = self.find(delta.key) {
            self.unset(name, from_shard);
        }
    }

    /// The shards, bit by bit and the local one among them, that may have subscribers for `topic`.
    pub fn shards(&self, topic: &str) -> u64 {
        if self.present == 0 {
            return 0;
        }
        let mut shards = 0;
        // The topics that begin with `$` are hidden from leading wildcards ([MQTT-4.7.2-1]
        // [MQTT3-4.7.2-1]).
        if !topic.starts_with('$') {
            shards |= self.ask(0, 0);
        }
        let mut hash = 0;
        let mut depth = 0_u64;
        for level in topic.split('/') {
            if depth as usize == LEVELS_MAX {
                // Deeper filters are all known by their first levels.
                return shards;
            }
            hash = self.extend(hash, level);
            depth += 1;
            shards |= self.ask(hash, depth);
        }
        shards | self.ask(hash, EXACT)
    }

    /// The number of keys in the table.
    pub const fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether no shard has any interest.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes reserved.
    pub fn memory(&self) -> usize {
        self.known.memory() + self.buckets.memory() + size_of::<Self>()
    }

    fn key_of(&self, filter: &str) -> u64 {
        let mut hash = 0;
        for (depth, level) in (0_u64..).zip(filter.split('/')) {
            if depth as usize == LEVELS_MAX || matches!(level, "+" | "#") {
                return key(hash, depth);
            }
            hash = self.extend(hash, level);
        }
        key(hash, EXACT)
    }

    #[inline]
    fn ask(&self, hash: u64, depth: u64) -> u64 {
        if self.present & 1 << depth == 0 {
            return 0;
        }
        self.find(key(hash, depth)).map_or(0, |name| self.known.get(name).shards)
    }

    #[inline]
    fn extend(&self, hash: u64, level: &str) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(hash);
        hasher.write(level.as_bytes());
        hasher.finish()
    }

    #[inline]
    fn find(&self, key: u64) -> Option<u32> {
        let mut name = self.buckets.first(hash_of(key));
        while name != NONE {
            let known = self.known.get(name);
            if known.key == key {
                return Some(name);
            }
            name = known.next;
        }
        None
    }

    fn enter(&mut self, key: u64) -> u32 {
        if let Some(name) = self.find(key) {
            return name;
        }
        let name = self.known.insert(Known { key, ..Known::default() });
        self.buckets.link(&mut self.known, name);
        self.count(key, true);
        name
    }

    fn unset(&mut self, name: u32, shard: u16) {
        let known = self.known.get_mut(name);
        known.shards &= !(1 << shard);
        if known.shards == 0 {
            self.buckets.unlink(&mut self.known, name);
            let Known { key, .. } = self.known.remove(name, Known::default());
            self.count(key, false);
        }
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
