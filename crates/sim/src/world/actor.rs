//! A well-behaved client: the session's client role with somebody who uses it.

use std::collections::{BTreeMap, VecDeque};

use plexus_session::{Client, ClientOptions, Ticket};
use plexus_types::{ClientId, Instant, PacketId, ProtocolVersion, Qos, Text};
use plexus_wire::{ConnectProperties, RetainHandling, SubscriptionOptions, Will};

use super::World;
use crate::{
    agenda::{ActorNo, Event, LinkNo},
    dice::Dice,
    history::{MessageNo, Sent},
    plan::Kind,
};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) number: ActorNo,
    pub(super) id: ClientId,
    pub(super) home: u16,
    pub(super) dice: Dice,
    pub(super) is_witness: bool,
    /// Whether it joins shared groups; such a client leaves their topics alone otherwise.
    pub(super) is_member: bool,
    pub(super) client: Client,
    pub(super) link: Option<LinkNo>,
    /// Session Expiry Interval of this life, in seconds.
    pub(super) expiry: u32,
    /// Whether the node may hold a session of an earlier life.
    pub(super) may_be_known: bool,
    /// What it wants to be subscribed to.
    pub(super) wishes: Vec<(Text, SubscriptionOptions)>,
    /// Requests without answer.
    pub(super) requests: usize,
    pub(super) tickets: BTreeMap<Ticket, MessageNo>,
    /// Messages that it ponders before it acknowledges them.
    pub(super) pondered: VecDeque<PacketId>,
    /// It reads nothing and says nothing until then.
    pub(super) asleep_until: Instant,
    /// It has left for good.
    pub(super) gone: bool,
}

impl Actor {
    pub(super) fn new(
        number: ActorNo,
        (id, home): (ClientId, u16),
        mut dice: Dice,
        is_witness: bool,
    ) -> Self {
        let is_member = !is_witness && dice.chance(35);
        Self {
            number,
            id,
            home,
            dice,
            is_witness,
            is_member,
            client: Client::new(ClientOptions::default()),
            link: None,
            expiry: 0,
            may_be_known: false,
            wishes: Vec::new(),
            requests: 0,
            tickets: BTreeMap::new(),
            pondered: VecDeque::new(),
            asleep_until: Instant::ZERO,
            gone: false,
        }
    }

    /// Session expiry and Clean Start of a life: who may be known as somebody else starts clean.
    fn draw_memory(&mut self, version: ProtocolVersion) -> (u32, bool) {
        let durable = self.dice.chance(60);
        match (version.is_v5(), durable) {
            (true, _) => {
                let expiry = if durable { self.dice.pick(&[1, 5, 60, 2_000]) } else { 0 };
                (expiry, self.may_be_known || self.dice.chance(50))
            }
            (false, true) if !self.may_be_known => (crate::plan::EXPIRY_MAX, false),
            (false, _) => (0, true),
        }
    }

    fn draw_options(&mut self, kind: Kind, will: Option<Will>) -> ClientOptions {
        let dice = &mut self.dice;
        let version =
            dice.pick(&[ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5]);
        let options = ClientOptions {
            version,
            client_id: Text::try_from(self.id.as_str()).expect("invariant: short and plain"),
            keep_alive: dice.pick(&[0, 2, 5, 60]),
            will,
            // The user of a session must stay the same; the doorman takes his time over him.
            user_name: self.number.is_multiple_of(3).then(|| Text::from_static("slow")),
            acknowledge: dice.chance(70),
            inflight_max: dice.pick(&[1, 3, 20]),
            outbound_alias_maximum: dice.pick(&[0, 2, 10]),
            queue_messages_max: 10_000,
            ..ClientOptions::default()
        };
        let packet_size = dice.pick(&[None, Some(50), Some(120), Some(2_000)]);
        let properties = ConnectProperties {
            receive_maximum: dice.pick(&[1, 2, 5, u16::MAX]),
            maximum_packet_size: packet_size.filter(|_| kind == Kind::Tight),
            topic_alias_maximum: dice.pick(&[0, 1, 10]),
            ..ConnectProperties::default()
        };
        let (expiry, clean_start) = self.draw_memory(version);
        self.expiry = expiry;
        let session_expiry_interval = if version.is_v5() { expiry } else { 0 };
        ClientOptions {
            clean_start,
            properties: ConnectProperties { session_expiry_interval, ..properties },
            ..options
        }
    }

    /// With a log its session outlives the node.
    fn witness_options(&self, expiry: u32) -> ClientOptions {
        let properties =
            ConnectProperties { session_expiry_interval: expiry, ..ConnectProperties::default() };
        ClientOptions {
            properties,
            client_id: Text::try_from(self.id.as_str()).expect("invariant: short and plain"),
            keep_alive: 0,
            response_timeout: 0,
            ..ClientOptions::default()
        }
    }
}

