//! Deadlines of clients. A deadline that moves later leaves its old entry in place: when that fires,
//! the client is asked anew. So a packet that only puts off the Keep Alive costs nothing here. Only
//! the earliest entry of a client counts; the others are void, and are swept out when they are many.

use std::{cmp::Reverse, collections::BinaryHeap};

use plexus_types::Instant;

use super::Shard;

/// Void entries that are not worth a sweep.
const LITTER: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Instant, u32, u32)>>,
}

impl Timers {
    /// Whether more entries are void than count, for so many clients.
    fn is_littered(&self, clients: usize) -> bool {
        self.heap.len() > 2 * clients + LITTER
    }

    fn sweep(&mut self, counts: impl Fn(Instant, u32, u32) -> bool) {
        self.heap.retain(|Reverse((at, slot, serial))| counts(*at, *slot, *serial));
    }

    pub(super) fn set(&mut self, at: Instant, slot: u32, serial: u32) {
        self.heap.push(Reverse((at, slot, serial)));
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<(Instant, u32, u32)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry)
    }
}

impl Shard {
    /// Sets a timer when the client's next deadline is earlier than the one that is set.
    pub(super) fn arm(&mut self, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let due = client.session.poll_timeout();
        let due = match client.crowd_due() {
            None => due,
            look => due.into_iter().chain(look).min(),
        };
        let Some(due) = due else { return };
        if due < client.armed {
            client.armed = due;
            self.timers.set(due, slot, client.serial);
        }
        if self.timers.is_littered(self.clients.len()) {
            let clients = &self.clients;
            self.timers.sweep(|at, slot, serial| {
                clients.get(slot).is_some_and(|it| it.serial == serial && it.armed == at)
            });
        }
    }
}
