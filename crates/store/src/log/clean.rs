//! Cleaning: the oldest segment is emptied and goes, as long as the log is larger than it should be.

use plexus_types::MessageId;

use super::{Log, Segment};
use crate::{
    Disk, LogError, SegmentNumber,
    bodies::{Bodies, Place},
    frame, message, record,
};

/// Keeps cleaning from going round and round.
///
/// Owners may say that less lives than does; then the log is larger than it should be for ever, and
/// would be written anew for ever. So when all of it has been written anew twice without becoming
/// smaller, it rests until it has grown by half.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Since when it has been too large: the last segment and the size of that moment.
    pass: Option<(SegmentNumber, u64)>,
    useless: u32,
    /// What cleaning could not make smaller; 0 for nothing.
    pub(super) floor: u64,
    /// What lived then: when less does, it may well become smaller.
    living: u64,
}

impl Rest {
    const USELESS_MAX: u32 = 2;

    /// That segment has gone, and so much is left.
    fn gone(&mut self, segment: SegmentNumber, bytes: u64, living: u64) {
        let Some((_, before)) = self.pass.filter(|(last, _)| segment >= *last) else { return };
        self.pass = None;
        if bytes < before - before / 8 {
            (self.useless, self.floor) = (0, 0);
            return;
        }
        self.useless += 1;
        if self.useless >= Self::USELESS_MAX {
            // The next pass that brings nothing is the last again.
            (self.useless, self.floor) = (Self::USELESS_MAX - 1, bytes);
            self.living = living;
        }
    }

    /// The log is as small as it should be.
    fn reached(&mut self) {
        *self = Self::default();
    }

    /// Up to which size it rests while so much lives. Below a limit only as long as there is room.
    fn bytes(&self, living: u64, segment: u64, limit: Option<u64>) -> u64 {
        let eighth = self.living / 8;
        let rest = self.floor + self.floor / 2;
        let is_near = limit.is_some_and(|limit| limit < rest);
        let less = if is_near { eighth.min(segment) } else { eighth };
        if living < self.living - less {
            return 0;
        }
        limit.map_or(rest, |limit| rest.min(limit.max(self.floor)))
    }
}

impl<F> Segment<F> {
    /// What it holds of bodies that somebody refers to.
    fn bytes_living(&self, bodies: &Bodies) -> u64 {
        let places = self.bodies.iter().filter_map(|id| bodies.place(*id));
        places
            .filter(|place| place.segment == self.number)
            .map(|place| u64::from(place.bytes))
            .sum()
    }
}

impl<D: Disk> Log<D> {
    /// The part of a segment that cleaning leaves to acknowledgements.
    const KEPT_SHARE: u64 = 4;
    /// With fewer, two segments of garbage are no little garbage.
    const LITTLE_SEGMENTS: u64 = 6;

    /// What the owners have to write anew now: all of theirs that began in segments up to the
    /// answer. Each says that it has by [`crate::Batch::refreshed`]. `None` while the log is not
    /// larger than it should be, or while nobody has anything there.
    pub fn wants_refresh(&self) -> Option<SegmentNumber> {
        let mut excess = self.excess()?;
        let oldest = self.segments.front()?;
        // What the owners write anew is about its share of all that they have.
        let segments = (self.segment_bytes() / oldest.length).max(1);
        if !self.has_room_to_clean(self.living_state_bytes() / segments) {
            return None;
        }
        // They write all of it before the first segment goes.
        let at_once = self.has_room_for(excess);
        let mut upto = None;
        let mut pending = false;
        for segment in self.segments.range(..self.segments.len() - 1) {
            pending |= !self.groups.are_done_with(segment.number, &segment.tops);
            upto = Some(segment.number);
            if excess <= segment.length || (pending && !at_once) {
                break;
            }
            excess -= segment.length;
        }
        upto.filter(|_| pending)
    }

    /// Some bytes of cleaning: moves living bodies of the oldest segment, and lets it go when the
    /// owners of its entries have written them anew and all is durable. Returns whether there is
    /// more to do now; when not, it is the owners' turn, or the log is small enough.
    pub fn clean(&mut self, now_millis: u64, budget_bytes: usize) -> Result<bool, LogError> {
        assert!(self.counted, "references are set before the first cleaning");
        self.be_there()?;
        if self.excess().is_none() {
            if self.segment_bytes() <= self.target() {
                self.rest.reached();
            }
            if !self.options.spares_on_order {
                self.prepare_spare()?;
            }
            return Ok(false);
        }
        let now = (self.current_segment(), self.segment_bytes());
        self.rest.pass.get_or_insert(now);
        let oldest = self.segments.front().expect("invariant: a log has a segment");
        let number = oldest.number;
        if !self.groups.are_done_with(number, &oldest.tops) {
            return Ok(false);
        }
        if !self.has_room_to_clean(0) {
            if !self.options.spares_on_order {
                self.prepare_spare()?;
            }
            return Err(LogError::Full { bytes: self.file_bytes() });
        }
        self.let_hole_go(now_millis, number)?;
        if self.move_bodies(now_millis, budget_bytes)? {
            return Ok(true);
        }
        self.move_marks(now_millis, number)?;
        self.sync()?;
        // What has been moved is in a file that may have lost its name since the disk was measured.
        self.measure_disk();
        self.be_there()?;
        self.retire()?;
        self.cleaned = 0;
        self.rest.gone(number, self.segment_bytes(), self.living_bytes());
        Ok(true)
    }

