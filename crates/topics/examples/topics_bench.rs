//! Measures the structures of the crate: memory by the process's resident size, time by the
//! operation. `topics_bench [count [part]]`, one million and all parts by default; resident sizes
//! mean something only when a part runs alone. The small run is a test.
//!
//! Every part prints a hash of its results, which depends on the count and the seed alone.

#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

use std::{env, fs, time::Duration};

use plexus_stdx::Seed;
use plexus_topics::{
    Interest, Matches, Member, MemberOptions, MemberState, Options, Pick, Retained, SharedGroups,
    Strategy, SubscriberId, Subscription, SubscriptionIndex,
};
use plexus_types::Qos;

const SEED: Seed = Seed::new(20_261_101);
const PAGE_BYTES: usize = 4_096;

fn main() {
    let count = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let part = env::args().nth(2).unwrap_or_default();
    println!("count {count}, seed {}", SEED.value());
    for shape in SHAPES.iter().filter(|shape| shape.name.starts_with(&part)) {
        filters(shape, count);
    }
    if "fan-out".starts_with(&part) {
        fan_out(1_000, count.min(100_000));
    }
    if "worst".starts_with(&part) {
        worst(16.min(count.ilog2()));
    }
    if "shared".starts_with(&part) {
        shared(10_000.min(count), count.min(1_000_000));
    }
    if "retained".starts_with(&part) {
        retained(count);
    }
    if "interest".starts_with(&part) {
        interest(count);
    }
}

/// A family of distinct filters and a topic for each.
struct Shape {
    name: &'static str,
    filter: fn(usize) -> String,
    topic: fn(usize) -> String,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "a/+/b/<i>",
        filter: |number| format!("a/+/b/{number}"),
        topic: |number| format!("a/x/b/{number}"),
    },
    Shape {
        name: "dev/<i>/+/state",
        filter: |number| format!("dev/{number}/+/state"),
        topic: |number| format!("dev/{number}/motor/state"),
    },
    Shape { name: "mixed wildcards", filter: mixed_filter, topic: mixed_topic },
    Shape {
        name: "two a device",
        filter: |number| {
            let kind = if number % 2 == 0 { "+/state" } else { "cmd/#" };
            format!("fleet/vehicle-{:07}/{kind}", number / 2)
        },
        topic: |number| {
            let kind = if number % 2 == 0 { "motor/state" } else { "cmd/stop" };
            format!("fleet/vehicle-{:07}/{kind}", number / 2)
        },
    },
    Shape {
        name: "exact dev/<i>/state",
        filter: |number| format!("dev/{number}/state"),
        topic: |number| format!("dev/{number}/state"),
    },
];

fn mixed_filter(number: usize) -> String {
    match number % 5 {
        0 => format!("a/+/b/{number}"),
        1 => format!("dev/{number}/+/state"),
        2 => format!("site/{}/line/{number}/#", number % 1_000),
        3 => format!("+/{number}/temperature"),
        _ => format!("plant/{}/+/+/sensor-{number}/value", number % 100),
    }
}

fn mixed_topic(number: usize) -> String {
    match number % 5 {
        0 => format!("a/x/b/{number}"),
        1 => format!("dev/{number}/motor/state"),
        2 => format!("site/{}/line/{number}/robot/arm", number % 1_000),
        3 => format!("dev/{number}/temperature"),
        _ => format!("plant/{}/hall/cell/sensor-{number}/value", number % 100),
    }
}

fn filters(shape: &Shape, count: usize) -> u64 {
    println!("\n{} × {count}", shape.name);
    let before = resident();
    let mut index = SubscriptionIndex::new(SEED);
    let mut inserted = Times::with_capacity(count);
    for number in 0..count {
        let filter = (shape.filter)(number);
        inserted.time(|| index.insert(&filter, subscription(number)));
    }
    let times = inserted.memory();
    let resident_bytes = resident().saturating_sub(before + times);
    println!(
        "  memory: {} B a filter by resident size, {} B by capacity",
        resident_bytes / count.max(1),
        index.memory() / count.max(1)
    );
    inserted.print("subscribe");

    let mut draw = SEED;
    let mut matches = Matches::new();
    let mut sum = 0_u64;
    let topics: Vec<String> =
        (0..count.min(200_000)).map(|_| (shape.topic)(draw.below(count))).collect();
    let mut random = Times::with_capacity(topics.len());
    for topic in &topics {
        random.time(|| {
            matches.clear();
            index.matches(topic, &mut matches);
        });
        for target in matches.deliveries(None) {
            sum = sum.rotate_left(7).wrapping_add(u64::from(target.subscriber.0) + 1);
        }
    }
    random.print("match, random topic");
    let mut hot = Times::with_capacity(topics.len());
    for _ in 0..topics.len() {
        let topic = topics.first().map_or("", String::as_str);
        hot.time(|| {
            matches.clear();
            index.matches(topic, &mut matches);
        });
    }
    hot.print("match, the same topic");
    let mut missed = Times::with_capacity(topics.len());
    for topic in &topics {
        let topic = topic.replacen('/', "-none/", 1);
        missed.time(|| {
            matches.clear();
            index.matches(&topic, &mut matches);
        });
        sum = sum.rotate_left(7).wrapping_add(matches.len() as u64);
    }
    missed.print("match, nobody");

    let mut removed = Times::with_capacity(count);
    for number in 0..count {
        let filter = (shape.filter)(number);
        removed.time(|| index.remove(&filter, SubscriberId(number as u32)));
    }
    removed.print("unsubscribe");
    println!(
        "  left: {} filters, {} B by capacity; hash {sum:016x}",
        index.filters(),
        index.memory()
    );
    sum
}

