//! Who is kept out, how he is told, and that nothing of those who are let in is lost.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use plexus_types::{PacketId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{
    Connect, ConnectProperties, Decoder, Limits, Packet, Publish, PublishProperties, Subscribe,
    SubscribeFilter, SubscriptionOptions, Unsubscribe, UserProperties, encode,
};

use crate::program::{Node, Place, run};

/// How long a step may take before the test gives up on it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of 5.0 that does what the test says, packet by packet.
struct Client {
    stream: TcpStream,
    decoder: Decoder,
    input: BytesMut,
}

impl Client {
    fn open(node: &Node) -> Self {
        Self::from(node, "127.0.0.1")
    }

    /// From another address of this machine.
    fn from(node: &Node, address: &str) -> Self {
        let own = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let own = own.expect("a socket");
        let at = format!("{address}:0").parse::<SocketAddr>().expect("an address");
        own.bind(&at.into()).expect("an address of this machine");
        let listener = node.urls.first().expect("a listener").trim_start_matches("tcp://");
        let listener = listener.parse::<SocketAddr>().expect("an address");
        own.connect(&listener.into()).expect("somebody listens");
        let stream = TcpStream::from(own);
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let decoder = Decoder::client(ProtocolVersion::V5, Limits::default());
        Self { stream, decoder, input: BytesMut::new() }
    }

    fn send(&mut self, packet: &Packet) {
        let mut bytes = BytesMut::new();
        encode(packet, ProtocolVersion::V5, &mut bytes).expect("a packet of the version");
        // The node may have closed the connection: what is read next says so.
        drop(self.stream.write_all(&bytes));
    }

    /// The next packet; none at the end.
    fn next(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.input).expect("a packet") {
                return Some(packet);
            }
            let mut block = [0; 4_096];
            match self.stream.read(&mut block) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(block.get(..count).expect("a part")),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    fn says(&mut self, id: &str, user: Option<(&str, &str)>) {
        self.says_within(0, id, user);
    }

    /// CONNECT with that keep-alive in seconds.
    fn says_within(&mut self, keep_alive: u16, id: &str, user: Option<(&str, &str)>) {
        let text = |text: &str| Text::try_from(text).expect("text");
        self.send(&Packet::Connect(Box::new(Connect {
            version: ProtocolVersion::V5,
            bridge: false,
            clean_start: true,
            keep_alive,
            client_id: text(id),
            will: None,
            user_name: user.map(|(name, _)| text(name)),
            password: user.map(|(_, password)| Bytes::copy_from_slice(password.as_bytes())),
            properties: ConnectProperties::default(),
        })));
    }

    /// What CONNACK says; none if the connection was closed without it.
    fn is_told(&mut self) -> Option<ReasonCode> {
        match self.next() {
            Some(Packet::ConnAck(connack)) => Some(connack.reason),
            None => None,
            Some(other) => panic!("no CONNACK but {other:?}"),
        }
    }

    fn connects(&mut self, id: &str, user: Option<(&str, &str)>) -> Option<ReasonCode> {
        self.says(id, user);
        self.is_told()
    }

    fn subscribes(&mut self, filter: &str) {
        assert_eq!(self.subscribed(filter), ReasonCode::Success);
    }

    /// What SUBACK says.
    fn subscribed(&mut self, filter: &str) -> ReasonCode {
        let filter = Text::try_from(filter).expect("text");
        let filters = vec![SubscribeFilter { filter, options: SubscriptionOptions::default() }];
        self.send(&Packet::Subscribe(Box::new(Subscribe {
            packet_id: PacketId::MIN,
            subscription_id: None,
            user_properties: UserProperties::default(),
            filters,
        })));
        match self.next() {
            Some(Packet::SubAck(said)) => *said.reasons.first().expect("a reason"),
            said => panic!("{said:?}"),
        }
    }

    fn unsubscribes(&mut self, filter: &str) {
        self.send(&Packet::Unsubscribe(Box::new(Unsubscribe {
            packet_id: PacketId::MIN,
            user_properties: UserProperties::default(),
            filters: vec![Text::try_from(filter).expect("text")],
        })));
        let said = self.next();
        assert!(matches!(said, Some(Packet::UnsubAck(_))), "{said:?}");
    }

