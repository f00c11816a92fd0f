//! What a shard does with what the log says.

use plexus_store::{ClockMap, Identity, Log, LogOptions, testing::MemoryDisk};

use super::{durability::node, *};
use crate::recovery::Recovery;

const START: u64 = 1_000_000;

fn open(disk: &MemoryDisk) -> (Log<MemoryDisk>, Recovery) {
    let identity = Identity { store: 1, hash_seed: 1, created_millis: 1 };
    let mut recovery = Recovery::new(Seed::new(1));
    let options = LogOptions::new(identity, ClockMap::default());
    let mut log = Log::open(disk.clone(), options, &mut recovery).unwrap();
    log.set_references(recovery.references()).unwrap();
    (log, recovery)
}

/// The log gets what the shard has recorded, in the second that it has.
fn write(disk: &MemoryDisk, node: &mut Lone) {
    let (mut log, _) = open(disk);
    for batch in node.desk.batches.drain(..) {
        log.commit(node.now.as_millis(), &[&batch]).unwrap();
    }
}

/// A node that starts with what the log says, when the one before has crashed.
fn started(disk: &MemoryDisk, before: &Lone, now: Instant) -> Lone {
    let (_, recovery) = open(disk);
    let door = Arc::new(before.door.clone());
    let mut node = Lone::with(NodeOptions::default());
    (node.door, node.now) = (before.door.clone(), now);
    let nothing = |_| Err::<Arc<Message>, _>("nothing waits");
    let context = &node.shard.context;
    let dealt = recovery.deal(context, MessageId::new(1), |_| Arc::clone(&door), nothing);
    let restored = dealt.unwrap().remove(0);
    node.act(|shard, turn| shard.restore(turn, restored));
    node.act(Shard::reopen);
    node.keep();
    node
}

/// A node that goes down more often than a session takes to expire must not keep it for ever.
#[test]
fn a_session_expires_although_the_node_starts_again_and_again() {
    let disk = MemoryDisk::new(1);
    let mut node = node(&[]);
    node.now = Instant::from_millis(START);
    node.connect(1, "client", 60);
    node.keep();
    let mut recorded = Vec::new();
    for start in 0..5 {
        write(&disk, &mut node);
        node = started(&disk, &node, Instant::from_millis(START + 1_000 + start * 14_000));
        recorded.push(node.desk.batches.iter().map(Batch::bytes).sum::<usize>());
    }
    assert_eq!(node.shard.census().sessions, 1, "it has been away for 56 s");
    node.pass(Duration::from_secs(5));
    assert_eq!(node.shard.census().sessions, 0, "and now for more than 60 s");
    assert!(recorded[1..].iter().all(|bytes| *bytes < recorded[0]), "once: {recorded:?}");
}