    /// Whether the oldest segment can be moved to the log's end, with so much of its owners' at most, and
    /// something is left for what waits to be committed: the last bytes are for acknowledgements, which
    /// make room by themselves.
    fn has_room_to_clean(&self, state: u64) -> bool {
        if self.cleaned > 0 {
            return true; // What has been begun is ended.
        }
        let oldest = self.segments.front().expect("invariant: a log has a segment");
        let state = state.min(oldest.length);
        if self.has_room_for(oldest.length + state) {
            return true;
        }
        let lives = oldest.bytes_living(&self.bodies) + state;
        // What takes nothing gives a whole file.
        lives == 0 || self.has_room_for(lives)
    }

    /// Whether the owners may write anew what is theirs. If not, they wait: how much of it began in the
    /// segments that are to go was guessed, and half of what cleaning leaves stays with acknowledgements.
    pub fn has_room_for_refresh(&self) -> bool {
        self.room_to_write() >= self.options.segment_bytes / Self::KEPT_SHARE / 2
    }

    /// Whether so much can be written, and a part of a segment is left.
    fn has_room_for(&self, bytes: u64) -> bool {
        self.room_to_write() >= bytes.saturating_add(self.options.segment_bytes / Self::KEPT_SHARE)
    }

    fn room_to_write(&self) -> u64 {
        let (segment, current) = (self.options.segment_bytes, self.current());
        let more = self.room.more(self.file_bytes()) / segment * segment;
        let here = current.length.saturating_sub(current.end) + self.spare_bytes();
        here.saturating_add(more)
    }

    /// By how much the log is larger than it should be, if it is and can become smaller.
    fn excess(&self) -> Option<u64> {
        if self.segments.len() < 2 {
            return None;
        }
        let target = self.target();
        // A pass that has been begun goes for all of it, or its end would say nothing.
        let slack = self.margins().slack * self.options.segment_bytes;
        let limit = self.bytes_max().map(|limit| limit.saturating_sub(slack));
        let rest = match self.rest.pass {
            Some(_) => 0,
            None => self.rest.bytes(self.living_bytes(), self.options.segment_bytes, limit),
        };
        let target = target.max(rest);
        self.segment_bytes().checked_sub(target).filter(|excess| *excess > 0)
    }

    /// How large it should be at most.
    fn target(&self) -> u64 {
        let living = self.living_bytes();
        let target = living.saturating_mul(2).saturating_add(self.options.allowance_bytes);
        let Some(limit) = self.bytes_max() else { return target };
        // Cleaning begins well before the reserve does, but not for the sake of a little garbage: a
        // log that is full of living state would be written round and round.
        let segment = self.options.segment_bytes;
        let little = if limit / segment < Self::LITTLE_SEGMENTS { 1 } else { 2 };
        let worth = living.saturating_add(living / 8).saturating_add(little * segment);
        target.min(limit.saturating_sub(self.margins().slack * segment).max(worth))
    }

    /// Writes living bodies of the oldest segment again. Whether there were any.
    fn move_bodies(&mut self, now_millis: u64, budget_bytes: usize) -> Result<bool, LogError> {
        let oldest = self.segments.front().expect("invariant: a log has a segment");
        if self.planted_delete() {
            return Ok(false);
        }
        let number = oldest.number;
        let mut moved: Vec<(MessageId, usize, u32)> = Vec::new();
        let mut content = Vec::new();
        let mut frame = std::mem::take(&mut self.frame);
        frame::begin(&mut frame);
        let mut seen = self.cleaned;
        for id in oldest.bodies.get(self.cleaned..).unwrap_or_default() {
            if frame.len() >= budget_bytes.max(frame::HEAD_BYTES + 1) {
                break;
            }
            seen += 1;
            let Some(place) = self.bodies.place(*id).filter(|place| place.segment == number) else {
                continue;
            };
            content.resize(place.bytes as usize, 0);
            self.read_content(place, &mut content)?;
            if !message::is_whole(*id, &content) {
                let (file, offset) = (number.file_name(), u64::from(place.at));
                let what = "the message's checksum is wrong";
                return Err(LogError::Damaged { file, offset, what });
            }
            record::put_body(&mut frame, *id, content.len());
            moved.push((*id, frame.len(), place.bytes));
            frame.extend_from_slice(&content);
        }
        self.frame = frame;
        if moved.is_empty() {
            self.cleaned = seen;
            return Ok(false);
        }
        let at = self.put_frame(now_millis, false)?;
        self.cleaned = seen;
        let segment = self.current_segment();
        for (id, offset, bytes) in moved {
            let place = Place { segment, at: at as u32 + offset as u32, bytes };
            self.bodies.moved(id, place);
            self.current_mut().bodies.push(id);
        }
        Ok(true)
    }

    /// Writes that the segment may go, and where groups stand of which only it knows it.
    fn move_marks(&mut self, now_millis: u64, from: SegmentNumber) -> Result<(), LogError> {
        let marks = self.groups.proved_by(from);
        frame::begin(&mut self.frame);
        for (group, state) in &marks {
            record::put_mark(&mut self.frame, *group, state.last, state.purged);
        }
        record::put_floor(&mut self.frame, from.next());
        self.put_frame(now_millis, false)?;
        let segment = self.current_segment();
        for (group, state) in marks {
            self.groups.mark(group, state.last, state.purged, segment);
        }
        Ok(())
    }

    #[cfg(any(test, feature = "testing"))]
    fn planted_delete(&self) -> bool {
        self.options.plant == Some(crate::testing::Plant::DeleteLiving)
    }

    #[cfg(not(any(test, feature = "testing")))]
    #[expect(clippy::unused_self, reason = "the planted bug of the tests asks the options")]
    const fn planted_delete(&self) -> bool {
        false
    }
}
