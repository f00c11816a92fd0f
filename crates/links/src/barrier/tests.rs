use proptest::{collection::vec, prelude::*};

use super::{Class::*, *};

fn at(number: u64) -> LogPosition {
    LogPosition::new(number)
}

fn some(class: Class, from: u64, to: u64) -> Confirmed {
    Confirmed { class, from, to }
}

#[test]
fn nothing_is_kept_from_the_first_unconfirmed_message_on() {
    let mut barriers = Barriers::new(3);
    assert_eq!(barriers.limit(), at(u64::MAX));
    barriers.sent(1, Request, at(4));
    barriers.sent(2, Request, at(6));
    barriers.sent(1, Final, at(7));
    barriers.sent(1, Request, at(8));
    assert_eq!(barriers.limit(), at(4));
    barriers.confirmed(1, some(Request, 1, 1));
    assert_eq!(barriers.limit(), at(4), "a later one does not help");
    barriers.confirmed(1, some(Request, 0, 0));
    assert_eq!(barriers.limit(), at(6));
    barriers.confirmed(2, some(Request, 0, 0));
    assert_eq!(barriers.limit(), at(7));
    barriers.confirmed(1, some(Final, 0, 0));
    assert_eq!(barriers.limit(), at(u64::MAX));
}

#[test]
fn what_was_taken_is_confirmed_when_what_it_caused_is_kept() {
    let mut barriers = Barriers::new(3);
    barriers.taken(1, Request, at(1), at(3));
    barriers.taken(1, Request, at(3), at(3));
    barriers.taken(1, Request, at(3), at(5));
    barriers.taken(1, Final, at(5), at(6));
    assert_eq!(barriers.creditors(), 0b10);
    assert_eq!(barriers.settle(1, at(2)), [some(Request, 1, 1)], "it caused nothing");
    assert_eq!(barriers.settle(1, at(5)), [some(Request, 0, 0), some(Request, 2, 2)]);
    assert_eq!(barriers.settle(1, at(5)), []);
    assert_eq!(barriers.settle(1, at(6)), [some(Final, 0, 0)]);
    assert_eq!(barriers.creditors(), 0);
}

/// Two shards that send to each other at the same moment do not wait for each other.
#[test]
fn a_confirmation_does_not_wait_for_what_it_did_not_cause() {
    let mut barriers = Barriers::new(2);
    barriers.sent(1, Request, at(1));
    barriers.taken(1, Request, at(1), at(2));
    assert_eq!(barriers.settle(1, at(2)), [some(Request, 0, 0)]);
}

#[test]
fn what_is_passed_on_is_confirmed_when_the_other_has_it() {
    let mut barriers = Barriers::new(3);
    barriers.sent(2, Final, at(2));
    barriers.taken(1, Request, at(1), at(2));
    barriers.taken(1, Request, at(2), at(3));
    assert_eq!(barriers.settle(1, at(9)), [some(Request, 1, 1)]);
    barriers.confirmed(2, some(Final, 0, 0));
    assert_eq!(barriers.settle(1, at(9)), [some(Request, 0, 0)]);
}

/// What is said of barriers, word by word, and without a thought for time.
#[derive(Default)]
struct Words {
    sent: Vec<(u16, Class, LogPosition, bool)>,
    taken: Vec<(u16, Class, LogPosition, LogPosition, bool)>,
}

impl Words {
    fn confirmed(&mut self, by: u16, Confirmed { class, from, to }: Confirmed) {
        let own = self.sent.iter_mut().filter(|sent| (sent.0, sent.1) == (by, class));
        for (_, sent) in (0..).zip(own).filter(|(number, _)| (from..=to).contains(number)) {
            sent.3 = true;
        }
    }

    fn limit(&self) -> LogPosition {
        let open = self.sent.iter().filter(|sent| !sent.3).map(|sent| sent.2);
        open.min().unwrap_or_else(|| at(u64::MAX))
    }

    fn waits(&self, before: LogPosition, upto: LogPosition) -> bool {
        self.sent.iter().any(|sent| !sent.3 && sent.2 > before && sent.2 <= upto)
    }

    fn creditors(&self) -> u64 {
        self.taken.iter().filter(|taken| !taken.4).fold(0, |set, taken| set | 1 << taken.0)
    }

