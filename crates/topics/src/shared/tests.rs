use plexus_stdx::Seed;
use plexus_types::Qos;
use proptest::prelude::*;

use super::{GroupId, Member, MemberOptions, MemberState, Pick, SharedGroups, Strategy as Way};
use crate::SubscriberId;

const OPTIONS: MemberOptions =
    MemberOptions { qos: Qos::AtLeastOnce, id: None, retain_as_published: false };
const READY: MemberState = MemberState { online: true, full: false, inflight: 0 };
const FULL: MemberState = MemberState { full: true, ..READY };
const OFFLINE: MemberState = MemberState { online: false, ..READY };

const WAYS: [Way; 7] = [
    Way::RoundRobin,
    Way::Random,
    Way::Sticky,
    Way::HashClient,
    Way::HashTopic,
    Way::Local,
    Way::LeastInflight,
];

fn member(number: u32) -> Member {
    Member { shard: (number % 4) as u16, subscriber: SubscriberId(number) }
}

fn groups(way: Way, members: u32) -> (SharedGroups, GroupId) {
    let mut groups = SharedGroups::new(Seed::new(8), way, &[]);
    let mut group = GroupId(0);
    for number in 0..members {
        let joined = groups.join("g", "a/+", member(number), OPTIONS);
        assert_eq!((joined.new_group, joined.new_member), (number == 0, true));
        group = joined.group;
    }
    (groups, group)
}

#[test]
fn a_group_is_found_by_its_whole_filter() {
    let (groups, group) = groups(Way::RoundRobin, 1);
    let filter = groups.filter(group).expect("a group").clone();
    assert_eq!(filter.as_ref(), "$share/g/a/+");
    assert_eq!(groups.find(&filter), Some(group));
    assert_eq!(groups.find("g/a/+"), None);
}

fn pick(groups: &mut SharedGroups, group: GroupId, tried: &[Member]) -> Option<u32> {
    pick_by(groups, group, 0, "a/b", tried)
}

fn pick_by(
    groups: &mut SharedGroups,
    group: GroupId,
    publisher_hash: u64,
    topic: &str,
    tried: &[Member],
) -> Option<u32> {
    let pick = Pick { publisher_hash, topic, local_shard: 1, tried };
    groups.select(group, pick).map(|selected| selected.member.subscriber.0)
}

fn counts(groups: &mut SharedGroups, group: GroupId, picks: usize, members: u32) -> Vec<usize> {
    let mut counts = vec![0; members as usize];
    for _ in 0..picks {
        counts[pick(groups, group, &[]).expect("somebody") as usize] += 1;
    }
    counts
}

#[test]
fn a_group_lives_from_its_first_member_to_its_last() {
    let mut groups = SharedGroups::new(Seed::new(8), Way::RoundRobin, &[]);
    let first = groups.join("g", "a/#", member(1), OPTIONS);
    let other = groups.join("h", "a/#", member(1), OPTIONS);
    assert_ne!(first.group, other.group);
    let again = groups.join("g", "a/#", member(1), OPTIONS);
    assert_eq!((again.group, again.new_group, again.new_member), (first.group, false, false));
    assert_eq!((groups.groups(), groups.members()), (2, 2));
    let mut found = Vec::new();
    groups.matches("a/b", &mut found);
    found.sort();
    assert_eq!(found, [first.group, other.group]);
    assert!(!groups.leave("g", "a/#", member(2)).was_member);
    assert!(!groups.leave("g", "a", member(1)).was_member);
    assert!(groups.leave("g", "a/#", member(1)).group_ended);
    assert!(!groups.leave("g", "a/#", member(1)).was_member);
    assert_eq!(pick(&mut groups, first.group, &[]), None, "the group is gone");
    let later = groups.join("g", "a/#", member(1), OPTIONS);
    assert_ne!(later.group, first.group, "a message on its way back must not find another group");
    found.clear();
    groups.matches("$SYS/b", &mut found);
    assert!(found.is_empty());
}

#[test]
fn a_member_gets_the_options_of_its_newest_subscription() {
    let (mut groups, group) = groups(Way::RoundRobin, 1);
    let newer = MemberOptions { qos: Qos::ExactlyOnce, retain_as_published: true, ..OPTIONS };
    groups.join("g", "a/+", member(0), newer);
    let pick = Pick { publisher_hash: 0, topic: "a/b", local_shard: 0, tried: &[] };
    assert_eq!(groups.select(group, pick).expect("one member").options, newer);
}

