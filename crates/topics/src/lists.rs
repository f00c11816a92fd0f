//! The subscribers of the filters.
//!
//! Most filters have one subscriber, which stands where the list would. Some have a few: one sorted list. A few have very
//! many: sorted lists of bounded length one after another, so that a subscriber among a million
//! comes and goes by a binary search and a short move, and a match reads them front to back.

use plexus_stdx::Arena;

use crate::{
    pieces::{PIECE_MAX, Pieces},
    subscription::Entry,
};

/// The subscribers of one filter: one in place, or a list of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscribers {
    One(Entry),
    Many(u32),
}

#[derive(Debug)]
enum List {
    Short(Vec<Entry>),
    Long(Box<Pieces<Entry>>),
}

/// What a removal did.
#[derive(Debug)]
pub(crate) struct Removed {
    pub(crate) entry: Entry,
    /// Nobody is left: the filter is to be forgotten.
    pub(crate) emptied: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Lists {
    many: Arena<List>,
    /// Bytes that the lists have reserved.
    owned: usize,
}

impl Lists {
    pub(crate) const fn new() -> Self {
        Self { many: Arena::new(), owned: 0 }
    }

    /// Adds an entry or replaces that of the same subscriber, which is returned.
    pub(crate) fn insert(&mut self, to: &mut Subscribers, entry: Entry) -> Option<Entry> {
        match to {
            Subscribers::One(known) if known.subscriber == entry.subscriber => {
                Some(std::mem::replace(known, entry))
            }
            Subscribers::One(known) => {
                let mut pair = Vec::with_capacity(2);
                pair.extend([*known, entry]);
                pair.sort_unstable_by_key(|entry| entry.subscriber);
                let pair = List::Short(pair);
                self.owned += pair.memory();
                *to = Subscribers::Many(self.many.insert(pair));
                None
            }
            Subscribers::Many(list) => {
                let list = self.many.get_mut(*list);
                let before = list.memory();
                let replaced = list.insert(entry);
                self.owned = self.owned - before + list.memory();
                replaced
            }
        }
    }

    /// Takes the entry of a subscriber out.
    pub(crate) fn remove(&mut self, from: &mut Subscribers, subscriber: u32) -> Option<Removed> {
        let name = match from {
            Subscribers::One(entry) => {
                let entry = Some(*entry).filter(|entry| entry.subscriber == subscriber)?;
                return Some(Removed { entry, emptied: true });
            }
            Subscribers::Many(list) => *list,
        };
        let list = self.many.get_mut(name);
        let before = list.memory();
        let entry = list.remove(subscriber);
        self.owned = self.owned - before + list.memory();
        let entry = entry?;
        if let List::Short(entries) = list
            && let [last] = entries.as_slice()
        {
            *from = Subscribers::One(*last);
            self.owned -= self.many.remove(name, List::Short(Vec::new())).memory();
        }
        Some(Removed { entry, emptied: false })
    }

    /// Appends the entries of a filter, in the order of their subscribers.
    #[inline]
    pub(crate) fn collect(&self, from: &Subscribers, found: &mut Vec<Entry>) {
        let list = match from {
            Subscribers::One(entry) => return found.push(*entry),
            Subscribers::Many(list) => self.many.get(*list),
        };
        match list {
            List::Short(entries) => found.extend_from_slice(entries),
            List::Long(pieces) => {
                for entries in pieces.slices() {
                    found.extend_from_slice(entries);
                }
            }
        }
    }

    /// The bytes reserved.
    pub(crate) fn memory(&self) -> usize {
        self.many.memory() + self.owned
    }
}

impl List {
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        match self {
            Self::Short(entries) => {
                let replaced = insert_sorted(entries, entry);
                if entries.len() > PIECE_MAX {
                    *self = Self::Long(Box::new(Pieces::of(std::mem::take(entries))));
                }
                replaced
            }
            Self::Long(pieces) => match pieces.search(|it| it.subscriber.cmp(&entry.subscriber)) {
                Ok(place) => pieces.get_mut(place).map(|known| std::mem::replace(known, entry)),
                Err(place) => {
                    pieces.insert(place, entry);
                    None
                }
            },
        }
    }

    fn remove(&mut self, subscriber: u32) -> Option<Entry> {
        match self {
            Self::Short(entries) => {
                let at =
                    entries.binary_search_by_key(&subscriber, |entry| entry.subscriber).ok()?;
                let entry = entries.remove(at);
                if entries.len() * 4 < entries.capacity() {
                    entries.shrink_to(entries.len() * 2);
                }
                Some(entry)
            }
            Self::Long(pieces) => {
                let place = pieces.search(|it| it.subscriber.cmp(&subscriber)).ok()?;
                let entry = pieces.remove(place);
                if let Some(entries) = pieces.take_single() {
                    *self = Self::Short(entries);
                }
                Some(entry)
            }
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::Short(entries) => entries.capacity() * size_of::<Entry>(),
            Self::Long(pieces) => pieces.memory() + size_of::<Pieces<Entry>>(),
        }
    }
}

fn insert_sorted(entries: &mut Vec<Entry>, entry: Entry) -> Option<Entry> {
    match entries.binary_search_by_key(&entry.subscriber, |entry| entry.subscriber) {
        Ok(at) => entries.get_mut(at).map(|known| std::mem::replace(known, entry)),
        Err(at) => {
            entries.insert(at, entry);
            None
        }
    }
}

#[cfg(test)]
mod tests;
