//! The next segment: prepared under a spare's name, and named a segment when it is one.

use std::io;

use super::{Log, Segment, Spare, is_full};
use crate::{
    Disk, LogError, SegmentNumber,
    bodies::Place,
    disk::read_whole,
    frame::{self, HEAD_BYTES, Head, Seal},
    header::{self, Header},
    record::{Record, Records},
    segment,
};

/// A file that is to be made ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpareOrder {
    /// Its name.
    pub name: String,
    /// Its length.
    pub length: u64,
}

impl<D: Disk> Log<D> {
    /// A spare is made when this part of the last segment is taken.
    const SPARE_SHARE: u64 = 8;

    /// Spare files that are kept.
    pub(super) const SPARES_MAX: usize = 2;

    /// Ends the last segment and begins the next, with room for a frame of that many bytes.
    ///
    /// What a segment that was given up holds beyond its durable part has been acknowledged as
    /// written. It is read back and begins the new segment: after a failed sync nobody else knows
    /// it, and a second sync may claim a success that it does not have.
    pub(super) fn begin_segment(&mut self, frame_bytes: u64, millis: u64) -> Result<(), LogError> {
        if !self.given_up {
            self.sync()?;
        }
        if !self.segments.is_empty() {
            self.measure_disk();
            self.be_there()?;
        }
        let carried = self.read_carried()?;
        let wanted = header::BYTES + carried.len() as u64 + frame_bytes;
        let length = self.options.segment_bytes.max(wanted);
        let number = self.current_segment().next();
        let seal = Seal::new(self.identity.store, number);
        let carried = Self::sealed_again(carried, seal);
        let spare = self.file(length)?;
        let header = self.header(number, self.synced, millis, length);
        let file = self.write_segment(spare, &header, &carried)?;
        self.adopt(Segment {
            number,
            file,
            length,
            end: header::BYTES + carried.len() as u64,
            seal,
            bodies: Vec::new(),
            tops: Vec::new(),
        });
        self.absorb_carried(&carried);
        Ok(())
    }

    fn header(&self, number: SegmentNumber, previous_end: u64, millis: u64, length: u64) -> Header {
        Header {
            identity: self.identity,
            number,
            previous_end,
            created_millis: millis,
            next_message: self.next_message,
            first: self.segments.front().map_or(number, |oldest| oldest.number),
            length,
        }
    }

    fn adopt(&mut self, segment: Segment<D::File>) {
        let tops = self.groups.take_tops();
        let synced = self.synced;
        if let Some(last) = self.segments.back_mut() {
            last.tops = tops;
            last.end = synced;
        }
        self.synced = segment.end;
        self.closed = 0;
        self.given_up = false;
        self.segments.push_back(segment);
    }

    /// The frames behind the durable part of a segment that was given up.
    fn read_carried(&mut self) -> Result<Vec<u8>, LogError> {
        let segment = self.current();
        let (number, from) = (segment.number, self.synced);
        let mut frames = vec![0; (segment.end - from) as usize];
        let read = read_whole(&self.disk, &segment.file, from, &mut frames)
            .map_err(|error| self.io(number, "read", error))?;
        let whole = read == frames.len() && Self::frames(&frames, segment.seal).is_some();
        if self.torn || !whole {
            self.torn = true;
            let file = number.file_name();
            let what = "what was written before a sync failed cannot be read back";
            return Err(LogError::Damaged { file, offset: from, what });
        }
        Ok(frames)
    }

    /// Where the frames begin, when the bytes are whole frames and nothing else.
    fn frames(bytes: &[u8], seal: Seal) -> Option<Vec<usize>> {
        let (mut at, mut found) = (0, Vec::new());
        while at < bytes.len() {
            let length = Head::decode(bytes.get(at..)?, seal)?.frame_bytes();
            frame::verify(bytes.get(at..at.checked_add(length)?)?, seal)?;
            found.push(at);
            at += length;
        }
        Some(found)
    }

