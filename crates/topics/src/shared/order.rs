//! Orders of seats.

use std::collections::BTreeMap;

use plexus_stdx::Seed;

/// What a seat is asked by: first the lower group (a load, or a shard), then the lower turn. Turns
/// are never given twice, so a rank names one seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Rank {
    pub(super) group: u64,
    pub(super) turn: u64,
}

/// Seats by rank.
#[derive(Debug, Default)]
pub(super) struct Ranked {
    seats: BTreeMap<Rank, u32>,
}

impl Ranked {
    pub(super) fn insert(&mut self, rank: Rank, seat: u32) {
        self.seats.insert(rank, seat);
    }

    pub(super) fn remove(&mut self, rank: Rank) {
        self.seats.remove(&rank);
    }

    /// The first seat from a rank on, round the end, that fits.
    pub(super) fn from(&self, from: Rank, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let seats = self.seats.range(from..).chain(self.seats.range(..from));
        seats.map(|(_, seat)| *seat).find(|seat| fits(*seat))
    }

    /// The first seat of the rank's group that fits.
    pub(super) fn within(&self, from: Rank, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let end = Rank { group: from.group + 1, turn: 0 };
        self.seats.range(from..end).map(|(_, seat)| *seat).find(|seat| fits(*seat))
    }
}

/// Seats at positions from zero on, without holes.
#[derive(Debug, Default)]
pub(super) struct Dense {
    seats: Vec<u32>,
    /// The position of each seat by its number.
    positions: Vec<u32>,
}

impl Dense {
    pub(super) fn insert(&mut self, seat: u32) {
        self.seats.push(seat);
        self.set_position(seat, self.seats.len() - 1);
    }

    pub(super) fn remove(&mut self, seat: u32) {
        let Some(at) = self.position(seat) else { return };
        self.seats.swap_remove(at);
        if let Some(moved) = self.seats.get(at).copied() {
            self.set_position(moved, at);
        }
    }

    /// Whether any seat fits; few do not.
    pub(super) fn has(&self, fits: impl Fn(u32) -> bool) -> bool {
        self.seats.iter().any(|seat| fits(*seat))
    }

    /// The seat of a key, or the next after it that fits.
    pub(super) fn next_from(&self, key: u64, fits: impl Fn(u32) -> bool) -> Option<u32> {
        let (before, from) = self.seats.split_at_checked(jump_hash(key, self.seats.len())?)?;
        from.iter().chain(before).copied().find(|seat| fits(*seat))
    }

    fn position(&self, seat: u32) -> Option<usize> {
        self.positions.get(seat as usize).map(|at| *at as usize)
    }

    fn set_position(&mut self, seat: u32, at: usize) {
        set(&mut self.positions, seat, at);
    }
}

/// Seats at places that they keep: one that leaves makes a hole, one that comes fills a hole. So
/// only the keys of a seat that comes or goes find another, and those of a seat that does not fit
/// for a while come back to it.
#[derive(Debug, Default)]
pub(super) struct Anchored {
    places: Vec<Option<u32>>,
    holes: Vec<u32>,
    /// The place of each seat by its number.
    positions: Vec<u32>,
}

/// So often a key is hashed on when it meets a hole or a seat that does not fit.
const HOPS: u64 = 16;

impl Anchored {
    pub(super) fn insert(&mut self, seat: u32) {
        // Holes beyond the end have gone with it.
        let hole = std::iter::from_fn(|| self.holes.pop())
            .find(|at| self.places.get(*at as usize).is_some_and(Option::is_none));
        let at = hole.map_or(self.places.len(), |at| at as usize);
        match self.places.get_mut(at) {
            Some(place) => *place = Some(seat),
            None => self.places.push(Some(seat)),
        }
        set(&mut self.positions, seat, at);
    }

    pub(super) fn remove(&mut self, seat: u32) {
        let Some(at) = self.positions.get(seat as usize).copied() else { return };
        if let Some(place) = self.places.get_mut(at as usize) {
            *place = None;
        }
        self.holes.push(at);
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
        if self.places.is_empty() {
            self.holes.clear();
        }
    }

    /// The seat that a key belongs to, as long as it fits.
    pub(super) fn by_key(&self, key: u64, fits: impl Fn(u32) -> bool) -> Option<u32> {
        (0..HOPS).find_map(|hop| {
            let mut draw = Seed::new(key).derive(hop);
            let at = jump_hash(draw.next_u64(), self.places.len())?;
            self.places.get(at).copied().flatten().filter(|seat| fits(*seat))
        })
    }
}

fn set(positions: &mut Vec<u32>, seat: u32, at: usize) {
    if positions.len() <= seat as usize {
        positions.resize(seat as usize + 1, 0);
    }
    if let Some(position) = positions.get_mut(seat as usize) {
        *position = at as u32;
    }
}

/// Consistent hashing without a table (Lamping and Veach 2014): of `places + 1` places instead of
/// `places`, the new one takes its share and no other key moves.
fn jump_hash(mut key: u64, places: usize) -> Option<usize> {
    let mut place = None;
    let mut next = 0_u64;
    while next < places as u64 {
        place = Some(next as usize);
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let divisor = (key >> 33) + 1;
        next = ((u128::from(next + 1) << 31) / u128::from(divisor)) as u64;
    }
    place
}
