use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use plexus_types::Instant;

use crate::Place;

/// So long everybody is waited for before he makes room for another from where he came himself: in a
/// storm from one place nobody would get through otherwise.
const TIME_FOR_ALL: Duration = Duration::from_secs(1);

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
    /// He is not: nobody has more there than he would, and those who are there have just come.
    Refused,
}

/// Those who have connected and not yet said CONNECT, by the places that they come from. When there are
/// too many, one from the place with most of them has to leave, the one that was there first: it has had
/// the most time. So a place that floods the node takes from itself. A newcomer from that place itself takes
/// the place of its first one, once that has had a second.
///
/// Who has no place (behind a proxy that has not said it yet, or on this machine) is of one place with all
/// others who have none, and that has no limit of its own.
#[derive(Debug)]
pub struct Handshakes {
    most: usize,
    most_of_place: usize,
    count: usize,
    /// Who is there, by place, in the order in which they came.
    present: BTreeMap<Stand, (usize, Instant)>,
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
    pub fn refuses(&self, place: Option<Place>, now: Instant) -> bool {
        let is_full_here = place.is_some() && self.count_of(place) >= self.most_of_place;
        is_full_here || (self.count >= self.most && self.first_to_leave(place, now).is_none())
    }

    /// Somebody comes from there; `name` is what he is called when he has to leave.
    pub fn enter(&mut self, place: Option<Place>, name: usize, now: Instant) -> Entry {
        if self.refuses(place, now) {
            return Entry::Refused;
        }
        if self.count < self.most {
            return Entry::In(self.add(place, name, now));
        }
        let first = self.first_to_leave(place, now);
        let Some((stand, leaves)) = first else { return Entry::Refused };
        self.leave(stand);
        Entry::InsteadOf(leaves, self.add(place, name, now))
    }

    /// Who makes room for one more from there, if anybody does.
    fn first_to_leave(&self, place: Option<Place>, now: Instant) -> Option<(Stand, usize)> {
        let here = self.count_of(place);
        let (most, from) = self.ranks.last().copied()?;
        if most >= here + 2 {
            return self.first_of(from).map(|(stand, name, _)| (stand, name));
        }
        let has_most = here == most && here > 1;
        let first = self.first_of(place).filter(|_| has_most);
        first
            .filter(|(.., since)| *since + TIME_FOR_ALL <= now)
            .map(|(stand, name, _)| (stand, name))
    }

    /// It has become known where he comes from; none if there are too many of that place.
    pub fn place(&mut self, stand: Stand, place: Place) -> Option<Stand> {
        let (name, since) = *self.present.get(&stand)?;
        self.leave(stand);
        let has_room = self.count_of(Some(place)) < self.most_of_place;
        has_room.then(|| self.add(Some(place), name, since))
    }

    /// He has said CONNECT, or is gone.
    pub fn leave(&mut self, stand: Stand) {
        if self.present.remove(&stand).is_some() {
            self.count -= 1;
            let count = self.count_of(stand.place);
            self.set(stand.place, count, count - 1);
        }
    }

    fn add(&mut self, place: Option<Place>, name: usize, since: Instant) -> Stand {
        self.order += 1;
        let stand = Stand { place, order: self.order };
        self.present.insert(stand, (name, since));
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

    fn first_of(&self, place: Option<Place>) -> Option<(Stand, usize, Instant)> {
        let from = Stand { place, order: 0 };
        let (stand, (name, since)) = self.present.range(from..).next()?;
        (stand.place == place).then_some((*stand, *name, *since))
    }
}

#[cfg(test)]
mod tests;
