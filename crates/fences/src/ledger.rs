use std::collections::BTreeSet;

use plexus_stdx::{HashMap, Seed};
use plexus_types::Instant;

/// Values under hashed names, of which there are never more than a maximum. Each is worth keeping until a
/// moment; when it is full, the one whose moment has been past for longest makes room, and one whose
/// moment is still to come never does.
///
/// Names are hashed with a seed that nobody outside knows, so that a long one takes no memory. Two that
/// hash alike share a value.
#[derive(Debug)]
pub(crate) struct Ledger<V> {
    entries: HashMap<u64, (Instant, V)>,
    order: BTreeSet<(Instant, u64)>,
    max: usize,
}

impl<V> Ledger<V> {
    pub(crate) fn new(max: usize, seed: Seed) -> Self {
        Self { entries: seed.map(), order: BTreeSet::new(), max }
    }

    pub(crate) fn get(&self, name: u64) -> Option<&V> {
        self.entries.get(&name).map(|(_, value)| value)
    }

    /// Whether a value can be put there.
    pub(crate) fn has_room(&self, now: Instant, name: u64) -> bool {
        self.entries.contains_key(&name)
            || self.entries.len() < self.max
            || self.order.first().is_some_and(|(until, _)| *until <= now)
    }

    /// Puts a value there that is worth keeping until then; false if there is no room for another.
    pub(crate) fn put(&mut self, now: Instant, name: u64, until: Instant, value: V) -> bool {
        let has_room = self.has_room(now, name);
        if has_room {
            self.force(name, until, value);
        }
        has_room
    }

    /// Puts a value there; where there is no room, the one whose moment comes first makes it.
    pub(crate) fn force(&mut self, name: u64, until: Instant, value: V) {
        if !self.entries.contains_key(&name)
            && self.entries.len() >= self.max
            && let Some((_, first)) = self.order.first().copied()
        {
            self.remove(first);
        }
        if let Some((before, _)) = self.entries.insert(name, (until, value)) {
            self.order.remove(&(before, name));
        }
        self.order.insert((until, name));
    }

    pub(crate) fn remove(&mut self, name: u64) {
        if let Some((until, _)) = self.entries.remove(&name) {
            self.order.remove(&(until, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use plexus_stdx::Seed;
    use plexus_types::Instant;

    use super::Ledger;

    #[test]
    fn the_one_that_is_past_for_longest_makes_room() {
        let at = Instant::from_secs;
        let mut ledger = Ledger::new(3, Seed::new(1));
        assert!(ledger.put(at(1), 1, at(5), 'a'));
        assert!(ledger.put(at(1), 2, at(3), 'b'));
        assert!(ledger.put(at(1), 3, at(9), 'c'));
        assert!(!ledger.put(at(2), 4, at(9), 'd'), "all are worth keeping");
        assert!(ledger.put(at(2), 1, at(6), 'e'), "one that is there needs no room");
        assert!(ledger.put(at(7), 4, at(9), 'd'));
        let held = [1, 2, 3, 4].map(|name| ledger.get(name).copied());
        assert_eq!(held, [Some('e'), None, Some('c'), Some('d')]);
        ledger.remove(4);
        assert!(ledger.put(at(2), 5, at(9), 'f'));
        assert_eq!((ledger.entries.len(), ledger.order.len()), (3, 3));
    }
}
