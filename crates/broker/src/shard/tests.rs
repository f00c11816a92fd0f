//! Shards by hand: packets in, effects out, envelopes carried from one to the other.

mod advice;
mod credit;
mod durability;
mod handed_on;
mod proof;
mod replays;
mod review;
mod room;
mod starts;
mod tenants;
mod trio;
mod unkept;
mod withheld;
mod worlds;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_access::{AllowAll, Credentials, Policy};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_stdx::Seed;
use plexus_store::{Batch, Commit};
use plexus_topics::{MemberOptions, SubscriberId};
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, PacketId,
    ProtocolVersion, Qos, ReasonCode, Text, TopicName,
};
use plexus_wire::{
    Connect, ConnectProperties, Packet, Publish, PublishProperties, Subscribe, SubscribeFilter,
    SubscriptionOptions, Unsubscribe,
};
use smallvec::SmallVec;

use super::{Context, Shard};
use crate::{
    envelope::{Assignment, Envelope},
    options::NodeOptions,
    ports::{Arrival, ConnId, Door, Fetch, Ports, Query, Ticket, Turn},
};

/// What a shard did.
#[derive(Default)]
struct Desk {
    delivered: Vec<Outgoing>,
    posted: Vec<(u16, Envelope)>,
    sent: Vec<Packet>,
    /// What went to the log, and up to where.
    committed: Vec<(Commit, LogPosition)>,
    /// Everything that went to the log.
    batches: Vec<Batch>,
    closed: Vec<ConnId>,
    resumed: Vec<ConnId>,
    /// Whom somebody else is asked about.
    asked: Vec<(Ticket, Credentials)>,
    /// What somebody else is asked about.
    queries: Vec<(Query, Credentials)>,
    /// Whether too many questions are under way.
    busy: bool,
    backlog: usize,
}

impl Ports for Desk {
    fn send(&mut self, _: ConnId, packet: &Packet, _: ProtocolVersion) {
        self.sent.push(packet.clone());
    }
    fn deliver(&mut self, _: ConnId, outgoing: &Outgoing, _: ProtocolVersion) {
        self.delivered.push(outgoing.clone());
    }
    fn backlog(&self, _: ConnId) -> usize {
        self.backlog
    }
    fn close(&mut self, conn: ConnId, _: CloseReason) {
        self.closed.push(conn);
    }
    fn resume(&mut self, conn: ConnId) {
        self.resumed.push(conn);
    }
    fn forward(&mut self, shard: u16, envelope: Envelope) {
        self.posted.push((shard, envelope));
    }
    fn commit(&mut self, batch: Batch, upto: LogPosition) {
        self.committed.push((batch.commit_mode(), upto));
        self.batches.push(batch);
    }
    fn fetch(&mut self, _: Fetch) {}
    fn verify(&mut self, ticket: Ticket, _: Arc<dyn Policy>, credentials: Credentials) -> bool {
        self.asked.push((ticket, credentials));
        true
    }
    fn ask(&mut self, query: Query, _: Arc<dyn Policy>, credentials: Credentials) -> bool {
        if !self.busy {
            self.queries.push((query, credentials));
        }
        !self.busy
    }
}

/// One shard of a node.
struct Lone {
    shard: Shard,
    desk: Desk,
    now: Instant,
    door: Door,
}

impl Lone {
    fn new() -> Self {
        Self::of(1)
    }

    /// The first of so many shards; what it says to the others stays on the desk.
    fn of(shards: u16) -> Self {
        Self::with(NodeOptions { shards, ..NodeOptions::default() })
    }

    fn with(options: NodeOptions) -> Self {
        let options = NodeOptions { sys_interval: None, ..options };
        Self::at(0, Context::new(options, Seed::new(1)))
    }

