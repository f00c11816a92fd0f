use std::sync::Arc;

use bytes::Bytes;
use plexus_types::{ClientId, Durability, Message, MessageProperties, Qos, Text, TopicName};

use super::*;
use crate::{
    OpenError, header,
    testing::{Call, Fault, MemoryDisk},
};

const SEGMENT: u64 = 8 * 1024;
const NOW: u64 = 1_700_000_000_000;

fn options() -> LogOptions {
    let identity = Identity { store: 42, hash_seed: 7, created_millis: NOW };
    let clock = ClockMap { unix_millis_at_zero: NOW };
    let mut options = LogOptions::new(identity, clock);
    options.segment_bytes = SEGMENT;
    options.allowance_bytes = 2 * SEGMENT;
    options
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Read(Vec<(u16, u64, Vec<u8>)>);

impl Replay for Read {
    fn restart(&mut self) {
        self.0.clear();
    }

    fn entry(&mut self, group: Group, index: u64, at: u64, payload: &[u8]) -> Result<(), String> {
        assert!(at >= NOW);
        if payload == b"refused" {
            return Err("no such kind".to_owned());
        }
        self.0.push((group.0, index, payload.to_vec()));
        Ok(())
    }
}

fn open(disk: &MemoryDisk) -> (Log<MemoryDisk>, Read) {
    let mut read = Read::default();
    let log = Log::open(disk.clone(), options(), &mut read).unwrap();
    (log, read)
}

fn opened(disk: &MemoryDisk) -> (Log<MemoryDisk>, Read) {
    let (mut log, read) = open(disk);
    log.set_references(std::iter::empty()).unwrap();
    (log, read)
}

fn message(id: u64, bytes: usize) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId::new(id),
        topic: TopicName::new(Text::from_static("a/b")).unwrap(),
        payload: Bytes::from(vec![id as u8; bytes]),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("p").unwrap(),
    })
}

fn batch(entries: &[(u16, &[u8])]) -> Batch {
    let mut batch = Batch::new();
    batch.mode(crate::Commit::Synced);
    for (group, payload) in entries {
        batch.entry(Group(*group), |out| out.extend_from_slice(payload));
    }
    batch
}

fn put(log: &mut Log<MemoryDisk>, group: u16, payload: &[u8]) -> Result<Committed, LogError> {
    log.commit(NOW, &[&batch(&[(group, payload)])])
}

#[test]
fn what_was_committed_is_replayed_in_order_with_its_index() {
    let disk = MemoryDisk::new(1);
    let (mut log, read) = opened(&disk);
    assert_eq!(read, Read::default());
    let (one, two) = (batch(&[(3, b"a"), (5, b"b")]), batch(&[(3, b"c")]));
    assert_eq!(log.commit(NOW, &[&one, &two]).unwrap().segment, SegmentNumber::new(1));
    log.commit(NOW + 5, &[&batch(&[(3, b"")])]).unwrap();
    disk.crash(0);
    let (log, read) = open(&disk);
    let wanted: [(u16, u64, &[u8]); 4] = [(3, 1, b"a"), (5, 1, b"b"), (3, 2, b"c"), (3, 3, b"")];
    assert_eq!(read.0, wanted.map(|(group, index, payload)| (group, index, payload.to_vec())));
    assert_eq!((log.newest_millis(), log.recovered().frames), (NOW + 5, 2));
    assert_eq!(log.identity().hash_seed, 7);
    assert_eq!(log.recovered().cut, None);
}

#[test]
fn one_write_and_one_sync_a_commit() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    let before = disk.calls();
    log.commit(NOW, &[&batch(&[(1, b"a")]), &batch(&[(2, b"b")])]).unwrap();
    assert_eq!(disk.calls() - before, 2);
    let written = log.stat();
    assert_eq!((written.commits, written.unsynced_bytes), (1, 0));
    let mut lazy = Batch::new();
    lazy.entry(Group(1), |out| out.push(1));
    log.commit(NOW, &[&lazy]).unwrap();
    assert_eq!(disk.calls() - before, 3);
    assert!(log.stat().unsynced_bytes > 0);
    // Nothing to write, but a wish that everything be kept.
    log.commit(NOW, &[&batch(&[])]).unwrap();
    assert_eq!((disk.calls() - before, log.stat().unsynced_bytes), (4, 0));
}

