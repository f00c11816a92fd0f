//! The start. A pass checks every byte and gives the entries to the owners as it goes. When it meets a
//! record that makes entries void or forgotten, it only checks from there on; the owners begin
//! anew, and a second pass gives them what stands.

mod first;
mod standing;

use std::{collections::VecDeque, io};

use super::{Log, LogOptions, Segment, Spare, Stat, clean::Rest, room::DiskRoom};
use crate::{
    Disk, Group, Identity, LogError, OpenError, SegmentNumber,
    bodies::Bodies,
    disk::read_whole,
    frame::Seal,
    groups::Groups,
    header::{self, Header, HeaderError},
    record::BadRecord,
    scan::{self, SegmentFile, SegmentReader},
    segment,
};
use first::{Absorbed, Early};
use standing::{Standing, Void};

/// Takes what the log has kept, from old to new.
pub trait Replay {
    /// The entries that follow are in this segment.
    fn segment(&mut self, _segment: SegmentNumber) {}

    /// An entry of a group. An error stops the start.
    fn entry(
        &mut self,
        group: Group,
        index: u64,
        at_millis: u64,
        payload: &[u8],
    ) -> Result<(), String>;

    /// Nothing of what has been told holds: what stands is told anew from the beginning.
    fn restart(&mut self);

    /// How many bytes of how many have been read.
    fn progress(&mut self, _done: u64, _total: u64) {}
}

/// What had been begun at the end of the log and was never known to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment's file.
    pub file: String,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes had been begun there.
    pub bytes: u64,
    /// Of how many commits.
    pub frames: u64,
}

/// What a start has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Segments that were read.
    pub segments: u64,
    /// Commits that they hold.
    pub frames: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Entries that were given to the owners.
    pub entries: u64,
    /// Entries that were passed over because they are void or forgotten.
    pub passed_over: u64,
    /// Places that a repair has taken out of use: what stood there is lost.
    pub holes: u64,
    /// What was cut off.
    pub cut: Option<Cut>,
}

/// Why reading a frame ended the pass.
enum Stop {
    Io(io::Error),
    Bad { at: u64 },
    Refused { group: Group, index: u64, reason: String },
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Stop {
    fn into_error(self, file: &str) -> OpenError {
        match self {
            Self::Io(error) => OpenError::io(file, "read", error),
            Self::Bad { at } => OpenError::damaged(file, at, BadRecord::WHAT),
            Self::Refused { group, index, reason } => {
                OpenError::Refused { file: file.to_owned(), group, index, reason }
            }
        }
    }
}

impl<D: Disk> Log<D> {
    /// Reads everything and gives each entry that stands to `replay`, in order.
    ///
    /// An entry is passed over when a later record of its group voids it, or when it has been
    /// purged; [`Replay::restart`] says when some of those have been told already.
    /// [`Log::set_references`] has to follow before the first commit.
    pub fn open(disk: D, options: LogOptions, replay: &mut dyn Replay) -> Result<Self, OpenError> {
        check(&options)?;
        let listed = disk.list().map_err(|error| OpenError::io("folder", "list", error))?;
        let files = scan::segments(&disk, &listed)
            .map_err(|(name, error)| OpenError::io(&name, "open", error))?;
        let headers = headers(&files)?;
        let identity = headers.first().map_or(options.identity, |header| header.identity);
        let mut log = Self::empty(disk, options, identity);
        log.find_spares(&listed);
        if files.is_empty() {
            log.begin_first().map_err(|error| log.no_first(error))?;
            return Ok(log);
        }
        let total = files.iter().map(|file| file.length).sum::<u64>();
        if let Some(voids) = log.first_pass(files, &headers, replay, total)? {
            replay.restart();
            log.second_pass(&voids, replay, total)?;
        }
        log.write_tail_again()?;
        log.given_up = log.recovered.cut.is_some();
        Ok(log)
    }

    /// Makes durable what the start has read. It may be in the memory of the operating system
    /// only, and after a sync that failed before the start no other sync would write it: so what
    /// no later frame knows to be kept is written again, byte for byte.
    fn write_tail_again(&mut self) -> Result<(), OpenError> {
        let segment = self.segments.back().expect("invariant: a log has a segment");
        let name = segment.number.file_name();
        let failed = |operation| {
            let name = name.clone();
            move |error| OpenError::io(&name, operation, error)
        };
        let mut tail = vec![0; (segment.end - self.synced) as usize];
        let read = read_whole(&self.disk, &segment.file, self.synced, &mut tail);
        let read = read.map_err(failed("read"))?;
        if read < tail.len() {
            return Err(OpenError::damaged(&name, self.synced, "it read otherwise before"));
        }
        self.disk.write_at(&segment.file, self.synced, &tail).map_err(failed("write"))?;
        self.disk.sync(&segment.file).map_err(failed("sync"))?;
        self.synced = segment.end;
        Ok(())
    }