    /// Whether that many messages are acknowledged.
    fn publishes(&mut self, count: u16) {
        for number in 1..=count {
            self.publish(number, Qos::AtLeastOnce);
            let said = self.next();
            assert!(matches!(said, Some(Packet::PubAck(_))), "{said:?}");
        }
    }

    /// Whether nothing has come.
    fn is_silent(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("set");
        let said = self.stream.read(&mut [0; 1]);
        said.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn publish(&mut self, number: u16, qos: Qos) {
        self.send(&Packet::Publish(Publish {
            dup: false,
            qos,
            retain: false,
            topic: Text::try_from("t").expect("a topic"),
            packet_id: PacketId::new(number).filter(|_| qos != Qos::AtMostOnce),
            properties: PublishProperties::default(),
            payload: Bytes::from(number.to_string()),
        }));
    }

    /// The payload of the next message.
    fn payload(&mut self) -> String {
        match self.next() {
            Some(Packet::Publish(publish)) => {
                String::from_utf8(publish.payload.to_vec()).expect("text")
            }
            other => panic!("no PUBLISH but {other:?}"),
        }
    }
}

fn node(text: &str) -> (Place, Node) {
    let place = Place::new();
    place.write("plexus.toml", &[text, "\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n"].concat());
    let node = Node::start(&place, &[]);
    (place, node)
}

const SUCCESS: Option<ReasonCode> = Some(ReasonCode::Success);
const BANNED: Option<ReasonCode> = Some(ReasonCode::Banned);
const QUOTA: Option<ReasonCode> = Some(ReasonCode::QuotaExceeded);
const RATE: Option<ReasonCode> = Some(ReasonCode::ConnectionRateExceeded);

#[test]
fn who_is_banned_is_told_and_a_banned_address_is_not_answered() {
    let (_place, node) = node(
        "[[access.ban]]\nclient = \"stolen-*\"\n[[access.ban]]\nuser = \"ann\"\n\
         [[access.ban]]\nnetwork = \"127.0.0.2\"\n\
         [[access.ban]]\nclient = \"old\"\nuntil = \"2020-01-01\"\n",
    );
    assert_eq!(Client::open(&node).connects("stolen-7", None), BANNED);
    assert_eq!(Client::open(&node).connects("a", Some(("ann", "x"))), BANNED);
    assert_eq!(Client::from(&node, "127.0.0.2").connects("b", None), None);
    assert_eq!(Client::open(&node).connects("old", Some(("bob", "x"))), SUCCESS);
}

#[test]
fn a_new_ban_disconnects_whom_it_meets_until_it_is_taken_back() {
    let (place, mut node) = node("");
    let (mut robot, mut other) = (Client::open(&node), Client::open(&node));
    assert_eq!((robot.connects("robot", None), other.connects("other", None)), (SUCCESS, SUCCESS));
    let before = place.read("plexus.toml");
    place.write("plexus.toml", &["[[access.ban]]\nclient = \"robot\"\n", &before].concat());
    let told = node.reload();
    assert!(told.contains("read anew: 1 ban, log level info"), "{told}");
    let said = robot.next();
    let Some(Packet::Disconnect(disconnect)) = &said else { panic!("no DISCONNECT but {said:?}") };
    assert_eq!(disconnect.reason, ReasonCode::NotAuthorized);
    assert_eq!(robot.next(), None);
    assert_eq!(Client::open(&node).connects("robot", None), BANNED);
    other.send(&Packet::PingReq);
    assert_eq!(other.next(), Some(Packet::PingResp));
    place.write("plexus.toml", &before);
    node.reload();
    assert_eq!(Client::open(&node).connects("robot", None), SUCCESS);
    let ended = node.stop();
    assert!(!ended.stderr.contains("wait for the next start"), "{ended:?}");
}

/// A node that knows alice and bob, and where two wrong passwords are free.
fn node_with_users() -> (Place, Node) {
    let place = Place::new();
    for user in ["alice", "bob"] {
        run(&mut place.plexus(["passwd", "users", user]), b"right").ok();
    }
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n\
         [access.lockout]\nfailures = \"2/1h\"\nfirst = \"1h\"\nlongest = \"1h\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let node = Node::start(&place, &[]);
    (place, node)
}

#[test]
fn failed_log_ins_lock_out_that_user_from_that_address() {
    let (_place, node) = node_with_users();
    let log_in = |address: &str, user: &str, password: &str| {
        Client::from(&node, address).connects("", Some((user, password)))
    };
    let wrong = Some(ReasonCode::BadUserNameOrPassword);
    for _ in 0..3 {
        assert_eq!(log_in("127.0.0.1", "alice", "wrong"), wrong);
    }
    assert_eq!(log_in("127.0.0.1", "alice", "right"), RATE, "nobody looks at it any more");
    assert_eq!(log_in("127.0.0.1", "bob", "right"), SUCCESS, "another user from there");
    assert_eq!(log_in("127.0.0.2", "alice", "right"), SUCCESS, "that user from elsewhere");
}

#[test]
fn many_wrong_passwords_at_once_are_judged_a_few_at_a_time() {
    let (_place, node) = node_with_users();
    let mut clients: Vec<_> = (0..20).map(|_| Client::open(&node)).collect();
    for client in &mut clients {
        client.says("", Some(("alice", "wrong")));
    }
    let answers: Vec<_> = clients.iter_mut().map(Client::is_told).collect();
    let wrong = |answer: &&Option<ReasonCode>| **answer == Some(ReasonCode::BadUserNameOrPassword);
    let judged = answers.iter().filter(wrong).count();
    // Three are free, and as many may be under way when the last of them is found wrong.
    assert!((3..=6).contains(&judged), "{answers:?}");
    let locked = answers.iter().filter(|answer| **answer == RATE).count();
    assert_eq!(judged + locked, 20, "{answers:?}");
}

#[test]
fn a_client_that_flaps_stays_out() {
    let (_place, node) = node("[access.flapping]\nconnects = \"3/h\"\n");
    for _ in 0..3 {
        assert_eq!(Client::open(&node).connects("a", None), SUCCESS);
    }
    assert_eq!(Client::open(&node).connects("a", None), BANNED, "once too often");
    assert_eq!(Client::open(&node).connects("a", None), BANNED);
    assert_eq!(Client::open(&node).connects("b", None), SUCCESS);
    assert_eq!(Client::from(&node, "127.0.0.2").connects("a", None), SUCCESS);
}

#[test]
fn an_address_has_so_many_connections_until_one_ends() {
    let (_place, node) = node("[limits]\nmax_connections_per_address = 2\n");
    let (mut first, mut second) = (Client::open(&node), Client::open(&node));
    assert_eq!((first.connects("a", None), second.connects("b", None)), (SUCCESS, SUCCESS));
    assert_eq!(Client::open(&node).connects("c", None), QUOTA);
    assert_eq!(Client::from(&node, "127.0.0.2").connects("d", None), SUCCESS);
    first.send(&Packet::PingReq);
    assert_eq!(first.next(), Some(Packet::PingResp), "who is in stays");
    drop(first);
    let again = std::iter::repeat_with(|| Client::open(&node).connects("e", None)).take(10_000);
    assert_eq!(again.into_iter().find(|answer| *answer != QUOTA), Some(SUCCESS));
}

#[test]
fn a_user_has_so_many_connections_and_takes_over_his_own() {
    let (_place, node) = node("[limits]\nmax_connections_per_user = 1\n");
    let ann = Some(("ann", "x"));
    let (mut first, mut again) = (Client::open(&node), Client::open(&node));
    assert_eq!(first.connects("a", ann), SUCCESS);
    assert_eq!(Client::open(&node).connects("b", ann), QUOTA);
    assert_eq!(again.connects("a", ann), SUCCESS, "the same client takes its own place");
    assert_eq!(Client::open(&node).connects("b", ann), QUOTA);
    assert_eq!(Client::open(&node).connects("c", Some(("bob", "x"))), SUCCESS);
    assert_eq!(Client::open(&node).connects("d", None), SUCCESS);
}

#[test]
fn who_comes_too_often_is_told_so() {
    let (_place, node) = node("[limits]\nmax_connection_rate_per_address = \"2/h\"\n");
    assert_eq!(Client::open(&node).connects("a", None), SUCCESS);
    assert_eq!(Client::open(&node).connects("b", None), SUCCESS);
    assert_eq!(Client::open(&node).connects("c", None), RATE);
    assert_eq!(Client::from(&node, "127.0.0.2").connects("d", None), SUCCESS);
}

#[test]
fn a_node_and_a_listener_have_rates_of_their_own() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[limits]\nmax_connection_rate = \"3/h\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nmax_connection_rate = \"2/h\"\n\
         [[listener]]\nname = \"other\"\nurl = \"tcp://127.0.0.1:0\"\n",
    );
    let mut node = Node::start(&place, &[]);
    let answers: Vec<_> = (0..5).map(|_| Client::open(&node).connects("", None)).collect();
    assert_eq!(answers, [SUCCESS, SUCCESS, RATE, RATE, RATE]);
    node.urls.remove(0);
    let answers: Vec<_> = (0..3).map(|_| Client::open(&node).connects("", None)).collect();
    assert_eq!(answers, [SUCCESS, RATE, RATE], "what the listener refused took nothing");
}

