//! Orders of seats.

use std::collections::BTreeMap;

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

    /// The seat that a key belongs to: when seats come and go, few keys change theirs.
    pub(super) fn by_key(&self, key: u64) -> Option<u32> {
        self.seats.get(jump_hash(key, self.seats.len())?).copied()
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
        if self.positions.len() <= seat as usize {
            self.positions.resize(seat as usize + 1, 0);
        }
        if let Some(position) = self.positions.get_mut(seat as usize) {
            *position = at as u32;
        }
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
