use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use plexus_stdx::{HashMap, Seed};

/// Connections by the hash of a name, so many of each at most.
#[derive(Debug)]
pub struct Seats {
    most: usize,
    seed: Seed,
    taken: Mutex<HashMap<u64, usize>>,
}

/// One of them, as long as it is held.
#[derive(Debug)]
pub struct Seat {
    seats: Arc<Seats>,
    name: u64,
}

impl Seats {
    /// At most so many of each name; none where that is zero: there is no limit then.
    pub fn new(most: usize, seed: Seed) -> Option<Arc<Self>> {
        (most > 0).then(|| Arc::new(Self { most, seed, taken: Mutex::new(seed.map()) }))
    }

    /// One more of that name, if there may be.
    pub fn take(self: &Arc<Self>, name: &impl Hash) -> Option<Seat> {
        let name = self.seed.hash(name);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(name).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Seat { seats: Arc::clone(self), name })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.name) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.name);
            }
        }
    }
}
