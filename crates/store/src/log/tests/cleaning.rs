use super::*;

/// Commits until the log has that many segments.
fn fill(log: &mut Log<MemoryDisk>, segments: u64) {
    while log.stat().segments < segments {
        put(log, 1, &[1; 500]).unwrap();
    }
}

pub(super) fn refresh(log: &mut Log<MemoryDisk>, group: u16) {
    if let Some(upto) = log.wants_refresh() {
        let mut batch = batch(&[(group, b"image")]);
        batch.refreshed(Group(group), upto);
        log.commit(NOW, &[&batch]).unwrap();
    }
}

#[test]
fn a_segment_goes_when_its_owners_have_refreshed_and_its_bodies_have_moved() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    let mut hold = Batch::new();
    for id in 1..=20 {
        hold.hold(&message(id, 100));
    }
    log.commit(NOW, &[&hold]).unwrap();
    let mut release = Batch::new();
    for id in (1..=20).filter(|id| id % 4 != 0) {
        release.release(MessageId::new(id));
    }
    log.commit(NOW, &[&release]).unwrap();
    put(&mut log, 9, b"of another group").unwrap();
    assert_eq!(log.wants_refresh(), None);
    fill(&mut log, 4);
    assert_eq!(log.wants_refresh(), Some(SegmentNumber::new(2)), "two are too many");
    assert!(!log.clean(NOW, 200).unwrap(), "it is the owners' turn");
    refresh(&mut log, 1);
    assert!(!log.clean(NOW, 200).unwrap(), "group 9 has not");
    refresh(&mut log, 9);
    let mut steps = 0;
    while log.clean(NOW, 200).unwrap() {
        steps += 1;
    }
    assert!(steps > 2, "{steps} steps of 200 bytes");
    assert_eq!(log.stat().segments, 2);
    assert_eq!(log.wants_refresh(), None);
    disk.crash(5);
    let (mut log, _) = open(&disk);
    log.set_references((1..=5).map(|id| MessageId::new(id * 4))).unwrap();
    for id in 1..=20 {
        assert_eq!(log.read(MessageId::new(id)).is_ok(), id % 4 == 0, "{id}");
    }
    assert_eq!(log.next_message_id(), MessageId::new(21), "though nothing above 20 is left");
}

#[test]
fn a_log_that_was_cleaned_begins_where_it_says() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    for _ in 0..10 {
        fill(&mut log, 4);
        refresh(&mut log, 1);
        while log.clean(NOW, 10_000).unwrap() {}
    }
    drop(log);
    for seed in 0..20 {
        let copy = disk.copied();
        copy.crash(seed);
        let (log, _) = open(&copy);
        let first = log.segments.front().unwrap().number;
        assert!(first > SegmentNumber::new(5), "{first:?}");
        drop(log);
        copy.remove(&first.file_name()).unwrap();
        let error = Log::open(copy, options(), &mut Read::default()).unwrap_err();
        assert!(error.to_string().starts_with(&first.file_name()), "{error}");
    }
}

#[test]
fn old_files_are_used_again() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    fill(&mut log, 4);
    for _ in 0..400 {
        put(&mut log, 1, &[1; 500]).unwrap();
        refresh(&mut log, 1);
        while log.clean(NOW, 10_000).unwrap() {}
    }
    assert!(log.current_segment() > SegmentNumber::new(20));
    // A file that was never created again: everything since is in the first five or six.
    disk.fail(Call::Create, 1, Fault::Device);
    for _ in 0..100 {
        put(&mut log, 1, &[1; 500]).unwrap();
        refresh(&mut log, 1);
        while log.clean(NOW, 10_000).unwrap() {}
    }
    let (log, _) = opened(&disk);
    assert!(log.stat().segments <= 4, "{:?}", log.stat());
}

#[test]
fn a_quiet_group_keeps_its_index_when_its_entries_are_gone() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    for _ in 0..5 {
        put(&mut log, 8, b"once").unwrap();
    }
    log.purge(NOW, Group(6), 40).unwrap();
    log.purge(NOW, Group(8), 5).unwrap();
    for _ in 0..300 {
        put(&mut log, 1, &[1; 500]).unwrap();
        refresh(&mut log, 1);
        while log.clean(NOW, 10_000).unwrap() {}
    }
    let (mut log, read) = opened(&disk);
    assert!(read.0.iter().all(|entry| entry.0 == 1));
    put(&mut log, 8, b"again").unwrap();
    put(&mut log, 6, b"first").unwrap();
    let (_, read) = open(&disk);
    let tail: Vec<_> = read.0.iter().rev().take(2).map(|entry| (entry.0, entry.1)).collect();
    assert_eq!(tail, [(6, 41), (8, 6)]);
}

