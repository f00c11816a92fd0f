//! What is written of a message, and who waits for it, by what was promised.

use plexus_types::TopicFilter;

use super::*;
use crate::shard::Restored;

/// A shard with a log, whose topics are promised these things.
pub(super) fn node(topics: &[(&str, Durability)]) -> Lone {
    let rule = |(filter, durability): &(&str, Durability)| {
        (TopicFilter::try_from(*filter).unwrap(), *durability)
    };
    let topics = topics.iter().map(rule).collect();
    let mut node = Lone::with(NodeOptions { topics, ..NodeOptions::default() });
    node.door.options =
        Arc::new(plexus_session::Options { durable: true, ..plexus_session::Options::default() });
    node.act(|shard, turn| shard.restore(turn, Restored::default()));
    node.act(Shard::reopen);
    node
}

/// A node with a client that is away, subscribed to everything at that quality of service.
fn with_receiver(topics: &[(&str, Durability)], qos: Qos) -> Lone {
    let mut node = node(topics);
    node.connect(9, "receiver", 1_000);
    node.keep();
    node.subscribe_at(9, "#", qos);
    node.keep();
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(9)));
    node.keep();
    node.desk.sent.clear();
    node
}

impl Lone {
    /// Ends the turn; yields how the log was asked to keep it, if it was.
    pub(super) fn end_turn(&mut self) -> Option<Commit> {
        self.act(Shard::end_turn);
        self.desk.committed.last().map(|(mode, _)| *mode)
    }

    /// Ends the turn and has everything written.
    pub(super) fn keep(&mut self) {
        self.end_turn();
        for (_, upto) in std::mem::take(&mut self.desk.committed) {
            self.act(|shard, turn| shard.handle_committed(turn, upto));
        }
    }

    pub(super) fn publish(&mut self, conn: u32, topic: &str, qos: Qos, payload: &'static str) {
        let packet_id = (qos != Qos::AtMostOnce).then_some(PacketId::MIN);
        self.hear(
            conn,
            Packet::Publish(Publish {
                dup: false,
                qos,
                retain: topic.starts_with("r/"),
                topic: Text::try_from(topic).unwrap(),
                packet_id,
                properties: PublishProperties::default(),
                payload: Bytes::from_static(payload.as_bytes()),
            }),
        );
    }

    /// Comes in through a listener that promises that.
    fn come(&mut self, conn: u32, name: &'static str, expiry: u32, durability: Durability) {
        self.door.durability = durability;
        self.connect(conn, name, expiry);
        self.keep();
        self.desk.sent.clear();
    }

    fn acknowledgements(&self) -> usize {
        let ack = |packet: &&Packet| matches!(packet, Packet::PubAck(_) | Packet::PubRec(_));
        self.desk.sent.iter().filter(ack).count()
    }
}

#[test]
fn an_acknowledgement_waits_for_what_the_listener_promises() {
    for (durability, mode) in [
        (Durability::Synced, Some(Commit::Synced)),
        (Durability::Written, Some(Commit::Written)),
        (Durability::Memory, None),
    ] {
        let mut node = with_receiver(&[], Qos::AtLeastOnce);
        node.come(1, "publisher", 0, durability);
        node.publish(1, "a", Qos::AtLeastOnce, "x");
        assert_eq!(node.end_turn(), mode, "{durability:?}");
        assert_eq!(node.acknowledgements(), usize::from(mode.is_none()), "{durability:?}");
        node.keep();
        assert_eq!(node.acknowledgements(), 1, "{durability:?}");
    }
}

#[test]
fn the_first_rule_that_matches_a_topic_counts_before_the_listener() {
    let rules = [
        ("plant/+/alarm", Durability::Synced),
        ("plant/#", Durability::Memory),
        ("plant/1/state", Durability::Synced),
    ];
    for (topic, listener, mode) in [
        ("plant/1/alarm", Durability::Memory, Some(Commit::Synced)),
        ("plant/1/state", Durability::Synced, None),
        ("else", Durability::Written, Some(Commit::Written)),
    ] {
        let mut node = with_receiver(&rules, Qos::AtLeastOnce);
        node.come(1, "publisher", 0, listener);
        node.publish(1, topic, Qos::AtLeastOnce, "x");
        assert_eq!(node.end_turn(), mode, "{topic}");
        assert_eq!(node.acknowledgements(), usize::from(mode.is_none()), "{topic}");
    }
}

