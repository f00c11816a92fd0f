//! What has happened so far, as a server without faults would remember it. Kept apart from the node
//! under test: it is built from packets alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::{BufMut, Bytes, BytesMut};
use plexus_session::Options;
use plexus_stdx::Seed;
use plexus_types::{Durability, Instant, PacketId, Qos, TopicFilter, filter_matches};
use plexus_wire::{Packet, Publish, SubAck, Subscribe};

use crate::{
    agenda::{ActorNo, LinkNo},
    plan::Plan,
    seen::{Seen, Terms},
};

/// The number of a message; its payload carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageNo(pub u32);

impl MessageNo {
    /// A payload of this number, with so many bytes behind it.
    pub(crate) fn payload(self, padding: usize) -> Bytes {
        let mut payload = BytesMut::with_capacity(8 + padding);
        payload.put_u32(self.0);
        payload.put_u32(self.mark());
        payload.put_bytes(b'.', padding);
        payload.freeze()
    }

    /// The number that a payload carries, if it is one of ours.
    pub(crate) fn of(payload: &Bytes) -> Option<Self> {
        let (number, rest) = payload.split_first_chunk::<4>()?;
        let number = Self(u32::from_be_bytes(*number));
        let (mark, _) = rest.split_first_chunk::<4>()?;
        (u32::from_be_bytes(*mark) == number.mark()).then_some(number)
    }

    fn mark(self) -> u32 {
        Seed::new(0x51AB).hash(&self.0) as u32
    }
}

impl std::fmt::Display for MessageNo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A message that a client meant to publish.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) publisher: ActorNo,
    pub(crate) topic: String,
    pub(crate) payload: Bytes,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) is_will: bool,
    pub(crate) may_expire: bool,
    /// When the node took it, more than once if the publisher had to repeat it.
    pub(crate) entries: Vec<u64>,
    /// When it came again after a crash that the node may have forgotten it in.
    pub(crate) repeats: Vec<u64>,
}

/// A PUBLISH that the node took.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) publisher: ActorNo,
    pub(crate) topic: String,
    /// None for a message without payload, which deletes.
    pub(crate) number: Option<MessageNo>,
    pub(crate) retain: bool,
    /// Ascends with each.
    pub(crate) order: u64,
    /// It is QoS 2 and was taken before, but a crash may have made the node forget it.
    pub(crate) again: bool,
    pub(crate) qos: Qos,
}

/// A subscription of a client.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) filter: TopicFilter,
    pub(crate) qos: Qos,
    pub(crate) no_local: bool,
    pub(crate) standing: Standing,
}

/// How far a subscription has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// SUBSCRIBE was heard.
    Asked(PacketId),
    /// SUBACK was said: from now on messages are owed.
    Active,
    /// UNSUBSCRIBE was heard.
    Leaving(PacketId),
    /// UNSUBACK was said, or the session ended, when so many messages had entered: a clock that is
    /// set back would let what came before come after.
    Gone(u64),
}

impl Held {
    pub(crate) fn matches(&self, topic: &str) -> bool {
        filter_matches(self.filter.matched(), topic)
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.filter.shared().is_some()
    }

    fn is_gone(&self) -> bool {
        matches!(self.standing, Standing::Gone(_))
    }
}

/// What is known of a client.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) terms: Option<Terms>,
    pub(crate) attached: bool,
    pub(crate) detached_at: Instant,
    pub(crate) expiry: u32,
    /// The shortest that was asked for since: a log keeps CONNACK waiting, and the connection that
    /// was not told may have had the session.
    pub(crate) asked_expiry: u32,
    pub(crate) held: Vec<Held>,
    /// Whether a CONNACK has promised that its session stays.
    pub(crate) promised: bool,
    /// CONNACK has said that it has no session that outlives its connection, and none was asked for
    /// since.
    pub(crate) gone: bool,
    /// The node may have forgotten in a crash that the session ended.
    pub(crate) doubtful: bool,
    /// QoS 2 identifiers that it has not released.
    taken: BTreeSet<PacketId>,
    /// Those of them that the node may have forgotten in a crash.
    unsure: BTreeSet<PacketId>,
    /// What those of them are promised that are not synced.
    weak: BTreeMap<PacketId, Durability>,
    /// What entered under an identifier and was not answered.
    unanswered: BTreeMap<PacketId, u64>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) now: Instant,
    /// Whether nothing may be dropped.
    pub(crate) is_lossless: bool,
    /// Whether strangers may join groups unseen.
    pub(crate) has_strangers: bool,
    /// Whether the node has a log.
    pub(crate) has_log: bool,
    /// Whether the log may refuse what it has not acknowledged.
    pub(crate) disk_fails: bool,
    /// How often it has crashed.
    pub(crate) crashes: usize,
    /// Whether the last crash was a loss of power.
    pub(crate) power: bool,
    /// What is promised of some topics.
    topics: Vec<(TopicFilter, Durability)>,
    /// It is crashing: connections are lost by that.
    pub(crate) crashing: bool,
    pub(crate) options: Arc<Options>,
    pub(crate) messages: Vec<Sent>,
    pub(crate) clients: Vec<Known>,
    asked: Vec<(LinkNo, Terms)>,
    entries: u64,
}