#[test]
fn those_who_say_nothing_make_room_for_who_comes_from_elsewhere() {
    let (_place, node) = node("[limits]\nmax_handshakes = 3\n");
    let mut silent: Vec<_> = (0..3).map(|_| Client::open(&node)).collect();
    assert_eq!(Client::open(&node).next(), None, "one more from there is too many");
    let mut other = Client::from(&node, "127.0.0.2");
    assert_eq!(other.connects("a", None), SUCCESS);
    assert_eq!(silent.remove(0).next(), None, "who has been silent for longest");
    assert_eq!(silent.remove(0).connects("b", None), SUCCESS, "the others stay");
}

#[test]
fn an_address_has_so_many_handshakes() {
    let (_place, node) = node("[limits]\nmax_handshakes_per_address = 2\n");
    let mut silent: Vec<_> = (0..2).map(|_| Client::open(&node)).collect();
    assert_eq!(Client::open(&node).next(), None);
    assert_eq!(Client::from(&node, "127.0.0.2").connects("a", None), SUCCESS);
    assert_eq!(silent.remove(0).connects("b", None), SUCCESS);
    assert_eq!(Client::open(&node).connects("c", None), SUCCESS);
}

#[test]
fn half_a_connect_of_many_bytes_does_not_keep_small_ones_out() {
    let (_place, node) = node("[limits]\nmax_handshake_bytes = \"100KiB\"\n");
    let half = [&[0x10, 0xC0, 0xD4, 0x12, 0, 4][..], b"MQTT\x05\x00", &vec![0; 60_000]].concat();
    let mut first = Client::open(&node);
    first.stream.write_all(&half).unwrap();
    let mut second = Client::open(&node);
    drop(second.stream.write_all(&half));
    assert_eq!(second.next(), None, "both are more than is allowed");
    assert_eq!(Client::open(&node).connects("a", None), SUCCESS);
}

