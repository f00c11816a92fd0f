use super::*;
use crate::{
    Batch, ClockMap, Commit, Group, Log, LogError, LogOptions, MessageId, Replay,
    testing::{Call, Fault, MemoryDisk},
};

const SEGMENT: u64 = 8 * 1024;

fn options() -> LogOptions {
    let identity = Identity { store: 1 << 70, hash_seed: 7, created_millis: 5 };
    let mut options = LogOptions::new(identity, ClockMap::default());
    options.segment_bytes = SEGMENT;
    options
}

#[derive(Debug, Default)]
struct Indexes(Vec<(u16, u64)>);

impl Replay for Indexes {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn entry(&mut self, group: Group, index: u64, _: u64, _: &[u8]) -> Result<(), String> {
        self.0.push((group.0, index));
        Ok(())
    }
}

fn opened(disk: &MemoryDisk) -> (Log<MemoryDisk>, Vec<(u16, u64)>) {
    let mut indexes = Indexes::default();
    let mut log = Log::open(disk.clone(), options(), &mut indexes).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    (log, indexes.0)
}

/// Forty commits with an entry of 500 bytes for group 1 and one for group 2: three segments.
fn store() -> MemoryDisk {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    for number in 1..=40 {
        let mut batch = Batch::new();
        batch.mode(Commit::Synced);
        batch.entry(Group(1), |out| out.extend_from_slice(&[number; 500]));
        batch.entry(Group(2), |out| out.push(number));
        log.commit(1_000 + u64::from(number), &[&batch]).unwrap();
    }
    disk
}

#[test]
fn a_whole_store_is_reported_and_dumped() {
    let disk = store();
    let folder = stat(&disk).unwrap();
    assert_eq!(folder.identity, Some(options().identity));
    assert_eq!(folder.segments.len(), 3);
    assert_eq!(folder.segments[1].bytes, SEGMENT);
    let report = check(&disk).unwrap();
    let counted = (report.segments, report.frames, report.entries, report.newest_millis);
    assert_eq!(counted, (3, 40, 80, 1_040));
    assert_eq!((report.damages.len(), report.cut), (0, None));
    let mut seen = Vec::new();
    dump(&disk, &mut |dumped| {
        if let Record::Entry { group, index, payload } = dumped.record {
            seen.push((dumped.segment.get(), group.0, index, dumped.millis, payload.len()));
            // Kind, group, index, a length of two bytes, and what it says; then the next one.
            let inside = if group.0 == 1 { 0 } else { 5 + 500 };
            assert_eq!(dumped.offset, dumped.frame + HEAD_BYTES as u64 + inside);
        }
    })
    .unwrap();
    assert_eq!(seen.len(), 80);
    assert_eq!(seen[0], (1, 1, 1, 1_001, 500));
    assert_eq!(seen[79], (3, 2, 40, 1_040, 1));
    assert_eq!(repair(&disk).unwrap(), Repaired::default());
    opened(&disk).0.close(1_041).unwrap();
    let closed = check(&disk).unwrap();
    assert_eq!((closed.frames, closed.bytes, closed.newest_millis), (40, report.bytes + 24, 1_041));
}

#[test]
fn a_damaged_commit_is_fenced_in_and_named() {
    // The head of a frame, its middle, the last frame of a full segment, the last segment.
    for (segment, offset) in [(1, 512), (1, 2_000), (2, 7_900), (3, 900)] {
        let disk = store();
        let name = SegmentNumber::new(segment).file_name();
        disk.rot(&name, offset);
        let before = check(&disk).unwrap();
        assert_eq!(before.damages.len(), 1, "{segment} {offset}");
        let refused = Log::open(disk.clone(), options(), &mut Indexes::default()).unwrap_err();
        assert!(matches!(refused, OpenError::Damaged { .. }));
        let repaired = repair(&disk).unwrap();
        assert_eq!(repaired.damages, before.damages);
        disk.crash(4);
        assert_eq!(check(&disk).unwrap().damages, []);
        let (mut log, read) = opened(&disk);
        assert_eq!(read.len(), 78, "one commit is lost");
        for lost in &repaired.lost {
            assert_eq!(lost.segment.get(), segment);
            let missing = lost.after + 1;
            assert_eq!(lost.before, Some(missing + 1));
            assert!(!read.contains(&(lost.group.0, missing)));
        }
        assert_eq!(repaired.lost.len(), 2);
        log.commit(0, &[]).unwrap();
    }
}

fn holes(disk: &MemoryDisk) -> usize {
    let mut holes = 0;
    let counted =
        dump(disk, &mut |dumped| holes += usize::from(matches!(dumped.record, Record::Hole)));
    counted.unwrap();
    holes
}

#[test]
fn a_segment_that_was_cut_is_mended_and_says_so() {
    let disk = store();
    let name = SegmentNumber::new(2).file_name();
    let file = disk.open(&name).unwrap();
    disk.write_at(&file, 900, &[0; SEGMENT as usize - 900]).unwrap();
    let before = opened(&store()).1.len();
    let damages = repair(&disk).unwrap().damages;
    assert_eq!(damages.len(), 1, "{damages:?}");
    assert_eq!(holes(&disk), 1);
    assert!(opened(&disk).1.len() < before);
    assert!(repair(&disk).unwrap().damages.is_empty());
}

