//! Tenants of one node against nodes of their own: what is written to each client is the same, byte by byte.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use plexus_access::{AllowAll, Credentials, Policy};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_stdx::Seed;
use plexus_store::Batch;
use plexus_types::{
    Durability, Instant, MessageProperties, PacketId, ProtocolVersion, Qos, ReasonCode, TenantName,
    Text, TopicName,
};
use plexus_wire::{
    Connect, ConnectProperties, Disconnect, Packet, Publish, PublishProperties, Subscribe,
    SubscribeFilter, SubscriptionOptions, Unsubscribe, UserProperties, Will,
};
use proptest::prelude::*;

use crate::{
    NodeOptions, TenantOptions,
    envelope::Envelope,
    ports::{Arrival, ConnId, Door, Fetch, Ports, Query, Ticket, Turn},
    shard::{Context, Shard},
};

/// The worlds of the node: no tenant and two, one of whose names begins with the other.
const WORLDS: [&str; 3] = ["", "acme", "acme-2"];
const CLIENTS: [&str; 3] = ["r1", "r2", "acme/r1"];
const TOPICS: [&str; 7] = ["a", "a/b", "b", "$x/a", "/", "acme/a", "a/long-enough"];
const FILTERS: [&str; 11] = [
    "#",
    "+",
    "+/#",
    "a/#",
    "a/+",
    "$x/#",
    "$SYS/#",
    "acme/#",
    "$share/g/#",
    "$share/g/a/+",
    "$share/g/$x/a",
];

/// What is written to each connection.
#[derive(Default)]
struct Wires {
    written: BTreeMap<u32, Vec<Vec<u8>>>,
    closed: Vec<u32>,
}

impl Wires {
    fn write(&mut self, conn: ConnId, bytes: &BytesMut) {
        self.written.entry(conn.0).or_default().push(bytes.to_vec());
    }
}

impl Ports for Wires {
    fn send(&mut self, conn: ConnId, packet: &Packet, version: ProtocolVersion) {
        let mut bytes = BytesMut::new();
        plexus_wire::encode(packet, version, &mut bytes).unwrap();
        self.write(conn, &bytes);
    }
    fn deliver(&mut self, conn: ConnId, outgoing: &Outgoing, version: ProtocolVersion) {
        let mut bytes = BytesMut::new();
        plexus_wire::encode_publish(&outgoing.head(), &outgoing.message, version, &mut bytes);
        self.write(conn, &bytes);
    }
    fn backlog(&self, _: ConnId) -> usize {
        0
    }
    fn close(&mut self, conn: ConnId, _: CloseReason) {
        self.closed.push(conn.0);
    }
    fn resume(&mut self, _: ConnId) {}
    fn forward(&mut self, _: u16, _: Envelope) {}
    fn commit(&mut self, _: Batch, _: LogPosition) {}
    fn fetch(&mut self, _: Fetch) {}
    fn verify(&mut self, _: Ticket, _: Arc<dyn Policy>, _: Credentials) -> bool {
        false
    }
    fn ask(&mut self, _: Query, _: Arc<dyn Policy>, _: Credentials) -> bool {
        false
    }
}

struct World {
    context: Arc<Context>,
    shard: Shard,
    wires: Wires,
    now: Instant,
    /// The newest connection of each client.
    conns: BTreeMap<(usize, usize), u32>,
}

#[derive(Debug, Clone)]
enum Deed {
    Connect { clean: bool, expiry: u32, will: Option<(usize, bool, u32)>, size: Option<u32> },
    Publish { topic: usize, qos: Qos, retain: bool, empty: bool },
    Subscribe { filter: usize, qos: Qos, no_local: bool },
    Unsubscribe { filter: usize },
    Lose,
    Leave,
    Wait,
}

/// Of which world, of which client, what.
type Step = (usize, usize, Deed);

impl World {
    fn new(tenants: &[&str]) -> Self {
        let tenants = tenants.iter().filter(|name| !name.is_empty());
        let tenants = tenants.map(|name| TenantOptions::new(TenantName::try_from(*name).unwrap()));
        let options = NodeOptions {
            sys_interval: None,
            tenants: tenants.collect(),
            ..NodeOptions::default()
        };
        let now = Instant::from_secs(1);
        let context = Context::new(options, Seed::new(1));
        let shard = Shard::new(now, 0, Arc::clone(&context));
        Self { context, shard, wires: Wires::default(), now, conns: BTreeMap::new() }
    }