fn subscription(number: usize) -> Subscription {
    let options = Options::new(Qos::AtLeastOnce, false, false);
    Subscription { subscriber: SubscriberId(number as u32), id: None, options }
}

/// One filter with many subscribers.
fn fan_out(subscribers: usize, crowd: usize) -> u64 {
    println!("\nfan-out");
    let mut index = SubscriptionIndex::new(SEED);
    for number in 0..subscribers {
        index.insert("news/+", subscription(number));
    }
    let mut matches = Matches::new();
    let mut sum = 0_u64;
    let mut deliver = |index: &SubscriptionIndex, name: &str| {
        let mut times = Times::with_capacity(10_000);
        for _ in 0..1_000 {
            times.time(|| {
                matches.clear();
                index.matches("news/today", &mut matches);
                for target in matches.deliveries(None) {
                    sum = sum.wrapping_mul(31).wrapping_add(u64::from(target.subscriber.0));
                }
            });
        }
        times.print(name);
    };
    deliver(&index, "1,000 subscribers of one filter");
    index.insert("#", subscription(subscribers / 2));
    deliver(&index, "and one of them twice");
    let mut joined = Times::with_capacity(crowd);
    for number in 0..crowd {
        joined.time(|| index.insert("crowd", subscription(number)));
    }
    joined.print("subscribe in a crowd");
    let mut left = Times::with_capacity(crowd);
    for number in 0..crowd {
        let number = number * 7_919 % crowd.max(1);
        left.time(|| index.remove("crowd", SubscriberId(number as u32)));
    }
    left.print("unsubscribe from it");
    sum
}

/// Every combination of `+` and a literal in so many levels: all of them match.
fn worst(levels: u32) -> u64 {
    println!("\nworst case: {} filters that all match, {levels} levels", 1_u32 << levels);
    let mut index = SubscriptionIndex::new(SEED);
    for number in 0..1_usize << levels {
        let level = |bit| if number & 1_usize << bit == 0 { "+" } else { "a" };
        let filter: Vec<&str> = (0..levels).map(level).collect();
        index.insert(&filter.join("/"), subscription(number));
    }
    let mut matches = Matches::new();
    let topic = vec!["a"; levels as usize].join("/");
    let mut sum = 0_u64;
    let mut all = Times::with_capacity(20);
    let mut none = Times::with_capacity(20);
    for _ in 0..20 {
        for (topic, times) in [(&topic, &mut all), (&topic.replace('a', "b"), &mut none)] {
            matches.clear();
            times.time(|| index.matches(topic, &mut matches));
            sum = sum.wrapping_mul(31).wrapping_add(matches.len() as u64);
        }
    }
    all.print("match of all");
    none.print("match of one");
    sum
}

fn shared(members: usize, picks: usize) -> u64 {
    println!("\nshared group of {members}, all but ten full");
    let mut sum = 0_u64;
    for strategy in [
        Strategy::RoundRobin,
        Strategy::Random,
        Strategy::Sticky,
        Strategy::HashClient,
        Strategy::HashTopic,
        Strategy::Local,
        Strategy::LeastInflight,
    ] {
        let mut groups = SharedGroups::new(SEED, strategy, &[]);
        let member = |number: usize| Member {
            shard: (number % 4) as u16,
            subscriber: SubscriberId(number as u32),
        };
        let options = MemberOptions { qos: Qos::AtLeastOnce, id: None, retain_as_published: false };
        let mut group = None;
        for number in 0..members {
            group = Some(groups.join("g", "a/#", member(number), options).group);
        }
        for number in 10..members {
            let state = MemberState { online: true, full: true, inflight: 0 };
            groups.set_state(member(number), state);
        }
        let Some(group) = group else { return sum };
        let mut times = Times::with_capacity(picks);
        for number in 0..picks {
            let pick =
                Pick { publisher_hash: number as u64, topic: "a/b", local_shard: 1, tried: &[] };
            let selected = times.time(|| groups.select(group, pick));
            let who = selected.map_or(0, |selected| selected.member.subscriber.0);
            sum = sum.rotate_left(3).wrapping_add(u64::from(who));
        }
        times.print(&format!("{strategy:?}"));
    }
    sum
}

