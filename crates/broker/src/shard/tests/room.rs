//! What may wait in the whole node.

use plexus_session::{QueuePolicy, Waiting};
use plexus_types::ReasonCode;

use super::*;

/// A node whose queues hold so many messages together, with so many clients that are away and
/// subscribed to `t/<their number>`.
fn node(shards: u16, messages: u64, clients: u32) -> Lone {
    let waiting_max = Waiting { messages, ..Waiting::UNLIMITED };
    let mut node = Lone::with(NodeOptions { shards, waiting_max, ..NodeOptions::default() });
    node.door.options = Arc::new(plexus_session::Options {
        queue_policy: QueuePolicy::DropNewest,
        ..plexus_session::Options::default()
    });
    for (number, name) in ["zero", "one", "two"].into_iter().enumerate().take(clients as usize) {
        let conn = 10 + number as u32;
        node.connect(conn, name, 1_000);
        node.subscribe_at(conn, &format!("t/{number}"), Qos::AtLeastOnce);
        node.subscribe_at(conn, "all", Qos::AtLeastOnce);
        node.act(|shard, turn| shard.handle_lost(turn, ConnId(conn)));
    }
    node.connect(1, "publisher", 0);
    node.desk.sent.clear();
    node
}

impl Lone {
    /// What the publisher hears.
    fn publish_and_hear(&mut self, topic: &str) -> ReasonCode {
        self.now = self.now + Duration::from_millis(1);
        self.hear(
            1,
            Packet::Publish(Publish {
                dup: false,
                qos: Qos::AtLeastOnce,
                retain: false,
                topic: Text::try_from(topic).unwrap(),
                packet_id: Some(PacketId::MIN),
                properties: PublishProperties::default(),
                payload: Bytes::from_static(b"x"),
            }),
        );
        self.act(Shard::end_turn);
        match self.desk.sent.pop() {
            Some(Packet::PubAck(ack)) => ack.reason,
            other => panic!("no PUBACK: {other:?}"),
        }
    }

    fn waits(&self) -> u64 {
        self.shard.counters().queued.read()
    }
}

#[test]
fn a_publisher_whom_nobody_hears_for_lack_of_room_is_told() {
    let mut node = node(1, 3, 2);
    assert_eq!(node.publish_and_hear("t/0"), ReasonCode::Success);
    assert_eq!(node.publish_and_hear("all"), ReasonCode::Success);
    assert_eq!(node.waits(), 3);
    for topic in ["t/0", "t/1", "all"] {
        assert_eq!(node.publish_and_hear(topic), ReasonCode::QuotaExceeded, "{topic}");
    }
    assert_eq!(node.shard.counters().dropped_node_full.read(), 4);
    assert_eq!(node.publish_and_hear("else"), ReasonCode::NoMatchingSubscribers);
    // Who comes and takes what waits makes room.
    node.connect(10, "zero", 1_000);
    node.act(Shard::end_turn);
    assert_eq!(node.waits(), 1);
    node.desk.sent.clear();
    assert_eq!(node.publish_and_hear("t/1"), ReasonCode::Success);
    assert_eq!(node.waits(), 2);
}

#[test]
fn one_receiver_with_room_is_enough() {
    let mut node = node(1, 1, 2);
    assert_eq!(node.publish_and_hear("all"), ReasonCode::Success, "one of two has it");
    assert_eq!((node.waits(), node.shard.counters().dropped_node_full.read()), (1, 1));
}

#[test]
fn what_waits_with_other_shards_counts() {
    let mut node = node(2, 100, 1);
    let other = Arc::clone(&node.shard.context);
    other.counters[1].queued.set(98);
    for reason in [ReasonCode::Success, ReasonCode::Success, ReasonCode::QuotaExceeded] {
        assert_eq!(node.publish_and_hear("t/0"), reason);
    }
    other.counters[1].queued.set(0);
    for _ in 2..100 {
        assert_eq!(node.publish_and_hear("t/0"), ReasonCode::Success);
    }
    assert_eq!(node.publish_and_hear("t/0"), ReasonCode::QuotaExceeded);
    assert_eq!(node.waits(), 100);
}

#[test]
fn what_ends_with_its_session_waits_no_more() {
    let mut node = node(1, 2, 1);
    for _ in 0..3 {
        node.publish_and_hear("t/0");
    }
    assert_eq!(node.waits(), 2);
    node.pass(Duration::from_secs(1_001));
    node.act(Shard::end_turn);
    assert_eq!((node.waits(), node.shard.census().sessions), (0, 0));
}

/// A thousand sessions may fall due at once: the rest waits for the next turn.
#[test]
fn what_is_overdue_goes_without_holding_up_the_shard() {
    let mut node = Lone::new();
    node.door.options = Arc::new(plexus_session::Options {
        queue_seconds_max: 10,
        queue_messages_max: 10_000,
        ..plexus_session::Options::default()
    });
    node.connect(10, "zero", 1_000);
    node.subscribe_at(10, "t/0", Qos::AtLeastOnce);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(10)));
    node.connect(1, "publisher", 0);
    for _ in 0..1_000 {
        node.publish_and_hear("t/0");
    }
    let mut turns = 0;
    node.now = node.now + Duration::from_secs(12);
    while node.shard.poll_timeout().is_some_and(|due| due <= node.now) {
        node.pass(Duration::ZERO);
        turns += 1;
    }
    node.act(Shard::end_turn);
    assert_eq!((node.waits(), node.shard.counters().dropped_expired.read()), (0, 1_000));
    assert!(turns < 100, "{turns}");
}
