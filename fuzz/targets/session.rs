//! What a client and the node may do to a session, in any order: packets as bytes, deliveries, time, lost connections,
//! new ones, and what the log says.
//!
//! ```text
//! byte 0   bits 0–1 version, bit 2 the session is kept in a log, bit 3 everything is refused,
//!          bit 4 small limits
//! then     steps, each a byte with what it needs behind it (see `step`)
//! ```
//!
//! What has to hold: no panic; everything that is sent can be written; no deadline lies in the past; once a session is
//! connected, no more is under way than its window allows; what the log gives back is the session.

#![no_main]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use plexus_session::{
    Action, Admitted, Change, Decision, Delivery, Image, LogPosition, Options, Outbox, Output,
    Routed, Session,
};
use plexus_testkit::build;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, ProtocolVersion, Qos,
    ReasonCode, TopicName,
};
use plexus_wire::{Connect, Decoder, Limits, Packet, Will, encode, encode_publish};

fuzz_target!(|input: &[u8]| {
    let Some((mode, steps)) = input.split_first() else { return };
    let mut node = Node::new(*mode);
    let mut steps = steps.iter().copied();
    node.connect(0);
    while let Some(step) = steps.next() {
        node.step(step, &mut steps);
    }
    node.advance(100_000);
});

fn will(how: u8) -> Will {
    Will {
        topic: TopicName::try_from("will").expect("valid"),
        payload: Bytes::from_static(b"gone"),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay_interval: if how & 16 != 0 { 20 } else { 0 },
        message_expiry_interval: None,
        properties: MessageProperties::default(),
    }
}

/// The shell of one client.
struct Node {
    now: Instant,
    options: Arc<Options>,
    version: ProtocolVersion,
    verdict: Result<(), ReasonCode>,
    session: Option<Session>,
    decoder: Decoder,
    input: BytesMut,
    out: Outbox,
    work: VecDeque<Output>,
    image: Option<Box<Image>>,
    stored: BTreeMap<MessageId, Arc<Message>>,
    messages: u64,
    /// Whether there have been messages of which the log knows nothing.
    forgets: bool,
}

impl Node {
    fn new(mode: u8) -> Self {
        let version = build::VERSIONS[usize::from(mode & 0b11) % build::VERSIONS.len()];
        let small = mode & 0b1_0000 != 0;
        let mut options = Options { durable: mode & 0b100 != 0, ..Options::default() };
        if small {
            options.queue_messages_max = 3;
            options.inflight_max = 2;
            options.receive_maximum = 2;
            options.subscriptions_max = 2;
            options.queue_seconds_max = 100;
        }
        Self {
            now: Instant::from_secs(1_000),
            options: Arc::new(options),
            version,
            verdict: if mode & 0b1000 == 0 { Ok(()) } else { Err(ReasonCode::NotAuthorized) },
            session: None,
            decoder: Decoder::server(Limits::default()),
            input: BytesMut::new(),
            out: Outbox::new(),
            work: VecDeque::new(),
            image: None,
            stored: BTreeMap::new(),
            messages: 0,
            forgets: false,
        }
    }

    fn step(&mut self, step: u8, more: &mut impl Iterator<Item = u8>) {
        let mut next = || more.next().unwrap_or_default();
        match step & 0b111 {
            0..=2 => {
                let length = usize::from(next() & 0x3F);
                let bytes: Vec<u8> = more.take(length).collect();
                self.read(&bytes);
            }
            3 => self.deliver(next(), next()),
            4 => self.advance(1 << (next() % 18)),
            5 => self.act(|session, now, out| session.handle_connection_lost(now, out)),
            6 => self.connect(next()),
            _ => {
                let congested = step & 0b1000 != 0;
                self.act(|session, now, out| session.handle_congestion(now, congested, out));
            }
        }
    }

    /// Another connection, with a clean start or without, with a Will or without.
    fn connect(&mut self, how: u8) {
        let mut connect: Connect = build::connect(self.version, "one");
        connect.clean_start = how & 1 != 0;
        connect.properties.session_expiry_interval = if how & 2 == 0 { 1_000 } else { 0 };
        connect.properties.receive_maximum = [1, 2, 10, u16::MAX][usize::from(how >> 6)];
        connect.will = (how & 4 != 0).then(|| will(how));
        let mut buffer = BytesMut::new();
        encode(&Packet::Connect(Box::new(connect.clone())), self.version, &mut buffer)
            .expect("CONNECT");
        self.decoder = Decoder::server(Limits::default());
        self.decoder.decode(&mut buffer).expect("CONNECT is valid");
        self.input.clear();
        self.act(|session, now, out| session.take_over(now, out));
        if connect.clean_start {
            self.act(|session, now, out| session.end(now, out));
        }
        let admitted = Admitted {
            client_id: ClientId::try_from("one").expect("valid"),
            assigned: false,
            connect: Box::new(connect),
            options: Arc::clone(&self.options),
            after: LogPosition::ZERO,
            expires: (how & 8 != 0).then(|| self.now + Duration::from_secs(50)),
        };
        if self.session.is_some() {
            self.act(|session, now, out| session.attach(now, admitted, out));
        } else {
            self.session = Some(Session::new(self.now, admitted, &mut self.out));
            self.settle();
        }
    }

    fn read(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while self.session.as_ref().is_some_and(|it| it.is_connected() && !it.is_blocked()) {
            let packet = match self.decoder.decode(&mut self.input) {
                Ok(None) => return,
                Ok(Some(packet)) => Ok(packet),
                Err(error) => Err(error),
            };
            let broken = packet.is_err();
            self.act(|session, now, out| session.handle_packet(now, packet, out));
            if broken {
                assert!(!self.session.as_ref().is_some_and(Session::is_connected), "it ends there");
            }
        }
    }

