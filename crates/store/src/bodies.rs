//! Where each body is, and how many refer to it.

mod table;

use plexus_stdx::Seed;
use plexus_types::MessageId;

use crate::SegmentNumber;
use table::Table;

/// References that are put in order at a time.
const RECOUNTED: usize = 1 << 20;

/// Where a body's content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: SegmentNumber,
    pub(crate) at: u32,
    pub(crate) bytes: u32,
}

/// A place and how many refer to it, in 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Body {
    segment: u32,
    at: u32,
    bytes: u32,
    // Below zero only within a commit whose releases come before their holds.
    references: i32,
}

impl Body {
    fn new(place: Place, references: i32) -> Self {
        let mut body = Self { segment: 0, at: 0, bytes: 0, references };
        body.put(place);
        body
    }

    const fn place(&self) -> Place {
        let segment = SegmentNumber::new(self.segment as u64);
        Place { segment, at: self.at, bytes: self.bytes }
    }

    fn put(&mut self, Place { segment, at, bytes }: Place) {
        let segment = u32::try_from(segment.get());
        self.segment = segment.expect("invariant: fewer than 2^32 segments in the life of a store");
        (self.at, self.bytes) = (at, bytes);
    }
}

/// The table of bodies. A commit first stages what it changes, and then settles or takes it back.
#[derive(Debug)]
pub(crate) struct Bodies {
    table: Table,
    // With offset and bytes in the frame that is being made.
    staged: Vec<(MessageId, u32, u32)>,
    unheld: Vec<MessageId>,
    bytes: u64,
}

impl Bodies {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { table: Table::new(seed), staged: Vec::new(), unheld: Vec::new(), bytes: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The bytes of all bodies that somebody refers to.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn place(&self, id: MessageId) -> Option<Place> {
        self.table.get(id).map(Body::place)
    }

    /// The body has been read at this place; a later place stands for an earlier one.
    pub(crate) fn found(&mut self, id: MessageId, place: Place) {
        match self.table.get_mut(id) {
            Some(body) => body.put(place),
            None => self.table.insert(id, Body::new(place, 0)),
        }
    }

    /// The body has been written again, unless nobody refers to it any more.
    pub(crate) fn moved(&mut self, id: MessageId, place: Place) -> bool {
        let Some(body) = self.table.get_mut(id) else { return false };
        body.put(place);
        true
    }

    /// One reference more. Whether the body has to be written; then [`Bodies::stage`] follows.
    pub(crate) fn hold(&mut self, id: MessageId) -> bool {
        let Some(body) = self.table.get_mut(id) else { return true };
        body.references += 1;
        false
    }

    /// The body stands at this offset of the frame that is being made, with one reference.
    pub(crate) fn stage(&mut self, id: MessageId, at: usize, bytes: usize) {
        let place = Place { segment: SegmentNumber::ZERO, at: 0, bytes: bytes as u32 };
        self.table.insert(id, Body::new(place, 1));
        self.staged.push((id, at as u32, bytes as u32));
    }

    /// One reference less. Whether the table knows the body.
    pub(crate) fn release(&mut self, id: MessageId) -> bool {
        let Some(body) = self.table.get_mut(id) else { return false };
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
            if let Some(body) = self.table.get_mut(id) {
                // All of it: an older body of that name may have been found meanwhile.
                body.put(Place { segment, at: frame_at as u32 + at, bytes });
                self.bytes += u64::from(bytes);
                ids.push(id);
            }
        }
        for id in self.unheld.drain(..) {
            if let Some(body) = self.table.get(id).filter(|body| body.references <= 0) {
                self.bytes -= u64::from(body.bytes);
                self.table.remove(id);
            }
        }
    }

    /// Takes back one hold.
    pub(crate) fn unhold(&mut self, id: MessageId) {
        if let Some(body) = self.table.get_mut(id) {
            body.references -= 1;
        }
    }

    /// Takes back one release.
    pub(crate) fn unrelease(&mut self, id: MessageId) {
        if let Some(body) = self.table.get_mut(id) {
            body.references += 1;
        }
    }

    /// Forgets what was staged, after every hold and release has been taken back.
    pub(crate) fn unstage(&mut self) {
        for (id, ..) in self.staged.drain(..) {
            self.table.remove(id);
        }
        self.unheld.clear();
    }

    /// Counts all references anew. Returns those that are missing, ascending.
    pub(crate) fn recount(
        &mut self,
        references: impl Iterator<Item = MessageId>,
    ) -> Vec<MessageId> {
        let (mut missing, mut references) = (Vec::new(), references);
        for body in self.table.values_mut() {
            body.references = 0;
        }
        // In order, because they come from all over the table, and a million misses of the cache are
        // slower than sorting.
        let mut some = Vec::new();
        loop {
            some.clear();
            some.extend(references.by_ref().take(RECOUNTED));
            if some.is_empty() {
                break;
            }
            some.sort_unstable();
            for id in &some {
                match self.table.get_mut(*id) {
                    Some(body) => body.references += 1,
                    None => missing.push(*id),
                }
            }
        }
        self.table.retain(|body| body.references > 0);
        self.bytes = self.table.values().map(|body| u64::from(body.bytes)).sum();
        missing.sort_unstable();
        missing.dedup();
        missing
    }
}
