//! The texts on the nodes of a tree, in cells of a few sizes.
//!
//! A name is `class << 29 | cell`; a cell is one length byte and the text. Text too long for the
//! widest cell has an allocation of its own.

use crate::arena::Arena;

const CLASS_SHIFT: u32 = 29;
const CELL_MASK: u32 = (1 << CLASS_SHIFT) - 1;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Labels {
    c8: Arena<[u8; 8]>,
    c12: Arena<[u8; 12]>,
    c16: Arena<[u8; 16]>,
    c24: Arena<[u8; 24]>,
    c32: Arena<[u8; 32]>,
    c48: Arena<[u8; 48]>,
    c64: Arena<[u8; 64]>,
    long: Arena<Box<[u8]>>,
    long_bytes: usize,
}

impl Labels {
    pub(crate) const fn new() -> Self {
        Self {
            c8: Arena::new(),
            c12: Arena::new(),
            c16: Arena::new(),
            c24: Arena::new(),
            c32: Arena::new(),
            c48: Arena::new(),
            c64: Arena::new(),
            long: Arena::new(),
            long_bytes: 0,
        }
    }

    pub(crate) fn insert(&mut self, text: &[u8]) -> u32 {
        let (class, cell) = match text.len() {
            0..8 => (0, self.c8.insert(filled(text))),
            8..12 => (1, self.c12.insert(filled(text))),
            12..16 => (2, self.c16.insert(filled(text))),
            16..24 => (3, self.c24.insert(filled(text))),
            24..32 => (4, self.c32.insert(filled(text))),
            32..48 => (5, self.c48.insert(filled(text))),
            48..64 => (6, self.c64.insert(filled(text))),
            _ => {
                self.long_bytes += text.len();
                (7, self.long.insert(text.into()))
            }
        };
        assert!(cell <= CELL_MASK, "invariant: fewer than 2^29 labels of a size in a shard");
        class << CLASS_SHIFT | cell
    }

    pub(crate) fn remove(&mut self, label: u32) {
        let cell = label & CELL_MASK;
        match label >> CLASS_SHIFT {
            0 => drop(self.c8.remove(cell, [0; 8])),
            1 => drop(self.c12.remove(cell, [0; 12])),
            2 => drop(self.c16.remove(cell, [0; 16])),
            3 => drop(self.c24.remove(cell, [0; 24])),
            4 => drop(self.c32.remove(cell, [0; 32])),
            5 => drop(self.c48.remove(cell, [0; 48])),
            6 => drop(self.c64.remove(cell, [0; 64])),
            _ => self.long_bytes -= self.long.remove(cell, Box::default()).len(),
        }
    }

    #[inline]
    pub(crate) fn get(&self, label: u32) -> &[u8] {
        let cell = label & CELL_MASK;
        match label >> CLASS_SHIFT {
            0 => text(self.c8.get(cell)),
            1 => text(self.c12.get(cell)),
            2 => text(self.c16.get(cell)),
            3 => text(self.c24.get(cell)),
            4 => text(self.c32.get(cell)),
            5 => text(self.c48.get(cell)),
            6 => text(self.c64.get(cell)),
            _ => self.long.get(cell),
        }
    }

    /// The bytes reserved.
    pub(crate) fn memory(&self) -> usize {
        let narrow = self.c8.memory() + self.c12.memory() + self.c16.memory() + self.c24.memory();
        let wide = self.c32.memory() + self.c48.memory() + self.c64.memory();
        narrow + wide + self.long.memory() + self.long_bytes
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
        let names: Vec<u32> = texts.iter().map(|text| labels.insert(text)).collect();
        for (text, name) in texts.iter().zip(&names) {
            assert_eq!(labels.get(*name), text);
        }
        for name in names {
            labels.remove(name);
        }
        assert_eq!(labels.long_bytes, 0);
    }
}
