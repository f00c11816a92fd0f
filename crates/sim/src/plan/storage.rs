//! What a node with a log keeps its log on, and what befalls it.

use plexus_stdx::Seed;
use plexus_store::testing::Plant;
use plexus_types::{Durability, TopicFilter};

use crate::dice::Dice;

/// The log of a node, and how often the node and its disk fail.
#[derive(Debug, Clone)]
pub struct Storage {
    /// The size of a segment: small, so that cleaning never rests.
    pub segment_bytes: u64,
    /// How much larger than twice its living state the log may be.
    pub allowance_bytes: u64,
    /// A bug of the log to plant.
    pub plant: Option<Plant>,
    /// Of so many calls into a shard one is the node's last; 0 for none.
    pub(crate) crash_one_in: usize,
    /// Of a hundred crashes so many are losses of power; the others end the process alone.
    pub(crate) power: usize,
    /// Of a hundred writes of the log so many meet a failing disk.
    pub(crate) faults: usize,
    /// Of a hundred starts so many are tried with a bit of an older file turned over, too.
    pub(crate) rot: usize,
    /// What its files are to take together; 0 for no limit.
    pub(crate) bytes_max: u64,
    /// What its disk has room for until peace; 0 for no end.
    pub(crate) disk_bytes: u64,
    /// The longest that the node stays down, in milliseconds.
    pub(crate) down_millis_max: usize,
    /// The longest that a write takes, in microseconds.
    pub(crate) write_micros_max: usize,
    /// The longest that a turn of a shard lasts, in microseconds; 0 for one call a turn.
    pub(crate) turn_micros_max: usize,
    /// Seconds by which the system's clock may be wrong at a start, either way.
    pub(crate) skew_secs_max: usize,
}

/// What topics of a world are promised whose messages are not synced; none in most worlds.
pub(super) fn topics(seed: u64) -> Vec<(TopicFilter, Durability)> {
    let mut dice = Dice::new(Seed::new(seed).derive(8));
    if dice.chance(60) {
        return Vec::new();
    }
    let rules = [
        ("n/alpha/x", dice.pick(&[Durability::Memory, Durability::Written, Durability::Synced])),
        ("n/+/x", dice.pick(&[Durability::Memory, Durability::Written])),
        ("r/+/1", dice.pick(&[Durability::Memory, Durability::Synced])),
    ];
    let filter = |text| TopicFilter::try_from(text).expect("invariant: a plain filter");
    rules.into_iter().map(|(text, durability)| (filter(text), durability)).collect()
}

impl Storage {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(Seed::new(seed).derive(7));
        let segment_bytes = dice.pick(&[4, 4, 8, 16, 64]) * 1024;
        Self {
            segment_bytes,
            allowance_bytes: segment_bytes * dice.below(4) as u64,
            plant: None,
            crash_one_in: dice.pick(&[0, 2_000, 700, 250]),
            power: dice.pick(&[0, 50, 100]),
            faults: dice.pick(&[0, 0, 3, 15]),
            down_millis_max: dice.pick(&[5, 2_000, 60_000]),
            write_micros_max: dice.pick(&[200, 5_000, 300_000]),
            turn_micros_max: dice.pick(&[0, 100, 2_000]),
            skew_secs_max: dice.pick(&[0, 0, 3, 200]),
            rot: dice.pick(&[0, 10, 50]),
            bytes_max: segment_bytes * dice.pick(&[0, 0, 0, 8, 12, 40]),
            disk_bytes: segment_bytes * dice.pick(&[0, 0, 0, 0, 4, 9, 16, 40]),
        }
    }
}
