//! Deadlines of clients. A deadline that moves later leaves its old entry in place: when that fires,
//! the client is asked anew. So a packet that only puts off the Keep Alive costs nothing here.

use std::{cmp::Reverse, collections::BinaryHeap};

use plexus_types::Instant;

use super::Shard;

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

impl Timers {
    pub(super) fn set(&mut self, at: Instant, slot: u32, serial: u32) {
        self.heap.push(Reverse((at, slot, serial)));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(u32, u32)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, slot, serial))| (slot, serial))
    }
}

impl Shard {
    /// Sets a timer when the client's next deadline is earlier than the one that is set.
    pub(super) fn arm(&mut self, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(due) = client.session.poll_timeout() else { return };
        if due < client.armed {
            client.armed = due;
            self.timers.set(due, slot, client.serial);
        }
    }
}
