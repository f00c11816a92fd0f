use super::*;

fn end(disk: &MemoryDisk) -> u64 {
    open(disk).0.current().end
}

/// One bit of the last commit: as long as nothing stands behind it nobody can know whether it was kept.
#[test]
fn damage_to_the_last_commit_of_a_closed_log_stops_the_start() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"first").unwrap();
    let from = log.current().end;
    put(&mut log, 1, &[7; 300]).unwrap();
    let to = log.current().end;
    let open_end = disk.copied();
    log.close(NOW + 9).unwrap();
    assert_eq!((log.current().end, log.stat().unsynced_bytes), (to + 24, 0));
    drop(log);
    let file = SegmentNumber::new(1).file_name();
    for at in from..to {
        let damaged = disk.copied();
        damaged.rot(&file, at);
        let error = Log::open(damaged, options(), &mut Read::default()).unwrap_err();
        let said = error.to_string();
        assert!(said.starts_with(&format!("{file} is damaged at byte {from}: ")), "{said}");
    }
    for at in to..to + 24 {
        let damaged = disk.copied();
        damaged.rot(&file, at);
        assert_eq!(open(&damaged).1.0.len(), 2, "what is closed is not concerned");
    }
    open_end.rot(&file, from + 100);
    assert_eq!(open(&open_end).1.0.len(), 1, "without a closing frame it is cut off");
    let (log, read) = open(&disk);
    assert_eq!(
        (read.0.len(), log.newest_millis(), log.recovered().cut.clone()),
        (2, NOW + 9, None)
    );
}

#[test]
fn a_log_that_is_only_opened_and_closed_does_not_grow() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    log.close(NOW).unwrap();
    assert_eq!(log.current().end, header::BYTES, "there is nothing to close");
    put(&mut log, 1, b"kept").unwrap();
    log.close(NOW).unwrap();
    let closed = log.current().end;
    drop(log);
    for _ in 0..100 {
        let (mut log, _) = opened(&disk);
        let before = log.stat();
        log.close(NOW).unwrap();
        assert_eq!(log.stat(), before);
    }
    assert_eq!(end(&disk), closed);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"more").unwrap();
    log.close(NOW).unwrap();
    assert!(log.current().end > closed + 24, "it is closed behind what is new");
}

#[test]
fn a_torn_end_is_closed_by_the_next_segment() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"kept").unwrap();
    disk.fail(Call::Write, 1, Fault::Half);
    put(&mut log, 1, &[7; 300]).unwrap_err();
    drop(log);
    for _ in 0..3 {
        let (mut log, read) = opened(&disk);
        assert_eq!(read.0.len(), 1);
        log.close(NOW).unwrap();
        assert_eq!(log.stat().segments, 2, "once");
    }
    disk.rot(&SegmentNumber::new(1).file_name(), header::BYTES + 25);
    let error = Log::open(disk, options(), &mut Read::default()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { offset: header::BYTES, .. }), "{error}");
}

/// Where a segment has no room for the frame, too.
#[test]
fn a_segment_that_is_taken_to_its_end_is_closed_by_the_next_one() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"kept").unwrap();
    let rest = log.rest_of_segment();
    // Head, kind, group, index and a length of two bytes.
    put(&mut log, 1, &vec![7; rest as usize - 24 - 5]).unwrap();
    assert_eq!((log.rest_of_segment(), log.stat().segments), (0, 1));
    log.close(NOW).unwrap();
    assert_eq!((log.stat().segments, log.current().end), (2, header::BYTES));
    assert_eq!(open(&disk).1.0.len(), 2);
}

#[test]
fn a_full_disk_goes_without_and_loses_nothing() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"kept").unwrap();
    disk.fail(Call::Write, 1, Fault::Half);
    put(&mut log, 1, &[7; 300]).unwrap_err();
    disk.limit(SEGMENT);
    assert!(matches!(log.close(NOW), Err(LogError::Full { .. })));
    drop(log);
    assert_eq!(open(&disk).1.0.len(), 1);
}

#[test]
fn what_was_only_written_is_durable_when_the_log_is_closed() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    let mut lazy = Batch::new();
    lazy.entry(Group(1), |out| out.push(1));
    log.commit(NOW, &[&lazy]).unwrap();
    log.close(NOW).unwrap();
    for seed in 0..20 {
        let copy = disk.copied();
        copy.crash(seed);
        assert_eq!(open(&copy).1.0.len(), 1);
    }
}
