//! What a log that takes nothing new is spared, and how long a turn may become.

use super::*;
use plexus_store::SegmentNumber;

use crate::shard::{LogState, Restored};

/// A shard with a log and a durable client on connection 1.
fn node() -> Lone {
    let mut node = Lone::new();
    node.door.options = Arc::new(plexus_session::Options {
        durable: true,
        receive_maximum: u16::MAX,
        ..plexus_session::Options::default()
    });
    node.act(|shard, turn| shard.restore(turn, Restored::default()));
    node.act(Shard::reopen);
    node.connect(1, "publisher", 1_000);
    node.keep();
    node
}

#[test]
fn what_is_to_be_retained_at_qos_0_is_delivered_and_what_was_kept_before_stays() {
    let mut node = node();
    node.publish(1, "r/a", Qos::AtLeastOnce, "acknowledged");
    node.keep();
    node.connect(2, "reader", 0);
    node.subscribe(2, "r/#");
    node.keep();
    node.shard.context.log.set_failing(true);
    let (batches, delivered) = (node.desk.batches.len(), node.desk.delivered.len());
    for _ in 0..10 {
        node.publish(1, "r/a", Qos::AtMostOnce, "newer");
        assert_eq!(node.end_turn(), None);
    }
    assert_eq!(node.desk.delivered.len(), delivered + 10);
    assert_eq!(node.desk.batches.len(), batches);
    assert_eq!(node.shard.counters().dropped_store_full.read(), 10);
    assert_eq!(node.shard.census().retained, 1);
}

/// [MQTT-3.3.1-6]: what ends a retained message makes room.
#[test]
fn a_retained_message_is_deleted_from_a_full_log() {
    for qos in [Qos::AtMostOnce, Qos::AtLeastOnce] {
        let mut node = node();
        node.publish(1, "r/a", Qos::AtLeastOnce, "large");
        node.keep();
        node.shard.context.log.set_full(true);
        node.publish(1, "r/a", qos, "");
        node.keep();
        assert_eq!(node.shard.census().retained, 0, "{qos:?}");
        node.publish(1, "r/a", Qos::AtLeastOnce, "again");
        node.keep();
        assert_eq!(node.shard.census().retained, 0, "there is no more room for one");
    }
}

/// However often the client tries, and whatever the message would do.
#[test]
fn a_qos_2_publication_that_is_refused_leaves_no_record() {
    refused_without_record("x", |log| log.set_failing(true));
    refused_without_record("", |log| log.set_full(true));
}

fn refused_without_record(payload: &'static str, trouble: impl Fn(&LogState) -> bool) {
    let mut node = node();
    node.connect(2, "reader", 1_000);
    node.subscribe_at(2, "t", Qos::ExactlyOnce);
    node.keep();
    trouble(&node.shard.context.log);
    let batches = node.desk.batches.len();
    node.desk.sent.clear();
    for _ in 0..100 {
        node.publish(1, "t", Qos::ExactlyOnce, payload);
        assert_eq!(node.end_turn(), None);
    }
    let refused = node.desk.sent.iter();
    let refused = refused
        .filter(|it| matches!(it, Packet::PubRec(ack) if ack.reason == ReasonCode::QuotaExceeded));
    assert_eq!((refused.count(), node.desk.batches.len()), (100, batches));
}

/// Whoever is refused may be known to nobody but the one who looks at the figures.
#[test]
fn a_publication_that_is_refused_is_counted_once() {
    for (qos, payload) in [(Qos::AtLeastOnce, "x"), (Qos::ExactlyOnce, "x"), (Qos::AtLeastOnce, "")]
    {
        let mut node = node();
        node.connect(2, "reader", 1_000);
        node.subscribe_at(2, "t", qos);
        node.keep();
        node.shard.context.log.set_full(true);
        for counted in 1..=3 {
            node.publish(1, "t", qos, payload);
            assert_eq!(node.shard.counters().dropped_store_full.read(), counted, "{qos:?}");
        }
        node.shard.context.log.set_full(false);
        node.publish(1, "t", qos, payload);
        assert_eq!(node.shard.counters().dropped_store_full.read(), 3);
    }
}

/// It cannot be told: its connection ends, and what it published is not acknowledged.
#[test]
fn a_client_of_3_that_publishes_at_qos_2_is_disconnected() {
    let mut node = node();
    let connect = Connect {
        version: ProtocolVersion::V311,
        bridge: false,
        clean_start: false,
        keep_alive: 10,
        client_id: Text::from_static("old"),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    };
    let arrival = Arrival {
        connect: Box::new(connect),
        assigned: None,
        door: Arc::new(node.door.clone()),
        peer: None,
        certificate: None,
        named: None,
    };
    node.act(|shard, turn| shard.handle_arrival(turn, ConnId(3), arrival));
    node.keep();
    node.shard.context.log.set_full(true);
    node.desk.sent.clear();
    node.publish(3, "t", Qos::ExactlyOnce, "x");
    assert!(node.desk.sent.is_empty(), "{:?}", node.desk.sent);
    assert_eq!(node.desk.closed, [ConnId(3)]);
    assert_eq!(node.shard.counters().dropped_store_full.read(), 1);
}

/// A few bytes from outside may make many records: each of these messages waits for a hundred sessions,
/// with a long name of its group each time.
#[test]
fn a_turn_becomes_long_before_its_batch_is_too_large_to_write() {
    let mut node = node();
    for number in 0..100 {
        let name: &'static str = Box::leak(format!("member-{number}").into_boxed_str());
        node.connect(10 + number, name, 1_000);
        node.subscribe_at(
            10 + number,
            &format!("$share/{}{number:04}/t", "x".repeat(4_000)),
            Qos::AtLeastOnce,
        );
        node.keep();
    }
    let mut published = 0;
    while !node.shard.is_turn_long() {
        node.publish(1, "t", Qos::AtLeastOnce, "x");
        published += 1;
        assert!(published < 100);
    }
    node.end_turn();
    assert!(node.desk.batches.last().is_some_and(|batch| batch.bytes() < 8 << 20));
    assert!(!node.shard.is_turn_long());
}

/// The log has begun segments of which it could tell nobody.
#[test]
fn retained_messages_are_written_anew_once_however_long_the_log_fails() {
    let mut node = node();
    for topic in ["r/a", "r/b"] {
        node.publish(1, topic, Qos::AtLeastOnce, "kept");
        node.keep();
    }
    node.shard.context.log.set_failing(true);
    node.shard.handle_refresh(SegmentNumber::new(7));
    let bytes = |node: &Lone| node.desk.batches.iter().map(Batch::bytes).sum::<usize>();
    let turn = |node: &mut Lone| {
        node.pass(Duration::ZERO);
        node.act(Shard::end_turn);
        bytes(node)
    };
    let written: Vec<_> = (0..20).map(|_| turn(&mut node)).collect();
    assert!(written[0] < written[2] || written[0] < written[1], "they are written");
    assert_eq!(written[5], written[19], "and not again and again: {written:?}");
}