    fn deliver(&mut self, how: u8, length: u8) {
        self.messages += 1;
        let fleeting = how & 0b10_0000 != 0;
        let durability = if fleeting { Durability::Memory } else { Durability::default() };
        self.forgets |= fleeting;
        let topics = ["a", "a/b", "b", "$SYS/x"];
        let message = Arc::new(Message {
            id: MessageId::new(self.messages),
            topic: TopicName::try_from(topics[usize::from(how) % 4]).expect("valid"),
            payload: Bytes::from(vec![b'x'; usize::from(length)]),
            qos: Qos::new(how >> 2 & 0b11).unwrap_or(Qos::AtMostOnce),
            retain: how & 0b1_0000 != 0,
            properties: MessageProperties::default(),
            expires: (how & 0b1000_0000 != 0).then(|| self.now + Duration::from_secs(30)),
            durability,
            publisher: ClientId::try_from("another").expect("valid"),
        });
        let shared = (how & 0b100_0000 != 0).then(|| Arc::from("$share/g/a"));
        let delivery = Delivery {
            message: &message,
            qos: message.qos,
            retain: message.retain,
            subscription_ids: &[],
            shared: shared.as_ref(),
        };
        self.act(|session, now, out| {
            let _ = session.handle_delivery(now, delivery, out);
        });
    }

    fn advance(&mut self, seconds: u64) {
        let end = self.now + Duration::from_secs(seconds);
        while let Some(due) = self.session.as_ref().and_then(Session::poll_timeout) {
            if due > end {
                break;
            }
            assert!(due >= self.now, "a deadline lies in the past");
            self.now = due;
            self.act(|session, now, out| session.handle_timeout(now, out));
        }
        self.now = end;
    }

    fn act(&mut self, call: impl FnOnce(&mut Session, Instant, &mut Outbox)) {
        let Some(session) = &mut self.session else { return };
        call(session, self.now, &mut self.out);
        self.settle();
    }

    /// As a shard does it: the outbox is emptied before the next call.
    fn settle(&mut self) {
        self.drain();
        while let Some(work) = self.work.pop_front() {
            self.answer(work);
            self.drain();
        }
        let lasts = |session: &&Session| !session.is_over() && session.expiry() > 0;
        if let (Some(image), Some(session)) = (&self.image, self.session.as_ref().filter(lasts)) {
            let (replayed, own) = (image.as_ref(), session.image());
            assert_eq!(replayed.subscriptions.len(), own.subscriptions.len());
            assert_eq!(replayed.accepted.len(), own.accepted.len());
            if !self.forgets {
                assert_eq!(replayed.entries, own.entries);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.out.poll() {
            match output {
                Output::Send(packet) => {
                    encode(&packet, self.version, &mut BytesMut::new()).expect("it can be said");
                }
                Output::Deliver(outgoing) => {
                    let mut to = BytesMut::new();
                    encode_publish(&outgoing.head(), &outgoing.message, self.version, &mut to);
                    assert!(!to.is_empty());
                }
                Output::Persist(_, change) => self.record(&change),
                Output::Dropped(..) | Output::Close(_) | Output::Redispatch(..) => {}
                Output::Admit(_) => unreachable!("a session admits nobody"),
                work => self.work.push_back(work),
            }
        }
    }

    fn answer(&mut self, work: Output) {
        if matches!(work, Output::Ended) {
            self.session = None;
            self.image = None;
            return;
        }
        let Some(session) = &mut self.session else { return };
        let (now, out) = (self.now, &mut self.out);
        match work {
            Output::Authorize(action) => {
                let mut verdict = self.verdict;
                if let Action::Authenticate(_) = action {
                    verdict = Err(ReasonCode::NotAuthorized);
                }
                session.handle_decision(now, Decision { action, verdict }, out);
            }
            Output::Publish(publication) => {
                if let Some(packet_id) = publication.packet_id {
                    let (reason, after) = (ReasonCode::Success, LogPosition::ZERO);
                    session.handle_routed(now, Routed { packet_id, reason, after }, out);
                }
            }
            Output::Subscribe(request) => session.handle_subscribed(now, request, out),
            Output::Unsubscribe(request) => session.handle_unsubscribed(now, request, out),
            Output::Fetch(ids) => {
                let have = |id| self.stored.get(id).map(Arc::clone);
                let messages: Vec<_> = ids.iter().filter_map(have).collect();
                session.handle_fetched(now, &messages, out);
            }
            _ => {}
        }
        self.keep();
    }

    fn keep(&mut self) {
        let (now, upto) = (self.now, self.out.appended());
        if let Some(session) = &mut self.session {
            session.handle_persisted(now, upto, &mut self.out);
        }
    }

    fn record(&mut self, change: &Change) {
        if let Change::Queued(entry, Some(message)) = change {
            self.stored.insert(entry.message, Arc::clone(message));
        }
        let mut record = Vec::new();
        change.encode(&mut record);
        let change = Change::decode(&record).expect("what was written can be read");
        self.image = match (self.image.take(), change) {
            (_, Change::Image(image)) => Some(image),
            (Some(mut image), change) => image.apply(change, self.now).then_some(image),
            (None, Change::Ended(_)) => None,
            (None, change) => panic!("{change:?} of a session that the log does not know"),
        };
    }
}
