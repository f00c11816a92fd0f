//! Reads a segment from its beginning: frames, one after the other, through a window of the file.

use std::io;

use crate::{
    Disk, SegmentNumber,
    disk::read_whole,
    frame::{self, HEAD_BYTES, Head, Seal},
    header::{self, Header, HeaderError},
};

const WINDOW_BYTES: usize = 256 * 1024;

/// A part of a file in memory.
struct Window<'d, D: Disk> {
    disk: &'d D,
    file: &'d D::File,
    length: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<D: Disk> Window<'_, D> {
    /// That many bytes from an offset on; fewer only at the end of the file.
    fn get(&mut self, at: u64, count: usize) -> io::Result<&[u8]> {
        let count = (self.length.saturating_sub(at)).min(count as u64) as usize;
        let inside = at.checked_sub(self.start).map(|skip| skip as usize);
        if inside.is_none_or(|skip| skip + count > self.bytes.len()) {
            let wish = count.max(WINDOW_BYTES) as u64;
            let wish = wish.min(self.length.saturating_sub(at)) as usize;
            self.start = at;
            self.bytes.resize(wish, 0);
            match read_whole(self.disk, self.file, at, &mut self.bytes) {
                Ok(read) => self.bytes.truncate(read),
                Err(error) => {
                    self.bytes.clear();
                    return Err(error);
                }
            }
        }
        let skip = (at - self.start) as usize;
        let rest = self.bytes.get(skip..).unwrap_or_default();
        Ok(rest.get(..count).unwrap_or(rest))
    }
}

/// One frame where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<'w> {
    pub(crate) at: u64,
    pub(crate) head: Head,
    pub(crate) records: &'w [u8],
}

impl Found<'_> {
    pub(crate) const fn end(&self) -> u64 {
        self.at + self.head.frame_bytes() as u64
    }

    /// Whether it only says that all before it is kept.
    pub(crate) fn closes(&self) -> bool {
        self.records.is_empty() && u64::from(self.head.kept) == self.at
    }
}

/// Reads the frames of one segment.
pub(crate) struct SegmentReader<'d, D: Disk> {
    window: Window<'d, D>,
    seal: Seal,
}

/// What follows the last whole frame of the last segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// Frames that were begun, whole or not.
    pub(crate) frames: u64,
    /// Bytes from the last whole frame's end to the last of theirs.
    pub(crate) bytes: u64,
    /// Up to where one of them says that the segment had been kept.
    pub(crate) kept: u64,
}

impl<'d, D: Disk> SegmentReader<'d, D> {
    pub(crate) fn new(disk: &'d D, file: &'d D::File, length: u64, seal: Seal) -> Self {
        let window = Window { disk, file, length, start: 0, bytes: Vec::new() };
        Self { window, seal }
    }

    /// The frame at this offset, if it is whole and ends at `end` or before.
    pub(crate) fn frame(&mut self, at: u64, end: u64) -> io::Result<Option<Found<'_>>> {
        let room = end.min(self.window.length).saturating_sub(at);
        let Some(head) = Head::decode(self.window.get(at, HEAD_BYTES)?, self.seal) else {
            return Ok(None);
        };
        if head.frame_bytes() as u64 > room {
            return Ok(None);
        }
        let bytes = self.window.get(at, head.frame_bytes())?;
        let whole = frame::verify(bytes, self.seal);
        Ok(whole.map(|(head, records)| Found { at, head, records }))
    }

    /// Gives each whole frame from an offset on to `visit`; returns where they end.
    pub(crate) fn walk<E: From<io::Error>>(
        &mut self,
        mut at: u64,
        end: u64,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        while let Some(found) = self.frame(at, end)? {
            let next = found.end();
            visit(found)?;
            at = next;
        }
        Ok(at)
    }

    /// The offset of the first whole frame at or behind an offset.
    pub(crate) fn find(&mut self, from: u64, end: u64) -> io::Result<Option<u64>> {
        let mut at = from;
        while at + HEAD_BYTES as u64 <= end.min(self.window.length) {
            let bytes = self.window.get(at, WINDOW_BYTES)?;
            match memchr::memmem::find(bytes, &self.seal.tag()) {
                // A mark may lie across the edge of the window.
                None => at += (bytes.len().saturating_sub(3)).max(1) as u64,
                Some(skip) => {
                    at += skip as u64;
                    if self.frame(at, end)?.is_some() {
                        return Ok(Some(at));
                    }
                    at += 1;
                }
            }
        }
        Ok(None)
    }

    /// Looks behind the last whole frame.
    pub(crate) fn tail(&mut self, end: u64) -> io::Result<Tail> {
        let mut tail = Tail::default();
        let head = Head::decode(self.window.get(end, HEAD_BYTES)?, self.seal);
        if let Some(head) = head {
            tail.frames = 1;
            tail.bytes = (head.frame_bytes() as u64).min(self.window.length - end);
        }
        let mut at = end;
        while let Some(next) = self.find(at, u64::MAX)? {
            let frame = self.frame(next, u64::MAX)?;
            let Some(found) = frame else { break };
            at = found.end();
            tail.frames += 1;
            tail.bytes = tail.bytes.max(at - end);
            tail.kept = tail.kept.max(u64::from(found.head.kept));
        }
        Ok(tail)
    }
}

/// A segment's file as it lies there.
#[derive(Debug)]
pub(crate) struct SegmentFile<F> {
    pub(crate) number: SegmentNumber,
    pub(crate) length: u64,
    pub(crate) file: F,
    pub(crate) header: Result<Header, HeaderError>,
}

impl<F> SegmentFile<F> {
    pub(crate) fn name(&self) -> String {
        self.number.file_name()
    }
}

/// Opens every segment of the folder and reads its header; ascending.
pub(crate) fn segments<D: Disk>(
    disk: &D,
    listed: &[(String, u64)],
) -> Result<Vec<SegmentFile<D::File>>, (String, io::Error)> {
    let mut found = Vec::new();
    for (name, length) in listed {
        let Some(number) = SegmentNumber::of_file(name) else { continue };
        let named = |error| (name.clone(), error);
        let file = disk.open(name).map_err(named)?;
        let mut sector = vec![0; header::BYTES as usize];
        let read = read_whole(disk, &file, 0, &mut sector).map_err(named)?;
        sector.truncate(read);
        let mut header = Header::decode(&sector);
        if header.is_ok_and(|header| header.number != number) {
            header = Err(HeaderError::Checksum);
        }
        found.push(SegmentFile { number, length: *length, file, header });
    }
    found.sort_by_key(|segment| segment.number);
    Ok(found)
}
