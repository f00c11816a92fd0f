//! The log: one owner, no threads, no clock.

mod advice;
mod begin;
mod clean;
mod close;
mod forget;
mod open;
mod read;
mod retire;
mod room;
mod settle;

use std::{collections::VecDeque, io};

use plexus_stdx::Seed;
use plexus_types::MessageId;

use crate::{
    Batch, ClockMap, Disk, Group, Identity, LogError, MissingBodies, SegmentNumber,
    bodies::Bodies,
    frame::{self, Seal},
    groups::{Groups, Tops},
    record,
};
pub use begin::SpareOrder;
use clean::Rest;
pub use open::{Cut, Recovered, Replay};
pub(crate) use open::{SHORTER, missing_before};
use room::DiskRoom;
pub use room::Shortage;

/// How a log is to be run.
#[derive(Debug, Clone)]
pub struct LogOptions {
    /// The size of a segment's file.
    pub segment_bytes: u64,
    /// What all files are to take together; 0 for what the disk has. See [`Log::room_to_grow`].
    pub bytes_max: u64,
    /// How much larger than twice its living state the log may be before it is cleaned.
    pub allowance_bytes: u64,
    /// What the node's clock means.
    pub clock: ClockMap,
    /// What a store is called that has to be created.
    pub identity: Identity,
    /// Whether somebody else makes files ahead, see [`Log::order_spare`]; otherwise cleaning does.
    pub spares_on_order: bool,
    /// A bug, to see that tests find it.
    #[cfg(any(test, feature = "testing"))]
    pub plant: Option<crate::testing::Plant>,
}

impl LogOptions {
    /// The smallest segment.
    pub const SEGMENT_BYTES_MIN: u64 = 4 * 1024;
    /// Segments that a limit has room for at least: with fewer hardly anything would be let in.
    pub const SEGMENTS_MIN: u64 = 8;
    /// The largest segment.
    pub const SEGMENT_BYTES_MAX: u64 = 1 << 30;

    /// The defaults: segments of 64 MiB, no limit, four segments of allowance.
    pub const fn new(identity: Identity, clock: ClockMap) -> Self {
        Self {
            segment_bytes: 64 << 20,
            bytes_max: 0,
            allowance_bytes: 256 << 20,
            clock,
            identity,
            spares_on_order: false,
            #[cfg(any(test, feature = "testing"))]
            plant: None,
        }
    }
}

/// What became of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The segment that its records are in.
    pub segment: SegmentNumber,
}

/// Figures of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stat {
    /// Segments.
    pub segments: u64,
    /// What their files take.
    pub segment_bytes: u64,
    /// What the files take that wait to be used.
    pub spare_bytes: u64,
    /// Bodies that somebody refers to.
    pub bodies: u64,
    /// What they take.
    pub body_bytes: u64,
    /// What the owners say that the rest of the living state takes.
    pub state_bytes: u64,
    /// Commits that were kept since the start, the log's own included.
    pub commits: u64,
    /// Bytes that were written since the start.
    pub written_bytes: u64,
    /// Calls that made them durable.
    pub syncs: u64,
    /// Bytes that a sync has still to make durable.
    pub unsynced_bytes: u64,
    /// The size at which the log rests although it is larger than twice what the owners say that
    /// lives: cleaning all of it brought nothing, twice. 0 when it does not have to.
    pub rest_bytes: u64,
    /// Releases of bodies that the log did not hold: an error of an owner.
    pub strange_releases: u64,
}

impl Stat {
    /// What all files take, those that wait to be used included.
    pub const fn file_bytes(&self) -> u64 {
        self.segment_bytes + self.spare_bytes
    }

    /// What lives in them.
    pub const fn living_bytes(&self) -> u64 {
        self.body_bytes + self.state_bytes
    }
}

#[derive(Debug)]
struct Segment<F> {
    number: SegmentNumber,
    file: F,
    length: u64,
    /// Where the next frame begins; what lies behind means nothing.
    end: u64,
    seal: Seal,
    /// Bodies that were written here, in order; most have died or moved when it is cleaned.
    bodies: Vec<MessageId>,
    tops: Tops,
}

#[derive(Debug)]
struct Spare<F> {
    name: String,
    file: F,
    length: u64,
}