impl History {
    pub(crate) fn new(plan: &Plan, clients: usize) -> Self {
        Self {
            now: Instant::ZERO,
            is_lossless: plan.is_lossless(),
            has_strangers: plan.hostiles > 0,
            has_log: plan.storage.is_some(),
            disk_fails: plan.storage.as_ref().is_some_and(|storage| {
                storage.faults > 0 || storage.bytes_max + storage.disk_bytes > 0
            }),
            crashes: 0,
            power: false,
            topics: plan.node.topics.clone(),
            crashing: false,
            options: Arc::clone(&plan.session),
            messages: Vec::new(),
            clients: (0..clients).map(|_| Known::new()).collect(),
            asked: Vec::new(),
            entries: 0,
        }
    }

    /// The number of the next message; [`History::add`] must follow.
    pub(crate) fn next_number(&self) -> MessageNo {
        MessageNo(self.messages.len() as u32)
    }

    pub(crate) fn add(&mut self, sent: Sent) {
        self.messages.push(sent);
    }

    pub(crate) fn message(&self, number: MessageNo) -> Option<&Sent> {
        self.messages.get(number.0 as usize)
    }

    pub(crate) fn client(&self, actor: ActorNo) -> &Known {
        self.clients.get(actor).expect("invariant: clients are numbered")
    }

    fn client_mut(&mut self, actor: ActorNo) -> &mut Known {
        self.clients.get_mut(actor).expect("invariant: clients are numbered")
    }

    /// What is promised of the messages of a topic.
    pub(crate) fn durability_of(&self, topic: &str) -> Durability {
        let mut rules = self.topics.iter();
        let rule = rules.find(|(filter, _)| filter_matches(filter, topic));
        rule.map_or(Durability::Synced, |(_, durability)| *durability)
    }

    /// Whether the last crash kept what is promised so.
    fn kept(&self, durability: Durability) -> bool {
        match durability {
            Durability::Synced => true,
            Durability::Written => !self.power,
            Durability::Memory => false,
        }
    }

    /// Whether the last crash kept what was acknowledged on that topic.
    pub(crate) fn survives(&self, topic: &str) -> bool {
        self.kept(self.durability_of(topic))
    }

    /// Who is owed a message now by a subscription of its own, and at which quality of service.
    pub(crate) fn owed(&self, sent: &Sent) -> Vec<(ActorNo, Qos)> {
        let qos = |(actor, client): (ActorNo, &Known)| {
            let matching = client.held.iter().filter(|held| {
                held.standing == Standing::Active
                    && !held.is_shared()
                    && !(held.no_local && actor == sent.publisher)
                    && held.matches(&sent.topic)
            });
            matching.map(|held| held.qos).max().map(|qos| (actor, qos.min(sent.qos)))
        };
        self.clients.iter().enumerate().filter_map(qos).collect()
    }

    /// Whether the CONNECT on that connection asked for a clean start.
    pub(crate) fn asked_clean(&self, link: LinkNo) -> bool {
        self.asked.iter().any(|(asked, terms)| *asked == link && terms.clean)
    }

    /// How many shared groups there ever were that match the topic.
    pub(crate) fn groups_on(&self, topic: &str) -> usize {
        let held = self.clients.iter().flat_map(|client| &client.held);
        let groups = held.filter(|held| held.is_shared() && held.matches(topic));
        groups.map(|held| &held.filter).collect::<BTreeSet<_>>().len()
    }

