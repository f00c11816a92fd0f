use std::{cmp::Ordering, hash::BuildHasher};

use plexus_stdx::{Arena, Seed, SeededState};
use smallvec::SmallVec;

use crate::{
    buckets::{Buckets, Link, NONE},
    pieces::{Pieces, Place},
};

mod scan;

use scan::{Scan, Step};

/// The retained value of each topic, with a walk over those that a filter matches.
///
/// Topics also stand in the order of their levels, so a filter is answered by skipping: from where
/// the walk stands, the next topic in that order either matches or tells the next place where a
/// match can stand. A walk is resumed by that place alone; what is inserted or removed meanwhile
/// does not disturb it, and a walk that nobody goes on with keeps nothing.
///
/// **Cost.** Setting a known topic is one look-up in a hash table; a new or removed one also a
/// binary search. A walk visits only what is below the filter's literal levels in front; levels
/// behind a `+` cost a step for each different level at the place of the `+`.
#[derive(Debug)]
pub struct Retained<T: Clone> {
    state: SeededState,
    topics: Arena<Topic<T>>,
    buckets: Buckets,
    /// The names of `topics` in the order of their keys.
    order: Pieces<u32>,
    /// The bytes of the keys.
    text: usize,
}

#[derive(Debug)]
struct Topic<T> {
    key: Key,
    /// Empty only in cells that are free.
    value: Option<T>,
    hash: u32,
    next: u32,
}

/// A topic with NUL, which no topic contains, in place of `/`: then the order of the bytes is the
/// order of the levels, and all below a topic stands together.
type Key = Box<[u8]>;

/// A key that is only looked up.
type Sought = SmallVec<[u8; 128]>;

const SEPARATOR: u8 = 0;

/// So many topics are stepped over before the next place is looked up.
const STEPS: usize = 4;

impl<T> Link for Topic<T> {
    fn hash(&self) -> u32 {
        self.hash
    }

    fn next(&self) -> u32 {
        self.next
    }

    fn set_next(&mut self, next: u32) {
        self.next = next;
    }
}

/// A level of the tree of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level<'a, T> {
    /// Its name.
    pub name: &'a str,
    /// The value of the topic that ends with it.
    pub value: Option<&'a T>,
    /// Whether there are topics below it.
    pub has_more: bool,
}

/// A walk over the topics that a filter matches.
#[derive(Debug)]
pub struct RetainedCursor {
    scan: Scan,
    /// The least key that was not looked at; none when the walk is over.
    place: Option<Vec<u8>>,
}

impl<T: Clone> Retained<T> {
    /// Nothing retained yet.
    pub fn new(seed: Seed) -> Self {
        Self {
            state: seed.hasher(),
            topics: Arena::new(),
            buckets: Buckets::default(),
            order: Pieces::new(),
            text: 0,
        }
    }

    /// Sets the value of a topic and returns the one before.
    pub fn insert(&mut self, topic: &str, value: T) -> Option<T> {
        let key = key(topic);
        let hash = self.hash(&key);
        if let Some(name) = self.find(&key, hash) {
            return self.topics.get_mut(name).value.replace(value);
        }
        let (Ok(place) | Err(place)) = self.place(&key);
        self.text += key.len();
        let key = key.as_slice().into();
        let name = self.topics.insert(Topic { key, value: Some(value), hash, next: NONE });
        self.buckets.link(&mut self.topics, name);
        self.order.insert(place, name);
        None
    }

    /// Takes the value of a topic out.
    pub fn remove(&mut self, topic: &str) -> Option<T> {
        let key = key(topic);
        let name = self.find(&key, self.hash(&key))?;
        let place = self.place(&key).expect("invariant: what is found is in order");
        self.order.remove(place);
        self.buckets.unlink(&mut self.topics, name);
        let blank = Topic { key: Key::default(), value: None, hash: 0, next: NONE };
        self.text -= key.len();
        self.topics.remove(name, blank).value
    }

    /// The value of a topic.
    pub fn get(&self, topic: &str) -> Option<&T> {
        let key = key(topic);
        self.topics.get(self.find(&key, self.hash(&key))?).value.as_ref()
    }

    /// A walk over the topics that `filter`, without `$share/…/`, matches.
    pub fn cursor(&mut self, filter: &str) -> RetainedCursor {
        let scan = Scan::new(filter);
        let place = Some(scan.start());
        RetainedCursor { scan, place }
    }

