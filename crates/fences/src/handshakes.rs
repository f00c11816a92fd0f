use std::collections::{BTreeMap, BTreeSet};

use crate::Place;

/// Where one of those who are waited for stands; he keeps it until he leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stand {
    place: Option<Place>,
    order: u64,
}

/// Whether a newcomer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// He is.
    In(Stand),
    /// He is, in place of that one, who has to leave: most come from where he does.
    InsteadOf(usize, Stand),
    /// He is not: nobody has more there than he would.
    Refused,
}

/// Those who have connected and not yet said CONNECT, by the places that they come from. When there are
/// too many, one from the place with most of them has to leave, the one that was there first: it has had
/// the most time. So a place that floods the node takes from itself.
///
/// Who has no place (behind a proxy that has not said it yet, or on this machine) is of one place with all
/// others who have none, and that has no limit of its own.
#[derive(Debug)]
pub struct Handshakes {
    most: usize,
    most_of_place: usize,
    count: usize,
    /// Who is there, by place, in the order in which they came.
    present: BTreeMap<Stand, usize>,
    counts: BTreeMap<Option<Place>, usize>,
    ranks: BTreeSet<(usize, Option<Place>)>,
    order: u64,
}

impl Handshakes {
    /// At most so many, and so many from one place.
    pub const fn new(most: usize, most_of_place: usize) -> Self {
        Self {
            most,
            most_of_place,
            count: 0,
            present: BTreeMap::new(),
            counts: BTreeMap::new(),
            ranks: BTreeSet::new(),
            order: 0,
        }
    }

    /// Whether there are as many as may be, and nobody could leave for another: there is one from each place.
    pub fn is_full_of_singles(&self) -> bool {
        self.count >= self.most && self.ranks.last().is_none_or(|(count, _)| *count < 2)
    }

    /// Whether [`Self::enter`] would refuse somebody from there.
    pub fn refuses(&self, place: Option<Place>) -> bool {
        let here = self.count_of(place);
        let is_full_here = place.is_some() && here >= self.most_of_place;
        is_full_here || (self.count >= self.most && self.largest_beside(here).is_none())
    }

    /// Somebody comes from there; `name` is what he is called when he has to leave.
    pub fn enter(&mut self, place: Option<Place>, name: usize) -> Entry {
        if self.refuses(place) {
            return Entry::Refused;
        }
        if self.count < self.most {
            return Entry::In(self.add(place, name));
        }
        let largest = self.largest_beside(self.count_of(place));
        let first = largest.and_then(|(_, place)| self.first_of(place));
        let Some((stand, leaves)) = first else { return Entry::Refused };
        self.leave(stand);
        Entry::InsteadOf(leaves, self.add(place, name))
    }

    /// It has become known where he comes from; none if there are too many of that place.
    pub fn place(&mut self, stand: Stand, place: Place) -> Option<Stand> {
        let name = *self.present.get(&stand)?;
        self.leave(stand);
        (self.count_of(Some(place)) < self.most_of_place).then(|| self.add(Some(place), name))
    }

    /// He has said CONNECT, or is gone.
    pub fn leave(&mut self, stand: Stand) {
        if self.present.remove(&stand).is_some() {
            self.count -= 1;
            let count = self.count_of(stand.place);
            self.set(stand.place, count, count - 1);
        }
    }

    fn add(&mut self, place: Option<Place>, name: usize) -> Stand {
        self.order += 1;
        let stand = Stand { place, order: self.order };
        self.present.insert(stand, name);
        self.count += 1;
        let count = self.count_of(place);
        self.set(place, count, count + 1);
        stand
    }

    fn set(&mut self, place: Option<Place>, before: usize, now: usize) {
        self.ranks.remove(&(before, place));
        if now == 0 {
            self.counts.remove(&place);
        } else {
            self.ranks.insert((now, place));
            self.counts.insert(place, now);
        }
    }

    fn count_of(&self, place: Option<Place>) -> usize {
        self.counts.get(&place).copied().unwrap_or_default()
    }

    /// The place with most, and how many, if one of them could leave for one more where so many are.
    fn largest_beside(&self, here: usize) -> Option<(usize, Option<Place>)> {
        self.ranks.last().copied().filter(|(count, _)| *count >= here + 2)
    }

    fn first_of(&self, place: Option<Place>) -> Option<(Stand, usize)> {
        let from = Stand { place, order: 0 };
        let (stand, name) = self.present.range(from..).next()?;
        (stand.place == place).then_some((*stand, *name))
    }
}

#[cfg(test)]
mod tests;