    fn act(&mut self, act: impl FnOnce(&mut Shard, &mut Turn<'_>)) {
        let mut turn = Turn { now: self.now, ports: &mut self.wires };
        act(&mut self.shard, &mut turn);
    }

    fn hear(&mut self, conn: u32, packet: Packet) {
        self.act(|shard, turn| shard.handle_packet(turn, ConnId(conn), Ok(packet)));
    }

    /// The step, of a client of that tenant.
    fn take(&mut self, number: u32, (world, client, deed): &Step, tenant: &str) {
        let key = (*world, *client);
        if let Deed::Connect { clean, expiry, will, size } = deed {
            self.conns.insert(key, number);
            let arrival = arrival(CLIENTS[*client], tenant, (*clean, *expiry, *will, *size));
            self.act(|shard, turn| shard.handle_arrival(turn, ConnId(number), arrival));
            return;
        }
        let Some(conn) = self.conns.get(&key).copied() else { return };
        match deed {
            Deed::Connect { .. } | Deed::Wait => {}
            Deed::Publish { topic, qos, retain, empty } => {
                let payload = if *empty { String::new() } else { format!("{world}/{number}") };
                let publish = Publish {
                    dup: false,
                    qos: *qos,
                    retain: *retain,
                    topic: Text::try_from(TOPICS[*topic]).unwrap(),
                    packet_id: (*qos != Qos::AtMostOnce)
                        .then(|| PacketId::new(number as u16 + 1).unwrap()),
                    properties: PublishProperties::default(),
                    payload: Bytes::from(payload),
                };
                self.hear(conn, Packet::Publish(publish));
            }
            Deed::Subscribe { filter, qos, no_local } => {
                let no_local = *no_local && !FILTERS[*filter].starts_with("$share/");
                let options = SubscriptionOptions { qos: *qos, no_local, ..Default::default() };
                let filter = Text::try_from(FILTERS[*filter]).unwrap();
                let subscribe = Subscribe {
                    packet_id: PacketId::MIN,
                    subscription_id: Some(number + 1),
                    user_properties: UserProperties::default(),
                    filters: vec![SubscribeFilter { filter, options }],
                };
                self.hear(conn, Packet::Subscribe(Box::new(subscribe)));
            }
            Deed::Unsubscribe { filter } => {
                let unsubscribe = Unsubscribe {
                    packet_id: PacketId::MIN,
                    user_properties: UserProperties::default(),
                    filters: vec![Text::try_from(FILTERS[*filter]).unwrap()],
                };
                self.hear(conn, Packet::Unsubscribe(Box::new(unsubscribe)));
            }
            Deed::Lose => self.act(|shard, turn| shard.handle_lost(turn, ConnId(conn))),
            Deed::Leave => {
                self.hear(conn, Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::Success))));
            }
        }
    }

    /// What follows in the next turns, and what was written since.
    fn settle(&mut self, time: Duration) -> BTreeMap<u32, Vec<Vec<u8>>> {
        self.now = self.now + time;
        for _ in 0..4 {
            self.act(Shard::handle_timeout);
        }
        let mut written = std::mem::take(&mut self.wires.written);
        // Retained messages come in no order that is promised.
        for packets in written.values_mut() {
            packets.sort();
        }
        written
    }
}

type Manner = (bool, u32, Option<(usize, bool, u32)>, Option<u32>);

fn arrival(client: &str, tenant: &str, (clean_start, expiry, will, size): Manner) -> Arrival {
    let will = will.map(|(topic, retain, delay_interval)| Will {
        topic: TopicName::try_from(TOPICS[topic]).unwrap(),
        payload: Bytes::from_static(b"gone"),
        qos: Qos::AtLeastOnce,
        retain,
        delay_interval,
        message_expiry_interval: None,
        properties: MessageProperties::default(),
    });
    let properties = ConnectProperties {
        session_expiry_interval: expiry,
        maximum_packet_size: size,
        topic_alias_maximum: 5,
        request_response_information: true,
        ..ConnectProperties::default()
    };
    let connect = Connect {
        version: ProtocolVersion::V5,
        bridge: false,
        clean_start,
        keep_alive: 0,
        client_id: Text::try_from(client).unwrap(),
        will,
        user_name: None,
        password: None,
        properties,
    };
    let door = Door {
        meter: None,
        name: Arc::from("test"),
        options: Arc::default(),
        policy: Arc::new(AllowAll),
        durability: Durability::Memory,
        tenant: TenantName::try_from(tenant).ok(),
    };
    Arrival {
        connect: Box::new(connect),
        assigned: None,
        door: Arc::new(door),
        peer: None,
        certificate: None,
        named: None,
    }
}

