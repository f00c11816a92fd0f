use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use plexus_access::AllowAll;
use plexus_types::{Durability, PacketId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{
    Ack, Connect, ConnectProperties, Decoder, Limits, Packet, Publish, PublishProperties,
    Subscribe, SubscribeFilter, SubscriptionOptions, UserProperties, encode,
};

use crate::{ListenerOptions, Node, NodeOptions};

const VERSION: ProtocolVersion = ProtocolVersion::V5;
const PAIRS: u16 = 8;
const MESSAGES: u16 = 200;

struct Client {
    stream: TcpStream,
    decoder: Decoder,
    input: BytesMut,
}

impl Client {
    fn connect(address: SocketAddr, id: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let decoder = Decoder::client(VERSION, Limits::default());
        let mut client = Self { stream, decoder, input: BytesMut::new() };
        client.send(&Packet::Connect(Box::new(Connect {
            version: VERSION,
            bridge: false,
            clean_start: true,
            keep_alive: 0,
            client_id: Text::try_from(id).unwrap(),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        })));
        assert!(matches!(client.hear(), Packet::ConnAck(it) if it.reason == ReasonCode::Success));
        client
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        encode(packet, VERSION, &mut bytes).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    fn hear(&mut self) -> Packet {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.input).unwrap() {
                return packet;
            }
            let mut block = [0; 4_096];
            let count = self.stream.read(&mut block).unwrap();
            assert!(count > 0, "the node closed the connection");
            self.input.extend_from_slice(&block[..count]);
        }
    }

    fn subscribe(&mut self, filter: &str) {
        let options = SubscriptionOptions { qos: Qos::AtLeastOnce, ..Default::default() };
        self.send(&Packet::Subscribe(Box::new(Subscribe {
            packet_id: PacketId::MIN,
            subscription_id: None,
            user_properties: UserProperties::default(),
            filters: vec![SubscribeFilter { filter: Text::try_from(filter).unwrap(), options }],
        })));
        assert!(matches!(self.hear(), Packet::SubAck(_)));
    }

    fn publish(&mut self, topic: &str, number: u16) {
        self.send(&Packet::Publish(Publish {
            dup: false,
            qos: Qos::AtLeastOnce,
            retain: false,
            topic: Text::try_from(topic).unwrap(),
            packet_id: PacketId::new(number + 1),
            properties: PublishProperties::default(),
            payload: Bytes::copy_from_slice(&number.to_be_bytes()),
        }));
    }

    /// The next message is that one; it is acknowledged.
    fn take(&mut self, number: u16) {
        let Packet::Publish(publish) = self.hear() else { panic!("a message") };
        assert_eq!(publish.payload[..], number.to_be_bytes());
        let ack = Ack::new(publish.packet_id.unwrap(), ReasonCode::Success);
        self.send(&Packet::PubAck(ack));
    }
}

fn node(options: NodeOptions) -> (Node, SocketAddr) {
    let listener = ListenerOptions {
        connection_rate: None,
        meter: None,
        name: "tcp".to_owned(),
        net: plexus_net::ListenerOptions::new("tcp://127.0.0.1:0".parse().unwrap()),
        connections_max: 100,
        connect_timeout: Duration::from_mins(1),
        session: Arc::default(),
        policy: Arc::new(AllowAll),
        durability: Durability::Memory,
        tenant: None,
        server_names: Arc::default(),
    };
    let node = Node::start(options, vec![listener]).unwrap();
    let url = node.listeners().first().unwrap().to_string();
    (node, url.strip_prefix("tcp://").unwrap().parse().unwrap())
}

/// A pair in a thread of its own: each message is acknowledged to both before the next.
fn talk(address: SocketAddr, pair: u16) {
    let topic = format!("pair/{pair}");
    let mut subscriber = Client::connect(address, &format!("subscriber-{pair}"));
    let mut publisher = Client::connect(address, &format!("publisher-{pair}"));
    subscriber.subscribe(&topic);
    for number in 0..MESSAGES {
        publisher.publish(&topic, number);
        subscriber.take(number);
        assert!(matches!(publisher.hear(), Packet::PubAck(_)));
    }
}

/// Shards go from thread to thread all the time, and nobody notices.
#[test]
fn a_shard_may_be_handed_over_between_any_two_turns() {
    for shards in [1, 2, 5] {
        let options = NodeOptions { shards, restless: true, ..NodeOptions::default() };
        let (node, address) = node(options);
        thread::scope(|scope| {
            for pair in 0..PAIRS {
                scope.spawn(move || talk(address, pair));
            }
        });
        node.shut_down(Duration::from_secs(5));
    }
}