#[test]
fn a_damaged_header_and_a_lost_segment_are_mended() {
    for segment in 1..=3 {
        let disk = store();
        disk.rot_header(&SegmentNumber::new(segment).file_name(), 20);
        assert_eq!(check(&disk).unwrap().damages[0].offset, 0);
        repair(&disk).unwrap();
        assert_eq!(opened(&disk).1.len(), 80, "segment {segment}");
    }
    let disk = store();
    disk.remove(&SegmentNumber::new(2).file_name()).unwrap();
    let repaired = repair(&disk).unwrap();
    assert!(repaired.damages[0].what.contains("is not there"), "{repaired:?}");
    let (_, read) = opened(&disk);
    let lost: Vec<_> = repaired.lost.iter().map(|lost| (lost.group.0, lost.after)).collect();
    assert_eq!(lost, [(1, 14), (2, 14)]);
    assert_eq!(read.len(), 80 - 28);
    assert_eq!(holes(&disk), 1, "a start has to know that something is lost");
}

/// A cleaned log begins later, and says so; one whose beginning is gone does not.
#[test]
fn segments_that_are_gone_from_the_beginning_are_missed() {
    let disk = store();
    let name = SegmentNumber::new(1).file_name();
    disk.remove(&name).unwrap();
    let refused = Log::open(disk.clone(), options(), &mut Indexes::default()).unwrap_err();
    let said = refused.to_string();
    assert!(said.starts_with(&format!("{name} is damaged at byte 0: it is not there")), "{said}");
    let damages = check(&disk).unwrap().damages;
    assert_eq!((damages.len(), damages[0].file.as_str()), (1, name.as_str()));
    let repaired = repair(&disk).unwrap();
    let lost: Vec<_> = repaired.lost.iter().map(|lost| (lost.group.0, lost.after)).collect();
    assert_eq!((repaired.damages, lost), (damages, vec![(1, 0), (2, 0)]));
    assert_eq!((opened(&disk).1.len(), holes(&disk)), (80 - 28, 1));
    assert!(check(&disk).unwrap().damages.is_empty());
    // Two of three.
    let disk = store();
    for number in 1..=2 {
        disk.remove(&SegmentNumber::new(number).file_name()).unwrap();
    }
    repair(&disk).unwrap();
    assert_eq!((opened(&disk).1.len(), holes(&disk)), (80 - 56, 2));
}

#[test]
fn a_file_that_has_lost_its_end_is_damaged() {
    let disk = store();
    let name = SegmentNumber::new(3).file_name();
    let mut bytes = vec![0; SEGMENT as usize / 2];
    disk.read_at(&disk.open(&name).unwrap(), 0, &mut bytes).unwrap();
    let file = disk.create(&name, SEGMENT / 2).unwrap();
    disk.write_at(&file, 0, &bytes).unwrap();
    let refused = Log::open(disk.clone(), options(), &mut Indexes::default()).unwrap_err();
    assert!(refused.to_string().contains("shorter than it was made"), "{refused}");
    let damages = repair(&disk).unwrap().damages;
    assert_eq!((damages.len(), damages[0].offset), (1, SEGMENT / 2), "{damages:?}");
    assert!(opened(&disk).1.len() > 56);
    assert!(check(&disk).unwrap().damages.is_empty());
}

#[test]
fn what_a_start_would_cut_is_no_damage() {
    let disk = store();
    let (mut log, _) = opened(&disk);
    let mut batch = Batch::new();
    batch.entry(Group(1), |out| out.extend_from_slice(&[1; 500]));
    disk.fail(Call::Write, 1, Fault::Half);
    log.commit(2_000, &[&batch]).unwrap_err();
    let report = check(&disk).unwrap();
    assert_eq!(report.damages, []);
    assert_eq!(report.cut.unwrap().frames, 1);
}

#[test]
fn nothing_is_made_up_where_no_header_can_be_read() {
    let disk = store();
    for segment in 1..=3 {
        disk.rot_header(&SegmentNumber::new(segment).file_name(), 20);
    }
    assert!(matches!(repair(&disk), Err(OpenError::BeyondRepair(_))));
    assert!(beyond_repair(&disk).unwrap().is_some());
    assert!(beyond_repair(&store()).unwrap().is_none());
}

