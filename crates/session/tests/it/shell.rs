//! A shell of one client: carries out effects at once and tells them as a story.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use plexus_session::{
    Action, Admitted, Body, Change, Connecting, Decision, Delivery, Image, LogPosition, Options,
    Outbox, Outgoing, Output, Routed, Session, Taken, Waiting,
};
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, PacketId,
    ProtocolVersion, Qos, ReasonCode, Text, TopicName,
};
use plexus_wire::{
    Ack, Connect, ConnectProperties, Packet, Publish, PublishProperties, Subscribe,
    SubscribeFilter, SubscriptionOptions, Unsubscribe, UserProperties, Will, encode,
    encode_publish,
};

pub(crate) struct Shell {
    pub(crate) now: Instant,
    pub(crate) options: Arc<Options>,
    pub(crate) session: Option<Session>,
    pub(crate) out: Outbox,
    /// What access control says.
    pub(crate) verdict: Result<(), ReasonCode>,
    /// What routing says.
    pub(crate) routed: ReasonCode,
    /// Whether records are kept at once, and routing is answered at once.
    pub(crate) keeps: bool,
    pub(crate) routes: bool,
    /// Messages that entered the node.
    pub(crate) entered: Vec<Message>,
    /// Frames towards the client.
    pub(crate) frames: VecDeque<Bytes>,
    pub(crate) closed: bool,
    /// What a replay of the log gives, and the messages in it.
    pub(crate) image: Option<Box<Image>>,
    stored: BTreeMap<MessageId, Arc<Message>>,
    /// What is promised of what the client publishes.
    pub(crate) durability: Durability,
    /// What may wait in the whole node.
    pub(crate) waiting_max: Waiting,
    /// Whether some messages live in memory alone.
    pub(crate) forgets: bool,
    /// Whether a story tells records and decisions, and what is read from the log.
    pub(crate) tells_log: bool,
    pub(crate) tells_fetch: bool,
    version: ProtocolVersion,
}

