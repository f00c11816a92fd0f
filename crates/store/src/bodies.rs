//! Where each body is, and how many refer to it.

use std::collections::hash_map::Entry;

use plexus_stdx::{HashMap, Seed};
use plexus_types::MessageId;

use crate::SegmentNumber;

/// Where a body's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: SegmentNumber,
    pub(crate) at: u32,
    pub(crate) bytes: u32,
}

#[derive(Debug, Clone, Copy)]
struct Body {
    place: Place,
    // Below zero only within a commit whose releases come before their holds.
    references: i32,
}

/// The table of bodies. A commit first stages what it changes, and then settles or takes it back.
#[derive(Debug)]
pub(crate) struct Bodies {
    table: HashMap<MessageId, Body>,
    // With offset and bytes in the frame that is being made.
    staged: Vec<(MessageId, u32, u32)>,
    unheld: Vec<MessageId>,
    bytes: u64,
}

impl Bodies {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { table: seed.map(), staged: Vec::new(), unheld: Vec::new(), bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The bytes of all bodies that somebody refers to.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn place(&self, id: MessageId) -> Option<Place> {
        self.table.get(&id).map(|body| body.place)
    }

    /// The body has been read at this place; a later place stands for an earlier one.
    pub(crate) fn found(&mut self, id: MessageId, place: Place) {
        let body = self.table.entry(id).or_insert(Body { place, references: 0 });
        body.place = place;
    }

    /// The body has been written again, unless nobody refers to it any more.
    pub(crate) fn moved(&mut self, id: MessageId, place: Place) -> bool {
        let Some(body) = self.table.get_mut(&id) else { return false };
        body.place = place;
        true
    }

    /// One reference more. Whether the body has to be written; then [`Bodies::stage`] follows.
    pub(crate) fn hold(&mut self, id: MessageId) -> bool {
        let Some(body) = self.table.get_mut(&id) else { return true };
        body.references += 1;
        false
    }

    /// The body stands at this offset of the frame that is being made, with one reference.
    pub(crate) fn stage(&mut self, id: MessageId, at: usize, bytes: usize) {
        let place = Place { segment: SegmentNumber::ZERO, at: 0, bytes: bytes as u32 };
        self.table.insert(id, Body { place, references: 1 });
        self.staged.push((id, at as u32, bytes as u32));
    }

    /// One reference less. Whether the table knows the body.
    pub(crate) fn release(&mut self, id: MessageId) -> bool {
        let Some(body) = self.table.get_mut(&id) else { return false };
        body.references -= 1;
        if body.references == 0 {
            self.unheld.push(id);
        }
        true
    }

    /// The frame of the staged bodies is kept there. Returns which they were, until they are
    /// cleared by the next commit.
    pub(crate) fn settle(
        &mut self,
        segment: SegmentNumber,
        frame_at: u64,
        ids: &mut Vec<MessageId>,
    ) {
        for (id, at, bytes) in self.staged.drain(..) {
            if let Some(body) = self.table.get_mut(&id) {
                // All of it: an older body of that name may have been found meanwhile.
                body.place = Place { segment, at: frame_at as u32 + at, bytes };
                self.bytes += u64::from(bytes);
                ids.push(id);
            }
        }
        for id in self.unheld.drain(..) {
            if let Entry::Occupied(body) = self.table.entry(id)
                && body.get().references <= 0
            {
                self.bytes -= u64::from(body.remove().place.bytes);
            }
        }
    }

    /// Takes back one hold.
    pub(crate) fn unhold(&mut self, id: MessageId) {
        if let Some(body) = self.table.get_mut(&id) {
            body.references -= 1;
        }
    }

    /// Takes back one release.
    pub(crate) fn unrelease(&mut self, id: MessageId) {
        if let Some(body) = self.table.get_mut(&id) {
            body.references += 1;
        }
    }

    /// Forgets what was staged, after every hold and release has been taken back.
    pub(crate) fn unstage(&mut self) {
        for (id, ..) in self.staged.drain(..) {
            self.table.remove(&id);
        }
        self.unheld.clear();
    }

    /// Counts all references anew. Returns those that are missing, ascending.
    pub(crate) fn recount(
        &mut self,
        references: impl Iterator<Item = MessageId>,
    ) -> Vec<MessageId> {
        let mut missing = Vec::new();
        for body in self.table.values_mut() {
            body.references = 0;
        }
        for id in references {
            match self.table.get_mut(&id) {
                Some(body) => body.references += 1,
                None => missing.push(id),
            }
        }
        self.table.retain(|_, body| body.references > 0);
        self.table.shrink_to_fit();
        self.bytes = self.table.values().map(|body| u64::from(body.place.bytes)).sum();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}
