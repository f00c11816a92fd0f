//! How much the log may take: the limit of its options, and the end of the disk.

use super::Log;
use crate::{Disk, LogOptions};

/// What all files may take before the disk is full, as far as is known.
#[derive(Debug, Default)]
pub(super) struct DiskRoom {
    /// As the disk says.
    said: Option<u64>,
    /// What they took when it had no room for one more although it may have said that it has: a quota
    /// may be nearer than the end of the disk. None again when it had room.
    refused: Option<u64>,
}

impl DiskRoom {
    /// A file could be made.
    pub(super) const fn took(&mut self) {
        self.refused = None;
    }

    /// There was no room for a file beside so many bytes of others.
    pub(super) const fn refused(&mut self, bytes: u64) {
        self.refused = Some(bytes);
    }

    pub(super) const fn has_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Whether it says that there is room for so many bytes of files.
    pub(super) fn may_take(&self, bytes: u64) -> bool {
        self.said.is_none_or(|said| bytes <= said)
    }

    /// Bytes of files that may be made beside so many.
    pub(super) fn more(&self, bytes: u64) -> u64 {
        self.bytes().saturating_sub(bytes)
    }

    fn bytes(&self) -> u64 {
        self.said.unwrap_or(u64::MAX).min(self.refused.unwrap_or(u64::MAX))
    }
}

/// Segments below the limit.
pub(super) struct Margins {
    /// Into which nothing more is let: what is under way and what makes the log smaller goes there.
    reserved: u64,
    /// From which on the log is cleaned.
    pub(super) slack: u64,
}

impl Margins {
    const LIMIT: Self = Self { reserved: 2, slack: 4 };
}

/// Why nothing more may be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// The disk refuses files although it says that so many bytes are free: a quota, or its number of
    /// files.
    Refused {
        /// Which it says are free.
        free: u64,
    },
    /// The disk has no room for the next files, whatever lives in those that there are.
    Disk {
        /// Bytes that are free.
        free: u64,
        /// Bytes that have to be.
        wanted: u64,
    },
    /// The files have come to the limit of the options, and cleaning has something to do.
    Files,
    /// What lives has come so near to the limit of the options, or to the end of the disk if it tells
    /// how much is free, that cleaning could not make room.
    Living {
        /// Bytes that are free on the disk, where that is the limit.
        free: Option<u64>,
    },
}

impl<D: Disk> Log<D> {
    /// About how many bytes of living state may still be let in, before the limit or the end of the
    /// disk.
    ///
    /// The limit is kept by whoever lets something in; the log itself takes what it is given, or an
    /// acknowledgement that makes room could wait behind a message for which there is none. So that
    /// cleaning can always bring the files below the limit, they may not hold so much that lives that
    /// there is no garbage to part with.
    pub fn room_to_grow(&self) -> u64 {
        let Some(limit) = self.bytes_max() else { return u64::MAX };
        self.room_by_files(limit).min(self.room_by_living(limit))
    }

    fn room_by_files(&self, limit: u64) -> u64 {
        let segment = self.options.segment_bytes;
        let files = limit.saturating_sub(self.margins().reserved * segment);
        let more = files.saturating_sub(self.segment_bytes()) / segment;
        let current = self.current();
        current.length.saturating_sub(current.end) + more * segment
    }

    fn room_by_living(&self, limit: u64) -> u64 {
        let segment = self.options.segment_bytes;
        let living_max = limit.saturating_sub((self.margins().slack + 2) * segment) / 9 * 8;
        let living_max = living_max.max(segment / 2);
        // A segment is what has to be free for anything to be let in.
        (living_max + segment).saturating_sub(self.living_bytes())
    }

    /// Why nothing more may be let in, if nothing may: less than a segment is left. The disk is asked
    /// anew before that is said: it may have been filled within a moment.
    pub fn shortage(&mut self) -> Option<Shortage> {
        let segment = self.options.segment_bytes;
        if self.room_to_grow() >= segment {
            return None;
        }
        self.measure_disk();
        let limit = self.bytes_max().filter(|_| self.room_to_grow() < segment)?;
        let (by_disk, free) = (self.is_limited_by_disk(), self.disk_free_bytes());
        Some(if self.disk_is_false() {
            Shortage::Refused { free: free.unwrap_or(0) }
        } else if self.room_by_living(limit) < segment {
            Shortage::Living { free: free.filter(|_| by_disk) }
        } else if by_disk {
            // A file to go on with, and those into which nothing is let.
            let wanted = (1 + Margins::LIMIT.reserved) * segment;
            let wanted = wanted.saturating_sub(self.spare_bytes());
            Shortage::Disk { free: free.unwrap_or(0), wanted }
        } else {
            Shortage::Files
        })
    }

    /// Asks the disk how much room it has, and whether the log is still there. Others use it too, so
    /// whoever runs the log asks about once a second; the log asks when it begins a segment.
    pub fn measure_disk(&mut self) {
        if let Some(current) = self.segments.back() {
            let name = current.number.file_name();
            self.gone = !self.disk.has(&name, &current.file).unwrap_or(true);
        }
        // A disk that does not answer has what it had.
        let Ok(free) = self.disk.free_bytes() else { return };
        let said = free.map(|free| self.file_bytes().saturating_add(free));
        // What is being made counts neither as free nor as a file.
        let made = if self.is_ordered { self.options.segment_bytes } else { 0 };
        let is_made = |before: u64, now: u64| now < before && before - now <= made;
        if !self.room.said.zip(said).is_some_and(|(before, now)| is_made(before, now)) {
            self.room.said = said;
        }
    }

    /// What the disk has room for beside the log, as it last said; `None` if it cannot tell.
    pub fn disk_free_bytes(&self) -> Option<u64> {
        self.room.said.map(|said| said.saturating_sub(self.file_bytes()))
    }

    /// Whether it is the disk that limits the log, not its options.
    pub(super) fn is_limited_by_disk(&self) -> bool {
        let limit = self.options.bytes_max;
        limit == 0 || self.room.bytes() < limit
    }

    /// Whether the disk has no room for the next file.
    pub fn disk_is_full(&self) -> bool {
        let next = self.file_bytes().saturating_add(self.options.segment_bytes);
        self.room.has_refused() || !self.room.may_take(next)
    }

    /// Whether it refuses files although it says that it has room for them.
    pub(super) fn disk_is_false(&self) -> bool {
        let next = self.file_bytes().saturating_add(self.options.segment_bytes);
        self.room.has_refused() && self.room.may_take(next)
    }

    /// Whether the disk is too small for a log of such segments to be of much use.
    pub fn disk_is_small(&self) -> bool {
        self.room.bytes() / self.options.segment_bytes < LogOptions::SEGMENTS_MIN
    }

    /// What all files may take, as far as is known.
    pub(super) fn bytes_max(&self) -> Option<u64> {
        let limit = Some(self.options.bytes_max).filter(|limit| *limit > 0);
        let disk = self.room.bytes();
        Some(limit.unwrap_or(u64::MAX).min(disk)).filter(|limit| *limit < u64::MAX)
    }

    /// Those of the limit. A disk that refuses is used further: nothing had been reserved there, and
    /// with spares it has what is under way.
    pub(super) fn margins(&self) -> Margins {
        if self.room.has_refused() && self.is_limited_by_disk() {
            Margins { reserved: 1, slack: 3 }
        } else {
            Margins::LIMIT
        }
    }
}
