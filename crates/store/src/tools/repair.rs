//! Mends a store so that it starts again: damage is fenced in where it lies, nothing whole moves.

use std::collections::BTreeMap;

use super::{
    Damage, dump,
    obstacle::obstacle,
    survey::{Hole, Survey, Surveyed},
};
use crate::{
    Disk, Group, OpenError, Record, SegmentNumber,
    disk::read_whole,
    frame::{self, HEAD_BYTES, Seal},
    header::{self, Header},
    record::HOLE_RECORD,
    segment,
};

/// Entries that may have been in what was damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Whose.
    pub group: Group,
    /// The index of the last entry before the damage; zero when there is none.
    pub after: u64,
    /// The index of the first entry behind the damage; `None` when there is none.
    pub before: Option<u64>,
    /// The segment with the damage.
    pub segment: SegmentNumber,
}

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Repaired {
    /// What was damaged; nothing when nothing had to be done.
    pub damages: Vec<Damage>,
    /// What may be missing. Bodies may be missing too: the next start names those that the state
    /// refers to.
    pub lost: Vec<Lost>,
}

/// Mends what can be mended in place. The bytes of a damaged commit stay where they are, behind
/// the head of a frame that says that they are a hole; only heads and headers are written. Should
/// the power go meanwhile, the repair can be repeated.
///
/// What [`super::beyond_repair`] speaks of is left alone.
pub fn repair<D: Disk>(disk: &D) -> Result<Repaired, OpenError> {
    let survey = Survey::of(disk, &mut |_, _, _| {})?;
    let damages = survey.damages();
    if damages.is_empty() {
        return Ok(Repaired::default());
    }
    let places: Vec<_> = damages
        .iter()
        .filter_map(|damage| {
            SegmentNumber::of_file(&damage.file).map(|number| (number, damage.offset))
        })
        .collect();
    mend(disk, &survey)?;
    Ok(Repaired { damages, lost: lost(disk, &places)? })
}

fn mend<D: Disk>(disk: &D, survey: &Survey<D::File>) -> Result<(), OpenError> {
    let headers = survey.segments.iter().map(|segment| (segment.file.number, segment.file.header));
    if let Some(error) = obstacle(headers, survey.identity, survey.floor) {
        return Err(error);
    }
    let identity = survey.identity.expect("invariant: it would be an obstacle");
    let mut previous: Option<(SegmentNumber, u64)> = None;
    let mut newest = identity.created_millis;
    let mut next_message = 1;
    for surveyed in &survey.segments {
        let number = surveyed.file.number;
        newest = surveyed.first_millis.unwrap_or(newest).max(newest);
        let mut header = surveyed.file.header.unwrap_or(Header {
            identity,
            number,
            previous_end: 0,
            created_millis: newest,
            next_message,
            first: SegmentNumber::ZERO,
            length: surveyed.file.length,
        });
        header.length = header.length.min(surveyed.file.length);
        if previous.is_none() && survey.misses_the_first() {
            let missing = Header { number: survey.floor, previous_end: 0, ..header };
            previous = Some((missing.number, create_empty(disk, &missing)?));
        }
        if let Some((last, end)) = previous {
            let mut before = (last, end);
            while before.0.next() != number {
                let missing = Header { number: before.0.next(), previous_end: before.1, ..header };
                before = (missing.number, create_empty(disk, &missing)?);
            }
            header.previous_end = before.1;
        }
        previous = Some((number, mend_segment(disk, surveyed, &header)?));
        next_message = surveyed.next_message.max(header.next_message);
    }
    Ok(())
}

/// A frame that says that something was lost in its place.
fn hole_frame(seal: Seal, millis: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::begin(&mut bytes);
    bytes.extend_from_slice(&HOLE_RECORD);
    frame::close(&mut bytes, seal, header::BYTES as u32, millis);
    bytes
}

/// Stands for a segment that is gone; yields where it ends.
fn create_empty<D: Disk>(disk: &D, header: &Header) -> Result<u64, OpenError> {
    let name = header.number.file_name();
    let spare = segment::spare_name(0);
    let hole = hole_frame(Seal::new(header.identity.store, header.number), header.created_millis);
    let end = header::BYTES + hole.len() as u64;
    let header = Header { length: end, ..*header };
    let created = disk.create(&spare, end).and_then(|file| {
        disk.write_at(&file, 0, &header.encode())?;
        disk.write_at(&file, header::BYTES, &hole)?;
        disk.sync(&file)?;
        disk.rename(&spare, &name)
    });
    created.map_err(|error| OpenError::io(&name, "create", error))?;
    Ok(end)
}

