use plexus_stdx::Seed;
use plexus_types::filter_matches;
use proptest::prelude::*;

use super::Interest;
use crate::index::tests::{filter, topic};

#[test]
fn a_shard_is_named_by_the_beginning_of_its_filters_only() {
    let mut interest = Interest::new(Seed::new(1), 3);
    assert!(interest.add_local("a/b/+").is_some());
    assert!(interest.add_local("a/b/#").is_none(), "the same beginning");
    assert_eq!(interest.shards("a/b/c"), 1 << 3);
    assert_eq!(interest.shards("a/c/c"), 0);
    assert!(interest.remove_local("a/b/+").is_none());
    assert!(interest.remove_local("a/b/#").is_some());
    assert_eq!(interest.shards("a/b/c"), 0);
}

#[test]
fn leading_wildcards_say_nothing_of_dollar_topics() {
    let mut interest = Interest::new(Seed::new(1), 0);
    interest.add_local("#");
    assert_eq!((interest.shards("a"), interest.shards("$SYS/a")), (1, 0));
}

proptest! {
    #[test]
    fn no_shard_that_would_match_is_left_out(
        changes in proptest::collection::vec((any::<bool>(), 0_usize..3, filter()), 1..60),
        topics in proptest::collection::vec(topic(), 1..8),
    ) {
        let mut tables: Vec<_> = (0..3).map(|id| Interest::new(Seed::new(5), id)).collect();
        let mut model: Vec<Vec<String>> = vec![Vec::new(); 3];
        for (add, shard, filter) in changes {
            let delta = if add {
                model[shard].push(filter.clone());
                tables[shard].add_local(&filter)
            } else if let Some(at) = model[shard].iter().position(|it| *it == filter) {
                model[shard].remove(at);
                tables[shard].remove_local(&filter)
            } else {
                continue;
            };
            if let Some(delta) = delta {
                for (other, table) in tables.iter_mut().enumerate() {
                    if other != shard {
                        table.apply(shard as u16, &delta);
                    }
                }
            }
        }
        for topic in topics {
            let named: Vec<_> = tables.iter().map(|table| table.shards(&topic)).collect();
            prop_assert!(named.windows(2).all(|pair| pair[0] == pair[1]), "all tables agree");
            for (shard, filters) in model.iter().enumerate() {
                if filters.iter().any(|filter| filter_matches(filter, &topic)) {
                    prop_assert!(named[0] & (1 << shard) != 0, "{} at {}", topic, shard);
                }
            }
        }
    }
}
