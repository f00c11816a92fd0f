//! Near the end of what a log may take: nothing that clients do may leave it full for ever.

use super::{
    cleaning::{fill_up_with, hold_of, limited, refresh, tend},
    *,
};

fn files(disk: &MemoryDisk) -> u64 {
    disk.list().unwrap().iter().map(|it| it.1).sum()
}

fn release(ids: std::ops::RangeInclusive<u64>) -> Batch {
    let mut batch = batch(&[(1, b"completed")]);
    for id in ids {
        batch.release(MessageId::new(id));
        batch.state_bytes(-24);
    }
    batch
}

/// Others have taken the rest of the disk, and what waits longest lives.
#[test]
fn cleaning_leaves_the_last_bytes_to_acknowledgements() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    let mut id = 0;
    let mut grow = |log: &mut Log<MemoryDisk>, upto: u64, is_taken: bool| {
        while log.stat().segments < upto {
            id += 1;
            log.commit(NOW, &[&hold_of(id, 500)]).unwrap();
            if is_taken {
                log.commit(NOW, &[&release(id..=id)]).unwrap();
            }
            refresh(log, 1);
        }
        id
    };
    let cold = grow(&mut log, 6, false);
    grow(&mut log, 14, true);
    while log.current().end < SEGMENT / 4 {
        put(&mut log, 1, &[1; 100]).unwrap();
    }
    disk.limit(files(&disk));
    log.measure_disk();
    for _ in 0..5 {
        refresh(&mut log, 1);
        while log.clean(NOW, 1_000).unwrap_or(false) {}
    }
    log.commit(NOW, &[&release(1..=cold)]).unwrap();
    // One segment at a time, as long as there is no room for more.
    for _ in 0..20 {
        tend(&mut log);
    }
    assert!(log.room_to_grow() >= SEGMENT, "{:?}", log.stat());
}

/// What fits into the file that is written goes there although there is none for the rest.
#[test]
fn the_first_of_what_waits_is_kept_as_far_as_there_is_room() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    let entry = || batch(&[(1, &[1; 400])]);
    let waiting: Vec<_> = (0..8).map(|_| entry()).collect();
    let each = entry().bytes() as u64;
    for (bytes_max, kept) in [(0, 1), (each, 1), (3 * each - 1, 2), (3 * each, 3)] {
        let (_, count) = log.commit_first(NOW, &waiting, bytes_max).unwrap();
        assert_eq!(count, kept, "{bytes_max}");
    }
    while log.rest_of_segment() < 4 * each || log.rest_of_segment() >= 6 * each {
        log.commit(NOW, &[&entry()]).unwrap();
    }
    disk.limit(files(&disk));
    let mut kept = 0;
    let full = loop {
        match log.commit_first(NOW, &waiting, 8 * each) {
            Ok((_, count)) => kept += count,
            Err(full) => break full,
        }
    };
    assert!((3..6).contains(&kept) && matches!(full, LogError::Full { .. }), "{kept}, {full:?}");
}

/// However large the state is that has been written anew already.
#[test]
fn a_segment_of_which_nothing_lives_goes_without_room() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    while log.stat().segments < 14 {
        put(&mut log, 1, &[1; 500]).unwrap();
    }
    let mut image = batch(&[(1, b"image")]);
    image.state_bytes(3 * SEGMENT.cast_signed());
    image.refreshed(Group(1), log.current_segment());
    log.commit(NOW, &[&image]).unwrap();
    while log.current().end < SEGMENT / 10 * 9 {
        put(&mut log, 1, &[1; 100]).unwrap();
    }
    disk.limit(files(&disk));
    log.measure_disk();
    while log.clean(NOW, 1_000).unwrap() {}
    assert!(log.stat().segments < 14, "{:?}", log.stat());
}

/// A quota is met when most of the log is garbage and the state is larger than a segment.
#[test]
fn a_log_of_much_state_is_cleaned_at_a_quota() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    let mut state = batch(&[(1, b"much")]);
    state.state_bytes(3 * SEGMENT.cast_signed());
    log.commit(NOW, &[&state]).unwrap();
    while log.stat().segments < 14 {
        put(&mut log, 1, &[1; 500]).unwrap();
    }
    while log.current().end < SEGMENT / 4 {
        put(&mut log, 1, &[1; 100]).unwrap();
    }
    disk.limit_secretly(files(&disk));
    log.clean(NOW, 1_000).unwrap_err();
    assert!(log.disk_is_full());
    for _ in 0..20 {
        refresh(&mut log, 1);
        while log.clean(NOW, 1_000).unwrap_or(false) {}
    }
    assert!(log.room_to_grow() >= SEGMENT, "{:?}", log.stat());
}

