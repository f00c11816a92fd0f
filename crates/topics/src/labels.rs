//! The texts on the nodes of a tree.
//!
//! Nearly all fit into the node. A longer one stands in a cell of one of a few sizes, the longest
//! have an allocation of their own; both begin with their length:
//!
//! ```text
//! in the node   | length ≤ 22 | text                     |
//! elsewhere     | 255         | class << 29 | cell (u32) |
//! ```

use plexus_stdx::Arena;

/// The longest text that fits into a node.
const INLINE_MAX: usize = 22;

/// In place of a length: the text stands elsewhere.
const ELSEWHERE: u8 = u8::MAX;

const CLASS_SHIFT: u32 = 29;
const CELL_MASK: u32 = (1 << CLASS_SHIFT) - 1;

/// A text, or where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    length: u8,
    bytes: [u8; INLINE_MAX],
}

impl Label {
    pub(crate) const EMPTY: Self = Self { length: 0, bytes: [0; INLINE_MAX] };

    fn inline(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; INLINE_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { length: text.len() as u8, bytes })
    }

    fn elsewhere(class: u32, cell: u32) -> Self {
        assert!(cell <= CELL_MASK, "invariant: fewer than 2^29 labels of a size in a shard");
        let mut bytes = [0; INLINE_MAX];
        let place = bytes.first_chunk_mut().expect("invariant: a name is shorter than a text");
        *place = (class << CLASS_SHIFT | cell).to_le_bytes();
        Self { length: ELSEWHERE, bytes }
    }

    /// The class and the cell of a text that stands elsewhere.
    #[inline]
    fn place(&self) -> Option<(u32, u32)> {
        let name = self.bytes.first_chunk().copied().map_or(0, u32::from_le_bytes);
        (self.length == ELSEWHERE).then_some((name >> CLASS_SHIFT, name & CELL_MASK))
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Labels {
    c32: Arena<[u8; 32]>,
    c48: Arena<[u8; 48]>,
    c64: Arena<[u8; 64]>,
    long: Arena<Box<[u8]>>,
    long_bytes: usize,
}

impl Labels {
    pub(crate) const fn new() -> Self {
        Self {
            c32: Arena::new(),
            c48: Arena::new(),
            c64: Arena::new(),
            long: Arena::new(),
            long_bytes: 0,
        }
    }

    pub(crate) fn insert(&mut self, text: &[u8]) -> Label {
        if let Some(label) = Label::inline(text) {
            return label;
        }
        match text.len() {
            ..32 => Label::elsewhere(0, self.c32.insert(filled(text))),
            32..48 => Label::elsewhere(1, self.c48.insert(filled(text))),
            48..64 => Label::elsewhere(2, self.c64.insert(filled(text))),
            _ => {
                self.long_bytes += text.len();
                Label::elsewhere(3, self.long.insert(text.into()))
            }
        }
    }

    pub(crate) fn remove(&mut self, label: &Label) {
        match label.place() {
            None => {}
            Some((0, cell)) => drop(self.c32.remove(cell, [0; 32])),
            Some((1, cell)) => drop(self.c48.remove(cell, [0; 48])),
            Some((2, cell)) => drop(self.c64.remove(cell, [0; 64])),
            Some((_, cell)) => self.long_bytes -= self.long.remove(cell, Box::default()).len(),
        }
    }

    #[inline]
    pub(crate) fn get<'a>(&'a self, label: &'a Label) -> &'a [u8] {
        if label.length != ELSEWHERE {
            let text = label.bytes.get(..usize::from(label.length));
            return text.expect("invariant: the length is within the label");
        }
        self.elsewhere(label)
    }

    /// The bytes reserved.
    pub(crate) fn memory(&self) -> usize {
        let cells = self.c32.memory() + self.c48.memory() + self.c64.memory();
        cells + self.long.memory() + self.long_bytes
    }

    fn elsewhere(&self, label: &Label) -> &[u8] {
        match label.place() {
            Some((0, cell)) => text(self.c32.get(cell)),
            Some((1, cell)) => text(self.c48.get(cell)),
            Some((2, cell)) => text(self.c64.get(cell)),
            Some((_, cell)) => self.long.get(cell),
            None => &[],
        }
    }
}

fn filled<const SIZE: usize>(text: &[u8]) -> [u8; SIZE] {
    let mut cell = [0; SIZE];
    let (length, place) = cell.split_first_mut().expect("invariant: a cell has a length byte");
    *length = text.len() as u8;
    place.get_mut(..text.len()).expect("invariant: the class fits").copy_from_slice(text);
    cell
}

#[inline]
fn text(cell: &[u8]) -> &[u8] {
    let (length, text) = cell.split_first().expect("invariant: a cell has a length byte");
    text.get(..usize::from(*length)).expect("invariant: the length is within the cell")
}

#[cfg(test)]
mod tests {
    use super::Labels;

    #[test]
    fn texts_of_every_length_come_back() {
        let mut labels = Labels::new();
        let texts: Vec<Vec<u8>> = (0..200_usize).map(|length| vec![length as u8; length]).collect();
        let names: Vec<_> = texts.iter().map(|text| labels.insert(text)).collect();
        for (text, name) in texts.iter().zip(&names) {
            assert_eq!(labels.get(name), text);
        }
        for name in names {
            labels.remove(&name);
        }
        assert_eq!((labels.long_bytes, labels.c32.len(), labels.long.len()), (0, 0, 0));
    }
}