    /// Such a shard of a node.
    fn at(id: u16, context: Arc<Context>) -> Self {
        let now = Instant::from_secs(1);
        let shard = Shard::new(now, id, context);
        let door = Door {
            meter: None,
            name: Arc::from("test"),
            options: Arc::default(),
            policy: Arc::new(AllowAll),
            durability: Durability::Synced,
            tenant: None,
        };
        Self { shard, desk: Desk::default(), now, door }
    }

    fn act(&mut self, act: impl FnOnce(&mut Shard, &mut Turn<'_>)) {
        let mut turn = Turn { now: self.now, ports: &mut self.desk };
        act(&mut self.shard, &mut turn);
    }

    fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
        self.act(Shard::handle_timeout);
    }

    fn connect(&mut self, conn: u32, client_id: &str, expiry: u32) {
        let connect = Connect {
            version: ProtocolVersion::V5,
            bridge: false,
            clean_start: false,
            keep_alive: 10,
            client_id: Text::try_from(client_id).unwrap(),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties {
                session_expiry_interval: expiry,
                ..ConnectProperties::default()
            },
        };
        let arrival = Arrival {
            connect: Box::new(connect),
            assigned: None,
            door: Arc::new(self.door.clone()),
            peer: None,
            certificate: None,
            named: None,
        };
        self.act(|shard, turn| shard.handle_arrival(turn, ConnId(conn), arrival));
    }

    fn hear(&mut self, conn: u32, packet: Packet) {
        self.act(|shard, turn| shard.handle_packet(turn, ConnId(conn), Ok(packet)));
    }

    fn subscribe(&mut self, conn: u32, filter: &str) {
        self.subscribe_at(conn, filter, Qos::AtMostOnce);
    }

    fn subscribe_at(&mut self, conn: u32, filter: &str, qos: Qos) {
        self.subscribe_all(conn, &[filter], qos);
    }

    fn subscribe_all(&mut self, conn: u32, filters: &[&str], qos: Qos) {
        let options = SubscriptionOptions { qos, ..Default::default() };
        let filters = filters.iter().map(|filter| Text::try_from(*filter).unwrap());
        let filters = filters.map(|filter| SubscribeFilter { filter, options }).collect();
        let subscribe = Subscribe {
            packet_id: PacketId::MIN,
            subscription_id: None,
            user_properties: plexus_wire::UserProperties::default(),
            filters,
        };
        self.hear(conn, Packet::Subscribe(Box::new(subscribe)));
    }

    fn unsubscribe(&mut self, conn: u32, filter: &str) {
        let unsubscribe = Unsubscribe {
            packet_id: PacketId::MIN,
            user_properties: plexus_wire::UserProperties::default(),
            filters: vec![Text::try_from(filter).unwrap()],
        };
        self.hear(conn, Packet::Unsubscribe(Box::new(unsubscribe)));
    }

    fn retain(&mut self, conn: u32, topic: &str, expiry: Option<u32>) {
        self.retain_so(conn, topic, expiry, b"kept");
    }

    fn retain_so(&mut self, conn: u32, topic: &str, expiry: Option<u32>, payload: &[u8]) {
        let publish = Publish {
            dup: false,
            qos: Qos::AtMostOnce,
            retain: true,
            topic: Text::try_from(topic).unwrap(),
            packet_id: None,
            properties: PublishProperties {
                message_expiry_interval: expiry,
                ..PublishProperties::default()
            },
            payload: Bytes::copy_from_slice(payload),
        };
        self.hear(conn, Packet::Publish(publish));
    }
}

/// [MQTT-3.3.1-9]: each delivery of a replay may let the client's other affairs go on; that must
/// not end the replay before its last message.
#[test]
fn a_replay_to_a_member_of_a_group_is_whole() {
    let mut node = Lone::new();
    node.connect(0, "writer", 0);
    for topic in ["r/1", "r/2", "r/3"] {
        node.retain(0, topic, None);
    }
    node.connect(1, "reader", 0);
    node.subscribe(1, "$share/group/elsewhere");
    node.subscribe(1, "r/#");
    // A node's own steps wait for the next turn.
    for _ in 0..4 {
        node.pass(Duration::ZERO);
    }
    let topics: Vec<_> =
        node.desk.delivered.iter().map(|outgoing| outgoing.message.topic.to_string()).collect();
    assert_eq!(topics.len(), 3, "{topics:?}");
    assert_eq!(node.shard.census().walks, 0);
}

