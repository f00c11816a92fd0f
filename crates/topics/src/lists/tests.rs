use std::num::NonZeroU32;

use plexus_stdx::Seed;

use super::{Lists, Subscribers};
use crate::{Options, SubscriberId, Subscription, subscription::Entry};

fn entry(subscriber: u32, id: u32) -> Entry {
    let (subscriber, id) = (SubscriberId(subscriber), NonZeroU32::new(id));
    Subscription { subscriber, id, options: Options::default() }.into()
}

fn collected(lists: &Lists, from: Subscribers) -> Vec<(u32, u32)> {
    let mut found = Vec::new();
    lists.collect(&from, &mut found);
    found.iter().map(|entry| (entry.subscriber, entry.id)).collect()
}

#[test]
fn a_list_grows_from_one_and_shrinks_to_none() {
    let mut lists = Lists::new();
    let mut list = Subscribers::One(entry(5, 1));
    assert_eq!(lists.insert(&mut list, entry(5, 2)), Some(entry(5, 1)));
    assert_eq!(lists.insert(&mut list, entry(3, 1)), None);
    assert_eq!(collected(&lists, list), [(3, 1), (5, 2)]);
    assert!(lists.remove(&mut list, 4).is_none());
    assert!(!lists.remove(&mut list, 5).expect("listed").emptied);
    assert_eq!(lists.many.len(), 0, "one left is a single again");
    assert!(lists.remove(&mut list, 5).is_none());
    assert!(lists.remove(&mut list, 3).expect("listed").emptied);
    assert_eq!((lists.many.len(), lists.owned), (0, 0));
}

#[test]
fn long_lists_agree_with_an_ordered_map() {
    let mut draw = Seed::new(4);
    let mut lists = Lists::new();
    let mut list = Subscribers::One(entry(0, 1));
    let mut model = std::collections::BTreeMap::from([(0, 1)]);
    for round in 1..60_000_u32 {
        let who = 1 + draw.below(10_000) as u32;
        if draw.below(10) < if round < 30_000 { 7 } else { 2 } {
            let replaced = lists.insert(&mut list, entry(who, round));
            assert_eq!(replaced.map(|entry| entry.id), model.insert(who, round));
        } else {
            let removed = lists.remove(&mut list, who);
            assert_eq!(removed.map(|removed| removed.entry.id), model.remove(&who));
        }
        if round % 10_000 == 0 {
            let listed: Vec<_> = model.iter().map(|(who, id)| (*who, *id)).collect();
            assert_eq!(collected(&lists, list), listed);
            let bytes = lists.owned / model.len();
            assert!(bytes <= 12 * 4, "{bytes} bytes a subscriber");
        }
    }
}