#[test]
fn round_robin_is_exact() {
    let (mut groups, group) = groups(Way::RoundRobin, 5);
    assert_eq!(counts(&mut groups, group, 503, 5), [101, 101, 101, 100, 100]);
    // Who cannot take messages for a while misses turns; nobody else does.
    groups.set_state(member(2), FULL);
    assert_eq!(counts(&mut groups, group, 400, 5), [100, 100, 0, 100, 100]);
    groups.set_state(member(2), READY);
    assert_eq!(counts(&mut groups, group, 500, 5), [100; 5]);
    groups.leave("g", "a/+", member(0));
    assert_eq!(counts(&mut groups, group, 400, 5), [0, 100, 100, 100, 100]);
}

#[test]
fn every_group_has_a_turn_of_its_own() {
    let (mut groups, one) = groups(Way::RoundRobin, 3);
    for number in 0..3 {
        groups.join("h", "a/+", member(number), OPTIONS);
    }
    let two = groups.join("h", "a/+", member(0), OPTIONS).group;
    for turn in 0..9 {
        assert_eq!(pick(&mut groups, one, &[]), Some(turn % 3));
        assert_eq!(pick(&mut groups, two, &[]), Some(turn % 3));
    }
}

#[test]
fn strategies_are_chosen_by_group_name() {
    let by_name = [("s".to_owned(), Way::Sticky), ("s".to_owned(), Way::Random)];
    let mut groups = SharedGroups::new(Seed::new(8), Way::RoundRobin, &by_name);
    for number in 0..4 {
        groups.join("s", "x", member(number), OPTIONS);
        groups.join("r", "x", member(number), OPTIONS);
    }
    let sticky = groups.join("s", "x", member(0), OPTIONS).group;
    let rest = groups.join("r", "x", member(0), OPTIONS).group;
    let stuck = counts(&mut groups, sticky, 20, 4);
    assert_eq!(stuck.iter().filter(|count| **count == 20).count(), 1);
    assert_eq!(counts(&mut groups, rest, 20, 4), [5; 4]);
}

#[test]
fn sticky_stays_until_the_member_cannot_take_a_message() {
    let (mut groups, group) = groups(Way::Sticky, 6);
    for state in [FULL, OFFLINE] {
        let first = pick(&mut groups, group, &[]).expect("somebody");
        assert_eq!(counts(&mut groups, group, 50, 6)[first as usize], 50);
        groups.set_state(member(first), state);
        let second = pick(&mut groups, group, &[]).expect("somebody");
        assert_ne!(first, second);
        groups.set_state(member(first), READY);
        assert_eq!(pick(&mut groups, group, &[]), Some(second), "it does not go back");
    }
    let current = pick(&mut groups, group, &[]).expect("somebody");
    groups.leave("g", "a/+", member(current));
    assert_ne!(pick(&mut groups, group, &[]), Some(current));
}

#[test]
fn random_reaches_everybody_about_equally() {
    let (mut groups, group) = groups(Way::Random, 8);
    let counts = counts(&mut groups, group, 8_000, 8);
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
}

#[test]
fn hashes_keep_a_key_with_its_member_and_spread_the_keys() {
    for way in [Way::HashClient, Way::HashTopic] {
        let (mut groups, group) = groups(way, 8);
        let ask = |groups: &mut SharedGroups, key: u64| {
            pick_by(groups, group, key, &format!("a/{key}"), &[]).expect("somebody")
        };
        let before: Vec<u32> = (0..800).map(|key| ask(&mut groups, key)).collect();
        let again: Vec<u32> = (0..800).map(|key| ask(&mut groups, key)).collect();
        assert_eq!(before, again);
        for number in 0..8 {
            let count = before.iter().filter(|it| **it == number).count();
            assert!((60..140).contains(&count), "{count}");
        }
        // A member that is away for a while moves its own keys and no other.
        groups.set_state(member(3), FULL);
        for (key, home) in before.iter().enumerate() {
            let now = ask(&mut groups, key as u64);
            assert!(if *home == 3 { now != 3 } else { now == *home });
        }
        groups.set_state(member(3), READY);
        groups.join("g", "a/+", member(8), OPTIONS);
        let moved: Vec<u64> =
            (0..800).filter(|key| ask(&mut groups, *key) != before[*key as usize]).collect();
        assert!((40..140).contains(&moved.len()), "a ninth of the keys moves: {}", moved.len());
        assert!(moved.iter().all(|key| ask(&mut groups, *key) == 8), "to whom has come");
        groups.leave("g", "a/+", member(8));
        groups.leave("g", "a/+", member(2));
        for (key, home) in before.iter().enumerate() {
            let now = ask(&mut groups, key as u64);
            assert!(if *home == 2 { now != 2 } else { now == *home }, "only who left loses keys");
        }
        groups.join("g", "a/+", member(9), OPTIONS);
        for (key, home) in before.iter().enumerate() {
            assert_eq!(ask(&mut groups, key as u64), if *home == 2 { 9 } else { *home });
        }
    }
}