impl Shell {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            now: Instant::from_secs(1_000),
            options: Arc::new(Options { durable: true, ..options }),
            session: None,
            image: None,
            stored: BTreeMap::new(),
            waiting_max: Waiting::UNLIMITED,
            forgets: false,
            durability: Durability::default(),
            out: Outbox::new(),
            verdict: Ok(()),
            routed: ReasonCode::Success,
            keeps: true,
            routes: true,
            entered: Vec::new(),
            frames: VecDeque::new(),
            closed: false,
            tells_log: false,
            tells_fetch: false,
            version: ProtocolVersion::V5,
        }
    }

    /// A connected client of that version with default options.
    pub(crate) fn connected(connect: Connect) -> Self {
        let mut shell = Self::new(Options::default());
        shell.connect(connect);
        assert!(shell.session.as_ref().is_some_and(Session::is_connected));
        shell
    }

    /// A CONNECT as a broker handles it: authentication, take-over, clean start, resume.
    pub(crate) fn connect(&mut self, connect: Connect) -> Vec<String> {
        self.version = connect.version;
        self.closed = false;
        let assigned =
            connect.client_id.is_empty().then(|| ClientId::try_from("assigned-1").unwrap());
        let clean = connect.clean_start;
        let mut connecting =
            Connecting::new(Arc::clone(&self.options), Box::new(connect), assigned);
        connecting.start(self.now, &mut self.out);
        let mut story = Vec::new();
        while let Some(output) = self.out.poll() {
            match output {
                Output::Authorize(action) => {
                    let decision = Decision { action, verdict: self.verdict };
                    connecting.handle_decision(self.now, decision, &mut self.out);
                }
                Output::Admit(admitted) => story.extend(self.admit(*admitted, clean)),
                output => story.extend(self.carry_out(output)),
            }
        }
        story
    }

    fn admit(&mut self, admitted: Admitted, clean: bool) -> Vec<String> {
        let mut story = Vec::new();
        let now = self.now;
        if self.session.is_some() {
            let (version, next) = (self.version, self.session.as_ref().unwrap().version());
            self.version = next;
            story.extend(self.act(|session, out| session.take_over(now, out)));
            if clean {
                story.extend(self.act(|session, out| session.end(now, out)));
            }
            self.version = version;
            self.frames.clear(); // They went into the other connection.
            self.closed = false;
        }
        if self.session.is_some() {
            story.extend(self.act(|session, out| session.attach(now, admitted, out)));
        } else {
            self.session = Some(Session::new(now, admitted, &mut self.out));
            story.extend(self.drain());
        }
        story
    }

    /// Calls the session and carries out what follows.
    pub(crate) fn act(&mut self, call: impl FnOnce(&mut Session, &mut Outbox)) -> Vec<String> {
        let Some(session) = &mut self.session else { return Vec::new() };
        call(session, &mut self.out);
        self.drain()
    }

    pub(crate) fn packet(&mut self, packet: Packet) -> Vec<String> {
        let now = self.now;
        self.act(|session, out| session.handle_packet(now, Ok(packet), out))
    }

    pub(crate) fn lose_connection(&mut self) -> Vec<String> {
        let now = self.now;
        self.frames.clear();
        self.act(|session, out| session.handle_connection_lost(now, out))
    }

    pub(crate) fn deliver(&mut self, message: &Arc<Message>, qos: u8) -> (Taken, Vec<String>) {
        self.deliver_with(message, qos, &[], None)
    }

    pub(crate) fn deliver_with(
        &mut self,
        message: &Arc<Message>,
        qos: u8,
        subscription_ids: &[u32],
        group: Option<&str>,
    ) -> (Taken, Vec<String>) {
        let qos = Qos::new(qos).unwrap();
        let group = group.map(Arc::from);
        let shared = group.as_ref();
        let delivery = Delivery { message, qos, retain: false, subscription_ids, shared };
        let (now, mut taken) = (self.now, Taken::Refused);
        let story = self.act(|session, out| taken = session.handle_delivery(now, delivery, out));
        (taken, story)
    }

    /// So much may wait in the whole node.
    pub(crate) fn limit_waiting(&mut self, limit: Waiting) {
        self.waiting_max = limit;
        self.out.limit_waiting(limit);
    }

    /// The node crashes and comes back: what is left is what the log says.
    pub(crate) fn crash(&mut self) {
        self.frames.clear();
        self.session = self
            .image
            .clone()
            .map(|image| Session::restore(*image, Arc::clone(&self.options), self.now));
        let limit = self.waiting_max;
        self.out = Outbox::new();
        self.out.limit_waiting(limit);
        self.out.note_waiting(self.session.as_ref().map(Session::waiting).unwrap_or_default());
        self.check_image_after_crash();
    }

    /// A client that was connected is away since the crash.
    fn check_image_after_crash(&mut self) {
        let Some(image) = &mut self.image else { return };
        image.away_since.get_or_insert(self.now);
        self.check_image();
    }

    /// Lets time pass, firing each deadline when it comes.
    pub(crate) fn advance(&mut self, seconds: u64) -> Vec<String> {
        let end = self.now + Duration::from_secs(seconds);
        let mut story = Vec::new();
        while let Some(due) = self.session.as_ref().and_then(Session::poll_timeout) {
            if due > end {
                break;
            }
            assert!(due >= self.now, "a deadline lies in the past: {due:?}");
            self.now = due;
            story.extend(self.act(|session, out| session.handle_timeout(due, out)));
        }
        self.now = end;
        story
    }

    /// Keeps the log up to its end.
    pub(crate) fn keep_all(&mut self) -> Vec<String> {
        let (now, upto) = (self.now, self.out.appended());
        self.act(|session, out| session.handle_persisted(now, upto, out))
    }

    pub(crate) fn drain(&mut self) -> Vec<String> {
        let mut story = Vec::new();
        while let Some(output) = self.out.poll() {
            story.extend(self.carry_out(output));
        }
        self.check_image();
        story
    }

    /// The log says what the session is.
    fn check_image(&self) {
        // A session that ends with its connection is not worth what it does.
        let lasts = |session: &&Session| !session.is_over() && session.expiry() > 0;
        let Some(session) = self.session.as_ref().filter(lasts) else { return };
        if let Some(image) = &self.image {
            let (replayed, mut own) = (sorted(image.as_ref().clone()), sorted(session.image()));
            if self.forgets {
                // A place that was given to a message in memory alone is free again after a crash.
                (own.next, own.unsent) = (replayed.next, replayed.unsent);
            }
            assert_eq!(replayed, own);
        }
    }

    /// A record, as the log gives it back.
    fn replay(&mut self, change: &Change) {
        if let Change::Queued(entry, Some(message)) = change {
            self.stored.insert(entry.message, Arc::clone(message));
        }
        let mut record = Vec::new();
        change.encode(&mut record);
        let change = Change::decode(&record).unwrap();
        self.image = match (self.image.take(), change) {
            (_, Change::Image(image)) => Some(image),
            (Some(mut image), change) => image.apply(change, self.now).then_some(image),
            (None, change) => panic!("{change:?} of a session that the log does not know"),
        };
    }

    pub(crate) fn carry_out(&mut self, output: Output) -> Option<String> {
        let now = self.now;
        let told = match output {
            Output::Send(packet) => {
                self.frame(|version, buffer| encode(&packet, version, buffer).unwrap());
                told(&packet)
            }
            Output::Deliver(outgoing) => {
                self.frame(|version, buffer| {
                    encode_publish(&outgoing.head(), &outgoing.message, version, buffer);
                });
                told_delivery(&outgoing)
            }
            Output::Authorize(action) => return self.decide(action),
            Output::Publish(publication) => {
                let told = format!("ROUTE {}", told_message(&publication.message));
                if let Some(packet_id) = publication.packet_id.filter(|_| self.routes) {
                    let reason = self.routed;
                    let routed = Routed { packet_id, reason, after: LogPosition::ZERO };
                    self.session.as_mut()?.handle_routed(now, routed, &mut self.out);
                }
                self.entered.push(publication.message);
                told
            }
            Output::Subscribe(request) => {
                self.session.as_mut()?.handle_subscribed(now, request, &mut self.out);
                return None;
            }
            Output::Unsubscribe(request) => {
                self.session.as_mut()?.handle_unsubscribed(now, request, &mut self.out);
                return None;
            }
            Output::Fetch(ids) => {
                let messages: Vec<_> = ids
                    .iter()
                    .map(|id| Arc::clone(self.stored.get(id).expect("in the log")))
                    .collect();
                self.session.as_mut()?.handle_fetched(now, &messages, &mut self.out);
                return self.tells_fetch.then(|| format!("FETCH {}", ids.len()));
            }
            Output::Persist(position, change) => {
                self.replay(&change);
                if self.keeps && self.session.is_some() {
                    self.session.as_mut()?.handle_persisted(now, position, &mut self.out);
                }
                return self.tells_log.then(|| format!("LOG {}", told_change(&change)));
            }
            Output::Redispatch(group, message) => {
                let message = match message {
                    Body::Here(message) => message,
                    Body::Stored(id) => Arc::clone(self.stored.get(&id).expect("in the log")),
                };
                format!("REDISPATCH {group} {}", told_message(&message))
            }
            Output::Dropped(reason, count) => format!("DROPPED {reason:?} {count}"),
            Output::Close(reason) => {
                self.closed = true;
                format!("CLOSE {reason:?}")
            }
            Output::Ended => {
                self.session = None;
                "ENDED".to_owned()
            }
            Output::Admit(_) => unreachable!("handled while connecting"),
        };
        Some(told)
    }

    fn decide(&mut self, mut action: Action) -> Option<String> {
        let told = self.tells_log.then(|| told_action(&action));
        if let Action::Publish(publication) = &mut action {
            publication.message.durability = self.durability;
        }
        let (now, decision) = (self.now, Decision { action, verdict: self.verdict });
        self.session.as_mut()?.handle_decision(now, decision, &mut self.out);
        told
    }

    fn frame(&mut self, write: impl FnOnce(ProtocolVersion, &mut BytesMut)) {
        let mut buffer = BytesMut::new();
        write(self.version, &mut buffer);
        self.frames.push_back(buffer.freeze());
    }
}

