//! The subscribers of the filters.
//!
//! Most filters have one subscriber: a cell. Some have a few: one sorted list. A few have very
//! many: sorted lists of bounded length one after another, so that a subscriber among a million
//! comes and goes by a binary search and a short move, and a match reads them front to back.

use crate::{arena::Arena, subscription::Entry};

/// The subscribers of one filter: a cell of `singles` or, with the highest bit of the thirty, a
/// cell of `lists`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListRef(pub(crate) u32);

const MANY: u32 = 1 << 29;

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
    /// Nobody is left; the reference is no longer valid.
    pub(crate) emptied: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Lists {
    singles: Arena<Entry>,
    many: Arena<List>,
    /// Bytes that the lists of `many` have reserved.
    owned: usize,
}

impl Lists {
    pub(crate) const fn new() -> Self {
        Self { singles: Arena::new(), many: Arena::new(), owned: 0 }
    }

    /// A list of one.
    pub(crate) fn single(&mut self, entry: Entry) -> ListRef {
        let cell = self.singles.insert(entry);
        assert!(cell < MANY, "invariant: fewer than 2^29 filters in a shard");
        ListRef(cell)
    }

    /// Adds an entry or replaces that of the same subscriber, which is returned.
    pub(crate) fn insert(&mut self, list: &mut ListRef, entry: Entry) -> Option<Entry> {
        if list.0 & MANY == 0 {
            let known = self.singles.get_mut(list.0);
            if known.subscriber == entry.subscriber {
                return Some(std::mem::replace(known, entry));
            }
            let known = self.singles.remove(list.0, Entry::BLANK);
            let mut pair = Vec::with_capacity(2);
            pair.extend([known, entry]);
            pair.sort_unstable_by_key(|entry| entry.subscriber);
            let pair = List::Short(pair);
            self.owned += pair.memory();
            let cell = self.many.insert(pair);
            assert!(cell < MANY, "invariant: fewer than 2^29 filters in a shard");
            *list = ListRef(cell | MANY);
            return None;
        }
        let many = self.many.get_mut(list.0 & !MANY);
        let before = many.memory();
        let replaced = many.insert(entry);
        self.owned = self.owned - before + many.memory();
        replaced
    }

    /// Takes the entry of a subscriber out.
    pub(crate) fn remove(&mut self, list: &mut ListRef, subscriber: u32) -> Option<Removed> {
        if list.0 & MANY == 0 {
            if self.singles.get(list.0).subscriber != subscriber {
                return None;
            }
            let entry = self.singles.remove(list.0, Entry::BLANK);
            return Some(Removed { entry, emptied: true });
        }
        let cell = list.0 & !MANY;
        let many = self.many.get_mut(cell);
        let before = many.memory();
        let entry = many.remove(subscriber);
        self.owned = self.owned - before + many.memory();
        let entry = entry?;
        if let List::Short(entries) = self.many.get(cell)
            && let [last] = entries.as_slice()
        {
            let last = *last;
            let blank = List::Short(Vec::new());
            self.owned -= self.many.remove(cell, blank).memory();
            *list = self.single(last);
        }
        Some(Removed { entry, emptied: false })
    }

    /// Appends the entries of a list, in the order of their subscribers.
    #[inline]
    pub(crate) fn collect(&self, list: ListRef, found: &mut Vec<Entry>) {
        if list.0 & MANY == 0 {
            found.push(*self.singles.get(list.0));
            return;
        }
        match self.many.get(list.0 & !MANY) {
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
        self.singles.memory() + self.many.memory() + self.owned
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