fn qos() -> impl Strategy<Value = Qos> {
    prop::sample::select(vec![Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce])
}

fn deed() -> impl Strategy<Value = Deed> {
    let (topic, filter) = (0..TOPICS.len(), 0..FILTERS.len());
    let will = prop::option::of((topic.clone(), any::<bool>(), 0..2_u32));
    // Some of the messages are larger than that.
    let size = prop::option::weighted(0.3, 18..40_u32);
    prop_oneof![
        2 => (any::<bool>(), prop::sample::select(vec![0, 60]), will, size)
            .prop_map(|(clean, expiry, will, size)| Deed::Connect { clean, expiry, will, size }),
        5 => (topic, qos(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(topic, qos, retain, empty)| Deed::Publish { topic, qos, retain, empty }),
        4 => (filter.clone(), qos(), any::<bool>())
            .prop_map(|(filter, qos, no_local)| Deed::Subscribe { filter, qos, no_local }),
        1 => filter.prop_map(|filter| Deed::Unsubscribe { filter }),
        1 => Just(Deed::Lose),
        1 => Just(Deed::Leave),
        1 => Just(Deed::Wait),
    ]
}

/// Everybody is there at the beginning.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..WORLDS.len(), 0..CLIENTS.len(), deed());
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let connect = Deed::Connect { clean: false, expiry: 60, will: None, size: None };
        let clients = (0..WORLDS.len() * CLIENTS.len()).map(|at| (at % 3, at / 3, connect.clone()));
        clients.chain(steps).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_tenant_is_as_a_node_of_its_own(steps in steps()) {
        let mut together = World::new(&WORLDS);
        let mut alone = WORLDS.map(|_| World::new(&[]));
        for (number, step) in (0..).zip(&steps) {
            let (world, _, deed) = step;
            together.take(number, step, WORLDS[*world]);
            alone[*world].take(number, step, "");
            let time = Duration::from_secs(u64::from(matches!(deed, Deed::Wait)));
            let written = together.settle(time);
            let mut theirs = BTreeMap::new();
            for world in &mut alone {
                theirs.append(&mut world.settle(time));
            }
            prop_assert_eq!(written, theirs, "step {}: {:?}", number, step);
            let closed = alone.iter_mut().flat_map(|world| std::mem::take(&mut world.wires.closed));
            prop_assert_eq!(std::mem::take(&mut together.wires.closed), closed.collect::<Vec<_>>());
        }
        let census = together.shard.census();
        let all = |of: fn(&World) -> usize| alone.iter().map(of).sum::<usize>();
        prop_assert_eq!(census.sessions, all(|world| world.shard.census().sessions));
        prop_assert_eq!(census.subscriptions, all(|world| world.shard.census().subscriptions));
        prop_assert_eq!(census.retained, all(|world| world.shard.census().retained));
        for (world, name) in alone.iter().zip(WORLDS) {
            let Some(tenant) = together.context.tenants.get(name) else { continue };
            let (counted, own) = (tenant.counters(0), world.shard.counters());
            let theirs = [
                own.clients_connected.read(), own.sessions.read(), own.subscriptions.read(),
                own.retained.read(), own.messages_received.read(), own.messages_sent.read(),
                own.messages_unmatched.read(), own.dropped_too_large.read(),
                own.dropped_offline.read(), own.dropped_session_ended.read(),
            ];
            prop_assert_eq!([
                counted.clients_connected.read(), counted.sessions.read(),
                counted.subscriptions.read(), counted.retained.read(),
                counted.messages_received.read(), counted.messages_sent.read(),
                counted.messages_unmatched.read(), counted.dropped_too_large.read(),
                counted.dropped_offline.read(), counted.dropped_session_ended.read(),
            ], theirs, "what is counted of {}", name);
        }
    }
}
