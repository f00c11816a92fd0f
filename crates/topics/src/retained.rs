use std::{collections::BTreeMap, ops::Bound};

use smallvec::SmallVec;

mod scan;

use scan::{Scan, Step};

/// The retained value of each topic, with a walk over those that a filter matches.
///
/// Topics stand in the order of their levels, so a filter is answered by skipping: from where the
/// walk stands, the next topic in that order either matches or tells the next place where a match
/// can stand. A walk is resumed by that place alone; what is inserted or removed meanwhile does not
/// disturb it.
///
/// **Cost.** A look-up of one topic, and one step of a walk, is one descent of a balanced tree.
/// A walk with the filter's literal levels in front visits only what is below them; levels behind a
/// `+` cost a step for each different level at the place of the `+`.
#[derive(Debug)]
pub struct Retained<T: Clone> {
    topics: BTreeMap<Key, T>,
    text: usize,
}

/// A topic with NUL, which no topic contains, in place of `/`: then the order of the bytes is the
/// order of the levels, and all below a topic stands together.
type Key = Box<[u8]>;

const SEPARATOR: u8 = 0;

/// So many topics are stepped over before the next place is looked up.
const STEPS: usize = 4;

/// A walk over the topics that a filter matches.
#[derive(Debug)]
pub struct RetainedCursor {
    scan: Scan,
    /// The least key that was not looked at; none when the walk is over.
    place: Option<Vec<u8>>,
}

impl<T: Clone> Default for Retained<T> {
    fn default() -> Self {
        Self { topics: BTreeMap::new(), text: 0 }
    }
}

impl<T: Clone> Retained<T> {
    /// Nothing retained yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a topic and returns the one before.
    pub fn insert(&mut self, topic: &str, value: T) -> Option<T> {
        let key = key(topic);
        if let Some(known) = self.topics.get_mut(key.as_slice()) {
            return Some(std::mem::replace(known, value));
        }
        self.text += topic.len();
        self.topics.insert(key.as_slice().into(), value);
        None
    }

    /// Takes the value of a topic out.
    pub fn remove(&mut self, topic: &str) -> Option<T> {
        let value = self.topics.remove(key(topic).as_slice())?;
        self.text -= topic.len();
        Some(value)
    }

    /// The value of a topic.
    pub fn get(&self, topic: &str) -> Option<&T> {
        self.topics.get(key(topic).as_slice())
    }

    /// A walk over the topics that `filter`, without `$share/…/`, matches.
    pub fn cursor(&mut self, filter: &str) -> RetainedCursor {
        let scan = Scan::new(filter);
        let place = Some(scan.start());
        RetainedCursor { scan, place }
    }

    /// Goes on with a walk: looks at most at `budget` topics and adds the values of those that
    /// match to `out`. Whether there may be more.
    ///
    /// A topic that is there during the whole walk comes exactly once, with the value that it has
    /// then; one that comes or goes meanwhile comes once or not at all.
    pub fn next(&mut self, cursor: &mut RetainedCursor, budget: usize, out: &mut Vec<T>) -> bool {
        let mut left = budget.max(1);
        while let Some(place) = cursor.place.take() {
            let place: (Bound<&[u8]>, _) = (Bound::Included(&place), Bound::Unbounded);
            let mut ahead = self.topics.range::<[u8], _>(place);
            let mut next = ahead.next();
            while let Some((topic, value)) = next {
                if left == 0 {
                    cursor.place = Some(topic.to_vec());
                    return true;
                }
                left -= 1;
                match cursor.scan.step(topic) {
                    Step::Match => {
                        out.push(value.clone());
                        next = ahead.next();
                    }
                    Step::Seek(place) => {
                        // Stepping over a few is cheaper than a descent.
                        next = ahead.by_ref().take(STEPS).find(|(topic, _)| ***topic >= *place);
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
    pub fn len(&self) -> usize {
        self.topics.len()
    }

    /// Whether there is no topic.
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The bytes reserved, reckoned: the tree is taken as filled to the half, as topics that come
    /// in order leave it, and an allocation as sixteen bytes more than asked for.
    pub fn memory(&self) -> usize {
        let entry = size_of::<Key>() + size_of::<T>();
        self.len() * (entry * 2 + 16) + self.text + size_of::<Self>()
    }
}

fn key(topic: &str) -> SmallVec<[u8; 128]> {
    debug_assert!(!topic.as_bytes().contains(&SEPARATOR), "a topic has no NUL ([MQTT-1.5.4-2])");
    topic.bytes().map(|byte| if byte == b'/' { SEPARATOR } else { byte }).collect()
}

#[cfg(test)]
mod tests;