/// A log with a limit, and an allowance that is larger than it.
pub(super) fn limited(disk: &MemoryDisk, segments: u64) -> Log<MemoryDisk> {
    limited_with(disk, segments, 0)
}

/// The same with messages in it, the first so many.
fn limited_with(disk: &MemoryDisk, segments: u64, held: u64) -> Log<MemoryDisk> {
    let mut options = options();
    options.bytes_max = segments * SEGMENT;
    options.allowance_bytes = 100 * SEGMENT;
    let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
    log.set_references((1..=held).map(MessageId::new)).unwrap();
    log
}

fn hold(id: u64) -> Batch {
    hold_of(id, 500)
}

pub(super) fn hold_of(id: u64, bytes: usize) -> Batch {
    let mut batch = batch(&[(1, b"queued")]);
    batch.hold(&message(id, bytes));
    batch.state_bytes(24);
    batch
}

/// What takes all messages up to that one.
fn release(upto: u64) -> Batch {
    let mut batch = Batch::new();
    for id in 1..=upto {
        batch.entry(Group(1), |out| out.extend_from_slice(b"completed"));
        batch.release(MessageId::new(id));
        batch.state_bytes(-24);
    }
    batch
}

/// As a node runs it: as much is let in as there is room for, and what is let in is cleaned up after.
pub(super) fn tend(log: &mut Log<MemoryDisk>) {
    refresh(log, 1);
    while log.clean(NOW, 10_000).unwrap() {}
}

/// Lets in what there is room for; yields how many messages it holds then.
fn fill_up(log: &mut Log<MemoryDisk>, held: u64) -> u64 {
    fill_up_with(log, held, 500, &tend)
}

pub(super) fn fill_up_with(
    log: &mut Log<MemoryDisk>,
    mut held: u64,
    bytes: usize,
    tend: &dyn Fn(&mut Log<MemoryDisk>),
) -> u64 {
    while log.room_to_grow() >= SEGMENT {
        held += 1;
        log.commit(NOW, &[&hold_of(held, bytes)]).unwrap();
        tend(log);
    }
    held
}

#[test]
fn a_limit_is_kept_by_who_lets_in_and_what_is_under_way_is_taken() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 12);
    let held = fill_up(&mut log, 0);
    assert!(held > 40, "{held}");
    let files = |disk: &MemoryDisk| -> u64 { disk.list().unwrap().iter().map(|it| it.1).sum() };
    assert!(files(&disk) <= 12 * SEGMENT, "{}", files(&disk));
    // What the shards had already taken, and behind it what makes room.
    let more = 3 * SEGMENT / 500;
    for id in held + 1..=held + more {
        log.commit(NOW, &[&hold(id)]).unwrap();
    }
    log.commit(NOW, &[&release(held + more)]).unwrap();
    tend(&mut log);
    assert!(log.room_to_grow() >= SEGMENT);
    assert!(files(&disk) <= 12 * SEGMENT, "{}", files(&disk));
}

/// Clients that come and go make records of which nothing lasts.
#[test]
fn what_says_nothing_that_lasts_is_cleaned_out_of_a_full_log() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 12);
    let held = fill_up(&mut log, 0);
    for _ in 0..5_000 {
        put(&mut log, 1, b"attached, as a listener's name and the change").unwrap();
        tend(&mut log);
    }
    let files: u64 = disk.list().unwrap().iter().map(|it| it.1).sum();
    assert!(files <= 12 * SEGMENT, "{files}");
    log.commit(NOW, &[&release(held)]).unwrap();
}

/// The smallest limit.
#[test]
fn garbage_does_not_fill_a_log() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, LogOptions::SEGMENTS_MIN);
    for id in 1..2_000 {
        assert!(log.room_to_grow() >= SEGMENT, "at message {id} of which one lives");
        let mut batch = hold(id);
        if id > 1 {
            batch.release(MessageId::new(id - 1));
            batch.state_bytes(-24);
        }
        log.commit(NOW, &[&batch]).unwrap();
        tend(&mut log);
    }
}

/// The first batch of a start is what its restored state weighs, and a torn end takes no more frames.
#[test]
fn a_full_log_goes_on_after_a_start_with_a_torn_end() {
    let disk = MemoryDisk::new(3);
    let held = fill_up(&mut limited(&disk, 12), 0);
    let mut log = (0..200)
        .find_map(|seed| {
            let copy = disk.copied();
            let mut log = limited_with(&copy, 12, held);
            for _ in 0..2 {
                let mut unsynced = Batch::new();
                unsynced.entry(Group(1), |out| out.extend_from_slice(&[2; 40]));
                log.commit(NOW, &[&unsynced]).unwrap();
            }
            drop(log);
            copy.crash(seed);
            Some(limited_with(&copy, 12, held)).filter(|log| log.recovered().cut.is_some())
        })
        .expect("an end that is torn");
    let mut restored = batch(&[(1, b"started")]);
    restored.state_bytes(24 * i64::try_from(held).unwrap());
    log.commit(NOW, &[&restored]).unwrap();
    log.commit(NOW, &[&release(held)]).unwrap();
    tend(&mut log);
    assert!(log.room_to_grow() >= SEGMENT);
}