fn retained(count: usize) -> u64 {
    println!("\nretained × {count}, plant/<i>/<kind>");
    let topic = |number: usize| {
        let kind = ["state", "temperature", "position"].get(number % 3).copied().unwrap_or("");
        format!("plant/device-{}/{kind}", number / 3)
    };
    let before = resident();
    let mut retained: Retained<u64> = Retained::new(SEED);
    let mut set = Times::with_capacity(count);
    for number in 0..count {
        let topic = topic(number);
        set.time(|| retained.insert(&topic, number as u64));
    }
    let resident_bytes = resident().saturating_sub(before + set.memory());
    println!(
        "  memory: {} B a topic by resident size, {} B by capacity",
        resident_bytes / count.max(1),
        retained.memory() / count.max(1)
    );
    set.print("set, new topic");
    let mut draw = SEED;
    let mut again = Times::with_capacity(count.min(200_000));
    for _ in 0..count.min(200_000) {
        let topic = topic(draw.below(count));
        again.time(|| retained.insert(&topic, 7));
    }
    again.print("set, random known topic");
    let mut sum = 0_u64;
    for filter in ["#", "plant/+/temperature", "+/+/state", "plant/device-7/#", "plant/+/none"] {
        let mut found = Vec::new();
        let mut cursor = retained.cursor(filter);
        let mut steps = Times::with_capacity(count / 200 + 1);
        while steps.time(|| retained.next(&mut cursor, &mut 256, &mut found)) {}
        sum = sum.rotate_left(7).wrapping_add(found.len() as u64);
        let total: Duration = steps.total();
        println!("  walk {filter}: {} found in {} ms", found.len(), total.as_millis());
        steps.print("a step of 256");
    }
    sum
}

fn interest(count: usize) -> u64 {
    println!("\ninterest × {count}, dev/<i>/+/state");
    let before = resident();
    let mut table = Interest::new(SEED, 0);
    let mut added = Times::with_capacity(count);
    for number in 0..count {
        let filter = format!("dev/{number}/+/state");
        added.time(|| table.add_local(&filter));
    }
    let resident_bytes = resident().saturating_sub(before + added.memory());
    println!(
        "  memory: {} B a prefix by resident size, {} B by capacity",
        resident_bytes / count.max(1),
        table.memory() / count.max(1)
    );
    added.print("add");
    let mut draw = SEED;
    let mut asked = Times::with_capacity(count.min(200_000));
    let mut sum = 0_u64;
    for _ in 0..count.min(200_000) {
        let topic = format!("dev/{}/motor/state", draw.below(2 * count));
        sum = sum.rotate_left(1).wrapping_add(asked.time(|| table.shards(&topic)));
    }
    asked.print("ask, half of them known");
    sum
}

/// Durations of single operations.
struct Times {
    nanos: Vec<u32>,
}

impl Times {
    fn with_capacity(count: usize) -> Self {
        Self { nanos: Vec::with_capacity(count) }
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn time<T>(&mut self, operation: impl FnOnce() -> T) -> T {
        let start = std::time::Instant::now();
        let result = std::hint::black_box(operation());
        let nanos = start.elapsed().as_nanos();
        self.nanos.push(u32::try_from(nanos).unwrap_or(u32::MAX));
        result
    }

    fn total(&self) -> Duration {
        Duration::from_nanos(self.nanos.iter().map(|nanos| u64::from(*nanos)).sum())
    }

    /// The bytes that the durations themselves have made resident.
    fn memory(&self) -> usize {
        self.nanos.len() * size_of::<u32>()
    }

    fn print(mut self, name: &str) {
        let count = self.nanos.len().max(1);
        let mean = self.total().as_nanos() / count as u128;
        self.nanos.sort_unstable();
        let at = |share: usize| self.nanos.get(count * share / 10_000).copied().unwrap_or(0);
        println!(
            "  {name}: mean {mean} p50 {} p99 {} p99.9 {} max {} ns",
            at(5_000),
            at(9_900),
            at(9_990),
            self.nanos.last().copied().unwrap_or(0)
        );
    }
}

/// The resident size of this process in bytes; zero where the system does not tell.
fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

#[cfg(test)]
mod tests {
    use plexus_types::filter_matches;

    use super::{SHAPES, fan_out, filters, interest, retained, shared, worst};

    #[test]
    fn small_runs_give_the_same_results_twice() {
        for shape in &SHAPES {
            assert_eq!(filters(shape, 500), filters(shape, 500), "{}", shape.name);
        }
        assert_eq!(fan_out(50, 100), fan_out(50, 100));
        assert_eq!(worst(6), worst(6));
        assert_eq!(shared(50, 500), shared(50, 500));
        assert_eq!(retained(500), retained(500));
        assert_eq!(interest(500), interest(500));
    }

    #[test]
    fn every_topic_of_a_shape_matches_its_own_filter_and_no_other() {
        for shape in &SHAPES {
            for number in 0..60 {
                let topic = (shape.topic)(number);
                let matching = (0..60).filter(|it| filter_matches(&(shape.filter)(*it), &topic));
                assert!(matching.eq([number]), "{topic}");
            }
        }
    }
}