    /// The same from behind a topic on, which need not be there.
    pub fn cursor_behind(&mut self, filter: &str, topic: &str) -> RetainedCursor {
        let mut cursor = self.cursor(filter);
        let mut behind = key(topic).to_vec();
        behind.push(SEPARATOR);
        cursor.place = cursor.place.max(Some(behind));
        cursor
    }

    /// The next level below a topic, in their order, from behind `last` on: its name, the value of the topic that
    /// ends with it, and whether there are any below it. Without a topic the first levels of all.
    ///
    /// It costs a descent, however many topics are below the level.
    pub fn level_behind(&self, parent: Option<&str>, last: Option<&str>) -> Option<Level<'_, T>> {
        let mut begin = parent.map(|parent| key(parent).to_vec()).unwrap_or_default();
        if parent.is_some() {
            begin.push(SEPARATOR);
        }
        let mut from = begin.clone();
        if let Some(last) = last {
            from.extend_from_slice(last.as_bytes());
            from.push(SEPARATOR + 1);
        }
        let (Ok(place) | Err(place)) = self.place(&from);
        let first = self.topics.get(*self.order.iter_from(place).next()?);
        let rest = first.key.strip_prefix(begin.as_slice())?;
        let length = rest.iter().position(|byte| *byte == SEPARATOR).unwrap_or(rest.len());
        let name = std::str::from_utf8(rest.get(..length)?).ok()?;
        if length < rest.len() {
            return Some(Level { name, value: None, has_more: true });
        }
        let mut below = first.key.to_vec();
        below.push(SEPARATOR);
        let (Ok(place) | Err(place)) = self.place(&below);
        let next = self.order.iter_from(place).next().map(|name| self.topics.get(*name));
        let has_more = next.is_some_and(|next| next.key.starts_with(&below));
        Some(Level { name, value: first.value.as_ref(), has_more })
    }

    /// Goes on with a walk: looks at most at `budget` topics, at one in any case, and adds the values of
    /// those that match to `out`. What is left of `budget` stays there. Whether there may be more.
    ///
    /// A topic that is there during the whole walk comes exactly once, with the value that it has
    /// then; one that comes or goes meanwhile comes once or not at all.
    pub fn next(
        &mut self,
        cursor: &mut RetainedCursor,
        budget: &mut usize,
        out: &mut Vec<T>,
    ) -> bool {
        *budget = (*budget).max(1);
        while let Some(place) = cursor.place.take() {
            let (Ok(place) | Err(place)) = self.place(&place);
            let mut ahead = self.order.iter_from(place).map(|name| self.topics.get(*name));
            let mut next = ahead.next();
            while let Some(topic) = next {
                if *budget == 0 {
                    cursor.place = Some(topic.key.to_vec());
                    return true;
                }
                *budget -= 1;
                match cursor.scan.step(&topic.key) {
                    Step::Match => {
                        out.extend(topic.value.clone());
                        next = ahead.next();
                    }
                    Step::Seek(place) => {
                        // Stepping over a few is cheaper than a descent.
                        next = ahead.by_ref().take(STEPS).find(|topic| *topic.key >= *place);
                        if next.is_none() {
                            cursor.place = Some(place);
                        }
                    }
                    Step::End => return false,
                }
            }
        }
        false
    }

    /// Ends a walk before its end.
    pub fn close(&mut self, cursor: RetainedCursor) {
        drop(cursor);
    }

    /// The number of topics.
    pub const fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is no topic.
    pub const fn is_empty(&self) -> bool {
        self.topics.len() == 0
    }

    /// The bytes reserved, without what the values own.
    pub fn memory(&self) -> usize {
        let tables = self.topics.memory() + self.buckets.memory() + self.order.memory();
        tables + self.text + size_of::<Self>()
    }

    fn hash(&self, key: &Sought) -> u32 {
        self.state.hash_one(key.as_slice()) as u32
    }

    fn find(&self, key: &[u8], hash: u32) -> Option<u32> {
        let mut name = self.buckets.first(hash);
        while name != NONE {
            let topic = self.topics.get(name);
            if topic.hash == hash && *topic.key == *key {
                return Some(name);
            }
            name = topic.next;
        }
        None
    }

    fn place(&self, key: &[u8]) -> Result<Place, Place> {
        self.order.search(|name| -> Ordering { (*self.topics.get(*name).key).cmp(key) })
    }
}

fn key(topic: &str) -> Sought {
    debug_assert!(!topic.as_bytes().contains(&SEPARATOR), "a topic has no NUL ([MQTT-1.5.4-2])");
    topic.bytes().map(|byte| if byte == b'/' { SEPARATOR } else { byte }).collect()
}

#[cfg(test)]
mod tests;
