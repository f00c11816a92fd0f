use plexus_stdx::Seed;
use plexus_types::{ClientId, Qos, TopicFilter, TopicName};
use proptest::prelude::*;

use super::{BYTES_MAX, Edition, Remembered, TOPICS_MAX};
use crate::{
    Act, Effect, Principal, Rules,
    rules::tests::{any_rules, any_topic},
};

fn robot() -> Principal {
    Principal {
        client_id: ClientId::try_from("r1").unwrap(),
        user_name: None,
        peer: None,
        listener: "plant".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    }
}

fn topic(text: &str) -> TopicName {
    TopicName::try_from(text).unwrap()
}

fn publish(topic: &TopicName) -> Act<'_> {
    Act::Publish { topic, qos: Qos::AtMostOnce, retain: false }
}

const FIRST: Edition = Edition::new(1);

#[test]
fn what_is_remembered_is_of_that_act_and_of_that_edition() {
    let mut memory = Remembered::new(Seed::new(1));
    let (a, b) = (topic("a"), topic("b"));
    assert_eq!(memory.recall(Edition::default(), &publish(&a)), None);
    memory.keep(FIRST, &publish(&a), true);
    memory.keep(FIRST, &publish(&b), false);
    assert_eq!(memory.recall(FIRST, &publish(&a)), Some(true));
    assert_eq!(memory.recall(FIRST, &publish(&b)), Some(false));
    for other in [
        Act::Publish { topic: &a, qos: Qos::AtLeastOnce, retain: false },
        Act::Publish { topic: &a, qos: Qos::AtMostOnce, retain: true },
        Act::Subscribe { filter: &TopicFilter::try_from("a").unwrap(), qos: Qos::AtMostOnce },
    ] {
        assert_eq!(memory.recall(FIRST, &other), None, "{other:?}");
    }
    let second = Edition::new(2);
    assert_eq!(memory.recall(second, &publish(&a)), None);
    memory.keep(second, &publish(&b), true);
    assert_eq!(memory.recall(second, &publish(&a)), None, "of the edition before");
    assert_eq!(memory.recall(second, &publish(&b)), Some(true));
}

#[test]
fn hashes_that_are_alike_are_not_topics_that_are_alike() {
    let mut memory = Remembered::new(Seed::new(1));
    let (allowed, other) = (topic("allowed"), topic("other"));
    memory.keep(FIRST, &publish(&allowed), true);
    memory.topics[0].tag = super::tag_of(memory.seed.hash("other"));
    assert_eq!(memory.recall(FIRST, &publish(&other)), None);
}

#[test]
fn a_client_has_little_memory_whatever_it_publishes() {
    let mut memory = Remembered::new(Seed::new(1));
    assert_eq!(memory.memory(), 0);
    for length in [1, 5, 30, 100, BYTES_MAX, BYTES_MAX + 1] {
        for number in 0..100 {
            let topic = topic(&format!("{number:0length$}"));
            memory.keep(FIRST, &publish(&topic), true);
            assert!(memory.topics.len() <= TOPICS_MAX && memory.bytes <= BYTES_MAX);
            let kept = memory.topics.iter().map(|known| known.topic.len()).sum::<usize>();
            assert_eq!(memory.bytes, kept);
            let recalled = memory.recall(FIRST, &publish(&topic));
            assert_eq!(recalled.is_some(), topic.len() <= BYTES_MAX, "the newest is there");
        }
    }
    assert!(size_of::<Remembered>() + memory.memory() <= 1_024, "{}", memory.memory());
}

#[derive(Debug, Clone)]
enum Step {
    Change(Rules),
    Ask(String, u8, bool),
}

proptest! {
    #[test]
    fn what_is_remembered_is_what_would_be_decided(
        first in any_rules(),
        steps in prop::collection::vec(
            prop_oneof![
                1 => any_rules().prop_map(Step::Change),
                20 => (any_topic(), 0_u8..3, any::<bool>())
                    .prop_map(|(topic, qos, retain)| Step::Ask(topic, qos, retain)),
            ],
            1..200,
        ),
        seed: u64,
    ) {
        let (mut rules, mut edition, robot) = (first, 0, robot());
        let mut memory = Remembered::new(Seed::new(seed));
        for step in steps {
            let (text, qos, retain) = match step {
                Step::Change(others) => {
                    (rules, edition) = (others, edition + 1);
                    continue;
                }
                Step::Ask(topic, qos, retain) => (topic, Qos::new(qos).unwrap(), retain),
            };
            let act = Act::Publish { topic: &topic(&text), qos, retain };
            let fresh = rules.decide(&robot, &act).effect == Effect::Allow;
            let edition = Edition::new(edition);
            match memory.recall(edition, &act) {
                Some(remembered) => prop_assert_eq!(remembered, fresh, "{:?}", act),
                None => memory.keep(edition, &act, fresh),
            }
            prop_assert_eq!(memory.recall(edition, &act), Some(fresh));
        }
    }
}