#[test]
fn a_full_disk_is_full_too_and_the_log_goes_on_when_there_is_room() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    disk.limit(2 * SEGMENT);
    let mut kept = 0;
    let refused = loop {
        match put(&mut log, 1, &[1; 500]) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LogError::Full { .. }), "{refused}");
    put(&mut log, 1, b"little still fits").unwrap();
    disk.limit(0);
    put(&mut log, 1, &[1; 500]).unwrap();
    disk.crash(3);
    assert_eq!(open(&disk).1.0.len(), kept + 2);
}

/// Nothing but the disk limits the log, and what waits longest is what nobody takes.
#[test]
fn a_disk_is_not_filled_to_its_end() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    let files = |disk: &MemoryDisk| -> u64 { disk.list().unwrap().iter().map(|it| it.1).sum() };
    disk.limit(24 * SEGMENT);
    log.measure_disk();
    let mut held = fill_up(&mut log, 0);
    assert!(log.is_limited_by_disk() && !log.disk_is_full());
    assert!(files(&disk) <= 22 * SEGMENT, "{}", files(&disk));
    for _ in 0..20 {
        let mut release = Batch::new();
        for id in held - 49..=held {
            release.release(MessageId::new(id));
            release.state_bytes(-24);
        }
        log.commit(NOW, &[&release]).unwrap();
        for _ in 0..5 {
            tend(&mut log);
        }
        assert!(log.room_to_grow() >= SEGMENT, "{:?}", log.stat());
        held = fill_up(&mut log, held - 50);
    }
    // Somebody else takes all that is left, and gives it back.
    disk.limit(files(&disk));
    log.measure_disk();
    assert!(log.disk_is_full() && log.room_to_grow() < SEGMENT);
    log.commit(NOW, &[&release(held)]).unwrap();
    tend(&mut log);
    disk.limit(0);
    log.measure_disk();
    assert!(!log.disk_is_full() && log.room_to_grow() == u64::MAX);
}

/// Nobody need make room on the disk if what the log holds is taken.
#[test]
fn a_full_disk_has_room_again_when_what_waits_has_gone() {
    let disk = MemoryDisk::new(3);
    let mut options = options();
    options.allowance_bytes = 100 * SEGMENT;
    let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    disk.limit_secretly(8 * SEGMENT);
    let mut held = 0;
    while log.room_to_grow() > SEGMENT {
        let mut hold = Batch::new();
        hold.hold(&message(held + 1, 500));
        log.commit(NOW, &[&hold]).unwrap();
        held += 1;
        let cleaned = log.clean(NOW, 10_000);
        assert!(cleaned.is_ok() || log.disk_is_full(), "{cleaned:?}");
    }
    assert!(log.disk_is_full(), "it is known before the last byte is used");
    let mut release = Batch::new();
    for id in 1..=held {
        release.release(MessageId::new(id));
    }
    log.commit(NOW, &[&release]).unwrap();
    while log.clean(NOW, 10_000).unwrap_or(false) {}
    assert!(log.room_to_grow() > SEGMENT, "{}", log.room_to_grow());
    let mut hold = Batch::new();
    hold.hold(&message(held + 1, 500));
    log.commit(NOW, &[&hold]).unwrap();
    // The room that somebody else makes is noticed.
    disk.limit_secretly(0);
    log.clean(NOW, 10_000).unwrap();
    assert!(!log.disk_is_full() && log.room_to_grow() == u64::MAX);
}

/// The same where another thread makes the files.
#[test]
fn a_disk_that_has_no_room_for_a_file_that_was_ordered_is_full() {
    let disk = MemoryDisk::new(3);
    let mut options = options();
    options.allowance_bytes = 100 * SEGMENT;
    options.spares_on_order = true;
    let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    let serve = |log: &mut Log<MemoryDisk>| {
        if let Some(order) = log.order_spare() {
            let made = disk.create(&order.name, order.length);
            log.deliver_spare(order, made);
        }
        while log.clean(NOW, 10_000).unwrap() {}
    };
    disk.limit_secretly(8 * SEGMENT);
    let held = fill_up_with(&mut log, 0, 500, &serve);
    assert!(log.disk_is_full(), "it is known before the last byte is used");
    log.commit(NOW, &[&release(held)]).unwrap();
    for _ in 0..10 {
        refresh(&mut log, 1);
        serve(&mut log);
    }
    assert!(log.room_to_grow() >= SEGMENT, "{}", log.room_to_grow());
    // The room that somebody else makes is noticed.
    fill_up_with(&mut log, held, 500, &serve);
    assert!(log.disk_is_full());
    disk.limit_secretly(0);
    serve(&mut log);
    assert!(!log.disk_is_full() && log.room_to_grow() == u64::MAX);
}