    fn sealed_again(mut frames: Vec<u8>, seal: Seal) -> Vec<u8> {
        let mut at = 0;
        while let Some(rest) = frames.get_mut(at..).filter(|rest| rest.len() >= HEAD_BYTES) {
            let word = |at: usize| {
                rest.get(at..at + 4)
                    .and_then(|word| word.try_into().ok())
                    .map_or(0, u32::from_le_bytes)
            };
            let (length, low, high) = (word(8) as usize, word(16), word(20));
            let millis = u64::from(high) << 32 | u64::from(low);
            let end = (HEAD_BYTES + length).min(rest.len());
            if let Some(frame) = rest.get_mut(..end) {
                frame::close(frame, seal, header::BYTES as u32, millis);
            }
            at += end;
        }
        frames
    }

    /// The carried frames are where the new segment begins.
    fn absorb_carried(&mut self, carried: &[u8]) {
        let seal = self.current().seal;
        let number = self.current().number;
        for at in Self::frames(carried, seal).unwrap_or_default() {
            let frame = carried.get(at..).unwrap_or_default();
            let length = Head::decode(frame, seal).map_or(0, |head| head.frame_bytes());
            let records = frame.get(HEAD_BYTES..length).unwrap_or_default();
            let base = header::BYTES as usize + at + HEAD_BYTES;
            for (offset, record) in Records::new(records).flatten() {
                self.absorb_again(number, base + offset, &record);
            }
        }
    }

    fn absorb_again(&mut self, segment: SegmentNumber, at: usize, record: &Record<'_>) {
        match record {
            Record::Entry { group, index, .. } => self.groups.entry(*group, *index, segment),
            Record::Body { id, content } => {
                let place = Place { segment, at: at as u32, bytes: content.len() as u32 };
                if self.bodies.moved(*id, place) {
                    self.current_mut().bodies.push(*id);
                }
            }
            Record::Mark { group, last, purged } => {
                self.groups.mark(*group, *last, *purged, segment);
            }
            Record::Void { group, from } => self.groups.void(*group, *from),
            Record::Hole | Record::Floor(_) => {}
        }
    }

    /// A file of that length.
    fn file(&mut self, length: u64) -> Result<Spare<D::File>, LogError> {
        match self.spares.iter().position(|spare| spare.length == length) {
            Some(at) => Ok(self.spares.swap_remove(at)),
            None => self.create_spare(length),
        }
    }

    /// A name that no spare has had since the start.
    pub(super) fn spare_name(&mut self) -> String {
        self.spare_names += 1;
        segment::spare_name(self.spare_names)
    }

    fn create_spare(&mut self, length: u64) -> Result<Spare<D::File>, LogError> {
        let bytes = self.file_bytes();
        if !self.room.may_take(bytes + length) {
            // To fill it to the last byte would help nobody.
            return Err(LogError::Full { bytes });
        }
        let name = self.spare_name();
        match self.disk.create(&name, length) {
            Ok(file) => {
                self.room.took();
                Ok(Spare { name, file, length })
            }
            Err(error) => {
                // What there is of the file takes room and is good for nothing.
                drop(self.disk.remove(&name));
                let error = self.io_of(&name, "create", error);
                if let LogError::Full { bytes } = &error {
                    self.room.refused(*bytes);
                }
                Err(error)
            }
        }
    }

    /// Makes a segment of a spare. The frames are written before the header and the name comes
    /// last, so that a segment never begins without them.
    fn write_segment(
        &mut self,
        spare: Spare<D::File>,
        header: &Header,
        frames: &[u8],
    ) -> Result<D::File, LogError> {
        let name = header.number.file_name();
        let written = self.write_spare(&spare, header, frames);
        let named = written.and_then(|()| {
            let renamed = self.disk.rename(&spare.name, &name);
            renamed.map_err(|error| ("rename", error))
        });
        match named {
            Ok(()) => {
                self.stat.written_bytes += header::BYTES + frames.len() as u64;
                Ok(spare.file)
            }
            Err((operation, error)) => {
                // The name may have come through all the same, and states where the segment
                // before ends: nothing may be added there.
                self.given_up = true;
                drop(self.disk.remove(&spare.name));
                Err(self.io_of(&spare.name, operation, error))
            }
        }
    }

