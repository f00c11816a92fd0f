use super::*;
use crate::tools;

const FIRST: SegmentNumber = SegmentNumber::new(1);

/// A log of five segments that a repair has taken the first body of. Nothing but bodies is in the first
/// segment, so nobody has to write anything anew before it goes.
fn lossy() -> MemoryDisk {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    let mut ids = 1..;
    while log.stat().segments == 1 {
        let mut hold = Batch::new();
        hold.hold(&message(ids.next().unwrap(), 500));
        log.commit(NOW, &[&hold]).unwrap();
    }
    while log.stat().segments < 5 {
        put(&mut log, 2, &[1; 500]).unwrap();
    }
    drop(log);
    disk.rot(&FIRST.file_name(), 600);
    tools::repair(&disk).unwrap();
    disk
}

/// A start that cannot record at once what it has forgotten.
fn started(disk: &MemoryDisk) -> Log<MemoryDisk> {
    let (mut log, _) = open(disk);
    assert_eq!(log.recovered().holes, 1);
    let missing = log.set_references([MessageId::new(1)].into_iter()).unwrap_err();
    assert_eq!(missing.bodies, [MessageId::new(1)]);
    log.set_references(std::iter::empty()).unwrap();
    disk.fail(Call::Write, 1, Fault::NoSpace);
    log.forget(NOW, vec![batch(&[(1, b"forgotten")]), batch(&[(1, b"this too")])]).unwrap_err();
    log
}

fn told(disk: &MemoryDisk, group: u16) -> Vec<Vec<u8>> {
    let read = open(disk).1.0.into_iter().filter(|(of, ..)| *of == group);
    read.map(|(_, _, payload)| payload).collect()
}

#[test]
fn what_could_not_be_recorded_stands_before_the_next_commit() {
    let disk = lossy();
    let mut log = started(&disk);
    put(&mut log, 1, b"later").unwrap();
    drop(log);
    assert_eq!(told(&disk, 1), [&b"forgotten"[..], b"this too", b"later"]);
}

/// Without it the next start would take what is missing for a fault of ours, and refuse.
#[test]
fn the_place_of_a_loss_stays_until_what_is_lost_is_forgotten() {
    let disk = lossy();
    let mut log = started(&disk);
    disk.fail(Call::Write, 1, Fault::NoSpace);
    log.clean(NOW, 10_000).unwrap_err();
    assert_eq!(open(&disk.copied()).0.recovered().holes, 1);
    while disk.open(&FIRST.file_name()).is_ok() {
        assert!(log.clean(NOW, 10_000).unwrap());
    }
    drop(log);
    assert_eq!(open(&disk).0.recovered().holes, 0);
    assert_eq!(told(&disk, 1), [&b"forgotten"[..], b"this too"]);
}