#[test]
fn hash_client_looks_at_the_client_and_hash_topic_at_the_topic() {
    for (way, client) in [(Way::HashClient, true), (Way::HashTopic, false)] {
        let (mut groups, group) = groups(way, 16);
        let mut by =
            |publisher: u64, topic: &str| pick_by(&mut groups, group, publisher, topic, &[]);
        let topics_differ = (0..32).any(|n| by(1, &format!("a/{n}")) != by(1, "a/0"));
        let clients_differ = (0..32).any(|n| by(n, "a/0") != by(0, "a/0"));
        assert_eq!((clients_differ, topics_differ), (client, !client));
    }
}

#[test]
fn local_members_come_first_in_turn() {
    let (mut groups, group) = groups(Way::Local, 12);
    // Members 1, 5 and 9 live in shard 1, which picks.
    let local = counts(&mut groups, group, 300, 12);
    assert_eq!((local[1], local[5], local[9]), (100, 100, 100));
    for number in [1, 5, 9] {
        groups.set_state(member(number), FULL);
    }
    let other = counts(&mut groups, group, 900, 12);
    assert_eq!(other[1] + other[5] + other[9], 0);
    assert!(other.iter().all(|count| [0, 100].contains(count)), "{other:?}");
}

#[test]
fn least_inflight_prefers_the_idle_and_takes_turns_among_equals() {
    let (mut groups, group) = groups(Way::LeastInflight, 4);
    let busy = |inflight| MemberState { inflight, ..READY };
    for (number, inflight) in [(0, 3), (1, 1), (2, 1), (3, 9)] {
        groups.set_state(member(number), busy(inflight));
    }
    assert_eq!(counts(&mut groups, group, 10, 4), [0, 5, 5, 0]);
    groups.set_state(member(3), busy(0));
    assert_eq!(counts(&mut groups, group, 10, 4), [0, 0, 0, 10]);
    groups.set_state(member(3), OFFLINE);
    assert_ne!(
        pick(&mut groups, group, &[]),
        Some(3),
        "offline and idle comes after online and busy"
    );
}

#[test]
fn members_that_refuse_are_passed_over_while_another_can_take_the_message() {
    for way in WAYS {
        let (mut groups, group) = groups(way, 5);
        groups.set_state(member(3), OFFLINE);
        groups.set_state(member(4), FULL);
        let mut tried = Vec::new();
        while let Some(next) = pick(&mut groups, group, &tried) {
            assert!(!tried.contains(&member(next)), "{way:?} asks {next} again");
            tried.push(member(next));
        }
        let mut asked: Vec<u32> = tried.iter().map(|member| member.subscriber.0).collect();
        assert_eq!(asked.pop(), Some(4), "{way:?}: who was full is the last resort");
        assert_eq!(asked.pop(), Some(3), "{way:?}: who is away comes after those who are there");
        asked.sort_unstable();
        assert_eq!(asked, [0, 1, 2], "{way:?}");
    }
}

#[test]
fn one_state_counts_in_all_groups_of_a_member() {
    let (mut groups, one) = groups(Way::RoundRobin, 2);
    let two = groups.join("h", "b", member(0), OPTIONS).group;
    groups.set_state(member(0), FULL);
    groups.join("h", "b", member(1), OPTIONS);
    // A later group of the same member begins with its state.
    let three = groups.join("i", "b", member(0), OPTIONS).group;
    groups.join("i", "b", member(1), OPTIONS);
    for group in [one, two, three] {
        assert_eq!(counts(&mut groups, group, 4, 2), [0, 4]);
    }
    groups.set_state(member(0), READY);
    for group in [one, two, three] {
        assert_eq!(counts(&mut groups, group, 4, 2), [2, 2]);
    }
    // Strangers change nothing.
    groups.set_state(member(77), READY);
    assert_eq!(groups.members(), 6);
}

