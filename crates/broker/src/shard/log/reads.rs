//! Messages for groups that are being read from the log, again if that fails.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use plexus_types::Instant;

use crate::{
    ports::{Fetch, Turn},
    shard::Shard,
};

/// How long a disk is left alone that could not be read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Each is open in the log, so they are no more than were stored.
#[derive(Debug, Default)]
pub(in crate::shard) struct GroupReads {
    begun: u64,
    running: BTreeSet<u64>,
    put_off: VecDeque<(Instant, Fetch)>,
}

impl GroupReads {
    /// The number of the read that begins.
    pub(in crate::shard) fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.running.insert(self.begun);
        self.begun
    }

    pub(super) fn end(&mut self, number: u64) {
        self.running.remove(&number);
    }

    /// The number of the newest read.
    pub(super) const fn begun(&self) -> u64 {
        self.begun
    }

    /// Whether all reads up to that one have ended.
    pub(super) fn have_ended(&self, upto: u64) -> bool {
        self.running.first().is_none_or(|first| *first > upto)
    }

    pub(super) fn put_off(&mut self, now: Instant, fetch: Fetch) {
        self.put_off.push_back((now + PATIENCE, fetch));
    }

    /// When the first is to be asked for again.
    pub(in crate::shard) fn due(&self) -> Option<Instant> {
        self.put_off.front().map(|(at, _)| *at)
    }
}

impl Shard {
    pub(in crate::shard) fn read_again(&mut self, turn: &mut Turn<'_>) {
        while self.log.reads.due().is_some_and(|at| at <= turn.now) {
            let Some((_, fetch)) = self.log.reads.put_off.pop_front() else { return };
            turn.ports.fetch(fetch);
        }
    }
}
