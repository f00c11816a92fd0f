//! Publishers that wait for a receiver.

use std::{sync::Arc, time::Duration};

use plexus_links::{Bell, Intake, Links};
use plexus_session::Options;
use plexus_types::{ClientId, Message, PacketId, Qos, ReasonCode};
use plexus_wire::{Ack, Packet};

use super::{Lone, starts::message};
use crate::{envelope::Envelope, ports::ConnId};

const PUBLISHER: u32 = 0;
const RECEIVER: u32 = 1;
/// First bytes of packets: PUBLISH of QoS 1 and 0, PUBACK.
const QOS1: u8 = 0x32;
const QOS0: u8 = 0x30;
const PUBACK: u8 = 0x40;

/// A receiver that may have one message under way and twelve waiting, and the messages that it got.
fn connected(shards: u16) -> Lone {
    let mut node = Lone::of(shards);
    let options = Options { queue_messages_max: 12, inflight_max: 1, ..Options::default() };
    node.door.options = Arc::new(options);
    node.connect(PUBLISHER, "publisher", 0);
    node.connect(RECEIVER, "receiver", 0);
    node.subscribe_at(RECEIVER, "t", Qos::AtLeastOnce);
    node.desk.resumed.clear();
    node
}

impl Lone {
    fn wants(&self, conn: u32, first: u8) -> bool {
        self.shard.wants_packets(ConnId(conn), Some(first))
    }

    fn publish_some(&mut self, count: usize) {
        for _ in 0..count {
            self.publish(PUBLISHER, "t", Qos::AtLeastOnce, "x");
        }
    }

    /// The receiver acknowledges what it has got, message by message.
    fn acknowledge(&mut self, count: usize) {
        for _ in 0..count {
            let outgoing = self.desk.delivered.last().expect("something was delivered");
            let packet_id = outgoing.packet_id.unwrap_or(PacketId::MIN);
            self.hear(RECEIVER, Packet::PubAck(Ack::new(packet_id, ReasonCode::Success)));
        }
    }

    fn credits(&mut self) -> Vec<bool> {
        let posted = std::mem::take(&mut self.desk.posted).into_iter();
        let credits = posted.filter_map(|(_, it)| match it {
            Envelope::Credit(_, goes_on) => Some(goes_on),
            _ => None,
        });
        credits.collect()
    }
}

#[test]
fn a_publisher_waits_while_many_wait_for_its_receiver() {
    let mut node = connected(1);
    node.publish_some(4);
    assert!(node.wants(PUBLISHER, QOS1), "one is under way and three wait");
    node.publish_some(1);
    assert!(!node.wants(PUBLISHER, QOS1));
    assert!(node.wants(PUBLISHER, QOS0) && node.wants(PUBLISHER, PUBACK));
    assert!(node.wants(RECEIVER, QOS1), "what it acknowledges may stand behind that");
    node.acknowledge(2);
    assert!(!node.wants(PUBLISHER, QOS1), "two wait, which is a sixth");
    node.acknowledge(1);
    assert!(node.wants(PUBLISHER, QOS1));
    assert_eq!(node.desk.resumed, [ConnId(PUBLISHER)]);
}

#[test]
fn a_receiver_that_is_slow_by_itself_holds_nobody_for_long() {
    let mut node = connected(1);
    node.publish_some(5);
    node.pass(Duration::from_millis(249));
    assert!(!node.wants(PUBLISHER, QOS1));
    node.pass(Duration::from_millis(1));
    assert!(node.wants(PUBLISHER, QOS1));
    node.publish_some(1);
    assert!(node.wants(PUBLISHER, QOS1), "it has had its time");
    node.acknowledge(5);
    node.publish_some(4);
    assert!(!node.wants(PUBLISHER, QOS1), "few waited in between");
}

