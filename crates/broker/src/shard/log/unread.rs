//! Messages for groups that the log could not give: they are asked for again.

use std::{collections::VecDeque, time::Duration};

use plexus_types::Instant;

use crate::{
    ports::{Fetch, Turn},
    shard::Shard,
};

/// How long a disk is left alone that could not be read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Each is held in the log already, so they are no more than were stored.
#[derive(Debug, Default)]
pub(in crate::shard) struct Unread(VecDeque<(Instant, Fetch)>);

impl Unread {
    pub(super) fn put_off(&mut self, now: Instant, fetch: Fetch) {
        self.0.push_back((now + PATIENCE, fetch));
    }

    /// When the first is to be asked for again.
    pub(in crate::shard) fn due(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }
}

impl Shard {
    pub(in crate::shard) fn read_again(&mut self, turn: &mut Turn<'_>) {
        while self.log.unread.due().is_some_and(|at| at <= turn.now) {
            let Some((_, fetch)) = self.log.unread.0.pop_front() else { return };
            turn.ports.fetch(fetch);
        }
    }
}