/// The log of a node.
#[derive(Debug)]
pub struct Log<D: Disk> {
    disk: D,
    options: LogOptions,
    identity: Identity,
    segments: VecDeque<Segment<D::File>>,
    spares: Vec<Spare<D::File>>,
    /// The name that the oldest segment's file may have got although the disk said no.
    retiring: Option<String>,
    /// The last number in a spare's name.
    spare_names: u64,
    /// Whether somebody makes a file ahead.
    is_ordered: bool,
    /// Up to where the last segment is known to be durable.
    synced: u64,
    /// Where the last closing frame of the last segment ends; see [`Log::close`].
    closed: u64,
    /// The last segment's file has lost its name: nothing in it would be found again.
    gone: bool,
    /// The last segment takes no more frames.
    given_up: bool,
    /// What was written to it since then is gone from memory and disk: nothing can be added.
    torn: bool,
    bodies: Bodies,
    groups: Groups,
    state_bytes: i64,
    newest_millis: u64,
    next_message: u64,
    frame: Vec<u8>,
    /// How many of the oldest segment's bodies have been looked at.
    cleaned: usize,
    rest: Rest,
    room: DiskRoom,
    counted: bool,
    recovered: Recovered,
    /// What is still to be recorded of what a repair has lost.
    forgotten: VecDeque<Batch>,
    /// The last segment that tells of a loss.
    last_hole: SegmentNumber,
    stat: Stat,
}

/// What a commit changes besides its frame.
#[derive(Debug, Default)]
struct Staged {
    sync: bool,
    state_bytes: i64,
    next_message: u64,
    strange_releases: u64,
}

/// How many of the first batches take no more than so many bytes.
fn leading(batches: &[&Batch], bytes_max: u64) -> usize {
    let mut bytes = 0;
    let fits = |batch: &&&Batch| {
        bytes += batch.bytes() as u64;
        bytes <= bytes_max
    };
    batches.iter().take_while(fits).count()
}

impl<D: Disk> Log<D> {
    /// A buffer that a large commit has made is not kept beyond this.
    const FRAME_BYTES_KEPT: usize = 4 << 20;

    /// Writes all batches with one write and, if any asks for it, one sync. On error nothing of
    /// them counts as kept; calling again with the same batches is right.
    pub fn commit(&mut self, now_millis: u64, batches: &[&Batch]) -> Result<Committed, LogError> {
        assert!(self.counted, "references are set before the first commit");
        self.record_forgotten(now_millis)?;
        self.commit_now(now_millis, batches)
    }

