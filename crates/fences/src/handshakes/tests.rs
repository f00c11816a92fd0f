use std::{collections::BTreeMap, time::Duration};

use plexus_types::Instant;
use proptest::prelude::*;

use super::{Entry, Handshakes, Stand};
use crate::Place;

#[expect(clippy::unnecessary_wraps, reason = "a place that is known, as one that is not")]
fn from(number: u32) -> Option<Place> {
    Some(Place::V4(number))
}

fn stand(entry: Entry) -> Stand {
    match entry {
        Entry::In(stand) | Entry::InsteadOf(_, stand) => stand,
        Entry::Refused => panic!("refused"),
    }
}

const NOW: Instant = Instant::from_secs(100);

#[test]
fn those_who_had_a_second_make_room_for_others_from_their_place() {
    let mut handshakes = Handshakes::new(2, 100);
    stand(handshakes.enter(from(1), 0, NOW));
    stand(handshakes.enter(from(1), 1, NOW));
    let soon = NOW + Duration::from_millis(999);
    assert_eq!(handshakes.enter(from(1), 2, soon), Entry::Refused);
    let later = NOW + Duration::from_secs(1);
    assert!(matches!(handshakes.enter(from(1), 3, later), Entry::InsteadOf(0, _)));
    assert!(matches!(handshakes.enter(from(1), 4, later), Entry::InsteadOf(1, _)));
    assert_eq!(handshakes.enter(from(1), 5, later), Entry::Refused, "they have just come");
    assert!(matches!(handshakes.enter(from(2), 6, later), Entry::InsteadOf(3, _)));
}

#[test]
fn a_flood_from_one_place_takes_from_itself() {
    let mut handshakes = Handshakes::new(4, 100);
    for name in 0..4 {
        assert!(matches!(handshakes.enter(from(1), name, NOW), Entry::In(_)));
    }
    assert_eq!(handshakes.enter(from(1), 4, NOW), Entry::Refused);
    let others = [(2, 5), (3, 6)].map(|(place, name)| handshakes.enter(from(place), name, NOW));
    let left = others.map(|entry| match entry {
        Entry::InsteadOf(name, _) => Some(name),
        Entry::In(_) | Entry::Refused => None,
    });
    assert_eq!(left, [Some(0), Some(1)], "those who were there first have had the most time");
    assert_eq!(handshakes.enter(from(1), 7, NOW), Entry::Refused, "it still has most");
}

#[test]
fn one_from_each_place_waits_for_room() {
    let mut handshakes = Handshakes::new(2, 100);
    let first = stand(handshakes.enter(from(1), 0, NOW));
    assert!(!handshakes.is_full_of_singles());
    stand(handshakes.enter(from(2), 1, NOW));
    assert!(handshakes.is_full_of_singles());
    assert_eq!(handshakes.enter(from(3), 2, NOW), Entry::Refused);
    handshakes.leave(first);
    assert!(matches!(handshakes.enter(from(3), 2, NOW), Entry::In(_)));
}

#[test]
fn a_place_has_a_limit_of_its_own_also_where_it_is_known_late() {
    let mut handshakes = Handshakes::new(100, 2);
    stand(handshakes.enter(from(1), 0, NOW));
    let second = stand(handshakes.enter(None, 1, NOW));
    let third = stand(handshakes.enter(None, 2, NOW));
    stand(handshakes.enter(None, 3, NOW));
    assert!(handshakes.place(second, Place::V4(1)).is_some());
    assert_eq!(handshakes.place(third, Place::V4(1)), None);
    assert_eq!(handshakes.enter(from(1), 4, NOW), Entry::Refused);
    assert_eq!(handshakes.count, 3, "who had to leave is not counted");
}

proptest! {
    /// Against a naive list: never too many; who leaves is from the place with most and was there first; who
    /// is refused has as many as anybody.
    #[test]
    fn the_place_with_most_loses(
        steps in prop::collection::vec((any::<bool>(), 0_u32..5), 1..200),
        most in 1_usize..10,
        most_of_place in 1_usize..10,
    ) {
        let mut handshakes = Handshakes::new(most, most_of_place);
        let mut present: Vec<(u32, usize, Stand)> = Vec::new();
        for (name, (comes, place)) in steps.into_iter().enumerate() {
            if !comes {
                if let Some(at) = present.iter().position(|(other, ..)| *other == place) {
                    handshakes.leave(present.remove(at).2);
                }
                continue;
            }
            let mut counts = BTreeMap::<u32, usize>::new();
            for (place, ..) in &present {
                *counts.entry(*place).or_default() += 1;
            }
            let here = counts.get(&place).copied().unwrap_or_default();
            let largest = counts.values().copied().max().unwrap_or_default();
            let refuses = handshakes.refuses(from(place), NOW);
            match handshakes.enter(from(place), name, NOW) {
                Entry::In(stand) => {
                    prop_assert!(present.len() < most && here < most_of_place);
                    present.push((place, name, stand));
                }
                Entry::InsteadOf(leaves, stand) => {
                    let at = present.iter().position(|(_, name, _)| *name == leaves).unwrap();
                    let from = present[at].0;
                    prop_assert!(present.len() == most && counts[&from] == largest);
                    prop_assert!(here + 2 <= largest);
                    prop_assert!(present[..at].iter().all(|(place, ..)| *place != from));
                    present.remove(at);
                    present.push((place, name, stand));
                }
                Entry::Refused => {
                    prop_assert!(refuses);
                    let has_most = present.len() >= most && here + 2 > largest;
                    prop_assert!(here >= most_of_place || has_most);
                }
            }
            prop_assert_eq!(handshakes.count, present.len());
        }
    }
}
