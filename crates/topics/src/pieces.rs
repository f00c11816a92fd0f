//! A sorted sequence in pieces of bounded length.
//!
//! Insertion and removal are a binary search and a short move, at every length; reading from front
//! to back is reading a few long slices.

use std::cmp::Ordering;

/// So many elements stand in one piece; the next one divides it.
pub(crate) const PIECE_MAX: usize = 1_024;

/// See the module's documentation. No piece is empty.
#[derive(Debug)]
pub(crate) struct Pieces<E> {
    pieces: Vec<Vec<E>>,
}

/// Where an element stands, or where it would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    piece: usize,
    at: usize,
}

impl<E> Pieces<E> {
    pub(crate) const fn new() -> Self {
        Self { pieces: Vec::new() }
    }

    /// Takes over a sorted list, which may be of any length.
    pub(crate) fn of(sorted: Vec<E>) -> Self {
        let mut pieces = Self { pieces: Vec::new() };
        if !sorted.is_empty() {
            pieces.pieces.push(sorted);
            pieces.divide_if_long(0);
        }
        pieces
    }

    /// Finds the element that compares as equal, or the place where it belongs.
    pub(crate) fn search(&self, compare: impl Fn(&E) -> Ordering) -> Result<Place, Place> {
        let starts_before = |piece: &Vec<E>| piece.first().is_some_and(|it| compare(it).is_le());
        let piece = self.pieces.partition_point(starts_before).saturating_sub(1);
        let found = self.pieces.get(piece).map_or(Err(0), |it| it.binary_search_by(compare));
        found.map(|at| Place { piece, at }).map_err(|at| Place { piece, at })
    }

    /// Inserts at a place that `search` gave.
    pub(crate) fn insert(&mut self, place: Place, element: E) {
        match self.pieces.get_mut(place.piece) {
            Some(piece) => piece.insert(place.at, element),
            None => self.pieces.push(vec![element]),
        }
        self.divide_if_long(place.piece);
    }

    /// Removes the element at a place that `search` gave.
    pub(crate) fn remove(&mut self, place: Place) -> E {
        let Place { piece: number, at } = place;
        let piece = self.pieces.get_mut(number).expect("invariant: a place of this sequence");
        let element = piece.remove(at);
        if piece.is_empty() {
            self.pieces.remove(number);
        } else if piece.len() < PIECE_MAX / 4 {
            self.unite(number);
        }
        if self.pieces.capacity() > 64 && self.pieces.len() * 4 < self.pieces.capacity() {
            self.pieces.shrink_to(self.pieces.len() * 2);
        }
        element
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> Option<&mut E> {
        self.pieces.get_mut(place.piece)?.get_mut(place.at)
    }

    /// The elements from a place on.
    pub(crate) fn iter_from(&self, place: Place) -> impl Iterator<Item = &E> {
        let Place { piece, at } = place;
        let first = self.pieces.get(piece).and_then(|it| it.get(at..)).unwrap_or_default();
        let rest = self.pieces.get(piece + 1..).unwrap_or_default();
        first.iter().chain(rest.iter().flatten())
    }

    /// The elements in slices.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[E]> {
        self.pieces.iter().map(Vec::as_slice)
    }

    /// The elements of a sequence of one piece.
    pub(crate) fn take_single(&mut self) -> Option<Vec<E>> {
        if self.pieces.len() == 1 { self.pieces.pop() } else { None }
    }

    /// The bytes reserved; in constant time, so every piece counts as full, which most nearly are.
    pub(crate) const fn memory(&self) -> usize {
        let pieces = self.pieces.len() * (PIECE_MAX + 1) * size_of::<E>();
        self.pieces.capacity() * size_of::<Vec<E>>() + pieces
    }

    /// What comes in order leaves full pieces behind; what comes anyhow, half full ones.
    fn divide_if_long(&mut self, number: usize) {
        let last = number + 1 == self.pieces.len();
        let Some(piece) = self.pieces.get_mut(number).filter(|it| it.len() > PIECE_MAX) else {
            return;
        };
        let at = if last { PIECE_MAX * 7 / 8 } else { PIECE_MAX / 2 };
        let mut upper = Vec::with_capacity(PIECE_MAX + 1);
        upper.extend(piece.drain(at..));
        self.pieces.insert(number + 1, upper);
    }

    /// Joins a piece that has become short with a neighbour, if both fit into one.
    fn unite(&mut self, number: usize) {
        let length = |number: usize| self.pieces.get(number).map_or(PIECE_MAX, Vec::len);
        let fits = |lower: usize| length(lower) + length(lower + 1) <= PIECE_MAX * 3 / 4;
        let lower =
            [Some(number), number.checked_sub(1)].into_iter().flatten().find(|it| fits(*it));
        let Some(lower) = lower else { return };
        let upper = self.pieces.remove(lower + 1);
        if let Some(piece) = self.pieces.get_mut(lower) {
            piece.extend(upper);
        }
    }
}

#[cfg(test)]
mod tests {
    use plexus_stdx::Seed;

    use super::{PIECE_MAX, Pieces, Place};

    const START: Place = Place { piece: 0, at: 0 };

    #[test]
    fn it_agrees_with_an_ordered_set_in_every_order() {
        for random in [false, true] {
            let mut draw = Seed::new(7);
            let mut pieces = Pieces::new();
            let mut model = std::collections::BTreeSet::new();
            for round in 0..60_000_u32 {
                let next = if random { draw.below(20_000) as u32 } else { round % 20_000 };
                let grow = draw.below(10) < if round < 30_000 { 8 } else { 2 };
                match pieces.search(|it: &u32| it.cmp(&next)) {
                    Ok(place) if !grow => {
                        assert_eq!(pieces.remove(place), next);
                        assert!(model.remove(&next));
                    }
                    Err(place) if grow => {
                        pieces.insert(place, next);
                        assert!(model.insert(next));
                    }
                    found => assert_eq!(found.is_ok(), model.contains(&next)),
                }
                if round % 10_000 == 0 {
                    assert!(pieces.iter_from(START).eq(&model));
                    assert!(pieces.slices().all(|it| (1..=PIECE_MAX).contains(&it.len())));
                    let (Ok(place) | Err(place)) = pieces.search(|it| it.cmp(&7_000));
                    assert!(pieces.iter_from(place).eq(model.range(7_000..)));
                }
            }
            assert!(pieces.memory() <= model.len() * 4 * 5 + 3 * PIECE_MAX * 4);
            for gone in &model {
                let place = pieces.search(|it| it.cmp(gone)).expect("an element of the model");
                pieces.remove(place);
            }
            assert_eq!(pieces.slices().count(), 0);
            assert!(pieces.memory() < 4_096);
        }
    }
}
