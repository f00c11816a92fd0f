use plexus_stdx::Seed;
use plexus_types::filter_matches;
use proptest::prelude::*;

use super::Interest;

fn tables(shards: u16) -> Vec<Interest> {
    (0..shards).map(|shard| Interest::new(Seed::new(3), shard)).collect()
}

/// Adds or removes a filter at one shard and tells the others; says whether there was news.
fn change(tables: &mut [Interest], shard: usize, filter: &str, add: bool) -> bool {
    let own = &mut tables[shard];
    let delta = if add { own.add_local(filter) } else { own.remove_local(filter) };
    let Some(delta) = delta else { return false };
    assert_eq!(delta.present, add);
    for (number, other) in tables.iter_mut().enumerate() {
        if number != shard {
            other.apply(shard as u16, &delta);
        }
    }
    true
}

#[test]
fn news_is_only_the_first_and_the_last_of_a_prefix() {
    let mut tables = tables(2);
    assert!(change(&mut tables, 0, "a/b/+", true));
    assert!(!change(&mut tables, 0, "a/b/#", true), "the same prefix");
    assert!(change(&mut tables, 0, "a/b", true), "an exact filter is another key");
    assert!(change(&mut tables, 1, "a/b/+/x", true), "another shard");
    assert!(!change(&mut tables, 0, "a/b/+", false));
    assert!(change(&mut tables, 0, "a/b/#", false));
    assert!(!change(&mut tables, 0, "a/b/#", false), "more than were added");
    assert!(!change(&mut tables, 0, "never", false));
    assert!(change(&mut tables, 0, "a/b", false));
    assert!(change(&mut tables, 1, "a/b/+/x", false));
    assert!(tables.iter().all(Interest::is_empty));
}

#[test]
fn topics_go_where_a_prefix_is_known() {
    let mut tables = tables(4);
    for (shard, filter) in [(0, "#"), (1, "a/#"), (2, "a/b/+"), (3, "a/b")] {
        change(&mut tables, shard, filter, true);
    }
    for table in &tables {
        assert_eq!(table.shards("x"), 0b0001);
        assert_eq!(table.shards("a"), 0b0011);
        assert_eq!(table.shards("a/b"), 0b1111);
        assert_eq!(table.shards("a/b/c"), 0b0111);
        assert_eq!(table.shards("$SYS/a"), 0, "[MQTT-4.7.2-1]");
    }
}

#[test]
fn sixty_four_shards_have_a_bit_each() {
    let mut tables = tables(64);
    change(&mut tables, 63, "a/#", true);
    change(&mut tables, 0, "a/#", true);
    assert_eq!(tables[5].shards("a/b"), 1 << 63 | 1);
}

#[test]
fn very_deep_filters_are_known_by_their_first_levels() {
    let deep = "x/".repeat(32_000);
    let mut tables = tables(2);
    for filter in [format!("{deep}#"), format!("{deep}+"), deep.clone()] {
        change(&mut tables, 1, &filter, true);
    }
    assert_eq!(tables[0].len(), 1);
    assert_eq!(tables[0].shards(&deep), 0b10);
    assert_eq!(tables[0].shards(&deep[..124]), 0b10, "coarser than necessary, never less");
    assert_eq!(tables[0].shards("x"), 0);
}

fn filters() -> impl Strategy<Value = String> {
    let level = prop::sample::select(vec!["a", "b", "+", "", "$x"]);
    (prop::collection::vec(level, 1..4), any::<bool>()).prop_map(|(levels, multi)| {
        let filter = levels.join("/");
        if multi { format!("{filter}/#") } else { filter }
    })
}

proptest! {
    #[test]
    fn no_shard_with_a_matching_filter_is_left_out(
        acts in prop::collection::vec((0_usize..3, filters(), any::<bool>()), 0..60),
        topics in prop::collection::vec("[ab$x]{0,2}(/[ab]{0,2}){0,3}", 10),
    ) {
        let mut tables = tables(3);
        let mut model: Vec<(usize, String)> = Vec::new();
        for (shard, filter, add) in acts {
            if add {
                change(&mut tables, shard, &filter, true);
                model.push((shard, filter));
            } else if let Some(at) = model.iter().position(|it| *it == (shard, filter.clone())) {
                change(&mut tables, shard, &filter, false);
                model.swap_remove(at);
            }
        }
        for topic in topics {
            let mut wanted = 0;
            for (shard, filter) in &model {
                wanted |= u64::from(filter_matches(filter, &topic)) << shard;
            }
            for table in &tables {
                let shards = table.shards(&topic);
                prop_assert_eq!(shards & wanted, wanted, "{}", topic);
                prop_assert_eq!(shards, tables[0].shards(&topic), "all tables agree");
            }
        }
        for (shard, filter) in model {
            change(&mut tables, shard, &filter, false);
        }
        prop_assert!(tables.iter().all(|table| table.is_empty() && table.present == 0));
    }
}