#[test]
fn a_body_is_stored_once_and_goes_with_its_last_reference() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    let (first, other) = (message(9, 100), message(11, 50));
    let mut hold = Batch::new();
    hold.hold(&first);
    let mut twice = Batch::new();
    twice.hold(&first);
    twice.hold(&other);
    log.commit(NOW, &[&hold, &twice]).unwrap();
    let end = log.current().end;
    log.commit(NOW, &[&hold]).unwrap();
    assert_eq!(log.current().end, end, "a third reference writes nothing");
    assert_eq!(log.read(first.id).unwrap().into_message(&log.options.clock), *first);
    assert_eq!(log.next_message_id(), MessageId::new(12));
    let mut release = Batch::new();
    release.release(first.id);
    log.commit(NOW, &[&release, &release]).unwrap();
    assert!(log.read(first.id).is_ok());
    // A release and a hold of one commit leave it where it is, in either order.
    log.commit(NOW, &[&release, &hold]).unwrap();
    assert!(log.read(first.id).is_ok());
    let mut stored = Batch::new();
    stored.hold_stored(first.id);
    log.commit(NOW, &[&stored]).unwrap();
    log.commit(NOW, &[&release]).unwrap();
    assert!(log.read(first.id).is_ok(), "held by its name alone");
    log.commit(NOW, &[&release]).unwrap();
    assert!(matches!(log.read(first.id), Err(LogError::Missing { body }) if body == first.id));
    assert!(log.read(other.id).is_ok());
    log.commit(NOW, &[&release, &stored]).unwrap();
    assert_eq!((log.stat().strange_releases, log.stat().bodies), (2, 1));
}

#[test]
fn references_are_counted_anew_after_a_start() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    let mut hold = Batch::new();
    for id in 1..=3 {
        hold.hold(&message(id, 10));
    }
    log.commit(NOW, &[&hold]).unwrap();
    let (mut log, _) = open(&disk);
    let ids = [2, 2, 77, 3, 50].map(MessageId::new);
    let missing = log.set_references(ids.into_iter()).unwrap_err();
    assert_eq!(missing.bodies, [50, 77].map(MessageId::new));
    assert!(missing.to_string().contains("the first of them 50"), "{missing}");
    assert_eq!(log.stat().bodies, 2);
    assert_eq!(log.next_message_id(), MessageId::new(4));
    let mut release = Batch::new();
    release.release(MessageId::new(2));
    log.commit(NOW, &[&release]).unwrap();
    assert!(log.read(MessageId::new(2)).is_ok(), "two had referred to it");
    log.commit(NOW, &[&release]).unwrap();
    assert!(log.read(MessageId::new(2)).is_err());
}

#[test]
fn a_failed_commit_changes_nothing_and_may_be_repeated() {
    for (call, fault) in
        [(Call::Write, Fault::Half), (Call::Write, Fault::Device), (Call::Sync, Fault::Device)]
    {
        let disk = MemoryDisk::new(3);
        let (mut log, _) = opened(&disk);
        let mut lazy = Batch::new();
        lazy.entry(Group(1), |out| out.extend_from_slice(b"written only"));
        lazy.hold(&message(5, 20));
        log.commit(NOW, &[&lazy]).unwrap();
        disk.fail(call, 1, fault);
        let mut next = batch(&[(1, b"next")]);
        next.hold(&message(5, 20));
        next.hold(&message(6, 20));
        let error = log.commit(NOW, &[&next]).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }), "{error}");
        assert!(log.read(MessageId::new(6)).is_err());
        let committed = log.commit(NOW, &[&next]).unwrap();
        assert_eq!(committed.segment, SegmentNumber::new(2), "the first segment is given up");
        assert!(log.read(MessageId::new(5)).is_ok());
        disk.crash(9);
        let (mut log, read) = open(&disk);
        let wanted = [(1, 1, b"written only".to_vec()), (1, 2, b"next".to_vec())];
        assert_eq!(read.0, wanted, "{call:?} {fault:?}");
        log.set_references([5, 5, 6].map(MessageId::new).into_iter()).unwrap();
        assert!(log.read(MessageId::new(5)).is_ok() && log.read(MessageId::new(6)).is_ok());
    }
}