#[test]
fn memory_comes_back() {
    let mut groups = SharedGroups::new(Seed::new(8), Way::RoundRobin, &[]);
    let empty = groups.memory();
    for number in 0..5_000 {
        groups.join("large", "a/+", member(number), OPTIONS);
        groups.join(&format!("g{}", number / 5), "a/#", member(number), OPTIONS);
    }
    let full = groups.memory();
    assert!(full > empty + 5_000 * 2 * 48, "{full}");
    for number in 0..5_000 {
        groups.leave("large", "a/+", member(number));
        groups.leave(&format!("g{}", number / 5), "a/#", member(number));
    }
    assert!(groups.groups() == 0 && groups.memory() < empty + full / 50, "{}", groups.memory());
}

#[derive(Debug, Clone)]
enum Act {
    Join(u32),
    Leave(u32),
    State(u32, MemberState),
    Pick(Vec<u32>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let who = 0_u32..6;
    let state = (any::<bool>(), any::<bool>(), 0_u32..3)
        .prop_map(|(online, full, inflight)| MemberState { online, full, inflight });
    let act = prop_oneof![
        3 => who.clone().prop_map(Act::Join),
        2 => who.clone().prop_map(Act::Leave),
        3 => (who.clone(), state).prop_map(|(who, state)| Act::State(who, state)),
        5 => prop::collection::vec(who, 0..4).prop_map(Act::Pick),
    ];
    prop::collection::vec(act, 0..120)
}

proptest! {
    /// Whatever the strategy, a pick is a member of the best kind that has not been tried.
    #[test]
    fn picks_agree_with_a_model(acts in acts(), way in prop::sample::select(WAYS.to_vec())) {
        let mut groups = SharedGroups::new(Seed::new(8), way, &[]);
        let mut model = std::collections::BTreeMap::<u32, MemberState>::new();
        let mut group = GroupId(0);
        for act in acts {
            match act {
                Act::Join(who) => {
                    let joined = groups.join("g", "a/+", member(who), OPTIONS);
                    group = joined.group;
                    prop_assert_eq!(joined.new_group, model.is_empty());
                    prop_assert_eq!(joined.new_member, !model.contains_key(&who));
                    model.entry(who).or_insert(READY);
                }
                Act::Leave(who) => {
                    let left = groups.leave("g", "a/+", member(who));
                    prop_assert_eq!(left.was_member, model.remove(&who).is_some());
                    prop_assert_eq!(left.group_ended, left.was_member && model.is_empty());
                }
                Act::State(who, state) => {
                    groups.set_state(member(who), state);
                    model.entry(who).and_modify(|known| *known = state);
                }
                Act::Pick(tried) => {
                    let kind = |state: &MemberState| (state.full, !state.full && !state.online);
                    let open = || model.iter().filter(|(who, _)| !tried.contains(who));
                    let first = open().map(|(_, state)| kind(state)).min();
                    let best: Vec<(u32, u32)> = open()
                        .filter(|(_, state)| Some(kind(state)) == first)
                        .map(|(who, state)| (state.inflight, *who))
                        .collect();
                    let tried: Vec<Member> = tried.iter().map(|who| member(*who)).collect();
                    let picked = pick(&mut groups, group, &tried);
                    prop_assert_eq!(picked.is_none(), best.is_empty());
                    let Some(picked) = picked else { continue };
                    let load = best.iter().find(|(_, who)| *who == picked);
                    prop_assert!(load.is_some(), "{picked} of {best:?}");
                    if way == Way::LeastInflight {
                        prop_assert_eq!(load.map(|it| it.0), best.iter().map(|it| it.0).min());
                    }
                    if way == Way::Local && best.iter().any(|(_, who)| who % 4 == 1) {
                        prop_assert_eq!(picked % 4, 1);
                    }
                }
            }
            prop_assert_eq!((groups.members(), groups.groups()), (model.len(), usize::from(!model.is_empty())));
        }
    }
}
