//! A hash map over [`Buckets`]: insertion and removal are bounded work at every size.

use std::{
    borrow::Borrow,
    hash::{BuildHasher, Hash},
};

use plexus_stdx::{Arena, Seed, SeededState};

use crate::buckets::{Buckets, Link, NONE};

#[derive(Debug, Default)]
struct Cell<K, V> {
    key: K,
    value: V,
    hash: u32,
    next: u32,
}

impl<K, V> Link for Cell<K, V> {
    fn hash(&self) -> u32 {
        self.hash
    }

    fn next(&self) -> u32 {
        self.next
    }

    fn set_next(&mut self, next: u32) {
        self.next = next;
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct GradualMap<K, V> {
    state: SeededState,
    cells: Arena<Cell<K, V>>,
    buckets: Buckets,
}

impl<K: Hash + Eq + Default, V: Default> GradualMap<K, V> {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { state: seed.hasher(), cells: Arena::new(), buckets: Buckets::default() }
    }

    /// Adds a key that is not there yet.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        debug_assert!(self.get(&key).is_none(), "a new key");
        let hash = self.state.hash_one(&key) as u32;
        let name = self.cells.insert(Cell { key, value, hash, next: NONE });
        self.buckets.link(&mut self.cells, name);
    }

    pub(crate) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let name = self.find(key)?;
        self.buckets.unlink(&mut self.cells, name);
        Some(self.cells.remove(name, Cell::default()).value)
    }

    pub(crate) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let name = self.find(key)?;
        Some(&mut self.cells.get_mut(name).value)
    }

    #[inline]
    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        Some(&self.cells.get(self.find(key)?).value)
    }

    /// All values, in no particular order; of use where a default value counts for nothing, as
    /// those of free cells are among them.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.cells.cells().map(|cell| &cell.value)
    }

    pub(crate) const fn len(&self) -> usize {
        self.cells.len()
    }

    /// The bytes reserved, without what keys and values own.
    pub(crate) fn memory(&self) -> usize {
        self.cells.memory() + self.buckets.memory()
    }

    #[inline]
    fn find<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        let hash = self.state.hash_one(key) as u32;
        let mut name = self.buckets.first(hash);
        while name != NONE {
            let cell = self.cells.get(name);
            if cell.hash == hash && cell.key.borrow() == key {
                return Some(name);
            }
            name = cell.next;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use plexus_stdx::Seed;

    use super::GradualMap;

    #[test]
    fn it_agrees_with_the_map_of_the_standard_library() {
        let mut draw = Seed::new(11);
        let mut map: GradualMap<u64, u64> = GradualMap::new(Seed::new(1));
        let mut model = Seed::new(2).map::<u64, u64>();
        for round in 0..40_000_u64 {
            // Grows for a while, then shrinks to nothing.
            let key = draw.below(3_000) as u64;
            let grow = round < 20_000 && draw.below(3) > 0;
            if grow && model.insert(key, round).is_none() {
                map.insert(key, round);
            } else if grow {
                *map.get_mut(&key).expect("present") = round;
            } else {
                assert_eq!(map.remove(&key), model.remove(&key));
            }
            assert_eq!(map.get(&key), model.get(&key));
            assert_eq!(map.len(), model.len());
        }
        for key in 0..3_000 {
            assert_eq!(map.remove(&key), model.remove(&key));
        }
        assert_eq!(map.len(), 0);
        assert!(map.memory() < 4_096, "{}", map.memory());
    }
}