fn told(packet: &Packet) -> String {
    let ack = |name: &str, ack: &Ack| {
        let words = ack.details.as_ref().and_then(|details| details.reason_string.as_ref());
        let words = words.map(|words| format!(" ({words})")).unwrap_or_default();
        format!("{name} {} {:?}{words}", ack.packet_id, ack.reason)
    };
    match packet {
        Packet::ConnAck(connack) => {
            let present = if connack.session_present { " present" } else { "" };
            format!("CONNACK {:?}{present}", connack.reason)
        }
        Packet::PubAck(packet) => ack("PUBACK", packet),
        Packet::PubRec(packet) => ack("PUBREC", packet),
        Packet::PubRel(packet) => ack("PUBREL", packet),
        Packet::PubComp(packet) => ack("PUBCOMP", packet),
        Packet::SubAck(suback) => format!("SUBACK {} {:?}", suback.packet_id, suback.reasons),
        Packet::UnsubAck(unsuback) => {
            format!("UNSUBACK {} {:?}", unsuback.packet_id, unsuback.reasons)
        }
        Packet::PingResp => "PINGRESP".to_owned(),
        Packet::Disconnect(disconnect) => format!("DISCONNECT {:?}", disconnect.reason),
        Packet::Auth(auth) => format!("AUTH {:?}", auth.reason),
        other => format!("{other:?}"),
    }
}

