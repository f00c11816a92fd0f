//! The first pass: what a segment holds, and the entries as long as nothing says that some do not
//! stand.

use std::collections::VecDeque;

use plexus_types::MessageId;

use super::{Replay, Segment, Stop, standing::Void};
use crate::{
    Group, OpenError, SegmentNumber,
    bodies::{Bodies, Place},
    frame::HEAD_BYTES,
    groups::Groups,
    record::{Record, Records},
    scan::Found,
};

/// Tells the owners before all is known.
pub(super) struct Early<'a> {
    replay: &'a mut dyn Replay,
    segment: SegmentNumber,
    told: u64,
    /// Whether everything that was told stands.
    sure: bool,
    /// The entry that its owner refused; if it does not stand, that means nothing.
    refused: Option<(SegmentNumber, Stop)>,
    voids: Vec<Void>,
    /// Damage that a repair has fenced in.
    pub(super) holes: u64,
    /// The log may begin there, as it says of itself, or before, and not behind it.
    pub(super) floor: SegmentNumber,
}

impl<'a> Early<'a> {
    pub(super) fn new(replay: &'a mut dyn Replay) -> Self {
        let (segment, floor, voids) = (SegmentNumber::ZERO, SegmentNumber::ZERO, Vec::new());
        Self { replay, segment, told: 0, sure: true, refused: None, voids, holes: 0, floor }
    }

    pub(super) fn segment(&mut self, segment: SegmentNumber) {
        self.segment = segment;
        if self.tells() {
            self.replay.segment(segment);
        }
    }

    pub(super) fn progress(&mut self, done: u64, total: u64) {
        self.replay.progress(done, total);
    }

    const fn tells(&self) -> bool {
        self.sure && self.refused.is_none()
    }

    fn entry(&mut self, group: Group, index: u64, at_millis: u64, payload: &[u8]) {
        if !self.tells() {
            return;
        }
        match self.replay.entry(group, index, at_millis, payload) {
            Ok(()) => self.told += 1,
            Err(reason) => {
                self.refused = Some((self.segment, Stop::Refused { group, index, reason }));
            }
        }
    }

    /// How many entries were told, and the voids if some of them may not stand.
    pub(super) fn finish(self) -> Result<(u64, Option<Vec<Void>>), OpenError> {
        match self.refused {
            _ if !self.sure => Ok((0, Some(self.voids))),
            Some((segment, stop)) => Err(stop.into_error(&segment.file_name())),
            None => Ok((self.told, None)),
        }
    }
}

/// What the first pass fills.
pub(super) struct Absorbed<'a, 'r, F> {
    pub(super) segment: SegmentNumber,
    pub(super) bodies: &'a mut Bodies,
    pub(super) groups: &'a mut Groups,
    pub(super) ids: &'a mut Vec<MessageId>,
    pub(super) older: &'a mut VecDeque<Segment<F>>,
    pub(super) early: &'a mut Early<'r>,
}

impl<F> Absorbed<'_, '_, F> {
    pub(super) fn frame(&mut self, found: Found<'_>, next_message: &mut u64) -> Result<(), Stop> {
        let base = found.at + HEAD_BYTES as u64;
        for read in Records::new(found.records) {
            let (offset, record) = read.map_err(|bad| Stop::Bad { at: base + bad.0 as u64 })?;
            let at = base + offset as u64;
            match record {
                Record::Entry { group, index, payload } => {
                    self.groups.entry(group, index, self.segment);
                    self.early.entry(group, index, found.head.millis, payload);
                }
                Record::Body { id, content } => {
                    let bytes = content.len() as u32;
                    let place = Place { segment: self.segment, at: at as u32, bytes };
                    self.bodies.found(id, place);
                    self.ids.push(id);
                    *next_message = (*next_message).max(id.get() + 1);
                }
                Record::Void { group, from } => self.void(at, group, from),
                Record::Mark { group, last, purged } => {
                    self.groups.mark(group, last, purged, self.segment);
                    // Entries may be told behind the mark that it forgets, and have been before it.
                    self.early.sure &= purged == 0;
                }
                Record::Hole => self.early.holes += 1,
                Record::Floor(first) => self.early.floor = self.early.floor.max(first),
            }
        }
        Ok(())
    }

    fn void(&mut self, at: u64, group: Group, from: u64) {
        self.groups.void(group, from);
        self.early.sure = false;
        self.early.voids.push(Void { segment: self.segment, at, group, from });
        for segment in self.older.iter_mut() {
            for (_, top) in segment.tops.iter_mut().filter(|(of, _)| *of == group.0) {
                *top = (*top).min(from.saturating_sub(1));
            }
        }
    }
}