/// Yields where the segment ends.
fn mend_segment<D: Disk>(
    disk: &D,
    surveyed: &Surveyed<D::File>,
    header: &Header,
) -> Result<u64, OpenError> {
    let name = surveyed.file.name();
    let seal = Seal::new(header.identity.store, surveyed.file.number);
    let mut touched = false;
    let mut end = surveyed.end;
    if surveyed.wanted.is_some_and(|wanted| wanted > end) {
        let hole = hole_frame(seal, surveyed.first_millis.unwrap_or(header.created_millis));
        let written = disk.write_at(&surveyed.file.file, end, &hole);
        written.map_err(|error| OpenError::io(&name, "write", error))?;
        end += hole.len() as u64;
        touched = true;
    }
    for hole in &surveyed.holes {
        fence(disk, surveyed, hole, seal)?;
        touched = true;
    }
    if surveyed.file.header != Ok(*header) {
        let written = disk.write_at(&surveyed.file.file, 0, &header.encode());
        written.map_err(|error| OpenError::io(&name, "write", error))?;
        touched = true;
    }
    if touched {
        let synced = disk.sync(&surveyed.file.file);
        synced.map_err(|error| OpenError::io(&name, "sync", error))?;
    }
    Ok(end)
}

/// Lays the head of a frame over the beginning of the hole.
fn fence<D: Disk>(
    disk: &D,
    surveyed: &Surveyed<D::File>,
    hole: &Hole,
    seal: Seal,
) -> Result<(), OpenError> {
    let name = surveyed.file.name();
    let file = &surveyed.file.file;
    let mut bytes = vec![0; (hole.to - hole.from) as usize];
    read_whole(disk, file, hole.from, &mut bytes)
        .map_err(|error| OpenError::io(&name, "read", error))?;
    if let Some(first) = bytes.get_mut(HEAD_BYTES..HEAD_BYTES + HOLE_RECORD.len()) {
        first.copy_from_slice(&HOLE_RECORD);
    }
    // The time of the frame before: what stood here is not to be trusted.
    let millis = surveyed.first_millis.unwrap_or(0);
    frame::close(&mut bytes, seal, header::BYTES as u32, millis);
    bytes.truncate(HEAD_BYTES + HOLE_RECORD.len());
    disk.write_at(file, hole.from, &bytes).map_err(|error| OpenError::io(&name, "write", error))
}

/// Which entries may have been where the damages were: between the last index of a group before a
/// damage and the first behind it.
fn lost<D: Disk>(disk: &D, damages: &[(SegmentNumber, u64)]) -> Result<Vec<Lost>, OpenError> {
    let mut last: BTreeMap<Group, u64> = BTreeMap::new();
    let mut unsure: BTreeMap<Group, SegmentNumber> = BTreeMap::new();
    let mut lost = Vec::new();
    let mut passed: Option<SegmentNumber> = None;
    let mut next = 0;
    dump(disk, &mut |dumped| {
        while let Some(damage) =
            damages.get(next).filter(|at| **at <= (dumped.segment, dumped.frame))
        {
            passed = Some(damage.0);
            unsure.extend(last.keys().map(|group| (*group, damage.0)));
            next += 1;
        }
        match dumped.record {
            Record::Entry { group, index, .. } => {
                let after = last.insert(group, index);
                let segment = match after {
                    Some(_) => unsure.remove(&group),
                    None => passed,
                };
                let after = after.unwrap_or(0);
                if let Some(segment) = segment.filter(|_| index != after + 1) {
                    lost.push(Lost { group, after, before: Some(index), segment });
                }
            }
            Record::Void { group, from } => {
                last.insert(group, from.saturating_sub(1));
            }
            Record::Body { .. } | Record::Mark { .. } | Record::Hole | Record::Floor(_) => {}
        }
    })?;
    for damage in damages.get(next..).unwrap_or_default() {
        unsure.extend(last.keys().map(|group| (*group, damage.0)));
    }
    let open = unsure.into_iter().map(|(group, segment)| {
        let after = last.get(&group).copied().unwrap_or(0);
        Lost { group, after, before: None, segment }
    });
    lost.extend(open);
    Ok(lost)
}