fn told_delivery(outgoing: &Outgoing) -> String {
    let mut told = format!("PUBLISH {}", String::from_utf8_lossy(&outgoing.message.payload));
    if let Some(id) = outgoing.packet_id {
        write!(told, " q{} id={id}", outgoing.qos.get()).unwrap();
    }
    for (said, is_so) in [(" dup", outgoing.dup), (" retain", outgoing.retain)] {
        told += if is_so { said } else { "" };
    }
    if let Some(alias) = outgoing.topic_alias {
        let topic = if outgoing.with_topic { "+topic" } else { "" };
        write!(told, " alias={alias}{topic}").unwrap();
    }
    if let Some(seconds) = outgoing.message_expiry_interval {
        write!(told, " expires={seconds}").unwrap();
    }
    if !outgoing.subscription_ids.is_empty() {
        write!(told, " ids={:?}", outgoing.subscription_ids.as_slice()).unwrap();
    }
    told
}

fn told_message(message: &Message) -> String {
    format!("{} {}", message.topic, String::from_utf8_lossy(&message.payload))
}

fn told_action(action: &Action) -> String {
    match action {
        Action::Publish(publication) => {
            let will = if publication.will { " will" } else { "" };
            format!("ASK publish{will} {}", told_message(&publication.message))
        }
        Action::Subscribe(request) => format!("ASK subscribe {}", request.items.len()),
        Action::Connect(_) => "ASK connect".to_owned(),
        Action::Authenticate(auth) => format!("ASK auth {:?}", auth.reason),
    }
}

fn sorted(mut image: Image) -> Image {
    image.subscriptions.sort_by(|one, other| one.filter.cmp(&other.filter));
    image.accepted.sort();
    image
}