/// One message lives at a time.
#[test]
fn a_small_disk_is_never_full_of_garbage() {
    for tenths in [40, 41, 45, 49, 50, 55, 60, 70, 80] {
        let disk = MemoryDisk::new(3);
        let mut log = limited(&disk, 0);
        disk.limit(tenths * SEGMENT / 10);
        log.measure_disk();
        assert_eq!(log.disk_is_small(), tenths < 80);
        for id in 1..500 {
            assert!(log.room_to_grow() >= SEGMENT, "{tenths}: at message {id}");
            log.commit(NOW, &[&hold_of(id, 500)]).unwrap();
            log.commit(NOW, &[&release(id..=id)]).unwrap();
            tend(&mut log);
        }
    }
}

/// Messages that do not fill segments well, so that all of it is written anew twice for nothing.
#[test]
fn a_full_log_is_cleaned_as_its_messages_are_taken() {
    for limit in [24, 100] {
        for bytes in [500, 2_000, 3_000, 4_900, 6_000] {
            let disk = MemoryDisk::new(3);
            let mut log = limited(&disk, limit);
            let held = fill_up_with(&mut log, 0, bytes, &|log| {
                for _ in 0..50 {
                    refresh(log, 1);
                    if !log.clean(NOW, 10_000).unwrap() {
                        return;
                    }
                }
            });
            for taken in 1..=held / 5 {
                log.commit(NOW, &[&release(taken..=taken)]).unwrap();
                tend(&mut log);
            }
            for _ in 0..200 {
                tend(&mut log);
            }
            let stat = log.stat();
            assert!(log.room_to_grow() >= SEGMENT, "{bytes} of {limit}: {stat:?}");
        }
    }
}

/// A quota: the file system says that it has room.
#[test]
fn a_disk_that_refuses_what_it_says_to_have_is_not_believed() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    disk.limit(100 * SEGMENT);
    disk.limit_secretly(9 * SEGMENT);
    log.measure_disk();
    let mut id = 0;
    while !log.disk_is_full() {
        id += 1;
        log.commit(NOW, &[&hold_of(id, 500)]).unwrap();
        let cleaned = log.clean(NOW, 10_000);
        assert!(cleaned.is_ok() || log.disk_is_full(), "{cleaned:?}");
    }
    log.measure_disk();
    assert!(log.disk_is_false() && log.room_to_grow() < SEGMENT);
    disk.limit_secretly(0);
    log.clean(NOW, 10_000).unwrap();
    assert!(!log.disk_is_false() && log.room_to_grow() >= SEGMENT);
}

/// Somebody deletes the folder, or mounts something over it.
#[test]
fn a_log_whose_file_has_lost_its_name_takes_nothing() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    put(&mut log, 1, b"kept").unwrap();
    let name = log.current_segment().file_name();
    disk.rename(&name, "elsewhere").unwrap();
    log.measure_disk();
    assert!(matches!(put(&mut log, 1, b"lost"), Err(LogError::Gone { file }) if file == name));
    assert!(matches!(log.clean(NOW, 100), Err(LogError::Gone { .. })));
    let listed = disk.list().unwrap();
    // A frame that needs a file of its own makes none elsewhere, though nobody has asked since.
    assert!(put(&mut log, 1, &[1; 2 * SEGMENT as usize]).is_err());
    assert_eq!(disk.list().unwrap(), listed);
    disk.rename("elsewhere", &name).unwrap();
    log.measure_disk();
    put(&mut log, 1, b"kept").unwrap();
}

/// Another process may fill a disk, and hardly anything of the log live.
#[test]
fn what_is_short_is_told_as_it_is() {
    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 0);
    put(&mut log, 1, b"hardly anything").unwrap();
    assert_eq!(log.shortage(), None);
    disk.limit(files(&disk) + SEGMENT);
    log.measure_disk();
    let wanted = 3 * SEGMENT - log.stat().spare_bytes;
    assert_eq!(log.shortage(), Some(Shortage::Disk { free: SEGMENT, wanted }));
    disk.limit(files(&disk) + wanted - 1);
    log.measure_disk();
    assert_eq!(log.shortage(), Some(Shortage::Disk { free: wanted - 1, wanted }));
    disk.limit(files(&disk) + wanted);
    log.measure_disk();
    assert_eq!(log.shortage(), None, "what is said to be wanted is enough");

    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 12);
    fill_up_with(&mut log, 0, 500, &tend);
    assert_eq!(log.shortage(), Some(Shortage::Living { free: None }));

    let disk = MemoryDisk::new(3);
    let mut log = limited(&disk, 12);
    while log.shortage().is_none() {
        put(&mut log, 1, &[1; 500]).unwrap();
    }
    assert_eq!(log.shortage(), Some(Shortage::Files), "garbage");
}