    fn empty(disk: D, options: LogOptions, identity: Identity) -> Self {
        Self {
            disk,
            options,
            identity,
            segments: VecDeque::new(),
            spares: Vec::new(),
            retiring: None,
            spare_names: 0,
            is_ordered: false,
            synced: 0,
            closed: 0,
            gone: false,
            given_up: false,
            torn: false,
            bodies: Bodies::new(Self::table_seed(&identity)),
            groups: Groups::default(),
            state_bytes: 0,
            newest_millis: identity.created_millis,
            next_message: 1,
            frame: Vec::new(),
            cleaned: 0,
            rest: Rest::default(),
            room: DiskRoom::default(),
            counted: false,
            recovered: Recovered::default(),
            forgotten: VecDeque::new(),
            last_hole: SegmentNumber::ZERO,
            stat: Stat::default(),
        }
    }

    /// Why there is no first segment.
    fn no_first(&mut self, error: LogError) -> OpenError {
        let file = SegmentNumber::new(1).file_name();
        match error {
            LogError::Io { file, operation, source } => OpenError::io(&file, operation, source),
            LogError::Damaged { file, offset, what } => OpenError::damaged(&file, offset, what),
            LogError::Full { .. } => {
                self.measure_disk();
                let (bytes, free) = (self.options.segment_bytes, self.disk_free_bytes());
                OpenError::NoRoom { bytes, free }
            }
            LogError::Gone { .. } | LogError::Missing { .. } | LogError::TooLarge { .. } => {
                OpenError::io(&file, "create", io::Error::other(error))
            }
        }
    }

    /// Takes spares of the right length; the others are of no use, and one that cannot be removed
    /// does no harm.
    fn find_spares(&mut self, listed: &[(String, u64)]) {
        for (name, length) in listed {
            let Some(number) = segment::spare_number(name) else { continue };
            self.spare_names = self.spare_names.max(number);
            let wanted =
                *length == self.options.segment_bytes && self.spares.len() < Self::SPARES_MAX;
            match self.disk.open(name).ok().filter(|_| wanted) {
                Some(file) => {
                    self.spares.push(Spare { name: name.clone(), file, length: *length });
                }
                None => drop(self.disk.remove(name)),
            }
        }
    }

    /// Returns the voids when a second pass has to tell the owners what stands.
    fn first_pass(
        &mut self,
        files: Vec<SegmentFile<D::File>>,
        headers: &[Header],
        replay: &mut dyn Replay,
        total: u64,
    ) -> Result<Option<Vec<Void>>, OpenError> {
        let mut early = Early::new(replay);
        let mut done = 0;
        for (at, file) in files.into_iter().enumerate() {
            let (number, length) = (file.number, file.length);
            let header = headers.get(at).expect("invariant: a header for each file");
            let next = headers.get(at + 1).map(|next| next.previous_end);
            self.newest_millis = self.newest_millis.max(header.created_millis);
            self.next_message = self.next_message.max(header.next_message);
            early.floor = early.floor.max(header.first);
            let tops = self.groups.take_tops();
            if let Some(last) = self.segments.back_mut() {
                last.tops = tops;
            }
            self.segments.push_back(Segment {
                number,
                file: file.file,
                length,
                end: header::BYTES,
                seal: Seal::new(self.identity.store, number),
                bodies: Vec::new(),
                tops: Vec::new(),
            });
            early.segment(number);
            let holes = early.holes;
            self.check_segment(next, &mut early)?;
            if early.holes > holes {
                self.last_hole = number;
            }
            done += length;
            early.progress(done, total);
        }
        if let Some(first) = self.segments.front().filter(|first| first.number > early.floor)
            && early.floor > SegmentNumber::ZERO
        {
            let (missing, what) = missing_before(early.floor, first.number);
            return Err(OpenError::damaged(&missing, 0, what));
        }
        self.recovered.segments = self.segments.len() as u64;
        self.recovered.holes = early.holes;
        let (told, voids) = early.finish()?;
        self.recovered.entries = told;
        Ok(voids)
    }

