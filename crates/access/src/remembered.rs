//! What a client was told before.

use plexus_stdx::Seed;
use plexus_types::Qos;

use crate::Act;

/// Names a state of all rules: while it stays the same, and the principal too, so do decisions.
///
/// Whoever replaces rules counts it up *after* they stand, and whoever remembers a decision reads it
/// *before* asking: then what is remembered under the newest edition was decided by the newest rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Edition(u64);

impl Edition {
    /// The edition of that number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// Topics that are remembered of one client,
const TOPICS_MAX: usize = 16;
/// and the bytes of all of them. Longer topics than that are asked about each time.
const BYTES_MAX: usize = 512;

/// The last decisions about topics of one client, so that a client that stays with a few of them does
/// not walk all rules for each message. At most about 1 KiB; without memory until there is one.
///
/// It is for one principal: with another one begins another memory.
#[derive(Debug)]
pub struct Remembered {
    seed: Seed,
    edition: Edition,
    topics: Vec<Known>,
    bytes: usize,
}

/// What is known of a topic, a bit for each kind of act.
#[derive(Debug)]
struct Known {
    topic: Box<str>,
    /// Part of the hash of the topic: a glance at it spares most comparisons, and decides nothing.
    tag: u32,
    decided: u16,
    allowed: u16,
}

impl Remembered {
    /// Nothing yet. The seed is for hashes.
    pub const fn new(seed: Seed) -> Self {
        Self { seed, edition: Edition::new(0), topics: Vec::new(), bytes: 0 }
    }

    /// Whether the act was allowed, if that was decided in this edition and is remembered.
    pub fn recall(&self, edition: Edition, act: &Act<'_>) -> Option<bool> {
        let (topic, kind) = kind_of(act)?;
        if self.edition != edition || self.topics.is_empty() {
            return None;
        }
        let known = self.topics.get(self.find(topic, self.seed.hash(topic))?)?;
        (known.decided & kind != 0).then_some(known.allowed & kind != 0)
    }

    /// Remembers what was decided. The edition is that from before the decision.
    pub fn keep(&mut self, edition: Edition, act: &Act<'_>, allowed: bool) {
        let Some((topic, kind)) = kind_of(act).filter(|(topic, _)| topic.len() <= BYTES_MAX) else {
            return;
        };
        if self.edition != edition {
            self.clear();
            self.edition = edition;
        }
        let hash = self.seed.hash(topic);
        let at = self.find(topic, hash).unwrap_or_else(|| self.insert(topic, hash));
        let Some(known) = self.topics.get_mut(at) else { return };
        known.decided |= kind;
        if allowed {
            known.allowed |= kind;
        } else {
            known.allowed &= !kind;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.topics.clear();
        self.bytes = 0;
    }

    /// Bytes of memory beside the value itself.
    pub fn memory(&self) -> usize {
        self.topics.capacity() * size_of::<Known>() + self.bytes
    }

    fn find(&self, topic: &str, hash: u64) -> Option<usize> {
        let tag = tag_of(hash);
        self.topics.iter().position(|known| known.tag == tag && *known.topic == *topic)
    }

    /// Makes room for a topic and yields its place. The hash chooses who goes: of a few topics more than
    /// there are places, taken in turn, some stay.
    fn insert(&mut self, topic: &str, hash: u64) -> usize {
        let is_full = |known: &[Known], bytes| {
            known.len() >= TOPICS_MAX || (bytes + topic.len() > BYTES_MAX && !known.is_empty())
        };
        while is_full(&self.topics, self.bytes) {
            let place = (hash >> 32) as usize % self.topics.len();
            self.bytes -= self.topics.swap_remove(place).topic.len();
        }
        self.bytes += topic.len();
        self.topics.push(Known { topic: topic.into(), tag: tag_of(hash), decided: 0, allowed: 0 });
        self.topics.len() - 1
    }
}

const fn tag_of(hash: u64) -> u32 {
    hash as u32
}

/// The topic of an act with the bit of its kind; none for what is not remembered: a client subscribes
/// seldom.
fn kind_of<'a>(act: &Act<'a>) -> Option<(&'a str, u16)> {
    let bit = |qos: Qos| 1 << qos.get();
    match *act {
        Act::Publish { topic, qos, retain: false } => Some((topic.as_str(), bit(qos))),
        Act::Publish { topic, qos, retain: true } => Some((topic.as_str(), bit(qos) << 3)),
        Act::Receive { topic, qos } => Some((topic.as_str(), bit(qos) << 6)),
        Act::Subscribe { .. } => None,
    }
}

#[cfg(test)]
mod tests;