#[test]
fn a_body_that_is_written_again_is_found_although_the_old_one_is_carried_along() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    let held = message(5, 40);
    let (mut hold, mut release) = (Batch::new(), Batch::new());
    hold.entry(Group(1), |out| out.extend_from_slice(b"before"));
    hold.hold(&held);
    release.release(held.id);
    log.commit(NOW, &[&hold]).unwrap();
    log.commit(NOW, &[&release]).unwrap();
    disk.fail(Call::Sync, 1, Fault::Device);
    put(&mut log, 1, b"x").unwrap_err();
    log.commit(NOW, &[&hold]).unwrap();
    assert_eq!(log.current_segment(), SegmentNumber::new(2));
    assert_eq!(log.read(held.id).unwrap().into_message(&log.options.clock), *held);
}

#[test]
fn what_was_begun_at_the_end_is_cut_and_reported() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"kept").unwrap();
    disk.fail(Call::Write, 1, Fault::Half);
    put(&mut log, 1, &[7; 300]).unwrap_err();
    drop(log);
    let (mut log, read) = opened(&disk);
    assert_eq!(read.0.len(), 1);
    let cut = log.recovered().cut.clone().unwrap();
    assert_eq!((cut.frames, cut.file.as_str()), (1, "0000000000000001.seg"));
    assert!(cut.bytes > 300, "{cut:?}");
    let committed = put(&mut log, 1, b"next").unwrap();
    assert_eq!(committed.segment, SegmentNumber::new(2));
    assert_eq!(open(&disk).1.0.len(), 2);
}

#[test]
fn damage_to_what_was_kept_stops_the_start_and_names_the_way_out() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    for _ in 0..60 {
        put(&mut log, 1, &[5; 300]).unwrap();
    }
    assert!(log.current_segment() > SegmentNumber::new(2));
    drop(log);
    // A header has a copy.
    let damaged = disk.copied();
    damaged.rot(&SegmentNumber::new(2).file_name(), 30);
    assert_eq!(open(&damaged).1.0.len(), 60);
    // In a full segment, in the last one, in a header and its copy.
    for (name, offset) in [(1, 4_000), (1, 8_000), (3, 700), (2, 30)] {
        let damaged = disk.copied();
        damaged.rot(&SegmentNumber::new(name).file_name(), offset);
        if offset < 512 {
            damaged.rot(&SegmentNumber::new(name).file_name(), offset + 256);
        }
        let error = Log::open(damaged, options(), &mut Read::default()).unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, OpenError::Damaged { .. }), "{said}");
    }
    let gone = disk.copied();
    gone.remove("0000000000000002.seg").unwrap();
    let error = Log::open(gone, options(), &mut Read::default()).unwrap_err();
    assert!(error.to_string().contains("0000000000000002.seg, is not there"), "{error}");
    assert_eq!(open(&disk).1.0.len(), 60);
}

#[test]
fn a_state_that_refuses_a_record_stops_the_start() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"refused").unwrap();
    let error = Log::open(disk, options(), &mut Read::default()).unwrap_err();
    let wanted = "record 1 of group 1 in 0000000000000001.seg is refused: no such kind";
    assert_eq!(error.to_string(), wanted);
}

/// What is read before it is known to be void is told anew without it.
#[test]
fn a_record_that_is_void_may_be_refused() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 2, b"before").unwrap();
    put(&mut log, 1, b"refused").unwrap();
    let mut batch = Batch::new();
    batch.entry_at(Group(1), 1, |out| out.extend_from_slice(b"instead"));
    log.commit(NOW, &[&batch]).unwrap();
    let (log, read) = open(&disk);
    assert_eq!(read.0, [(2, 1, b"before".to_vec()), (1, 1, b"instead".to_vec())]);
    assert_eq!((log.recovered().entries, log.recovered().passed_over), (2, 1));
}

#[test]
fn large_commits_get_segments_of_their_own() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    put(&mut log, 1, b"small").unwrap();
    put(&mut log, 1, &vec![1; 100_000]).unwrap();
    put(&mut log, 1, b"small").unwrap();
    assert_eq!(log.current_segment(), SegmentNumber::new(3));
    disk.crash(1);
    let lengths: Vec<_> = open(&disk).1.0.iter().map(|entry| entry.2.len()).collect();
    assert_eq!(lengths, [5, 100_000, 5]);
}