#[test]
fn a_shard_that_is_short_of_time_holds_publishers_for_longer() {
    let mut node = connected(1);
    node.publish_some(5);
    for (millis, busy_millis, held) in [(250, 200, true), (1_000, 700, true), (1_000, 300, false)] {
        node.shard.counters().busy_micros.add(busy_millis * 1_000);
        node.pass(Duration::from_millis(millis));
        assert_eq!(!node.wants(PUBLISHER, QOS1), held, "{busy_millis} ms of {millis}");
    }
}

#[test]
fn nobody_waits_for_one_who_takes_nothing() {
    let mut node = connected(1);
    node.publish_some(5);
    for _ in 0..31 {
        node.shard.counters().busy_micros.add(1_000_000);
        node.pass(Duration::from_secs(1));
    }
    assert!(node.wants(PUBLISHER, QOS1));
}

#[test]
fn a_publisher_that_comes_again_is_held_as_before() {
    let mut node = connected(1);
    node.connect(PUBLISHER, "publisher", 60);
    node.publish_some(5);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(PUBLISHER)));
    node.connect(2, "publisher", 60);
    assert!(!node.wants(2, QOS1));
    node.acknowledge(4);
    assert!(node.wants(2, QOS1) && node.desk.resumed.contains(&ConnId(2)));
}

#[test]
fn a_queue_that_may_hold_nothing_holds_nobody() {
    let mut node = connected(1);
    let options = Options { queue_messages_max: 0, inflight_max: 1, ..Options::default() };
    node.door.options = Arc::new(options);
    node.connect(2, "receiver without a queue", 0);
    node.subscribe_at(2, "u", Qos::AtLeastOnce);
    for _ in 0..3 {
        node.publish(PUBLISHER, "u", Qos::AtLeastOnce, "x");
    }
    assert!(node.wants(PUBLISHER, QOS1));
}

#[test]
fn a_publisher_does_not_wait_for_one_who_has_gone() {
    let mut node = connected(1);
    node.publish_some(5);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(RECEIVER)));
    assert!(node.wants(PUBLISHER, QOS1));
}

#[test]
fn a_publisher_elsewhere_is_told_once() {
    let mut node = connected(2);
    for number in 0..6 {
        // The names that the other shard gives.
        let mut message = Message::clone(&message(2 + 2 * number, "elsewhere"));
        message.qos = Qos::AtLeastOnce;
        let publish = Envelope::Publish(Arc::new(message), false);
        node.act(|shard, turn| shard.handle_envelope(turn, 1, publish));
    }
    assert_eq!(node.credits(), [false]);
    node.acknowledge(4);
    assert_eq!(node.credits(), [true]);
}

#[test]
fn a_client_is_held_by_receivers_elsewhere_until_the_last_lets_it_go() {
    let mut node = connected(2);
    let publisher = ClientId::try_from("publisher").unwrap();
    for (goes_on, wants) in [(false, false), (false, false), (true, false), (true, true)] {
        let credit = Envelope::Credit(publisher.clone(), goes_on);
        node.act(|shard, turn| shard.handle_envelope(turn, 1, credit));
        assert_eq!(node.wants(PUBLISHER, QOS1), wants);
    }
}

/// However many are on their way at QoS 0, and however full the ring is.
#[test]
fn publishers_wait_for_a_shard_that_is_behind() {
    let publish = |qos| {
        let message = Message { qos, ..Message::clone(&message(1, "elsewhere")) };
        Envelope::Publish(Arc::new(message), false)
    };
    let poll = mio::Poll::new().unwrap();
    let bell = Bell::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
    let mut links = Links::mesh(&[bell.clone(), bell]);
    let [first, second] = &mut links[..] else { unreachable!("two shards") };
    for _ in 0..1_000 {
        first.push(1, publish(Qos::AtMostOnce));
    }
    let mut sent = 0;
    while !first.is_behind() {
        first.push(1, publish(Qos::AtLeastOnce));
        first.flush();
        sent += 1;
    }
    assert!(sent > 64 && first.has_pending(), "the ring is full: {sent}");
    while first.is_behind() {
        while second.receive(&mut Intake::default()).is_some() {}
        first.flush();
    }
    assert!(!second.is_behind());
}
