//! The subscribers of the filters.
//!
//! Most filters have one subscriber, which stands where the list would. Some have a few: one sorted list. A few have very
//! many: sorted lists of bounded length one after another, so that a subscriber among a million
//! comes and goes by a binary search and a short move, and a match reads them front to back.

use crate::{arena::Arena, subscription::Entry};

/// The subscribers of one filter: one in place, or a list of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subscribers {
    One(Entry),
    Many(u32),
}

/// So many entries stand in one piece; the next one divides it.
const PIECE_MAX: usize = 1_024;

#[derive(Debug)]
enum List {
    Short(Vec<Entry>),
    Long(Box<Pieces>),
}

/// Sorted pieces in order; none is empty.
#[derive(Debug, Default)]
struct Pieces {
    pieces: Vec<Vec<Entry>>,
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
                for piece in &pieces.pieces {
                    found.extend_from_slice(piece);
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
                    let mut pieces = Pieces { pieces: vec![std::mem::take(entries)] };
                    pieces.divide(0);
                    *self = Self::Long(Box::new(pieces));
                }
                replaced
            }
            Self::Long(pieces) => pieces.insert(entry),
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
                let entry = pieces.remove(subscriber)?;
                if let [_] = pieces.pieces.as_slice() {
                    *self = Self::Short(pieces.pieces.pop().unwrap_or_default());
                }
                Some(entry)
            }
        }
    }

    /// The bytes that the list owns; a long one counts its pieces as full, which they nearly are.
    fn memory(&self) -> usize {
        match self {
            Self::Short(entries) => entries.capacity() * size_of::<Entry>(),
            Self::Long(pieces) => pieces.memory(),
        }
    }
}

impl Pieces {
    fn insert(&mut self, entry: Entry) -> Option<Entry> {
        let at = self.piece_of(entry.subscriber);
        let piece = self.pieces.get_mut(at).expect("invariant: at least one piece");
        let replaced = insert_sorted(piece, entry);
        if piece.len() > PIECE_MAX {
            self.divide(at);
        }
        replaced
    }

    fn remove(&mut self, subscriber: u32) -> Option<Entry> {
        let at = self.piece_of(subscriber);
        let piece = self.pieces.get_mut(at).expect("invariant: at least one piece");
        let place = piece.binary_search_by_key(&subscriber, |entry| entry.subscriber).ok()?;
        let entry = piece.remove(place);
        if piece.is_empty() {
            self.pieces.remove(at);
        } else if piece.len() < PIECE_MAX / 4 {
            self.unite(at);
        }
        Some(entry)
    }

    /// The piece in which a subscriber stands, or would.
    fn piece_of(&self, subscriber: u32) -> usize {
        let after = self
            .pieces
            .partition_point(|piece| piece.first().is_some_and(|it| it.subscriber <= subscriber));
        after.saturating_sub(1)
    }

    /// Subscribers are mostly numbered upwards, so the last piece is left full when it is divided.
    fn divide(&mut self, at: usize) {
        let last = at + 1 == self.pieces.len();
        let piece = self.pieces.get_mut(at).expect("invariant: a piece to divide");
        let place = if last { PIECE_MAX * 7 / 8 } else { PIECE_MAX / 2 };
        let mut upper = Vec::with_capacity(PIECE_MAX + 1);
        upper.extend(piece.drain(place..));
        self.pieces.insert(at + 1, upper);
    }

    /// Joins a piece that has become small with a neighbour, if both fit into one.
    fn unite(&mut self, at: usize) {
        let lower = if at + 1 < self.pieces.len() { at } else { at.saturating_sub(1) };
        let length = |at: usize| self.pieces.get(at).map_or(0, Vec::len);
        if lower + 1 >= self.pieces.len() || length(lower) + length(lower + 1) > PIECE_MAX * 3 / 4 {
            return;
        }
        let upper = self.pieces.remove(lower + 1);
        if let Some(piece) = self.pieces.get_mut(lower) {
            piece.extend(upper);
        }
    }

    fn memory(&self) -> usize {
        let list = self.pieces.capacity() * size_of::<Vec<Entry>>() + size_of::<Self>();
        list + self.pieces.len() * (PIECE_MAX + 1) * size_of::<Entry>()
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
