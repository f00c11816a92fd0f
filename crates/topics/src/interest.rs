//! Which shards may have subscribers for a topic.
//!
//! Every shard holds the same small table. A filter counts under its literal beginning: `a/b/+/c`
//! under `a/b`, `#` under nothing, and a filter without wildcard under the whole topic. A topic is
//! looked up under each of its beginnings. That may name a shard whose subscribers then do not match,
//! which costs that shard a look; it never leaves one out that would.

use plexus_stdx::{HashMap, Seed};

use crate::level::levels;

/// A change of one shard's interests, to be applied by all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterestDelta {
    key: u64,
    depth: u16,
    present: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Interest {
    seed: Seed,
    id: u16,
    shards: HashMap<u64, u64>,
    local: HashMap<u64, u32>,
    /// How many keys there are of each depth, so that depths without any are not looked up.
    depths: Vec<u32>,
    exact: u32,
}

/// The depth of keys of whole topics.
const EXACT: u16 = u16::MAX;

impl Interest {
    /// The table of shard `id`; all shards of a node use the same seed.
    pub fn new(seed: Seed, id: u16) -> Self {
        assert!(id < 64, "invariant: a set of shards is one word");
        Self { seed, id, shards: seed.map(), local: seed.map(), depths: Vec::new(), exact: 0 }
    }

    /// This shard has one more subscription; the others must know if it is the first of its kind.
    pub fn add_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let (key, depth) = self.key(filter);
        let count = self.local.entry(key).or_insert(0);
        *count += 1;
        if *count > 1 {
            return None;
        }
        let delta = InterestDelta { key, depth, present: true };
        self.apply(self.id, &delta);
        Some(delta)
    }

    /// This shard has one subscription less; the others must know if it was the last of its kind.
    pub fn remove_local(&mut self, filter: &str) -> Option<InterestDelta> {
        let (key, depth) = self.key(filter);
        let count = self.local.get_mut(&key)?;
        *count -= 1;
        if *count > 0 {
            return None;
        }
        self.local.remove(&key);
        let delta = InterestDelta { key, depth, present: false };
        self.apply(self.id, &delta);
        Some(delta)
    }

    /// A shard's interests have changed.
    pub fn apply(&mut self, shard: u16, delta: &InterestDelta) {
        let bit = 1_u64 << shard;
        let shards = self.shards.entry(delta.key).or_insert(0);
        let before = *shards;
        if delta.present {
            *shards |= bit;
        } else {
            *shards &= !bit;
        }
        let after = *shards;
        if after == 0 {
            self.shards.remove(&delta.key);
        }
        match (before == 0, after == 0) {
            (true, false) => *self.depth_count(delta.depth) += 1,
            (false, true) => *self.depth_count(delta.depth) -= 1,
            _ => {}
        }
    }

    /// The shards that may have subscribers for the topic, one bit each.
    pub fn shards(&self, topic: &str) -> u64 {
        let mut found = 0;
        let mut key = self.start();
        // [MQTT-4.7.2-1] A leading wildcard does not match a leading `$`.
        if !topic.starts_with('$') {
            found |= self.look_up(0, key);
        }
        for (level, depth) in levels(topic).zip(1..) {
            key = self.extend(key, level);
            found |= self.look_up(depth, key);
        }
        if self.exact > 0 {
            found |= self.shards.get(&!key).copied().unwrap_or(0);
        }
        found
    }

    /// Whether no shard is interested in anything.
    pub fn is_empty(&self) -> bool {
        self.shards.is_empty()
    }

    /// How many beginnings of topics any shard is interested in.
    pub fn len(&self) -> usize {
        self.shards.len()
    }

    fn look_up(&self, depth: usize, key: u64) -> u64 {
        if self.depths.get(depth).is_none_or(|count| *count == 0) {
            return 0;
        }
        self.shards.get(&key).copied().unwrap_or(0)
    }

    fn key(&self, filter: &str) -> (u64, u16) {
        let mut key = self.start();
        for (level, depth) in levels(filter).zip(0_u16..) {
            if matches!(level, b"+" | b"#") {
                return (key, depth);
            }
            key = self.extend(key, level);
        }
        (!key, EXACT)
    }

    fn depth_count(&mut self, depth: u16) -> &mut u32 {
        if depth == EXACT {
            return &mut self.exact;
        }
        let depth = usize::from(depth);
        if self.depths.len() <= depth {
            self.depths.resize(depth + 1, 0);
        }
        self.depths.get_mut(depth).expect("invariant: grown above")
    }

    fn start(&self) -> u64 {
        self.seed.value() | 1
    }

    fn extend(&self, key: u64, level: &[u8]) -> u64 {
        let product =
            u128::from(key ^ 0xA076_1D64_78BD_642F) * u128::from(self.seed.hash(level) | 1);
        ((product >> 64) as u64 ^ product as u64).rotate_left(23)
    }
}

#[cfg(test)]
mod tests;