#[test]
fn behind_a_proxy_the_client_is_meant() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[limits]\nmax_connections_per_address = 1\n[[access.ban]]\nnetwork = \"192.0.2.0/24\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nproxy_protocol = \"required\"\n",
    );
    let node = Node::start(&place, &[]);
    let through = |client: &str| {
        let mut proxy = Client::open(&node);
        let header = format!("PROXY TCP4 {client} 198.51.100.1 5000 1883\r\n");
        proxy.stream.write_all(header.as_bytes()).unwrap();
        proxy
    };
    assert_eq!(through("192.0.2.7").connects("a", None), None, "banned");
    let mut held = through("203.0.113.1");
    assert_eq!(held.connects("b", None), SUCCESS);
    assert_eq!(through("203.0.113.1").connects("c", None), QUOTA);
    assert_eq!(through("203.0.113.2").connects("d", None), SUCCESS);
}

#[test]
fn who_publishes_more_than_his_rate_is_slowed_and_loses_nothing() {
    for limit in ["max_message_rate = \"20/s\"", "max_total_byte_rate = \"200B/s\""] {
        let text = ["[sys]\ninterval = \"1s\"\n[limits]\n", limit, "\n"].concat();
        let (_place, node) = node(&text);
        let mut watcher = Client::open(&node);
        assert_eq!(watcher.connects("watcher", None), SUCCESS);
        watcher.subscribes("$SYS/brokers/plexus/metrics/clients/paced");
        let mut subscriber = Client::open(&node);
        assert_eq!(subscriber.connects("subscriber", None), SUCCESS);
        subscriber.subscribes("t");
        let mut publisher = Client::open(&node);
        assert_eq!(publisher.connects("publisher", None), SUCCESS);
        for number in 1..=40 {
            publisher
                .publish(number, if number % 2 == 0 { Qos::AtMostOnce } else { Qos::AtLeastOnce });
        }
        for number in 1..=40 {
            assert_eq!(subscriber.payload(), number.to_string(), "{limit}");
        }
        while watcher.payload() == "0" {}
    }
}