    fn settle(&mut self, shard: u16, logged: LogPosition) -> Vec<(bool, u64)> {
        let (mut counts, mut settled) = ([0, 0], Vec::new());
        for at in 0..self.taken.len() {
            let (from, class, before, upto, told) = self.taken[at];
            if from != shard {
                continue;
            }
            let count = &mut counts[usize::from(class == Final)];
            let number = *count;
            *count += 1;
            let kept = upto == before || (upto <= logged && !self.waits(before, upto));
            if kept && !told {
                self.taken[at].4 = true;
                settled.push((class == Final, number));
            }
        }
        settled.sort_unstable();
        settled
    }
}

const SHARDS: u16 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// A client's message goes to other shards.
    Send(Vec<(u16, Class)>),
    /// Another shard's envelope goes on to others, and makes so many records.
    Take(u16, Class, Vec<(u16, Class)>, u64),
    Confirm(u16, Class, u64, u64),
    /// The log has so many more positions, and that shard is told.
    Settle(u64, u16),
}

fn step() -> impl Strategy<Value = Step> {
    let class = || prop_oneof![Just(Request), Just(Final)];
    let sent = || vec((0..SHARDS, class()), 0..4);
    prop_oneof![
        sent().prop_map(Step::Send),
        (0..SHARDS, class(), sent(), 0..3_u64).prop_map(|(a, b, c, d)| Step::Take(a, b, c, d)),
        (0..SHARDS, class(), 0..20_u64, 0..4_u64)
            .prop_map(|(a, b, c, d)| Step::Confirm(a, b, c, d)),
        (0..8_u64, 0..SHARDS).prop_map(|(a, b)| Step::Settle(a, b)),
    ]
}

proptest! {
    #[test]
    fn barriers_keep_to_the_words(steps in vec(step(), 1..120)) {
        let (mut barriers, mut words) = (Barriers::new(SHARDS), Words::default());
        let (mut appended, mut logged) = (0, 0);
        for step in steps {
            let before = at(appended);
            if let Step::Send(sent) | Step::Take(_, _, sent, _) = &step {
                for (to, class) in sent {
                    appended += 1;
                    barriers.sent(*to, *class, at(appended));
                    words.sent.push((*to, *class, at(appended), false));
                }
            }
            match step {
                Step::Send(_) => {}
                Step::Take(from, class, _, records) => {
                    appended += records;
                    barriers.taken(from, class, before, at(appended));
                    words.taken.push((from, class, before, at(appended), false));
                }
                Step::Confirm(by, class, from, more) => {
                    barriers.confirmed(by, some(class, from, from + more));
                    words.confirmed(by, some(class, from, from + more));
                }
                Step::Settle(more, shard) => {
                    logged = appended.min(logged + more);
                    let settled = barriers.settle(shard, at(logged));
                    let mut told: Vec<_> = settled
                        .iter()
                        .flat_map(|it| (it.from..=it.to).map(|number| (it.class == Final, number)))
                        .collect();
                    told.sort_unstable();
                    prop_assert_eq!(told, words.settle(shard, at(logged)));
                    prop_assert_eq!(barriers.creditors() & 1 << shard, words.creditors() & 1 << shard);
                }
            }
            prop_assert_eq!(barriers.limit(), words.limit());
        }
    }
}

/// The owner of a group hands on what it takes, and the member's disk is slow for a moment: a client
/// may have that many messages under way.
#[test]
fn a_slow_disk_elsewhere_costs_no_more_for_what_waits_for_it() {
    const UNDER_WAY: usize = 64_000;
    const TURNS: usize = 1_000;
    let mut barriers = Barriers::new(3);
    for number in 1..=UNDER_WAY as u64 {
        barriers.sent(2, Final, at(number));
        barriers.taken(1, Request, at(number - 1), at(number));
    }
    for _ in 0..TURNS {
        assert_eq!(barriers.settle(1, at(UNDER_WAY as u64)), []);
    }
    for number in (0..UNDER_WAY as u64).rev() {
        barriers.confirmed(2, some(Final, number, number));
        barriers.settle(1, at(UNDER_WAY as u64 / 2));
    }
    assert_eq!(barriers.settle(1, at(UNDER_WAY as u64)).len(), 1);
    assert_eq!(barriers.creditors(), 0);
    assert!(barriers.steps <= 3 * UNDER_WAY, "{} steps", barriers.steps);
}