/// What the disk had said a second ago is no reason to call it a liar.
#[test]
fn a_disk_that_was_filled_within_a_moment_is_measured_before_it_is_blamed() {
    let disk = MemoryDisk::new(3);
    let mut options = options();
    options.spares_on_order = true;
    let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    disk.limit(100 * SEGMENT);
    log.measure_disk();
    put(&mut log, 1, &[0; 2_000]).unwrap();
    let order = log.order_spare().unwrap();
    disk.limit(files(&disk) + 5);
    let made = disk.create(&order.name, order.length);
    log.deliver_spare(order, made);
    assert!(matches!(log.shortage(), Some(Shortage::Disk { free: 5, .. })), "{:?}", log.shortage());
    disk.limit(100 * SEGMENT);
    log.measure_disk();
    disk.limit_secretly(files(&disk));
    let refused = matches!(log.shortage(), Some(Shortage::Refused { .. }));
    assert!(refused, "{:?}", log.shortage());
}

#[test]
fn a_start_without_room_says_whether_it_is_the_disk_or_a_quota() {
    let disk = MemoryDisk::new(3);
    let refused = || Log::open(disk.clone(), options(), &mut Read::default()).unwrap_err();
    disk.limit(SEGMENT - 1);
    let said = refused().to_string();
    assert!(said.contains("8192 bytes (8191 are free): choose smaller segments"), "{said}");
    disk.limit(9 * SEGMENT);
    disk.limit_secretly(SEGMENT - 1);
    let said = refused().to_string();
    let why = "although it says that 73728 are free: a quota or its number of files (inodes)";
    assert!(said.contains(why), "{said}");
}

/// A refresh has left the state of many side by side, so that the oldest segment is full of it.
#[test]
fn what_is_written_anew_leaves_room_for_acknowledgements() {
    for eighths in 2..8 {
        let disk = MemoryDisk::new(3);
        let mut log = limited(&disk, 0);
        let image = |log: &mut Log<MemoryDisk>, is_new: bool| {
            let mut state = batch(&[(1, &[7; 100])]);
            state.state_bytes(if is_new { 100 } else { 0 });
            log.commit(NOW, &[&state]).unwrap();
        };
        while log.stat().segments < 4 {
            image(&mut log, true);
        }
        log.commit(NOW, &[&hold_of(1, 500)]).unwrap();
        while log.stat().segments < 14 {
            put(&mut log, 1, &[1; 500]).unwrap();
        }
        while log.current().end < SEGMENT / 8 * (8 - eighths) {
            put(&mut log, 1, &[1; 50]).unwrap();
        }
        disk.limit_secretly(files(&disk));
        for _ in 0..40 {
            log.clean(NOW, 1_000).ok();
            while log.wants_refresh().is_some() && log.has_room_for_refresh() {
                image(&mut log, false);
            }
        }
        let acknowledged = (0..100).take_while(|_| put(&mut log, 1, &[1]).is_ok()).count();
        assert!(acknowledged > 10, "{eighths}: {acknowledged}");
    }
}

/// Between two measurements of the disk, too.
#[test]
fn nothing_is_removed_when_the_file_that_is_written_has_gone() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    for id in 1..=3 {
        log.commit(NOW, &[&hold_of(id, 500)]).unwrap();
    }
    for id in 4.. {
        log.commit(NOW, &[&hold_of(id, 500)]).unwrap();
        log.commit(NOW, &[&release(id..=id)]).unwrap();
        if log.stat().segments == 8 {
            break;
        }
    }
    refresh(&mut log, 1);
    let oldest = log.segments.front().unwrap().number.file_name();
    disk.rename(&log.current_segment().file_name(), "elsewhere").unwrap();
    let gone = loop {
        match log.clean(NOW, 100_000) {
            Ok(more) => assert!(more, "it is cleaned"),
            Err(error) => break error,
        }
    };
    assert!(matches!(gone, LogError::Gone { .. }), "{gone}");
    assert!(disk.list().unwrap().iter().any(|(name, _)| *name == oldest));
}

#[test]
fn no_file_is_made_where_another_disk_may_be_mounted() {
    for is_gone in [false, true] {
        let disk = MemoryDisk::new(3);
        let options = LogOptions { spares_on_order: true, ..options() };
        let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
        log.set_references(std::iter::empty()).unwrap();
        while log.current().end < SEGMENT / 2 {
            put(&mut log, 1, &[1; 100]).unwrap();
        }
        if is_gone {
            disk.rename(&log.current_segment().file_name(), "elsewhere").unwrap();
        }
        log.measure_disk();
        assert_eq!(log.order_spare().is_none(), is_gone);
    }
}

/// What fits is found by that.
#[test]
fn the_name_of_a_publisher_takes_room() {
    let bytes = |name: &str| {
        let publisher = ClientId::try_from(name).unwrap();
        let mut batch = Batch::new();
        batch.hold(&Arc::new(Message { publisher, ..Message::clone(&message(1, 4)) }));
        batch.bytes()
    };
    assert_eq!(bytes(&"x".repeat(200)) - bytes("x"), 199);
}