/// The log is told of less than lives, and cleaning can do nothing about that; then it goes.
#[test]
fn a_full_log_that_rests_is_cleaned_when_less_lives() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 24);
    // Entries of which the log is told a third.
    let mut entries = 0_usize;
    let images = |log: &mut Log<MemoryDisk>, entries: usize| {
        let Some(upto) = log.wants_refresh() else { return };
        let mut image = batch(&[]);
        for _ in 0..entries {
            image.entry(Group(1), |out| out.extend_from_slice(&[3; 300]));
        }
        image.refreshed(Group(1), upto);
        log.commit(NOW, &[&image]).unwrap();
        while log.clean(NOW, 10_000).unwrap() {}
    };
    while log.room_to_grow() >= SEGMENT && entries < 2_000 {
        let mut queued = batch(&[(1, &[1; 300])]);
        queued.state_bytes(100);
        log.commit(NOW, &[&queued]).unwrap();
        entries += 1;
        images(&mut log, entries);
    }
    assert!(log.room_to_grow() < SEGMENT, "{:?}", log.stat());
    let mut gone = batch(&[(1, b"ended")]);
    gone.state_bytes(-100 * i64::try_from(entries).unwrap());
    log.commit(NOW, &[&gone]).unwrap();
    for _ in 0..10 {
        images(&mut log, 0);
    }
    assert!(log.room_to_grow() >= SEGMENT, "{:?}", log.stat());
}

#[test]
fn a_log_of_state_that_nobody_declares_is_not_written_round_and_round() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    // A hundred keys of 500 bytes each, of which the log is told nothing.
    let mut anchors = vec![SegmentNumber::ZERO; 100];
    let mut turn = |log: &mut Log<MemoryDisk>| {
        let upto = log.wants_refresh().unwrap_or_default();
        let old: Vec<_> = (0..100).filter(|key| anchors[*key] <= upto).collect();
        for key in old {
            let image = batch(&[(1, &[key as u8; 500])]);
            anchors[key] = log.commit(NOW, &[&image]).unwrap().segment;
        }
        let mut done = Batch::new();
        done.refreshed(Group(1), upto);
        log.commit(NOW, &[&done]).unwrap();
        while log.clean(NOW, 10_000).unwrap() {}
    };
    for _ in 0..100 {
        turn(&mut log);
    }
    let (written, rests) = (log.stat().written_bytes, log.stat().rest_bytes);
    assert!(rests >= 50_000, "{rests}");
    for _ in 0..100 {
        turn(&mut log);
    }
    assert_eq!(log.stat().written_bytes, written);
    assert_eq!(log.wants_refresh(), None);
}

/// A call that fails may have done its work: the file has to be somewhere in the count.
#[test]
fn a_segment_that_went_with_an_error_is_not_left_beside_the_log() {
    for (fault, refused) in [(Fault::Half, 1), (Fault::Half, 3), (Fault::Device, 2)] {
        let disk = MemoryDisk::new(3);
        let (mut log, _) = opened(&disk);
        fill(&mut log, 5);
        refresh(&mut log, 1);
        for _ in 0..refused {
            disk.fail(Call::Name, 1, fault);
            // The work has been done the first time, and the second call finds that without an error.
            drop(log.clean(NOW, 10_000));
            disk.heal();
        }
        while log.clean(NOW, 10_000).unwrap() {}
        let files: u64 = disk.list().unwrap().iter().map(|(_, length)| length).sum();
        let stat = log.stat();
        assert_eq!(files, stat.segment_bytes + stat.spare_bytes, "{fault:?} {:?}", disk.list());
        fill(&mut log, 6);
        drop(log);
        open(&disk);
    }
}

/// Meanwhile there are spares enough.
#[test]
fn a_segment_that_was_renamed_with_an_error_goes_when_it_is_of_no_use() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    fill(&mut log, 5);
    refresh(&mut log, 1);
    disk.fail(Call::Name, 1, Fault::Half);
    log.clean(NOW, 10_000).unwrap_err();
    for number in 90..92 {
        let name = crate::segment::spare_name(number);
        let file = disk.create(&name, SEGMENT).unwrap();
        log.spares.push(Spare { name, file, length: SEGMENT });
    }
    assert!(log.clean(NOW, 10_000).unwrap());
    let files: u64 = disk.list().unwrap().iter().map(|(_, length)| length).sum();
    assert_eq!(files, log.stat().segment_bytes + log.stat().spare_bytes);
}