    /// The node takes a PUBLISH: none if it has taken it before.
    pub(crate) fn enter(&mut self, actor: ActorNo, publish: &Publish) -> Option<Entry> {
        let mut again = false;
        let client = self.client_mut(actor);
        if publish.qos == Qos::ExactlyOnce
            && let Some(id) = publish.packet_id
            && !client.taken.insert(id)
        {
            again = client.unsure.remove(&id);
            if !again {
                return None;
            }
        }
        let number = MessageNo::of(&publish.payload).filter(|it| self.message(*it).is_some());
        let mut topic = publish.topic.as_str().to_owned();
        self.entries += 1;
        let order = self.entries;
        if let Some(id) = publish.packet_id {
            self.client_mut(actor).unanswered.insert(id, order);
        }
        if let Some(sent) = number.and_then(|it| self.messages.get_mut(it.0 as usize)) {
            topic.clone_from(&sent.topic);
            if again {
                sent.repeats.push(order);
            } else {
                sent.entries.push(order);
            }
        }
        let durability = self.durability_of(&topic);
        let is_weak = publish.qos == Qos::ExactlyOnce && durability != Durability::Synced;
        if let Some(id) = publish.packet_id.filter(|_| is_weak) {
            self.client_mut(actor).weak.insert(id, durability);
        }
        let Publish { retain, qos, .. } = *publish;
        Some(Entry { publisher: actor, topic, number, retain, order, again, qos })
    }

    /// The node answers a PUBLISH: what entered with it, unless that was answered before.
    pub(crate) fn answer(&mut self, actor: ActorNo, id: PacketId) -> Option<u64> {
        self.client_mut(actor).unanswered.remove(&id)
    }

    /// The node is gone: what it had not answered it may or may not know when it comes back.
    fn crash(&mut self) {
        self.crashes += 1;
        self.asked.clear();
        let kept = [Durability::Memory, Durability::Written].map(|it| (it, self.kept(it)));
        for client in &mut self.clients {
            client.doubt_unanswered();
            client.doubt_weak(|durability| kept.contains(&(durability, true)));
            if let Some(terms) = &client.terms {
                // A DISCONNECT that changed it has no answer.
                client.expiry = client.expiry.min(terms.expiry);
            }
        }
    }

    /// Whether the session of the client may be gone: nobody was promised that it stays.
    pub(crate) fn may_vanish(&self, actor: ActorNo) -> bool {
        let client = self.client(actor);
        !client.promised || client.expiry_min() == 0
    }

    /// Whether a CONNECT that asks for a clean start waits for its answer.
    pub(crate) fn is_cleaning(&self, is_his: impl Fn(LinkNo) -> bool) -> bool {
        self.asked.iter().any(|(link, terms)| terms.clean && is_his(*link))
    }

    /// Remembers what was seen.
    pub(crate) fn apply(&mut self, seen: &Seen<'_>) {
        let (now, entries) = (self.now, self.entries);
        match seen {
            Seen::Asked { actor, link, terms } => {
                self.asked.push((*link, terms.clone()));
                let client = self.client_mut(*actor);
                client.asked_expiry = client.asked_expiry.min(terms.expiry);
                client.gone &= terms.expiry == 0;
            }
            Seen::Accepted { actor, link, resumed, .. } => {
                let asked = self.asked.iter().position(|(asked, _)| asked == link);
                let (_, terms) = self.asked.remove(asked.expect("invariant: CONNECT came before"));
                let client = self.client_mut(*actor);
                client.expiry = terms.expiry;
                client.asked_expiry = u32::MAX;
                client.promised = terms.expiry > 0;
                client.gone = terms.expiry == 0 && !*resumed;
                client.doubtful &= *resumed;
                client.terms = Some(terms);
                client.attached = true;
            }
            Seen::Detached { actor, .. } => {
                let client = self.client_mut(*actor);
                client.attached = false;
                client.detached_at = now;
                if self.disk_fails {
                    // A log that fails takes nothing, and a client of 3.x cannot be told.
                    self.client_mut(*actor).doubt_unanswered();
                }
            }
            Seen::Heard { actor, packet } => self.hear(*actor, packet),
            Seen::Said { actor, packet, .. } => self.say(*actor, packet),
            Seen::Crashed => self.crash(),
            Seen::Survived { actor, .. } => {
                let client = self.client_mut(*actor);
                client.doubtful |= !client.promised;
                // Its time begins anew if the node does not know when it began, and the clock may
                // have been set back.
                client.detached_at = client.detached_at.min(now);
            }
            Seen::Ended { actor, .. } | Seen::Vanished { actor, .. } => {
                let client = self.client_mut(*actor);
                client.promised = false;
                client.taken.clear();
                client.unsure.clear();
                client.weak.clear();
                client.unanswered.clear();
                for held in client.held.iter_mut().filter(|held| !held.is_gone()) {
                    held.standing = Standing::Gone(entries);
                }
            }
            _ => {}
        }
    }