#[test]
fn an_earlier_index_voids_what_came_after_it() {
    let disk = MemoryDisk::new(3);
    let (mut log, _) = opened(&disk);
    let at = |log: &mut Log<MemoryDisk>, group: u16, index: u64, payload: &[u8]| {
        let mut batch = Batch::new();
        batch.entry_at(Group(group), index, |out| out.extend_from_slice(payload));
        log.commit(NOW, &[&batch]).unwrap();
    };
    for (index, payload) in [(5, b"a"), (6, b"b"), (7, b"c")] {
        at(&mut log, 1, index, payload);
        at(&mut log, 2, index, payload);
    }
    at(&mut log, 1, 6, b"d");
    put(&mut log, 1, b"e").unwrap();
    at(&mut log, 1, 7, b"f");
    let group = |read: &Read, group: u16| -> Vec<(u64, u8)> {
        let of = read.0.iter().filter(|entry| entry.0 == group);
        of.map(|(_, index, payload)| (*index, payload[0])).collect()
    };
    let (mut log, read) = opened(&disk);
    assert_eq!(group(&read, 1), [(5, b'a'), (6, b'd'), (7, b'f')]);
    assert_eq!(group(&read, 2), [(5, b'a'), (6, b'b'), (7, b'c')]);
    assert_eq!((log.recovered().entries, log.recovered().passed_over), (6, 3));
    log.purge(NOW, Group(1), 6).unwrap();
    log.purge(NOW, Group(2), 9).unwrap();
    put(&mut log, 2, b"g").unwrap();
    let (_, read) = open(&disk);
    assert_eq!(group(&read, 1), [(7, b'f')]);
    assert_eq!(group(&read, 2), [(10, b'g')]);
}

mod cleaning;
mod closing;
mod forgetting;
mod full;
mod model;

#[test]
fn many_messages_are_read_in_their_order_and_close_ones_with_one_call() {
    let disk = MemoryDisk::new(1);
    let (mut log, _) = opened(&disk);
    for id in 1..=60 {
        let mut batch = Batch::new();
        batch.hold(&message(id, if id == 30 { 7_000 } else { 200 }));
        log.commit(NOW, &[&batch]).unwrap();
    }
    let ids = |range: std::ops::RangeInclusive<u64>| range.map(MessageId::new).collect::<Vec<_>>();
    let all = ids(1..=60);
    let before = disk.calls();
    let read = log.read_all(&all).unwrap();
    assert_eq!(read.iter().map(|message| message.id).collect::<Vec<_>>(), all);
    assert!(
        read.iter()
            .all(|message| message.payload.iter().all(|b| u64::from(*b) == message.id.get()))
    );
    let calls = disk.calls() - before;
    assert!(calls < 10, "{calls} calls for {} segments", log.stat().segments);
    let backwards: Vec<_> = all.iter().rev().copied().collect();
    let read = log.read_all(&backwards).unwrap();
    assert_eq!(read.iter().map(|message| message.id).collect::<Vec<_>>(), backwards);
    assert_eq!(log.read_all(&[]).unwrap(), []);
    let missing = log.read_all(&ids(59..=61)).unwrap_err();
    assert!(matches!(missing, LogError::Missing { body } if body.get() == 61));
}

#[test]
fn a_file_that_was_ordered_is_used_and_one_that_was_not_made_is_no_harm() {
    let disk = MemoryDisk::new(1);
    let mut options = options();
    options.spares_on_order = true;
    let mut log = Log::open(disk.clone(), options, &mut Read::default()).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    assert_eq!(log.order_spare(), None, "nothing is taken of the first segment");
    put(&mut log, 1, &[0; 2_000]).unwrap();
    assert!(!log.clean(NOW, 1_000).unwrap());
    let order = log.order_spare().unwrap();
    assert_eq!((order.length, log.order_spare()), (SEGMENT, None));
    log.deliver_spare(order, Err(io::ErrorKind::Other.into()));
    assert!(!log.disk_is_full(), "something else was wrong");
    let order = log.order_spare().expect("one is needed as before");
    log.deliver_spare(order, Err(io::ErrorKind::StorageFull.into()));
    assert!(log.disk_is_full());
    put(&mut log, 1, &[0; 7_000]).unwrap();
    assert!(!log.disk_is_full(), "it has just had room");
    let order = log.order_spare().unwrap();
    let file = disk.create(&order.name, order.length).unwrap();
    log.deliver_spare(order, Ok(file));
    assert_eq!(log.stat().spare_bytes, SEGMENT);
    disk.fail(Call::Create, 1, Fault::NoSpace);
    put(&mut log, 1, &[0; 7_000]).unwrap();
    assert_eq!((log.stat().segments, log.stat().spare_bytes), (3, 0));
}
