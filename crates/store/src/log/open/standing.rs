//! The second pass: which entries stand.

use super::{Replay, Stop};
use crate::{
    Group, SegmentNumber,
    frame::HEAD_BYTES,
    groups::Groups,
    record::{Record, Records},
    scan::Found,
};

/// From where on a void holds, in the order of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Void {
    pub(super) segment: SegmentNumber,
    pub(super) at: u64,
    pub(super) group: Group,
    pub(super) from: u64,
}

/// Which entries stand, as the second pass goes along.
pub(super) struct Standing<'a> {
    /// In the order of the log, each with the lowest index that it or a later one of its group
    /// voids.
    voids: Vec<Void>,
    next: usize,
    /// By group, the lowest index that a void still ahead names.
    ahead: Vec<Option<u64>>,
    groups: &'a Groups,
    given: u64,
    passed: u64,
}

impl<'a> Standing<'a> {
    pub(super) fn new(voids: &[Void], groups: &'a Groups) -> Self {
        let mut standing =
            Self { voids: voids.to_vec(), next: 0, ahead: Vec::new(), groups, given: 0, passed: 0 };
        // From the end: what a void means for the entries before it includes the later ones.
        let mut ahead: Vec<Option<u64>> = Vec::new();
        for void in standing.voids.iter_mut().rev() {
            let place = place_of(&mut ahead, void.group);
            let lowest = place.map_or(void.from, |later| later.min(void.from));
            void.from = place.replace(lowest).unwrap_or(u64::MAX);
        }
        standing.ahead = ahead;
        standing
    }

    pub(super) fn frame(
        &mut self,
        segment: SegmentNumber,
        found: Found<'_>,
        replay: &mut dyn Replay,
    ) -> Result<(), Stop> {
        let base = found.at + HEAD_BYTES as u64;
        for (offset, record) in Records::new(found.records).flatten() {
            let at = base + offset as u64;
            self.pass(segment, at);
            let Record::Entry { group, index, payload } = record else { continue };
            if !self.stands(group, index) {
                self.passed += 1;
                continue;
            }
            self.given += 1;
            replay
                .entry(group, index, found.head.millis, payload)
                .map_err(|reason| Stop::Refused { group, index, reason })?;
        }
        Ok(())
    }

    /// Voids up to this place lie behind.
    fn pass(&mut self, segment: SegmentNumber, at: u64) {
        while let Some(void) = self.voids.get(self.next) {
            if (void.segment, void.at) > (segment, at) {
                break;
            }
            *place_of(&mut self.ahead, void.group) = Some(void.from);
            self.next += 1;
        }
    }

    /// How many entries were given, and how many passed over.
    pub(super) const fn counts(&self) -> (u64, u64) {
        (self.given, self.passed)
    }

    fn stands(&self, group: Group, index: u64) -> bool {
        let ahead = self.ahead.get(usize::from(group.0)).copied().flatten();
        index > self.groups.get(group).purged && ahead.is_none_or(|from| index < from)
    }
}

fn place_of(ahead: &mut Vec<Option<u64>>, group: Group) -> &mut Option<u64> {
    let at = usize::from(group.0);
    if at >= ahead.len() {
        ahead.resize(at + 1, None);
    }
    ahead.get_mut(at).expect("invariant: just made long enough")
}
