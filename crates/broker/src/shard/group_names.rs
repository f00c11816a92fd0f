//! The whole filters of groups of other shards that have members here: the log names groups by them.

use std::sync::Arc;

use plexus_session::SharedRef;
use plexus_stdx::{HashMap, HashSet, Seed};

use super::clients::Clients;

/// Names that are not worth a look at who is still a member.
const FEW: usize = 1_024;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct GroupNames {
    names: HashMap<SharedRef, Arc<str>>,
    seed: Seed,
    /// So many are looked through for those that are no longer needed.
    many: usize,
}

impl GroupNames {
    pub(super) fn new(seed: Seed) -> Self {
        Self { names: seed.map(), seed, many: FEW }
    }

    pub(super) fn get(&self, group: SharedRef) -> Option<&Arc<str>> {
        self.names.get(&group)
    }

    pub(super) fn learn(&mut self, group: SharedRef, filter: &Arc<str>, clients: &Clients) {
        if self.names.contains_key(&group) {
            return;
        }
        if self.names.len() >= self.many {
            self.forget(clients);
        }
        self.names.insert(group, Arc::clone(filter));
    }

    /// Forgets groups that no client of this shard is in, and groups that ended and were founded
    /// again under another number.
    fn forget(&mut self, clients: &Clients) {
        let shares = clients.iter().filter_map(|client| client.shares.as_ref());
        let mut held: HashSet<&str> = self.seed.set();
        held.extend(shares.flat_map(|shares| shares.filters.iter().map(|filter| filter.as_str())));
        let mut newest: HashMap<Arc<str>, u32> = self.seed.map();
        for (group, filter) in &self.names {
            let number = newest.entry(Arc::clone(filter)).or_default();
            *number = group.group.max(*number);
        }
        self.names.retain(|group, filter| {
            held.contains(filter.as_ref()) && newest.get(filter) == Some(&group.group)
        });
        self.many = FEW.max(2 * self.names.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_that_nobody_is_in_are_forgotten() {
        let seed = Seed::new(1);
        let (mut names, clients) = (GroupNames::new(seed), Clients::new(seed));
        for number in 0..10 * FEW as u32 {
            let filter: Arc<str> = Arc::from(format!("$share/g{number}/t"));
            let group = SharedRef { shard: 1, group: number };
            names.learn(group, &filter, &clients);
            assert_eq!(names.get(group), Some(&filter));
            assert!(names.names.len() <= FEW);
        }
    }
}
