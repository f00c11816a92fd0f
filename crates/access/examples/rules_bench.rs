//! Measures what a decision costs: by walking the rules, and by remembering what was decided before.
//! `rules_bench [decisions]`, a million of each by default. The small run is a test.
//!
//! Every line prints how many decisions allowed something, which depends on the count alone.

#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

use std::{env, hint::black_box, time::Duration};

use plexus_access::{
    Act, Acts, Edition, Effect, Pattern, Principal, Remembered, Rule, Rules, Who, Wildcard,
};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Qos, Text, TopicName};

const SEED: Seed = Seed::new(20_261_201);
/// Topics that the client publishes to in turn.
const TOPICS: [usize; 3] = [1, 8, 16];
const RULES: [usize; 7] = [0, 1, 2, 4, 10, 100, 1_000];

fn main() {
    let decisions = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    println!("decisions {decisions}, seed {}", SEED.value());
    for rules in RULES {
        for topics in TOPICS {
            measure(rules, topics, decisions);
        }
    }
    measure(1_000, 64, decisions);
}

/// Rules of other robots and users, then the one that speaks of the client.
fn rules(count: usize) -> Rules {
    let rule = |number: usize| Rule {
        name: format!("rule {number}").into(),
        effect: if number.is_multiple_of(4) { Effect::Deny } else { Effect::Allow },
        who: match number % 3 {
            0 => Who { users: vec![Wildcard::new(&format!("fleet-{number}-*"))], ..Who::default() },
            1 => Who { clients: vec![Wildcard::new(&format!("arm-{number}"))], ..Who::default() },
            _ => Who::default(),
        },
        acts: Acts { subscribe: !number.is_multiple_of(5), ..Acts::ALL },
        topics: vec![
            Pattern::parse(&format!("plant/hall-{number}/+/state")).expect("a pattern"),
            Pattern::parse(&format!("plant/key-{number}/${{clientid}}/#")).expect("a pattern"),
        ],
    };
    let mut all: Vec<_> = (1..count).map(rule).collect();
    if count > 0 {
        let topics = vec![Pattern::parse("plant/robot/${clientid}/#").expect("a pattern")];
        let (effect, who, acts) = (Effect::Allow, Who::default(), Acts::ALL);
        all.push(Rule { name: "own".into(), effect, who, acts, topics });
    }
    Rules::new(all, Effect::Deny)
}

fn measure(rule_count: usize, topic_count: usize, decisions: usize) -> usize {
    let rules = rules(rule_count);
    let robot = Principal {
        client_id: ClientId::try_from("robot-0001").expect("an identifier"),
        user_name: Some(Text::from_static("fleet-2")),
        peer: None,
        listener: "plant".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    };
    let topics: Vec<_> = (0..topic_count)
        .map(|number| format!("plant/robot/robot-0001/joint-{number}/state"))
        .map(|topic| TopicName::try_from(topic.as_str()).expect("a topic"))
        .collect();
    let acts: Vec<_> = topics
        .iter()
        .map(|topic| Act::Publish { topic, qos: Qos::AtLeastOnce, retain: false })
        .collect();
    let walk = |act: &Act<'_>| rules.decide(&robot, act).effect == Effect::Allow;
    let (walked, allowed) = time(&acts, decisions, walk);
    let mut memory = Remembered::new(SEED);
    let edition = Edition::new(1);
    let (remembered, again) = time(&acts, decisions, |act| {
        if let Some(allowed) = memory.recall(black_box(edition), act) {
            return allowed;
        }
        let allowed = walk(act);
        memory.keep(edition, act, allowed);
        allowed
    });
    assert_eq!(allowed, again, "what is remembered is what is decided");
    println!(
        "{rule_count:>5} rules, {topic_count:>2} topics: walked {:>8.1} ns, remembered {:>8.1} ns, \
         {:>4} B; {allowed} allowed",
        nanos(walked, decisions),
        nanos(remembered, decisions),
        size_of::<Remembered>() + memory.memory(),
    );
    allowed
}

fn nanos(time: Duration, decisions: usize) -> f64 {
    time.as_nanos() as f64 / decisions.max(1) as f64
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn time(
    acts: &[Act<'_>],
    decisions: usize,
    mut decide: impl FnMut(&Act<'_>) -> bool,
) -> (Duration, usize) {
    let begun = std::time::Instant::now();
    let allowed = acts.iter().cycle().take(decisions).filter(|act| decide(black_box(act))).count();
    (begun.elapsed(), allowed)
}

#[cfg(test)]
mod tests {
    use super::measure;

    #[test]
    fn a_small_run_allows_what_the_last_rule_allows() {
        assert_eq!(measure(0, 4, 100), 0);
        for rules in [1, 10, 100] {
            assert_eq!(measure(rules, 17, 100), 100);
        }
    }
}
