//! Reads what can be read of every segment, and notes what cannot.

use std::io;

use super::{
    Damage, files,
    obstacle::{floor_of, identity_of},
};
use crate::{
    Cut, Disk, Identity, OpenError, Record, SegmentNumber,
    frame::{HEAD_BYTES, Seal},
    header::{self, HeaderError},
    log::{SHORTER, missing_before},
    record::{BadRecord, Records},
    scan::{Found, SegmentFile, SegmentReader, Tail},
};

/// Bytes between whole frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) what: &'static str,
}

/// One segment and what is wrong with it.
#[derive(Debug)]
pub(super) struct Surveyed<F> {
    pub(super) file: SegmentFile<F>,
    pub(super) holes: Vec<Hole>,
    /// Where its last whole frame ends.
    pub(super) end: u64,
    /// Where it ought to end, as the next segment says.
    pub(super) wanted: Option<u64>,
    /// The time of its first frame.
    pub(super) first_millis: Option<u64>,
    /// Above all messages in it and before it.
    pub(super) next_message: u64,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Survey<F> {
    pub(super) identity: Option<Identity>,
    pub(super) segments: Vec<Surveyed<F>>,
    pub(super) cut: Option<Cut>,
    /// The log may begin there or before; zero if nothing says so.
    pub(super) floor: SegmentNumber,
}

/// Is given each whole frame and its records, each with its offset among them.
pub(super) type Visit<'v> = dyn FnMut(SegmentNumber, Found<'_>, &[(usize, Record<'_>)]) + 'v;

impl<F> Survey<F> {
    pub(super) fn of<D: Disk<File = F>>(
        disk: &D,
        visit: &mut Visit<'_>,
    ) -> Result<Self, OpenError> {
        let files = files(disk)?;
        for file in &files {
            if let Err(HeaderError::Newer(version)) = file.header {
                return Err(OpenError::Newer { file: file.name(), version });
            }
        }
        let identity = identity_of(&files);
        let ends: Vec<_> = files
            .iter()
            .zip(files.iter().skip(1))
            .map(|(file, next)| {
                let header = next.header.ok()?;
                (next.number == file.number.next()).then_some(header.previous_end)
            })
            .collect();
        let mut floor = floor_of(&files, identity);
        let visit = &mut |segment, found: Found<'_>, records: &[(usize, Record<'_>)]| {
            for (_, record) in records {
                if let Record::Floor(first) = record {
                    floor = floor.max(*first);
                }
            }
            visit(segment, found, records);
        };
        let (segments, zero) = (Vec::new(), SegmentNumber::ZERO);
        let mut survey = Self { identity, segments, cut: None, floor: zero };
        let mut next_message = 1;
        for (at, file) in files.into_iter().enumerate() {
            let name = file.name();
            let wanted = ends.get(at).copied().flatten();
            let is_last = at == ends.len();
            let mut surveyed = Surveyed {
                file,
                holes: Vec::new(),
                end: header::BYTES,
                wanted,
                first_millis: None,
                next_message,
            };
            let Some(identity) = identity else {
                survey.segments.push(surveyed);
                continue;
            };
            let seal = Seal::new(identity.store, surveyed.file.number);
            let cut = surveyed
                .read(disk, seal, visit)
                .map_err(|error| OpenError::io(&name, "read", error))?;
            survey.cut = cut.filter(|_| is_last);
            next_message = surveyed.next_message;
            survey.segments.push(surveyed);
        }
        survey.floor = floor;
        Ok(survey)
    }

    /// Whether segments are gone from the beginning that were not cleaned.
    pub(super) fn misses_the_first(&self) -> bool {
        let first = self.segments.first().map(|first| first.file.number);
        self.floor > SegmentNumber::ZERO && first.is_some_and(|first| first > self.floor)
    }

    /// Everything that stops a start, in order.
    pub(super) fn damages(&self) -> Vec<Damage> {
        let mut damages = Vec::new();
        if let Some(first) = self.segments.first().filter(|_| self.misses_the_first()) {
            let (file, what) = missing_before(self.floor, first.file.number);
            damages.push(Damage { file, offset: 0, bytes: 0, what });
        }
        let mut last: Option<SegmentNumber> = None;
        for surveyed in &self.segments {
            let file = surveyed.file.name();
            let mut add = |offset, bytes, what: String| {
                damages.push(Damage { file: file.clone(), offset, bytes, what });
            };
            let number = surveyed.file.number;
            if let Some(last) = last.filter(|last| last.next() != number) {
                let missing = last.next().file_name();
                add(0, 0, format!("the segment before it, {missing}, is not there"));
            }
            last = Some(number);
            if number > SegmentNumber::LAST {
                add(0, 0, SegmentNumber::TOO_LARGE.to_owned());
            }
            match surveyed.file.header {
                Err(error) => add(0, header::BYTES, error.what().to_owned()),
                Ok(header) if Some(header.identity) != self.identity => {
                    add(0, header::BYTES, "it is of another store".to_owned());
                }
                Ok(header) if surveyed.file.length < header.length => {
                    let gone = header.length - surveyed.file.length;
                    add(surveyed.file.length, gone, SHORTER.to_owned());
                }
                Ok(_) => {}
            }
            for hole in &surveyed.holes {
                add(hole.from, hole.to - hole.from, hole.what.to_owned());
            }
            if let Some(wanted) = surveyed.wanted.filter(|wanted| *wanted != surveyed.end) {
                let bytes = wanted.saturating_sub(surveyed.end);
                add(surveyed.end, bytes, "commits that were kept are not whole".to_owned());
            }
        }
        damages
    }
}

impl<F> Surveyed<F> {
    /// Reads the frames; returns what a start would cut off if this is the last segment.
    fn read<D: Disk<File = F>>(
        &mut self,
        disk: &D,
        seal: Seal,
        visit: &mut Visit<'_>,
    ) -> io::Result<Option<Cut>> {
        let mut reader = SegmentReader::new(disk, &self.file.file, self.file.length, seal);
        let limit = self.wanted.unwrap_or(u64::MAX);
        let mut at = header::BYTES;
        loop {
            let (holes, first, next) =
                (&mut self.holes, &mut self.first_millis, &mut self.next_message);
            let number = self.file.number;
            let end = reader.walk(at, limit, &mut |found| {
                first.get_or_insert(found.head.millis);
                give(number, found, holes, next, visit);
                Ok::<(), io::Error>(())
            })?;
            self.end = end;
            if self.wanted == Some(end) {
                return Ok(None);
            }
            let next = reader.find(end, limit)?;
            let tail = if self.wanted.is_none() { reader.tail(end)? } else { Tail::default() };
            match next {
                Some(next) if self.wanted.is_some() || tail.kept > end => {
                    at = next;
                    if at - end < HEAD_BYTES as u64 {
                        // Too little to be fenced in: the next commit goes with it.
                        let swallowed = reader.frame(at, limit)?;
                        at += swallowed.map_or(0, |found| found.head.frame_bytes() as u64);
                    }
                    let what = "a commit that was kept is not whole";
                    self.holes.push(Hole { from: end, to: at, what });
                }
                _ if self.wanted.is_none() && tail.frames > 0 => {
                    return Ok(Some(Cut {
                        file: self.file.name(),
                        offset: end,
                        bytes: tail.bytes,
                        frames: tail.frames,
                    }));
                }
                _ => return Ok(None),
            }
        }
    }
}

fn give(
    number: SegmentNumber,
    found: Found<'_>,
    holes: &mut Vec<Hole>,
    next_message: &mut u64,
    visit: &mut Visit<'_>,
) {
    let mut rest = Records::new(found.records);
    let next = || {
        let at = rest.at();
        rest.next().map(|read| read.map(|(_, record)| (at, record)))
    };
    let records: Result<Vec<_>, _> = std::iter::from_fn(next).collect();
    match records {
        Ok(records) => {
            for (_, record) in &records {
                if let Record::Body { id, .. } = record {
                    *next_message = (*next_message).max(id.get() + 1);
                }
            }
            visit(number, found, &records);
        }
        Err(BadRecord(_)) => holes.push(Hole {
            from: found.at,
            to: found.at + found.head.frame_bytes() as u64,
            what: BadRecord::WHAT,
        }),
    }
}