fn told_change(change: &Change) -> String {
    let payload = |message: &Message| String::from_utf8_lossy(&message.payload).into_owned();
    match change {
        Change::Image(_) => "Image".to_owned(),
        Change::Queued(_, message) => format!("Queued {}", payload(message.as_ref().unwrap())),
        Change::Dropped(..) => "Dropped".to_owned(),
        Change::Received(sequence, _) => format!("Received {}", sequence.packet_id()),
        Change::Completed(sequence, _) => format!("Completed {}", sequence.packet_id()),
        Change::Will(Some(will)) => format!("Will {} {}", payload(&will.message), will.delay),
        Change::Will(None) => "Will none".to_owned(),
        Change::Attached(expiry, _) => format!("Attached {expiry}"),
        Change::Ended(_) => "Ended".to_owned(),
        Change::Subscribed(held) => format!("Subscribed {}", held.filter),
        Change::Unsubscribed(filter) => format!("Unsubscribed {filter}"),
        other => format!("{other:?}"),
    }
}

pub(crate) fn text(text: &str) -> Text {
    Text::try_from(text).unwrap()
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

/// CONNECT of client `c` with Clean Start, no Keep Alive.
pub(crate) fn connect(version: ProtocolVersion) -> Connect {
    Connect {
        version,
        bridge: false,
        clean_start: true,
        keep_alive: 0,
        client_id: text("c"),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    }
}

/// The same of 5.0 without Clean Start and with a session that lasts that long.
pub(crate) fn durable(expiry: u32) -> Connect {
    let properties =
        ConnectProperties { session_expiry_interval: expiry, ..ConnectProperties::default() };
    Connect { clean_start: false, properties, ..connect(ProtocolVersion::V5) }
}

pub(crate) fn will(delay_interval: u32) -> Will {
    Will {
        topic: TopicName::try_from("will").unwrap(),
        payload: Bytes::from_static(b"gone"),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay_interval,
        message_expiry_interval: None,
        properties: MessageProperties::default(),
    }
}

pub(crate) fn publish(topic: &str, payload: &str, qos: u8, packet_id: u16) -> Publish {
    Publish {
        dup: false,
        qos: Qos::new(qos).unwrap(),
        retain: false,
        topic: text(topic),
        packet_id: PacketId::new(packet_id),
        properties: PublishProperties::default(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

pub(crate) fn message(payload: &str) -> Arc<Message> {
    static IDS: AtomicU64 = AtomicU64::new(1);
    Arc::new(Message {
        id: MessageId::new(IDS.fetch_add(1, Ordering::Relaxed)),
        topic: TopicName::try_from("plant/line/1").unwrap(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        qos: Qos::ExactlyOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("publisher").unwrap(),
    })
}

/// A message whose publisher was promised nothing beyond the process.
pub(crate) fn fleeting(payload: &str) -> Arc<Message> {
    let message = Message::clone(&message(payload));
    Arc::new(Message { durability: Durability::Memory, ..message })
}

pub(crate) fn unsubscribe(packet_id: u16, filters: &[&str]) -> Packet {
    Packet::Unsubscribe(Box::new(Unsubscribe {
        packet_id: id(packet_id),
        user_properties: UserProperties::default(),
        filters: filters.iter().map(|filter| text(filter)).collect(),
    }))
}

pub(crate) fn subscribe(packet_id: u16, filters: &[&str]) -> Packet {
    let options = SubscriptionOptions { qos: Qos::ExactlyOnce, ..SubscriptionOptions::default() };
    Packet::Subscribe(Box::new(Subscribe {
        packet_id: id(packet_id),
        subscription_id: None,
        user_properties: UserProperties::default(),
        filters: filters
            .iter()
            .map(|filter| SubscribeFilter { filter: text(filter), options })
            .collect(),
    }))
}

pub(crate) fn ack(packet_id: u16) -> Ack {
    Ack::new(id(packet_id), ReasonCode::Success)
}

pub(crate) fn refusing_ack(packet_id: u16, reason: ReasonCode) -> Ack {
    Ack::new(id(packet_id), reason)
}
