//! What the log of a crashed node says of messages that were on their way to another shard.

use plexus_store::{ClockMap, Identity, Log, LogOptions, testing::MemoryDisk};
use plexus_topics::Member;
use plexus_types::TopicFilter;

use plexus_recovery::Recovery;

use super::*;
use crate::{
    envelope::{Availability, Join},
    shard::Restored,
};
use plexus_records::kept::Kept;

/// A shard of two with a log, both with durable sessions.
fn node() -> Lone {
    let mut node = Lone::of(2);
    node.door.options =
        Arc::new(plexus_session::Options { durable: true, ..plexus_session::Options::default() });
    node.act(|shard, turn| shard.restore(turn, Restored::default()));
    node.act(Shard::reopen);
    node.shard.context.set_durable(1, true);
    node
}

/// What a start reads when everything that this shard wrote is there, and nothing of the other.
fn after_a_crash(node: &Lone) -> Kept {
    let options = || {
        let identity = Identity { store: 1, hash_seed: 1, created_millis: 1 };
        LogOptions::new(identity, ClockMap::default())
    };
    let disk = MemoryDisk::new(1);
    let mut log = Log::open(disk.clone(), options(), &mut Recovery::new(Seed::new(1))).unwrap();
    log.set_references(std::iter::empty()).unwrap();
    for batch in &node.desk.batches {
        log.commit(1_000, &[batch]).unwrap();
    }
    drop(log);
    disk.crash(1);
    let mut recovery = Recovery::new(Seed::new(1));
    Log::open(disk, options(), &mut recovery).unwrap();
    recovery.into_kept()
}

/// [MQTT-4.3.3-10]: the publisher's repetition is answered and not routed, so the message must be in the
/// log before its identifier is.
#[test]
fn a_group_of_the_publishers_shard_keeps_qos_2_for_a_member_elsewhere() {
    let mut node = node();
    let mut filters = (0..100).map(|number| format!("$share/group-{number}/t"));
    let here = |filter: &String| node.shard.context.shard_of(filter) == 0;
    let filter = filters.find(here).expect("half of them belong to this shard");
    let join = Join {
        filter: TopicFilter::try_from(filter.as_str()).unwrap(),
        member: Member { shard: 1, subscriber: SubscriberId(0) },
        options: MemberOptions { qos: Qos::ExactlyOnce, id: None, retain_as_published: false },
        availability: Availability { online: true, full: false, inflight: 0 },
        ticket: 0,
    };
    node.act(|shard, turn| shard.handle_envelope(turn, 1, Envelope::Join(Box::new(join))));
    node.connect(1, "publisher", 1_000);
    node.keep();
    node.publish(1, "t", Qos::ExactlyOnce, "message");
    node.end_turn();
    let assigned = node.desk.posted.iter();
    let assigned = assigned.filter(|(to, it)| *to == 1 && matches!(it, Envelope::Assign(_)));
    assert_eq!(assigned.count(), 1, "it is on its way");
    let kept = after_a_crash(&node);
    assert_eq!(kept.sessions[0].image.accepted, [PacketId::MIN]);
    assert_eq!(kept.open.len(), 1, "{:?}", kept.open);
}
