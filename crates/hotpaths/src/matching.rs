//! Topics against an index of ten thousand filters.

use std::hint::black_box;

use plexus_stdx::Seed;
use plexus_topics::{Matches, Options, SubscriberId, Subscription, SubscriptionIndex};
use plexus_types::Qos;

use crate::Path;

const SEED: Seed = Seed::new(20_261_129);
const FILTERS: u32 = 10_000;
/// Different topics; each measured count has each of them equally often.
const TOPICS: usize = 1_000;

struct Match {
    index: SubscriptionIndex,
    topics: Vec<String>,
    next: usize,
    matches: Matches,
    found: u64,
    /// Deliveries of each walk.
    each: u64,
}

impl Path for Match {
    fn walk(&mut self) {
        let topic = self.topics.get(self.next).expect("invariant: kept below the number");
        self.next = (self.next + 1) % TOPICS;
        self.matches.clear();
        self.index.matches(topic, &mut self.matches);
        for target in self.matches.deliveries(None) {
            self.found += 1;
            black_box(target);
        }
    }

    fn check(&self, walks: u64) {
        assert_eq!(self.found, walks * self.each, "who wants a topic");
    }
}

/// Every filter is a topic, and one of them is hit.
pub(crate) fn literal() -> Box<dyn Path> {
    let filter = |number| format!("dev/{number}/state");
    path(filter, |number| format!("dev/{number}/state"), &[])
}

/// `+` in several levels, `#` at the end, and three that want more than the one device.
pub(crate) fn wildcards() -> Box<dyn Path> {
    let filter = |number| match number % 4 {
        0 => format!("plant/+/line/{number}/+"),
        1 => format!("plant/7/line/{number}/#"),
        2 => format!("+/+/line/{number}/state"),
        _ => format!("plant/7/+/{number}/state"),
    };
    let topic = |number| format!("plant/7/line/{number}/state");
    path(filter, topic, &["plant/7/#", "plant/+/line/+/state", "#"])
}

fn path(filter: fn(u32) -> String, topic: fn(u32) -> String, others: &[&str]) -> Box<dyn Path> {
    let mut index = SubscriptionIndex::new(SEED);
    for number in 0..FILTERS {
        index.insert(&filter(number), subscription(number));
    }
    for (other, number) in others.iter().zip(FILTERS..) {
        index.insert(other, subscription(number));
    }
    let mut draw = SEED;
    let topics = (0..TOPICS).map(|_| topic(draw.below(FILTERS as usize) as u32)).collect();
    let each = 1 + others.len() as u64;
    Box::new(Match { index, topics, next: 0, matches: Matches::new(), found: 0, each })
}

fn subscription(number: u32) -> Subscription {
    let options = Options::new(Qos::AtLeastOnce, false, false);
    Subscription { subscriber: SubscriberId(number), id: None, options }
}
