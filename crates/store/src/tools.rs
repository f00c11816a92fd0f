//! Reads a store without running it: figures, a check of every byte, every record, and what a start
//! would find.

mod obstacle;
mod reader;
mod repair;
mod survey;

use crate::{
    Cut, Disk, Identity, OpenError, Record, SegmentNumber,
    frame::HEAD_BYTES,
    scan::{self, SegmentFile},
    segment::spare_number,
};
pub use obstacle::beyond_repair;
use obstacle::identity_of;
pub use reader::Reader;
pub use repair::{Lost, Repaired, repair};
use survey::Survey;

/// What a folder holds, from names and headers alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FolderStat {
    /// What the store is called, if a header can be read.
    pub identity: Option<Identity>,
    /// Its segments, ascending.
    pub segments: Vec<SegmentStat>,
    /// Files that wait to be used again.
    pub spares: u64,
    /// What those take.
    pub spare_bytes: u64,
}

/// One segment's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentStat {
    /// Which.
    pub number: SegmentNumber,
    /// What the file takes.
    pub bytes: u64,
    /// When it was begun, in milliseconds since 1970, if its header can be read.
    pub created_millis: Option<u64>,
}

/// A place that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file.
    pub file: String,
    /// Where it begins.
    pub offset: u64,
    /// How many bytes are concerned; zero when that is not known.
    pub bytes: u64,
    /// What is wrong.
    pub what: String,
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Segments.
    pub segments: u64,
    /// Whole commits.
    pub frames: u64,
    /// Entries in them.
    pub entries: u64,
    /// Bodies in them.
    pub bodies: u64,
    /// Bytes that whole commits take.
    pub bytes: u64,
    /// The newest time, in milliseconds since 1970.
    pub newest_millis: u64,
    /// Commits at the end that were never known to be kept; a start cuts them off.
    pub cut: Option<Cut>,
    /// What stops a start.
    pub damages: Vec<Damage>,
}

/// A record and where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Dumped<'a> {
    /// Its segment.
    pub segment: SegmentNumber,
    /// The offset of its commit's frame in the segment's file.
    pub frame: u64,
    /// The offset of its first byte there.
    pub offset: u64,
    /// When it was committed, in milliseconds since 1970.
    pub millis: u64,
    /// What it says.
    pub record: Record<'a>,
}

/// Names and sizes. Takes nothing and changes nothing, so it may look at a store that runs.
pub fn stat<D: Disk>(disk: &D) -> Result<FolderStat, OpenError> {
    let listed = listed(disk)?;
    let files = segments(disk, &listed)?;
    let spares = listed.iter().filter(|(name, _)| spare_number(name).is_some());
    Ok(FolderStat {
        identity: identity_of(&files),
        spares: spares.clone().count() as u64,
        spare_bytes: spares.map(|(_, length)| length).sum(),
        segments: files
            .into_iter()
            .map(|file| SegmentStat {
                number: file.number,
                bytes: file.length,
                created_millis: file.header.ok().map(|header| header.created_millis),
            })
            .collect(),
    })
}

fn listed<D: Disk>(disk: &D) -> Result<Vec<(String, u64)>, OpenError> {
    disk.list().map_err(|error| OpenError::io("folder", "list", error))
}

fn segments<D: Disk>(
    disk: &D,
    listed: &[(String, u64)],
) -> Result<Vec<SegmentFile<D::File>>, OpenError> {
    scan::segments(disk, listed).map_err(|(name, error)| OpenError::io(&name, "open", error))
}

/// The segments of the folder, ascending, with their headers.
fn files<D: Disk>(disk: &D) -> Result<Vec<SegmentFile<D::File>>, OpenError> {
    segments(disk, &listed(disk)?)
}

/// Reads everything and says all that is wrong. Fails only when the disk does, or when a newer
/// program wrote the store.
pub fn check<D: Disk>(disk: &D) -> Result<Report, OpenError> {
    dump(disk, &mut |_| {})
}

/// Gives every record that can be read to `sink`, from old to new, void or not.
pub fn dump<D: Disk>(disk: &D, sink: &mut dyn FnMut(&Dumped<'_>)) -> Result<Report, OpenError> {
    let mut report = Report::default();
    let survey = Survey::of(disk, &mut |segment, found, records| {
        // A closing frame is no commit.
        report.frames += u64::from(!records.is_empty());
        report.bytes += found.head.frame_bytes() as u64;
        report.newest_millis = report.newest_millis.max(found.head.millis);
        for (offset, record) in records {
            match record {
                Record::Entry { .. } => report.entries += 1,
                Record::Body { .. } => report.bodies += 1,
                Record::Void { .. } | Record::Mark { .. } | Record::Hole | Record::Floor(_) => {}
            }
            sink(&Dumped {
                segment,
                frame: found.at,
                offset: found.at + HEAD_BYTES as u64 + *offset as u64,
                millis: found.head.millis,
                record: *record,
            });
        }
    })?;
    report.segments = survey.segments.len() as u64;
    report.damages = survey.damages();
    report.cut = survey.cut;
    Ok(report)
}

#[cfg(test)]
mod tests;