    fn hear(&mut self, actor: ActorNo, packet: &Packet) {
        let maximum = self.options.session_expiry_max;
        let client = self.client_mut(actor);
        match packet {
            Packet::PubRel(ack) => {
                client.unsure.remove(&ack.packet_id);
                client.taken.remove(&ack.packet_id);
                client.weak.remove(&ack.packet_id);
            }
            Packet::Subscribe(subscribe) => client.subscribe(subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                for held in client.held.iter_mut().filter(|held| !held.is_gone()) {
                    if unsubscribe.filters.contains(held.filter.text()) {
                        held.standing = Standing::Leaving(unsubscribe.packet_id);
                    }
                }
            }
            Packet::Disconnect(disconnect) => {
                if let Some(expiry) = disconnect.properties.session_expiry_interval {
                    client.expiry = expiry.min(maximum);
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, actor: ActorNo, packet: &Packet) {
        let (entries, has_log) = (self.entries, self.has_log);
        let client = self.client_mut(actor);
        match packet {
            Packet::PubRec(ack) if ack.reason.is_error() => {
                client.taken.remove(&ack.packet_id);
            }
            Packet::SubAck(suback) => client.confirm(suback, entries, has_log),
            Packet::UnsubAck(unsuback) => {
                for held in &mut client.held {
                    if held.standing == Standing::Leaving(unsuback.packet_id) {
                        held.standing = Standing::Gone(entries);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Known {
    const fn new() -> Self {
        Self {
            terms: None,
            attached: false,
            detached_at: Instant::ZERO,
            expiry: 0,
            asked_expiry: u32::MAX,
            held: Vec::new(),
            promised: false,
            gone: false,
            doubtful: false,
            taken: BTreeSet::new(),
            unsure: BTreeSet::new(),
            weak: BTreeMap::new(),
            unanswered: BTreeMap::new(),
        }
    }

    /// The expiry that its session may have.
    pub(crate) fn expiry_min(&self) -> u32 {
        self.expiry.min(self.asked_expiry)
    }

    /// Whether it was ever a member of a shared group; such a client has no other subscription to
    /// the topics of groups.
    pub(crate) fn is_member(&self) -> bool {
        self.held.iter().any(Held::is_shared)
    }

    /// Whether the node has taken what it has not answered is its own affair.
    fn doubt_unanswered(&mut self) {
        for (id, _) in std::mem::take(&mut self.unanswered) {
            if self.taken.contains(&id) {
                self.unsure.insert(id);
            }
        }
    }

    /// The node may have forgotten identifiers of messages that were not promised to be kept.
    fn doubt_weak(&mut self, kept: impl Fn(Durability) -> bool) {
        for (id, _) in self.weak.extract_if(.., |_, durability| !kept(*durability)) {
            if self.taken.contains(&id) {
                self.unsure.insert(id);
            }
        }
    }

    fn subscribe(&mut self, subscribe: &Subscribe) {
        for asked in &subscribe.filters {
            let Ok(filter) = TopicFilter::new(asked.filter.clone()) else { continue };
            let standing = Standing::Asked(subscribe.packet_id);
            let (qos, no_local) = (asked.options.qos, asked.options.no_local);
            let known = self.held.iter_mut().find(|held| held.filter == filter && !held.is_gone());
            match known {
                Some(held) if held.standing == Standing::Active => {}
                Some(held) => held.standing = standing,
                None => self.held.push(Held { filter, qos, no_local, standing }),
            }
        }
    }

    fn confirm(&mut self, suback: &SubAck, entries: u64, has_log: bool) {
        let asked = Standing::Asked(suback.packet_id);
        let mut reasons = suback.reasons.iter();
        // One filter a SUBSCRIBE, or all of them new: what was active before is not asked for.
        for held in self.held.iter_mut().filter(|held| held.standing == asked) {
            let refused = reasons.next().is_none_or(|reason| reason.is_error());
            held.standing = match (refused, has_log) {
                (false, _) => Standing::Active,
                (true, false) => Standing::Gone(entries),
                // An earlier SUBSCRIBE that was not answered may have made it.
                (true, true) => Standing::Leaving(suback.packet_id),
            };
        }
    }
}