    /// Reads the segment at the end, whose frames must reach `wanted` if that is known.
    fn check_segment(
        &mut self,
        wanted: Option<u64>,
        early: &mut Early<'_>,
    ) -> Result<(), OpenError> {
        let mut segment = self.segments.pop_back().expect("invariant: just pushed");
        let name = segment.number.file_name();
        let mut reader =
            SegmentReader::new(&self.disk, &segment.file, segment.length, segment.seal);
        let mut absorbed = Absorbed {
            segment: segment.number,
            bodies: &mut self.bodies,
            groups: &mut self.groups,
            ids: &mut segment.bodies,
            older: &mut self.segments,
            early,
        };
        let (newest, next, frames) =
            (&mut self.newest_millis, &mut self.next_message, &mut self.recovered.frames);
        let (kept, closed) = (&mut self.synced, &mut self.closed);
        (*kept, *closed) = (header::BYTES, 0);
        let walked = reader.walk(header::BYTES, wanted.unwrap_or(u64::MAX), &mut |found| {
            *newest = (*newest).max(found.head.millis);
            *kept = (*kept).max(u64::from(found.head.kept));
            if found.closes() {
                *closed = found.end();
            }
            *frames += 1;
            absorbed.frame(found, next)
        });
        let end = walked.map_err(|stop| stop.into_error(&name))?;
        match wanted {
            Some(wanted) if wanted != end => {
                let what = "a commit that was kept is not whole";
                return Err(OpenError::damaged(&name, end, what));
            }
            Some(_) => {}
            None => {
                let tail = reader.tail(end).map_err(|e| OpenError::io(&name, "read", e))?;
                if tail.kept > end {
                    let what = "a commit that is known to be kept is not whole";
                    return Err(OpenError::damaged(&name, end, what));
                }
                self.recovered.cut = (tail.frames > 0).then_some(Cut {
                    file: name,
                    offset: end,
                    bytes: tail.bytes,
                    frames: tail.frames,
                });
            }
        }
        segment.end = end;
        self.recovered.bytes += end - header::BYTES;
        self.segments.push_back(segment);
        Ok(())
    }

    fn second_pass(
        &mut self,
        voids: &[Void],
        replay: &mut dyn Replay,
        total: u64,
    ) -> Result<(), OpenError> {
        let mut standing = Standing::new(voids, &self.groups);
        let mut done = 0;
        for segment in &self.segments {
            let name = segment.number.file_name();
            replay.segment(segment.number);
            let mut reader =
                SegmentReader::new(&self.disk, &segment.file, segment.length, segment.seal);
            let walked = reader.walk(header::BYTES, segment.end, &mut |found| {
                standing.frame(segment.number, found, replay)
            });
            let end = walked.map_err(|stop| stop.into_error(&name))?;
            if end != segment.end {
                return Err(OpenError::damaged(&name, end, "it read otherwise a moment before"));
            }
            done += segment.length;
            replay.progress(done, total);
        }
        (self.recovered.entries, self.recovered.passed_over) = standing.counts();
        Ok(())
    }
}

/// What is wrong with a file that has lost its end; what was to be written there counts as well.
pub(crate) const SHORTER: &str = "the file is shorter than it was made";

/// The first segment that is not there although nothing says that it was cleaned, and what is wrong.
pub(crate) fn missing_before(floor: SegmentNumber, first: SegmentNumber) -> (String, String) {
    let what = format!(
        "it is not there: the log begins with {}, and nothing says that what stood before was cleaned",
        first.file_name()
    );
    (floor.file_name(), what)
}

fn check(options: &LogOptions) -> Result<(), OpenError> {
    let sizes = LogOptions::SEGMENT_BYTES_MIN..=LogOptions::SEGMENT_BYTES_MAX;
    if !sizes.contains(&options.segment_bytes) {
        return Err(OpenError::Options("a segment takes from 4 KiB to 1 GiB"));
    }
    let segments = options.bytes_max / options.segment_bytes;
    if options.bytes_max > 0 && segments < LogOptions::SEGMENTS_MIN {
        return Err(OpenError::Options("the limit of the log is at least eight segments"));
    }
    Ok(())
}

/// The headers of all segments, which must be of one store and without a gap.
fn headers<F>(files: &[SegmentFile<F>]) -> Result<Vec<Header>, OpenError> {
    let mut headers: Vec<Header> = Vec::new();
    for file in files {
        let name = file.name();
        let header = file.header.map_err(|error| match error {
            HeaderError::Newer(version) => OpenError::Newer { file: name.clone(), version },
            error => OpenError::damaged(&name, 0, error.what()),
        })?;
        if header.number > SegmentNumber::LAST {
            return Err(OpenError::damaged(&name, 0, SegmentNumber::TOO_LARGE));
        }
        if file.length < header.length {
            return Err(OpenError::damaged(&name, file.length, SHORTER));
        }
        if let Some(last) = headers.last() {
            if header.number != last.number.next() {
                let missing = last.number.next().file_name();
                let what = format!("the segment before it, {missing}, is not there");
                return Err(OpenError::damaged(&name, 0, what));
            }
            if header.identity != last.identity {
                return Err(OpenError::damaged(&name, 0, "it is of another store"));
            }
        }
        headers.push(header);
    }
    Ok(headers)
}