    fn write_spare(
        &mut self,
        spare: &Spare<D::File>,
        header: &Header,
        frames: &[u8],
    ) -> Result<(), (&'static str, io::Error)> {
        let write = |at, bytes: &[u8]| {
            self.disk.write_at(&spare.file, at, bytes).map_err(|error| ("write", error))
        };
        if !frames.is_empty() {
            write(header::BYTES, frames)?;
        }
        write(0, &header.encode())?;
        self.stat.syncs += 1;
        self.disk.sync(&spare.file).map_err(|error| ("sync", error))
    }

    /// The first segment of a store.
    pub(super) fn begin_first(&mut self) -> Result<(), LogError> {
        let (number, length) = (SegmentNumber::new(1), self.options.segment_bytes);
        let at = self.spares.iter().position(|spare| spare.length == length);
        let spare = if let Some(at) = at {
            self.spares.swap_remove(at)
        } else {
            self.create_spare(length)?
        };
        let header = self.header(number, 0, self.identity.created_millis, length);
        let file = self.write_segment(spare, &header, &[])?;
        self.adopt(Segment {
            number,
            file,
            length,
            end: header::BYTES,
            seal: Seal::new(self.identity.store, number),
            bodies: Vec::new(),
            tops: Vec::new(),
        });
        Ok(())
    }

    /// Makes a spare ready before it is needed, unless one is or there is no room for it.
    pub(super) fn prepare_spare(&mut self) -> Result<(), LogError> {
        if self.needs_spare() {
            let spare = self.create_spare(self.options.segment_bytes)?;
            self.keep_spare(spare);
        }
        Ok(())
    }

    /// Filling a file takes as long as many commits. So whoever has a thread for it makes the next
    /// one as soon as a part of the last segment is taken; see [`LogOptions::spares_on_order`].
    ///
    /// [`LogOptions::spares_on_order`]: crate::LogOptions::spares_on_order
    pub fn order_spare(&mut self) -> Option<SpareOrder> {
        if !self.options.spares_on_order || self.is_ordered || self.gone || !self.needs_spare() {
            return None;
        }
        self.is_ordered = true;
        Some(SpareOrder { name: self.spare_name(), length: self.options.segment_bytes })
    }

    /// What was ordered has been made by [`Disk::create`], or could not be. Without it the log makes
    /// a file when it needs one; who makes them may be asked for it again at once.
    pub fn deliver_spare(&mut self, order: SpareOrder, made: io::Result<D::File>) {
        let SpareOrder { name, length } = order;
        self.is_ordered = false;
        match made {
            Ok(file) => {
                self.room.took();
                self.keep_spare(Spare { name, file, length });
                self.measure_disk();
            }
            Err(error) => {
                // What there is of it takes room and is good for nothing.
                drop(self.disk.remove(&name));
                if is_full(&error) {
                    self.room.refused(self.file_bytes());
                }
            }
        }
    }

    fn keep_spare(&mut self, spare: Spare<D::File>) {
        if self.spares.len() < Self::SPARES_MAX {
            self.spares.push(spare);
        } else {
            // The log has files enough; this one has shown that the disk has room.
            drop(self.disk.remove(&spare.name));
        }
    }

    /// A disk that refused is tried as soon as it says that it has room: nothing else tells whether it
    /// has. One that says it has none is left alone: to fill it to the last byte helps nobody.
    fn needs_spare(&self) -> bool {
        let (length, limit) = (self.options.segment_bytes, self.options.bytes_max);
        let current = self.current();
        let soon = current.end > current.length / Self::SPARE_SHARE && self.spares.is_empty();
        let fits = limit == 0 || self.segment_bytes() + length <= limit;
        (soon || self.room.has_refused()) && fits && self.room.may_take(self.file_bytes() + length)
    }
}