/// One file has one order: the neighbour of a stronger promise waits with it, and not less.
#[test]
fn a_turn_is_kept_as_its_strongest_promise_says() {
    let mut node = with_receiver(
        &[("memory", Durability::Memory), ("synced", Durability::Synced)],
        Qos::AtLeastOnce,
    );
    for (conn, name) in [(1, "one"), (2, "two"), (3, "three")] {
        node.come(conn, name, 0, Durability::Written);
    }
    for (conn, topic) in [(1, "memory"), (2, "synced"), (3, "written")] {
        node.publish(conn, topic, Qos::AtLeastOnce, "x");
    }
    assert_eq!(node.end_turn(), Some(Commit::Synced));
    assert_eq!(node.acknowledgements(), 1, "what is in memory waits for nobody");
    node.keep();
    assert_eq!(node.acknowledgements(), 3);
}

/// Its identifier follows from its place in the queue: that is recorded as the session promises, and
/// the publisher does not wait.
#[test]
fn a_qos_2_delivery_in_memory_waits_for_its_record_and_its_publisher_does_not() {
    let mut node = node(&[("#", Durability::Memory)]);
    node.come(9, "receiver", 1_000, Durability::Synced);
    node.subscribe_at(9, "#", Qos::ExactlyOnce);
    node.keep();
    node.come(1, "publisher", 1_000, Durability::Memory);
    node.publish(1, "a", Qos::ExactlyOnce, "x");
    assert_eq!(node.acknowledgements(), 1);
    assert!(node.desk.delivered.is_empty());
    assert_eq!(node.end_turn(), Some(Commit::Synced), "the receiver's own promise");
    assert!(node.desk.delivered.is_empty());
    node.keep();
    assert_eq!(node.desk.delivered.len(), 1);
}

#[test]
fn a_qos_2_delivery_in_memory_that_cannot_be_recorded_is_dropped() {
    let mut node = with_receiver(&[("m", Durability::Memory)], Qos::ExactlyOnce);
    node.come(1, "publisher", 0, Durability::Synced);
    node.shard.context.log.set_failing(true);
    node.publish(1, "m", Qos::ExactlyOnce, "x");
    assert_eq!(node.acknowledgements(), 1);
    assert_eq!(node.end_turn(), None);
    assert_eq!(node.shard.counters().dropped_store_full.read(), 1);
}

#[test]
fn a_retained_message_in_memory_ends_the_one_in_the_log() {
    let mut node = node(&[("r/memory", Durability::Memory)]);
    node.come(1, "publisher", 0, Durability::Synced);
    node.publish(1, "r/memory", Qos::AtLeastOnce, "x");
    assert_eq!(node.end_turn(), None, "nothing of it is in the log");
    assert_eq!(node.acknowledgements(), 1);
    node.publish(1, "r/kept", Qos::AtLeastOnce, "x");
    assert_eq!(node.end_turn(), Some(Commit::Synced));
    node.keep();
    assert_eq!(node.shard.census().retained, 2);

    node.shard.context = Context::new(
        NodeOptions {
            sys_interval: None,
            topics: vec![(TopicFilter::try_from("r/#").unwrap(), Durability::Memory)],
            ..NodeOptions::default()
        },
        Seed::new(1),
    );
    for (payload, recorded) in [("y", Some(Commit::Written)), ("z", None), ("", None)] {
        node.desk.sent.clear();
        node.publish(1, "r/kept", Qos::AtLeastOnce, payload);
        assert_eq!(node.acknowledgements(), 1, "{payload}: at once");
        assert_eq!(node.end_turn(), recorded, "{payload}");
        node.keep();
    }
    assert_eq!(node.shard.census().retained, 1);
}

#[test]
fn another_shard_confirms_only_what_was_promised() {
    let mut message = Message {
        id: MessageId::new(1),
        topic: TopicName::try_from("t").unwrap(),
        payload: Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: true,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::Memory,
        publisher: ClientId::try_from("somebody").unwrap(),
    };
    assert!(!Envelope::Retain(Arc::new(message.clone())).is_tracked(true));
    message.durability = Durability::Written;
    assert!(Envelope::Retain(Arc::new(message.clone())).is_tracked(true));
    assert!(!Envelope::Retain(Arc::new(message)).is_tracked(false));
}
