//! A hash map in many parts.
//!
//! The keys are hashes themselves. A part that is full grows alone: the entries that one insertion
//! may have to move are a small share of all.

use plexus_stdx::{HashMap, Seed};

/// The upper bits of a key choose its part.
const PART_BITS: u32 = 8;

/// Smaller parts are not worth shrinking.
const SHRINK_FROM: usize = 64;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Parts<V> {
    parts: Vec<HashMap<u64, V>>,
    len: usize,
}

impl<V: Default> Parts<V> {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { parts: (0..1 << PART_BITS).map(|_| seed.map()).collect(), len: 0 }
    }

    #[inline]
    pub(crate) fn get(&self, key: u64) -> Option<&V> {
        self.parts.get(part_of(key))?.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.part_mut(key).get_mut(&key)
    }

    /// The value of a key, made if it is not there.
    pub(crate) fn entry(&mut self, key: u64) -> &mut V {
        let part = self.parts.get_mut(part_of(key)).expect("invariant: a part for each value");
        let len = &mut self.len;
        part.entry(key).or_insert_with(|| {
            *len += 1;
            V::default()
        })
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let part = self.part_mut(key);
        let value = part.remove(&key)?;
        let spacious = part.capacity() > SHRINK_FROM && part.len() * 8 < part.capacity();
        if part.is_empty() || spacious {
            part.shrink_to(part.len() * 2);
        }
        self.len -= 1;
        Some(value)
    }

    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The bytes reserved: seven of eight slots count as capacity, and a slot has a byte of its own.
    pub(crate) fn memory(&self) -> usize {
        let capacity: usize = self.parts.iter().map(HashMap::capacity).sum();
        let parts = self.parts.capacity() * size_of::<HashMap<u64, V>>();
        capacity * 8 / 7 * (size_of::<(u64, V)>() + 1) + parts
    }

    fn part_mut(&mut self, key: u64) -> &mut HashMap<u64, V> {
        self.parts.get_mut(part_of(key)).expect("invariant: a part for each value")
    }
}

#[inline]
const fn part_of(key: u64) -> usize {
    (key >> (u64::BITS - PART_BITS)) as usize
}

#[cfg(test)]
mod tests {
    use plexus_stdx::Seed;

    use super::Parts;

    #[test]
    fn parts_grow_apart_and_give_their_memory_back() {
        let mut parts: Parts<u64> = Parts::new(Seed::new(1));
        let (empty, mut draw) = (parts.memory(), Seed::new(2));
        let keys: Vec<u64> = (0..50_000).map(|_| draw.next_u64()).collect();
        for key in &keys {
            *parts.entry(*key) += *key;
        }
        assert_eq!((parts.len(), parts.get(keys[7])), (50_000, Some(&keys[7])));
        let longest = parts.parts.iter().map(plexus_stdx::HashMap::len).max();
        assert!(longest < Some(300), "{longest:?}");
        for key in &keys {
            assert_eq!(parts.remove(*key), Some(*key));
            assert_eq!(parts.remove(*key), None);
        }
        assert_eq!(parts.len(), 0);
        assert!(parts.memory() <= empty, "{}", parts.memory());
    }
}