    /// Commits the first of the batches, at least one and as many as take so many bytes, and says how
    /// many. Where there is no file for them, as many as fit into what is left of the one that is
    /// written; once, because to find that out may have taken as long as filling a file.
    pub fn commit_first<'a>(
        &mut self,
        now_millis: u64,
        batches: impl IntoIterator<Item = &'a Batch>,
        bytes_max: u64,
    ) -> Result<(Committed, usize), LogError> {
        let mut batches: Vec<_> = batches.into_iter().collect();
        batches.truncate(leading(&batches, bytes_max).max(1));
        let mut outcome = self.commit(now_millis, &batches);
        if matches!(outcome, Err(LogError::Full { .. })) {
            // Frames, kinds and lengths are not in what a batch says of itself.
            let fitting = leading(&batches, self.rest_of_segment() / 4 * 3);
            if fitting > 0 && fitting < batches.len() {
                batches.truncate(fitting);
                outcome = self.commit(now_millis, &batches);
            }
        }
        outcome.map(|committed| (committed, batches.len()))
    }

    fn commit_now(&mut self, now_millis: u64, batches: &[&Batch]) -> Result<Committed, LogError> {
        let staged = self.stage(batches);
        match self.put_frame(now_millis, staged.sync) {
            Ok(at) => {
                self.settle(at, &staged);
                Ok(Committed { segment: self.current_segment() })
            }
            Err(error) => {
                self.unstage(batches);
                Err(error)
            }
        }
    }

    /// Nothing may be written, and above all nothing removed, while the file that is written has lost its
    /// name.
    fn be_there(&self) -> Result<(), LogError> {
        if self.gone {
            return Err(LogError::Gone { file: self.current_segment().file_name() });
        }
        Ok(())
    }

    /// What is left of the segment that is written; nothing if no frame may be added.
    fn rest_of_segment(&self) -> u64 {
        let current = self.current();
        if self.given_up { 0 } else { current.length.saturating_sub(current.end) }
    }

    /// Lets the group's entries up to this index be forgotten: replay passes over them, and
    /// their segments may go.
    pub fn purge(&mut self, now_millis: u64, group: Group, upto: u64) -> Result<(), LogError> {
        let state = self.groups.get(group);
        let (last, purged) = (state.last.max(upto), state.purged.max(upto));
        frame::begin(&mut self.frame);
        record::put_mark(&mut self.frame, group, last, purged);
        self.put_frame(now_millis, false)?;
        self.groups.mark(group, last, purged, self.current_segment());
        Ok(())
    }

    /// After replay, once: counts the references of the restored state. Bodies without any are
    /// garbage. The count is complete even when bodies are missing; then their names are returned,
    /// and the owners have to forget them.
    pub fn set_references(
        &mut self,
        bodies: impl Iterator<Item = MessageId>,
    ) -> Result<(), MissingBodies> {
        let missing = self.bodies.recount(bodies);
        for segment in &mut self.segments {
            let (table, number) = (&self.bodies, segment.number);
            let lives = |id: &MessageId| table.place(*id).is_some_and(|p| p.segment == number);
            segment.bodies.retain(lives);
            segment.bodies.shrink_to_fit();
        }
        self.counted = true;
        self.measure_disk();
        if missing.is_empty() { Ok(()) } else { Err(MissingBodies { bodies: missing }) }
    }

    /// The newest time in the log, in milliseconds since 1970.
    pub const fn newest_millis(&self) -> u64 {
        self.newest_millis
    }

    /// The segment that is written.
    pub fn current_segment(&self) -> SegmentNumber {
        self.current().number
    }

    /// Above all that the log has ever held.
    pub const fn next_message_id(&self) -> MessageId {
        MessageId::new(self.next_message)
    }

    /// What tells this store from others.
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// What the start found.
    pub const fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Figures.
    pub fn stat(&self) -> Stat {
        Stat {
            segments: self.segments.len() as u64,
            segment_bytes: self.segment_bytes(),
            spare_bytes: self.spare_bytes(),
            bodies: self.bodies.len() as u64,
            body_bytes: self.bodies.bytes(),
            state_bytes: self.living_state_bytes(),
            unsynced_bytes: self.current().end - self.synced,
            rest_bytes: self.rest.floor,
            ..self.stat
        }
    }

    fn living_bytes(&self) -> u64 {
        self.bodies.bytes() + self.living_state_bytes()
    }

    fn living_state_bytes(&self) -> u64 {
        u64::try_from(self.state_bytes).unwrap_or(0)
    }

    fn segment_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.length).sum()
    }

    fn current(&self) -> &Segment<D::File> {
        self.segments.back().expect("invariant: a log has a segment")
    }

    fn current_mut(&mut self) -> &mut Segment<D::File> {
        self.segments.back_mut().expect("invariant: a log has a segment")
    }

    fn segment(&self, number: SegmentNumber) -> Option<&Segment<D::File>> {
        let first = self.segments.front()?.number;
        let at = number.get().checked_sub(first.get())?;
        self.segments.get(usize::try_from(at).ok()?)
    }

    fn io(&self, segment: SegmentNumber, operation: &'static str, source: io::Error) -> LogError {
        self.io_of(&segment.file_name(), operation, source)
    }

    fn io_of(&self, file: &str, operation: &'static str, source: io::Error) -> LogError {
        if is_full(&source) {
            return LogError::Full { bytes: self.file_bytes() };
        }
        LogError::Io { file: file.to_owned(), operation, source }
    }

    /// What all files take.
    fn file_bytes(&self) -> u64 {
        self.segment_bytes() + self.spare_bytes()
    }

    fn spare_bytes(&self) -> u64 {
        self.spares.iter().map(|spare| spare.length).sum()
    }

    fn table_seed(identity: &Identity) -> Seed {
        Seed::new(identity.hash_seed ^ identity.store as u64).derive(1)
    }
}

/// Whether the disk says that it has no room.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests;