/// The member for whom a message was meant is gone, and its slot belongs to a member of another group
/// of the same owner, whose answer is still on its way.
#[test]
fn a_slot_that_is_used_again_gets_no_message_of_another_group() {
    let mut node = Lone::of(2);
    let elsewhere = |filter: &String| node.shard.context.shard_of(filter) == 1;
    let mut filters = (0..100).map(|number| format!("$share/group-{number}/t"));
    let mut another = || filters.find(elsewhere).expect("half of them belong to the other shard");
    let (filter, secret) = (another(), another());
    node.connect(0, "newcomer", 0);
    node.subscribe(0, &filter);
    let message = Message {
        id: MessageId::NONE,
        topic: TopicName::try_from("secret").unwrap(),
        payload: Bytes::new(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("somebody").unwrap(),
    };
    let assign = |filter: &str| {
        Envelope::Assign(Box::new(Assignment {
            filter: Arc::from(filter),
            subscriber: SubscriberId(0),
            options: MemberOptions { qos: Qos::AtMostOnce, id: None, retain_as_published: false },
            message: Arc::new(message.clone()),
            tried: SmallVec::new(),
            tracked: false,
        }))
    };
    node.act(|shard, turn| shard.handle_envelope(turn, 1, assign(&secret)));
    assert!(node.desk.delivered.is_empty());
    assert!(matches!(node.desk.posted.last(), Some((1, Envelope::Return(_)))));
    node.act(|shard, turn| shard.handle_envelope(turn, 1, assign(&filter)));
    assert_eq!(node.desk.delivered.len(), 1, "its own group is joined already");
}

#[test]
fn a_client_that_comes_and_goes_leaves_no_deadlines_behind() {
    let mut node = Lone::new();
    for round in 0..1_000 {
        node.connect(round, "restless", 100_000);
        node.pass(Duration::from_secs(20));
        node.act(|shard, turn| shard.handle_lost(turn, ConnId(round)));
        node.pass(Duration::from_secs(20));
    }
    assert!(node.shard.census().deadlines < 100, "{:?}", node.shard.census());
    node.pass(Duration::from_secs(100_001));
    assert_eq!(node.shard.census().deadlines, 0);
    assert_eq!(node.shard.census().sessions, 0, "the session expired all the same");
}

#[test]
fn many_clients_that_come_and_end_leave_no_deadlines_behind() {
    let mut node = Lone::new();
    node.connect(0, "steady", 100_000);
    for round in 1..1_000 {
        node.connect(round, "fleeting", 0);
        node.act(|shard, turn| shard.handle_lost(turn, ConnId(round)));
    }
    assert!(node.shard.census().deadlines < 100, "{:?}", node.shard.census());
    assert_eq!(node.shard.counters().clients_connected.read(), 1);
}

#[test]
fn a_topic_that_is_written_often_has_few_deadlines() {
    let mut node = Lone::new();
    node.connect(0, "writer", 0);
    for _ in 0..1_000 {
        node.retain(0, "r/1", Some(1_000_000));
        node.pass(Duration::from_millis(1));
    }
    assert!(node.shard.census().retained_deadlines < 100, "{:?}", node.shard.census());
    node.retain(0, "r/2", Some(5));
    node.pass(Duration::from_secs(6));
    assert_eq!(node.shard.census().retained, 1, "only the short-lived one is gone");
    assert!(node.desk.posted.is_empty(), "a node of one shard talks to nobody");
}
