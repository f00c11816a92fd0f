use plexus_stdx::Seed;
use plexus_types::Qos;

use super::{GroupId, Member, MemberOptions, MemberState, Pick, SharedGroups, Strategy};
use crate::SubscriberId;

fn member(number: u32) -> Member {
    Member { shard: (number % 2) as u16, subscriber: SubscriberId(number) }
}

fn groups(strategy: Strategy, members: u32) -> (SharedGroups, GroupId) {
    let mut groups = SharedGroups::new(Seed::new(1), strategy, &[]);
    let options = MemberOptions { qos: Qos::AtLeastOnce, id: None, retain_as_published: false };
    let mut group = GroupId(0);
    for number in 0..members {
        group = groups.join("g", "t/#", member(number), options).group;
        state(&mut groups, number, true, false);
    }
    (groups, group)
}

fn state(groups: &mut SharedGroups, number: u32, online: bool, full: bool) {
    groups.set_state(member(number), MemberState { online, full, inflight: 0 });
}

fn pick<'a>(topic: &'a str, publisher_hash: u64, tried: &'a [Member]) -> Pick<'a> {
    Pick { publisher_hash, topic, local_shard: 1, tried }
}

fn choose(groups: &mut SharedGroups, group: GroupId) -> u32 {
    groups.select(group, pick("t/a", 7, &[])).expect("somebody").member.subscriber.0
}

#[test]
fn round_robin_is_exact() {
    let (mut groups, group) = groups(Strategy::RoundRobin, 5);
    let chosen: Vec<_> = (0..15).map(|_| choose(&mut groups, group)).collect();
    for round in chosen.chunks(5) {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert_eq!(round, [0, 1, 2, 3, 4]);
    }
}

#[test]
fn who_is_away_or_full_is_passed_over_while_another_can() {
    for strategy in [
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::Sticky,
        Strategy::HashClient,
        Strategy::HashTopic,
        Strategy::Local,
        Strategy::LeastInflight,
    ] {
        let (mut groups, group) = groups(strategy, 4);
        state(&mut groups, 0, false, false);
        state(&mut groups, 1, true, true);
        for _ in 0..50 {
            assert!([2, 3].contains(&choose(&mut groups, group)), "{strategy:?}");
        }
        let tried = [member(2), member(3)];
        let last = groups.select(group, pick("t/a", 7, &tried)).expect("one that is away");
        assert!([0, 1].contains(&last.member.subscriber.0), "{strategy:?}");
        let all: Vec<_> = (0..4).map(member).collect();
        assert_eq!(groups.select(group, pick("t/a", 7, &all)), None, "{strategy:?}");
        state(&mut groups, 0, true, false);
        let back = (0..200).map(|_| choose(&mut groups, group)).any(|it| it == 0);
        let fixed = matches!(
            strategy,
            Strategy::Sticky | Strategy::HashClient | Strategy::HashTopic | Strategy::Local
        );
        assert!(back || fixed, "{strategy:?}");
    }
}

#[test]
fn sticky_stays_until_its_member_cannot() {
    let (mut groups, group) = groups(Strategy::Sticky, 4);
    let first = choose(&mut groups, group);
    for _ in 0..20 {
        assert_eq!(choose(&mut groups, group), first);
    }
    state(&mut groups, first, true, true);
    let second = choose(&mut groups, group);
    assert_ne!(second, first);
    state(&mut groups, first, true, false);
    assert_eq!(choose(&mut groups, group), second);
}

#[test]
fn hashes_are_stable_and_spread() {
    let (mut groups, group) = groups(Strategy::HashClient, 8);
    let of = |groups: &mut SharedGroups, publisher: u64| {
        groups.select(group, pick("t/a", publisher, &[])).expect("somebody").member
    };
    let before: Vec<_> = (0..400).map(|publisher| of(&mut groups, publisher)).collect();
    let again: Vec<_> = (0..400).map(|publisher| of(&mut groups, publisher)).collect();
    assert_eq!(before, again);
    for number in 0..8 {
        assert!(before.iter().filter(|it| **it == member(number)).count() > 20);
    }
    groups.leave("g", "t/#", member(3));
    for (publisher, old) in (0..400).zip(before) {
        if old != member(3) {
            assert_eq!(of(&mut groups, publisher), old, "only the share of the leaver moves");
        }
    }
}

#[test]
fn least_inflight_prefers_the_idle() {
    let (mut groups, group) = groups(Strategy::LeastInflight, 3);
    for (number, inflight) in [(0, 5), (1, 2), (2, 9)] {
        groups.set_state(member(number), MemberState { online: true, full: false, inflight });
    }
    let chosen: Vec<_> = (0..4).map(|_| choose(&mut groups, group)).collect();
    assert_eq!(chosen[..3], [1, 1, 1]);
}

#[test]
fn local_prefers_members_of_the_asking_shard() {
    let (mut groups, group) = groups(Strategy::Local, 4);
    for _ in 0..20 {
        assert_eq!(choose(&mut groups, group) % 2, 1);
    }
}

#[test]
fn groups_of_one_name_and_other_filters_are_others() {
    let mut groups = SharedGroups::new(Seed::new(1), Strategy::RoundRobin, &[]);
    let options = MemberOptions { qos: Qos::AtMostOnce, id: None, retain_as_published: false };
    let one = groups.join("g", "a", member(0), options);
    let other = groups.join("g", "b", member(0), options);
    let third = groups.join("h", "a", member(1), options);
    assert!(one.new_group && other.new_group && third.new_group);
    let mut found = Vec::new();
    groups.matches("a", &mut found);
    found.sort_unstable();
    assert_eq!(found, [one.group, third.group]);
    assert!(groups.leave("g", "a", member(0)).group_ended);
    assert!(!groups.leave("g", "a", member(0)).was_member);
    assert_eq!((groups.groups(), groups.members()), (2, 2));
}

#[test]
fn the_number_of_a_group_that_ended_is_not_another_groups() {
    let (mut groups, ended) = groups(Strategy::RoundRobin, 1);
    assert_eq!(groups.filter(ended).map(|filter| &**filter), Some("$share/g/t/#"));
    assert!(groups.leave("g", "t/#", member(0)).group_ended);
    let options = MemberOptions { qos: Qos::AtLeastOnce, id: None, retain_as_published: false };
    let other = groups.join("h", "u", member(1), options).group;
    assert_ne!(other, ended);
    assert_eq!(groups.select(ended, pick("t/a", 7, &[])), None);
    assert_eq!(groups.filter(ended), None);
}