#[test]
fn whatever_rots_a_start_gives_what_was_written_or_an_error_and_a_repair_helps() {
    let whole = store();
    let all = opened(&whole.copied()).1;
    let mut draw = plexus_stdx::Seed::new(5);
    let (mut refused, mut mended) = (0, 0);
    for _ in 0..300 {
        let disk = whole.copied();
        for _ in 0..=draw.below(4) {
            let name = SegmentNumber::new(1 + draw.below(3) as u64).file_name();
            disk.rot(&name, draw.below(SEGMENT as usize) as u64);
        }
        match Log::open(disk.clone(), options(), &mut Indexes::default()) {
            Ok(_) => assert!(all.starts_with(&opened(&disk).1)),
            Err(error) => {
                let expected = matches!(error, OpenError::Damaged { .. } | OpenError::Newer { .. });
                assert!(expected, "{error}");
                refused += 1;
                let is_beyond = beyond_repair(&disk).unwrap().is_some();
                let repaired = repair(&disk);
                assert_eq!(repaired.is_err(), is_beyond);
                if repaired.is_ok() {
                    assert_eq!(check(&disk).unwrap().damages, []);
                    let read = opened(&disk).1;
                    assert!(read.iter().all(|entry| all.contains(entry)));
                    mended += 1;
                }
            }
        }
    }
    assert!(refused > 200 && mended > 200, "{refused} refused, {mended} mended");
}

#[test]
fn a_reader_finds_what_a_start_finds_and_changes_nothing() {
    let disk = store();
    let (mut log, _) = opened(&disk);
    let mut batch = Batch::new();
    batch.entry(Group(1), |out| out.extend_from_slice(&[1; 500]));
    // Written and not synced: a start would write it again.
    log.commit(2_000, &[&batch]).unwrap();
    disk.fail(Call::Write, 1, Fault::Half);
    log.commit(2_001, &[&batch]).unwrap_err();
    let (before, mut indexes) = (dumped(&disk), Indexes::default());
    let mut reader = Reader::open(disk.clone(), &mut indexes).unwrap();
    reader.set_references(std::iter::empty()).unwrap();
    assert_eq!((indexes.0.len(), reader.recovered().entries), (81, 81));
    assert_eq!((reader.identity(), reader.newest_millis()), (options().identity, 2_000));
    assert!(matches!(reader.read(MessageId::new(3)), Err(LogError::Missing { .. })));
    assert_eq!(dumped(&disk), before);
    assert_eq!(check(&disk).unwrap().cut.map(|cut| cut.frames), Some(1), "nobody has cut it");
    let empty = Reader::open(MemoryDisk::new(1), &mut Indexes::default());
    assert!(matches!(empty, Err(OpenError::Empty)));
}

fn dumped(disk: &MemoryDisk) -> (Report, Vec<(String, u64)>) {
    (check(disk).unwrap(), disk.list().unwrap())
}

/// The first segment of that store under another number.
fn with_copy_as(disk: &MemoryDisk, number: u64) -> String {
    let header = crate::header::Header {
        identity: options().identity,
        number: SegmentNumber::new(number),
        previous_end: 0,
        created_millis: 5,
        next_message: 1,
        first: SegmentNumber::new(number),
        length: SEGMENT,
    };
    let name = header.number.file_name();
    let file = disk.create(&name, SEGMENT).unwrap();
    disk.write_at(&file, 0, &header.encode()).unwrap();
    name
}

/// A file that was put there by mistake must neither stop the program nor fill the disk.
#[test]
fn a_segment_that_is_far_away_is_named_and_nothing_is_made_up_in_between() {
    for (number, wanted) in [
        (3 + 2_000, "1999 segments between 0000000000000003.seg and it are gone"),
        (1 << 31, "are gone, more than the 1024 that a repair stands in for; move away"),
        (1 << 32, "its number is larger than a log can have"),
        (u64::MAX, "so it is not of this one; move the file away"),
    ] {
        let disk = store();
        let name = with_copy_as(&disk, number);
        let files = disk.list().unwrap();
        let refused = repair(&disk).unwrap_err().to_string();
        assert!(refused.starts_with(&name) && refused.contains(wanted), "{refused}");
        assert_eq!(beyond_repair(&disk).unwrap().map(|why| why.to_string()), Some(refused));
        assert_eq!(disk.list().unwrap(), files);
        assert!(!check(&disk).unwrap().damages.is_empty());
        disk.remove(&name).unwrap();
        assert_eq!(opened(&disk).1.len(), 80);
    }
    let disk = store();
    with_copy_as(&disk, 30);
    repair(&disk).unwrap();
    assert_eq!(holes(&disk), 26, "a few are stood in for");
}

/// Alone in its folder, so that nothing is missing before it.
#[test]
fn a_start_refuses_a_segment_whose_number_no_log_has() {
    for (number, whole) in [(1 << 31, true), ((1 << 31) + 1, false), (1 << 32, false)] {
        let disk = MemoryDisk::new(1);
        let name = with_copy_as(&disk, number);
        match Log::open(disk.clone(), options(), &mut Indexes::default()) {
            Ok(mut log) => {
                assert!(whole, "{number}");
                log.set_references(std::iter::empty()).unwrap();
            }
            Err(refused) => {
                assert!(!whole, "{number}");
                assert!(refused.to_string().starts_with(&name), "{refused}");
                assert!(refused.to_string().ends_with("move the file away"), "{refused}");
                assert_eq!(check(&disk).unwrap().damages.len(), 1);
                assert!(matches!(repair(&disk), Err(OpenError::BeyondRepair(_))));
            }
        }
    }
}
