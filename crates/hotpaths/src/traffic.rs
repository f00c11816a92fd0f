//! Clients of one shard: what they send is bytes, and so is what they get.

use bytes::Bytes;
use plexus_broker::ports::ConnId;
use plexus_types::{PacketId, ProtocolVersion, Qos};

use crate::{
    Path,
    node::{Done, Node},
    packets::{self, TOPIC},
};

const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;

/// Clients that come and go by turns.
const VISITORS: usize = 100;

/// One publisher, and subscribers that acknowledge what they get.
struct Deliver {
    node: Node,
    publisher: ConnId,
    subscriber: ConnId,
    subscribers: u64,
    qos: Qos,
    publish: Bytes,
    /// What had come out before the first walk.
    before: Done,
}

impl Deliver {
    fn new(version: ProtocolVersion, qos: Qos, subscribers: u64) -> Self {
        let mut node = Node::new();
        let publisher = node.open();
        node.connect(publisher, &packets::connect(version, "robot-0042", 0));
        let mut subscriber = publisher;
        for number in 0..subscribers {
            subscriber = node.open();
            node.connect(subscriber, &packets::connect(version, &format!("console-{number}"), 0));
            node.hear(subscriber, &packets::subscribe(version, TOPIC, qos));
            node.end_turn();
        }
        let publish = packets::publish(version, qos);
        let before = node.done();
        assert_eq!(before.sent, 1 + 2 * subscribers, "a CONNACK each, and SUBACK");
        Self { node, publisher, subscriber, subscribers, qos, publish, before }
    }

    fn boxed(version: ProtocolVersion, qos: Qos) -> Box<dyn Path> {
        Box::new(Self::new(version, qos, 1))
    }

    fn delivered_id(&self) -> PacketId {
        self.node.done().last_id.expect("invariant: a message above QoS 0 was delivered")
    }
}

impl Path for Deliver {
    fn walk(&mut self) {
        self.node.hear(self.publisher, &self.publish);
        self.node.end_turn();
        match self.qos {
            Qos::AtMostOnce => {}
            Qos::AtLeastOnce => {
                self.node.hear(self.subscriber, &packets::ack(PUBACK, self.delivered_id()));
                self.node.end_turn();
            }
            Qos::ExactlyOnce => {
                let id = self.delivered_id();
                self.node.hear(self.publisher, &packets::ack(PUBREL, PacketId::MIN));
                self.node.hear(self.subscriber, &packets::ack(PUBREC, id));
                self.node.end_turn();
                self.node.hear(self.subscriber, &packets::ack(PUBCOMP, id));
                self.node.end_turn();
            }
        }
    }

    fn check(&self, walks: u64) {
        let (before, after) = (self.before, self.node.done());
        let answers = match self.qos {
            Qos::AtMostOnce => 0,
            Qos::AtLeastOnce => 1,
            // PUBREC and PUBCOMP for the publisher, PUBREL for the subscriber.
            Qos::ExactlyOnce => 3,
        };
        assert_eq!(after.sent - before.sent, walks * answers, "acknowledgements");
        let delivered = after.delivered - before.delivered;
        assert_eq!(delivered, walks * self.subscribers, "everybody gets every message");
        assert!(after.bytes - before.bytes > delivered * packets::PAYLOAD.len() as u64);
        assert_eq!(after.closed, 0);
    }
}

pub(crate) fn deliver_qos0() -> Box<dyn Path> {
    Deliver::boxed(ProtocolVersion::V311, Qos::AtMostOnce)
}

pub(crate) fn deliver_qos1() -> Box<dyn Path> {
    Deliver::boxed(ProtocolVersion::V311, Qos::AtLeastOnce)
}

pub(crate) fn deliver_qos2() -> Box<dyn Path> {
    Deliver::boxed(ProtocolVersion::V311, Qos::ExactlyOnce)
}

pub(crate) fn deliver_qos1_v5() -> Box<dyn Path> {
    Deliver::boxed(ProtocolVersion::V5, Qos::AtLeastOnce)
}

pub(crate) fn fan_out() -> Box<dyn Path> {
    Box::new(Deliver::new(ProtocolVersion::V311, Qos::AtMostOnce, 1_000))
}

/// One client after the other connects and leaves.
struct Visit {
    node: Node,
    conn: ConnId,
    connects: Vec<Bytes>,
    next: usize,
    disconnect: Bytes,
}

impl Visit {
    fn boxed(version: ProtocolVersion, expiry: u32) -> Box<dyn Path> {
        let mut node = Node::new();
        let conn = node.open();
        let connect = |number| packets::connect(version, &format!("robot-{number:04}"), expiry);
        let connects = (0..VISITORS).map(connect).collect();
        let disconnect = packets::disconnect(version);
        Box::new(Self { node, conn, connects, next: 0, disconnect })
    }
}

impl Path for Visit {
    fn walk(&mut self) {
        let connect = self.connects.get(self.next).expect("invariant: kept below the number");
        self.next = (self.next + 1) % VISITORS;
        self.node.connect(self.conn, connect);
        self.node.end_turn();
        self.node.hear(self.conn, &self.disconnect);
        self.node.end_turn();
    }

    fn check(&self, walks: u64) {
        let done = self.node.done();
        assert_eq!((done.sent, done.closed), (walks, walks), "CONNACK, and an end");
    }
}

pub(crate) fn connect_v311() -> Box<dyn Path> {
    Visit::boxed(ProtocolVersion::V311, 0)
}

pub(crate) fn connect_v5() -> Box<dyn Path> {
    Visit::boxed(ProtocolVersion::V5, 0)
}

/// The session outlives each connection and is taken up by the next.
pub(crate) fn resume_v5() -> Box<dyn Path> {
    Visit::boxed(ProtocolVersion::V5, 3_600)
}