#[test]
fn users_and_addresses_have_rates_that_their_clients_share() {
    for (limit, by_user) in [("per_user", true), ("per_address", false)] {
        let (_place, node) = node(&format!("[limits]\nmax_message_rate_{limit} = \"2/10m\"\n"));
        let come = |id: &str, user: &str, address: &str| {
            let mut client = Client::from(&node, address);
            assert_eq!(client.connects(id, Some((user, "x"))), SUCCESS);
            client
        };
        let (user, address) = if by_user { ("ann", "127.0.0.2") } else { ("bob", "127.0.0.1") };
        let mut first = come("a", "ann", "127.0.0.1");
        first.publishes(2);
        drop(first);
        // Nobody gets more by coming anew, or by another identifier.
        let mut again = come("b", user, address);
        again.publishes(1);
        again.publish(2, Qos::AtLeastOnce);
        let (user, address) = if by_user { ("bob", "127.0.0.1") } else { ("ann", "127.0.0.2") };
        come("c", user, address).publishes(2);
        assert!(again.is_silent(), "{limit}");
    }
}

#[test]
fn subscriptions_are_limited_by_all_who_have_them() {
    let told = [ReasonCode::Success, ReasonCode::QuotaExceeded];
    for (limits, listener, other) in [
        ("max_subscriptions_per_user = 2", "", Some(("bob", "127.0.0.1"))),
        ("max_subscriptions_per_address = 2", "", Some(("ann", "127.0.0.2"))),
        ("max_total_subscriptions = 2", "", None),
        ("", "max_total_subscriptions = 2", None),
    ] {
        let place = Place::new();
        let text =
            format!("[limits]\n{limits}\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n{listener}\n");
        place.write("plexus.toml", &text);
        let node = Node::start(&place, &["--set", "node.shards=2"]);
        let come = |id: &str, user: &str, address: &str| {
            let mut client = Client::from(&node, address);
            assert_eq!(client.connects(id, Some((user, "x"))), SUCCESS);
            client
        };
        let mut first = come("a", "ann", "127.0.0.1");
        first.subscribes("a");
        first.subscribes("$share/g/b");
        first.subscribes("a");
        assert_eq!(first.subscribed("c"), told[1], "{text}");
        let mut second = come("b", "ann", "127.0.0.1");
        assert_eq!(second.subscribed("a"), told[1], "{text}");
        first.unsubscribes("$share/g/b");
        second.subscribes("a");
        assert_eq!(second.subscribed("b"), told[1], "{text}");
        if let Some((user, address)) = other {
            come("c", user, address).subscribes("a");
        }
        // What ends leaves room; `a` is of a session that ends with its connection.
        drop(first);
        let mut tries = std::iter::repeat_with(|| second.subscribed("b"));
        assert_eq!(tries.find(|said| *said != told[1]), Some(told[0]), "{text}");
    }
}

#[test]
fn who_waits_for_his_rate_counts_as_alive() {
    let (_place, node) = node("[limits]\nmax_message_rate = \"1/2s\"\n");
    let mut publisher = Client::open(&node);
    publisher.says_within(1, "publisher", None);
    assert_eq!(publisher.is_told(), SUCCESS);
    for number in 1..=3 {
        publisher.publish(number, Qos::AtLeastOnce);
    }
    // Longer than one and a half times the keep-alive passes between two of them.
    for _ in 1..=3 {
        let said = publisher.next();
        assert!(matches!(said, Some(Packet::PubAck(_))), "{said:?}");
    }
}

#[test]
fn what_was_refused_is_counted_by_fence() {
    let (_place, node) =
        node("[sys]\ninterval = \"1s\"\n[[access.ban]]\nclient = \"stolen\"\nreason = \"lost\"\n");
    let mut watcher = Client::open(&node);
    assert_eq!(watcher.connects("watcher", None), SUCCESS);
    watcher.subscribes("$SYS/brokers/plexus/metrics/connections/refused/banned");
    assert_eq!(Client::open(&node).connects("stolen", None), BANNED);
    let told = std::iter::repeat_with(|| watcher.payload()).find(|count| count != "0");
    assert_eq!(told.as_deref(), Some("1"));
    let ended = node.stop();
    assert!(ended.stderr.contains("\"fence\":\"banned\",\"client\":\"stolen\""), "{ended:?}");
}