impl World {
    /// A client begins anew: nothing is left of what it knew.
    pub(super) fn be_born(&mut self, number: ActorNo) {
        let will = self.draw_will(number);
        let kind = self.plan.kind;
        let soon = self.now + self.dice.millis(0, 1_500);
        let lasting = if self.plan.storage.is_some() { crate::plan::EXPIRY_MAX } else { 0 };
        let actor = self.actor(number);
        let options = if actor.is_witness {
            actor.witness_options(lasting)
        } else {
            actor.draw_options(kind, will)
        };
        actor.client = Client::new(options);
        actor.tickets.clear();
        actor.pondered.clear();
        actor.requests = 0;
        actor.wishes.clear();
        actor.asleep_until = Instant::ZERO;
        if actor.is_witness {
            for filter in ["w/#", "n/#"] {
                let qos = Qos::ExactlyOnce;
                let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
                actor.wishes.push((Text::from_static(filter), options));
            }
        } else {
            for _ in 0..actor.dice.below(3) {
                actor.wish();
            }
        }
        let (version, expiry) = (actor.client.version(), actor.expiry);
        let at = if actor.is_witness { Instant::ZERO } else { soon };
        self.agenda.enter(at, Event::Think(number));
        self.story.tell(self.now, &(1, number, expiry), || {
            format!("c{number} is born: {version:?}, expiry {expiry} s")
        });
    }

    fn draw_will(&mut self, number: ActorNo) -> Option<Will> {
        if number == self.witness() || !self.dice.chance(60) {
            return None;
        }
        let qos = self.dice.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce]);
        let topic = format!("w/{number}");
        let will = self.history.next_number();
        let sent = Sent { is_will: true, ..self.compose(number, topic.clone(), qos, 0) };
        let payload = sent.payload.clone();
        self.history.add(sent);
        self.story.tell(self.now, &(2, number, will), || format!("c{number} leaves Will {will}"));
        Some(Will {
            topic: plexus_types::TopicName::try_from(topic.as_str())
                .expect("invariant: a plain topic"),
            payload,
            qos,
            retain: false,
            delay_interval: self.dice.pick(&[0, 0, 1, 10]),
            message_expiry_interval: None,
            properties: plexus_types::MessageProperties::default(),
        })
    }

    /// A message of that client with the next number.
    pub(super) fn compose(
        &self,
        publisher: ActorNo,
        topic: String,
        qos: Qos,
        padding: usize,
    ) -> Sent {
        Sent {
            publisher,
            topic,
            payload: self.history.next_number().payload(padding),
            qos,
            retain: false,
            is_will: false,
            may_expire: false,
            entries: Vec::new(),
            repeats: Vec::new(),
        }
    }
}

/// Filters of everybody, of those who join no group, and of those who do.
const FILTERS: [&str; 9] = [
    "n/alpha/x",
    "n/beta/a-rather-long-topic",
    "n/alpha/+",
    "n/#",
    "n/+/x",
    "+/beta/#",
    "n/alpha/y",
    "r/#",
    "r/+/0",
];
const GREEDY: [&str; 2] = ["#", "w/#"];
const SHARED: [&str; 4] = ["$share/g1/s/#", "$share/g2/s/+", "$share/g1/s/one", "$share/g2/s/#"];

impl Actor {
    /// Wants one more subscription, or another one again; gives its place.
    pub(super) fn wish(&mut self) -> usize {
        let special: &[&'static str] = if self.is_member { &SHARED } else { &GREEDY };
        let share = if self.is_member { 60 } else { 15 };
        let of = if self.dice.chance(share) { special } else { &FILTERS };
        let filter = Text::from_static(self.dice.pick(of));
        if let Some(at) = self.wishes.iter().position(|(known, _)| *known == filter) {
            return at;
        }
        let is_shared = filter.starts_with("$share");
        let qos = Qos::new(((self.number + filter.as_bytes().len()) % 3) as u8);
        let options = SubscriptionOptions {
            // One filter of a client has one quality of service, whenever it asks.
            qos: qos.expect("invariant: below 3").max(if is_shared {
                Qos::AtLeastOnce
            } else {
                Qos::AtMostOnce
            }),
            no_local: !is_shared && self.number.is_multiple_of(4) && self.client.version().is_v5(),
            retain_as_published: self.dice.chance(20),
            retain_handling: self.dice.pick(&[
                RetainHandling::Always,
                RetainHandling::IfNew,
                RetainHandling::Never,
            ]),
        };
        self.wishes.push((filter, options));
        self.wishes.len() - 1
    }
}
