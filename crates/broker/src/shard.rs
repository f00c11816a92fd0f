//! One shard: the home of the clients whose identifiers hash to it. Everything that happens to such
//! a client (connecting, take-over, publishing, delivery, will, expiry) happens here, one thing after
//! the other, so it cannot race.
//!
//! A shard is a function of its inputs. Each `handle_*` carries its effects out through
//! [`Ports`](crate::ports::Ports) before it returns; between calls nothing is left to do but what
//! [`Shard::poll_timeout`] names.

mod advice;
mod arrivals;
mod census;
mod clients;
mod credit;
mod deliver;
mod drain;
mod groups;
mod log;
mod peers;
mod proof;
mod questions;
mod replay;
mod retained;
mod review;
mod room;
mod route;
mod sieve;
mod subscribe;
mod timers;
mod watch;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use plexus_access::{Notice, Visitor};
use plexus_porch::{Alarms, Fences, Memory, Tenants, Timings, Watchers};
use plexus_records::Places;
use plexus_session::{
    Action, Body, Outbox, Publication, SubscribeRequest, UnsubscribeRequest, Waiting,
};
use plexus_stdx::{HashMap, Seed};
use plexus_topics::{GroupId, Interest, Matches, SharedGroups, SubscriptionIndex};
use plexus_types::{ClientId, Durability, Instant, Message, TopicName, filter_matches};
use plexus_wire::{Packet, ProtocolError};

pub use self::census::Census;
pub(crate) use self::credit::is_acknowledged_publish;
use self::{
    advice::Wills,
    arrivals::Newcomer,
    clients::Clients,
    log::{LogBook, class_of},
    peers::Awaiting,
    proof::Renewal,
    replay::Cursors,
    retained::RetainedStore,
    timers::Timers,
};
pub use self::{
    log::LogState,
    questions::{
        ClientView, Granted, Look, Question, ReceiversPart, RetainedFrom, RetainedPart, Told,
        TopicLevel, Visit,
    },
};
use crate::{
    counters::Counters,
    envelope::Envelope,
    options::NodeOptions,
    ports::{ConnId, Ticket, Turn},
    sys::Sys,
};
#[cfg(feature = "canary")]
pub use plexus_recovery::Canary;
pub use plexus_recovery::{
    Doors, OpenMessage, Opened, Restored, RestoredRetained, RestoredSession,
};

/// What all shards of a node share, none of it written by two of them.
#[derive(Debug)]
pub struct Context {
    /// The options of the node.
    pub options: NodeOptions,
    /// The counters of each shard, in order.
    pub counters: Vec<Counters>,
    /// What the process uses of memory.
    pub memory: Memory,
    /// What the shards know of the log.
    pub log: LogState,
    /// What an operator has to do something about.
    pub alarms: Alarms,
    /// What keeps somebody out; the porch asks it too.
    pub fences: Arc<Fences>,
    /// The tenants, beside the one that has no name.
    pub(crate) tenants: Tenants,
    /// What it measures.
    pub timings: Arc<Timings>,
    /// What others have the node tell under `$SYS`.
    pub(crate) told: Mutex<BTreeMap<String, String>>,
    /// The shards that have durable sessions.
    durable_shards: AtomicU64,
    /// The shards that own groups.
    group_shards: AtomicU64,
    /// The seed of the node: equal on all shards, because they must hash alike.
    pub seed: Seed,
    /// The bug that is planted.
    #[cfg(feature = "canary")]
    pub canary: Canary,
}

impl Context {
    /// The shared part of a node of `options.shards` shards.
    pub fn new(options: NodeOptions, seed: Seed) -> Arc<Self> {
        let counters = (0..options.shards).map(|_| Counters::default()).collect();
        let fences = Arc::new(Fences::new(&options.fences, seed));
        let timings = Arc::new(Timings::new(options.shards));
        let tenants = Tenants::new(&options.tenants, options.shards);
        Arc::new(Self {
            tenants,
            options,
            counters,
            fences,
            memory: Memory::default(),
            log: LogState::default(),
            alarms: Alarms::default(),
            timings,
            told: Mutex::default(),
            durable_shards: AtomicU64::new(0),
            group_shards: AtomicU64::new(0),
            seed,
            #[cfg(feature = "canary")]
            canary: Canary::Silent,
        })
    }

    /// The home shard of a client.
    pub fn home(&self, client: &ClientId) -> u16 {
        self.shard_of(client.as_str())
    }

    /// The slot of what goes by that name.
    pub fn slot_of(&self, name: &str) -> u16 {
        self.places().slot_of(name)
    }

    /// The shard that a slot belongs to.
    pub const fn shard_of_slot(&self, slot: u16) -> u16 {
        self.places().shard_of_slot(slot)
    }

    /// Where slots are.
    pub const fn places(&self) -> Places {
        Places { seed: self.seed, shards: self.options.shards }
    }

    /// The shard that owns what goes by that name.
    pub fn shard_of(&self, name: &str) -> u16 {
        self.shard_of_slot(self.slot_of(name))
    }

    /// What is promised of a message of that topic, given what its publisher's listener promises.
    pub(crate) fn durability_of(&self, topic: &TopicName, door: Durability) -> Durability {
        let mut rules = self.options.topics.iter();
        let rule = rules.find(|(filter, _)| filter_matches(filter, topic));
        rule.map_or(door, |(_, durability)| *durability)
    }

    /// The shards that may record a message, or hand it on to one that does, a bit each: those that
    /// have durable sessions and, if there are any, those that own groups.
    pub(crate) fn recording_shards(&self) -> u64 {
        match self.durable_shards.load(SeqCst) {
            0 => 0,
            durable => durable | self.group_shards.load(SeqCst),
        }
    }

    pub(crate) fn set_durable(&self, shard: u16, durable: bool) {
        set_bit(&self.durable_shards, shard, durable);
    }

    pub(crate) fn set_groups(&self, shard: u16, has_groups: bool) {
        set_bit(&self.group_shards, shard, has_groups);
    }
}

fn set_bit(bits: &AtomicU64, shard: u16, set: bool) {
    if set {
        bits.fetch_or(1 << shard, SeqCst);
    } else {
        bits.fetch_and(!(1 << shard), SeqCst);
    }
}

/// Deadlines of clients that fire in a turn; the rest is due in the next.
const TIMEOUTS: usize = 4_096;

/// Who uses a connection.
#[derive(Debug)]
enum Occupant {
    Nobody,
    Newcomer(Box<Newcomer>),
    Client(u32),
}

/// The users of all connections, by the connections' numbers.
#[derive(Debug, Default)]
struct Occupants(Vec<Occupant>);

impl Occupants {
    fn get(&mut self, conn: ConnId) -> &mut Occupant {
        let at = conn.0 as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, || Occupant::Nobody);
        }
        self.0.get_mut(at).expect("invariant: grown above")
    }

    fn take(&mut self, conn: ConnId) -> Occupant {
        std::mem::replace(self.get(conn), Occupant::Nobody)
    }
}

/// What is to be done after the outbox has been emptied.
#[derive(Debug)]
enum Work {
    Decide(u32, Action),
    Route(Option<u32>, Publication),
    Subscribe(u32, Box<SubscribeRequest>),
    Unsubscribe(u32, Box<UnsubscribeRequest>),
    Redispatch(Arc<str>, Body, Option<Opened>),
    Ended(u32),
    Envelope(u16, Envelope),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Shard {
    id: u16,
    pub(crate) context: Arc<Context>,
    occupants: Occupants,
    newcomers: u32,
    /// Newcomers that have begun an enhanced authentication, and when it has to be over.
    exchanges: VecDeque<(Instant, Ticket)>,
    /// Clients that authenticate themselves anew.
    renewals: HashMap<ConnId, Renewal>,
    /// Wills that somebody elsewhere is asked about.
    wills: Wills,
    clients: Clients,
    index: SubscriptionIndex,
    interest: Interest,
    groups: SharedGroups,
    retained: RetainedStore,
    cursors: Cursors,
    /// Clients whose subscriptions are still to be looked at.
    review: VecDeque<u32>,
    awaiting: Awaiting,
    timers: Timers,
    watchers: Watchers,
    log: LogBook,
    pub(crate) sys: Option<Sys>,
    outbox: Outbox,
    /// The last turn in which the node had no room for more that waits.
    no_room_at: Instant,
    work: VecDeque<Work>,
    matches: Matches,
    group_ids: Vec<GroupId>,
}

impl Shard {
    /// Shard `id` of the node.
    pub fn new(now: Instant, id: u16, context: Arc<Context>) -> Self {
        let (seed, options) = (context.seed, &context.options);
        // One shard speaks for the node.
        let mut outbox = Outbox::new();
        outbox.limit_waiting(Waiting::default());
        let sys = options.sys_interval.filter(|_| id == 0).map(|every| Sys::new(now, every));
        Self {
            id,
            occupants: Occupants::default(),
            newcomers: 0,
            exchanges: VecDeque::new(),
            renewals: seed.map(),
            wills: Wills::new(seed),
            clients: Clients::new(seed),
            index: SubscriptionIndex::new(seed),
            interest: Interest::new(seed, id),
            groups: SharedGroups::new(
                seed.derive(u64::from(id)),
                options.shared_strategy,
                &options.shared_strategies,
            ),
            retained: RetainedStore::new(seed, id, &context),
            cursors: Cursors::default(),
            review: VecDeque::new(),
            awaiting: Awaiting::new(id, options.shards),
            timers: Timers::default(),
            watchers: <_>::default(),
            log: LogBook::new(id, options),
            sys,
            outbox,
            no_room_at: Instant::ZERO,
            work: VecDeque::new(),
            matches: Matches::default(),
            group_ids: Vec::new(),
            context,
        }
    }

    /// A packet, or the fault of one, from a connection.
    pub fn handle_packet(
        &mut self,
        turn: &mut Turn<'_>,
        conn: ConnId,
        packet: Result<Packet, ProtocolError>,
    ) {
        match self.occupants.get(conn) {
            Occupant::Nobody => {}
            Occupant::Client(slot) => {
                let slot = *slot;
                if self.is_watched()
                    && let Ok(packet) = &packet
                {
                    self.show_acknowledged(turn.now, slot, packet);
                }
                let is_publish = matches!(packet, Ok(Packet::Publish(_)));
                if is_publish {
                    self.counters().messages_received.add(1);
                }
                let Some(client) = self.clients.get_mut(slot) else { return };
                if is_publish && let Some(tenant) = &client.tenant {
                    tenant.counters(self.id).messages_received.add(1);
                }
                client.session.handle_packet(turn.now, packet, &mut self.outbox);
                self.settle(turn, slot);
            }
            Occupant::Newcomer(newcomer) => {
                newcomer.connecting.handle_packet(turn.now, packet, &mut self.outbox);
                self.settle_newcomer(turn, conn);
            }
        }
    }

    /// The connection is gone without a word of its session.
    pub fn handle_lost(&mut self, turn: &mut Turn<'_>, conn: ConnId) {
        let slot = match self.occupants.take(conn) {
            Occupant::Client(slot) => slot,
            Occupant::Newcomer(newcomer) => return newcomer.note_end(&"it left unanswered"),
            Occupant::Nobody => return,
        };
        self.note_disconnected(slot, &"the connection was lost");
        self.counters().disconnected.add(1);
        let renewal = self.take_renewal(conn);
        self.detach(slot);
        let Some(client) = self.clients.get_mut(slot) else { return };
        client.session.handle_connection_lost(turn.now, &mut self.outbox);
        self.give_up(turn.now, slot, renewal);
        self.settle(turn, slot);
        self.count_clients();
    }

    /// The shell does not read from the client for now: its silence is not its own.
    pub fn handle_activity(&mut self, now: Instant, conn: ConnId) {
        let Occupant::Client(slot) = *self.occupants.get(conn) else { return };
        if let Some(client) = self.clients.get_mut(slot) {
            client.session.handle_activity(now);
        }
    }

    /// The connection has taken all its output: what waits may follow.
    pub fn handle_flushed(&mut self, turn: &mut Turn<'_>, conn: ConnId) {
        let Occupant::Client(slot) = *self.occupants.get(conn) else { return };
        let Some(client) = self.clients.get_mut(slot) else { return };
        if client.congested {
            client.congested = false;
            client.session.handle_congestion(turn.now, false, &mut self.outbox);
            self.settle(turn, slot);
        }
    }

    /// Another shard says something.
    pub fn handle_envelope(&mut self, turn: &mut Turn<'_>, from: u16, envelope: Envelope) {
        let tracked = envelope.is_tracked(self.log.enabled).then(|| class_of(&envelope));
        let before = self.outbox.appended();
        self.take_envelope(turn, from, envelope);
        self.work_off(turn);
        if let Some(class) = tracked {
            self.owe(from, class, before);
        }
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, turn: &mut Turn<'_>) {
        if self.log.restoring {
            return;
        }
        for _ in 0..TIMEOUTS {
            if self.is_turn_long() {
                break;
            }
            let Some((at, slot, serial)) = self.timers.pop_due(turn.now) else { break };
            let Some(client) = self.clients.get_mut(slot) else { continue };
            if client.serial != serial || client.armed != at {
                continue;
            }
            client.armed = Instant::FAR_FUTURE;
            let away = client.conn.is_none();
            let away = away.then(|| (Arc::clone(&client.principal), Arc::clone(&client.door)));
            if client.is_held() || client.is_asking() {
                client.session.handle_activity(turn.now);
            }
            client.session.handle_timeout(turn.now, &mut self.outbox);
            self.drain(turn, slot);
            self.look_at_crowd(turn, slot);
            self.work_off(turn);
            let is_gone = self.clients.get(slot).is_none_or(|client| client.serial != serial);
            if let Some((principal, door)) = away.filter(|_| is_gone) {
                let why = Notice::SessionEnded(&"its client did not come back in time");
                door.policy.note(Visitor::from(&*principal), why);
            }
            self.arm(slot);
        }
        self.take_later(turn);
        self.review_some(turn);
        self.end_exchanges(turn);
        self.refresh_some();
        self.read_again(turn);
        self.expire_retained(turn);
        self.publish_sys(turn);
    }

    /// When [`Shard::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.log.restoring {
            return None; // A Will that is due now would not find its subscribers.
        }
        let sys = self.sys.as_ref().map(|sys| sys.due(self.context.alarms.version()));
        let refreshes = self.log.is_refreshing() && !self.context.log.is_pressed();
        let later = !self.cursors.later.is_empty() || !self.review.is_empty() || refreshes;
        if later {
            return Some(Instant::ZERO);
        }
        let or_never = |due: Option<Instant>| due.unwrap_or(Instant::FAR_FUTURE);
        let due = or_never(self.timers.next())
            .min(or_never(self.retained.next_expiry()))
            .min(or_never(self.log.reads.due()))
            .min(or_never(self.next_exchange()))
            .min(or_never(sys));
        (due != Instant::FAR_FUTURE).then_some(due)
    }

    /// Whether the connection's next packet, which begins with that byte, may be given to the shard; if
    /// not, `Ports::resume` says when.
    pub fn wants_packets(&self, conn: ConnId, first: Option<u8>) -> bool {
        match self.occupants.0.get(conn.0 as usize) {
            Some(Occupant::Client(slot)) => {
                let Some(client) = self.clients.get(*slot) else { return true };
                let waits = client.is_held() && first.is_some_and(is_acknowledged_publish);
                !waits && !client.session.is_blocked() && !client.is_asking()
            }
            Some(Occupant::Newcomer(newcomer)) => newcomer.connecting.awaits_packet(),
            Some(Occupant::Nobody) | None => true,
        }
    }

    /// The node goes down: every client is told so and its connection closed.
    pub fn shut_down(&mut self, turn: &mut Turn<'_>, reason: plexus_types::ReasonCode) {
        for conn in (0..self.occupants.0.len() as u32).map(ConnId) {
            if let Occupant::Newcomer(newcomer) = self.occupants.get(conn) {
                newcomer.connecting.refuse(reason, None, &mut self.outbox);
                self.settle_newcomer(turn, conn);
            }
        }
        for slot in self.clients.slots() {
            let Some(client) = self.clients.get_mut(slot) else { continue };
            if client.conn.is_some() {
                client.session.disconnect(turn.now, reason, None, &mut self.outbox);
                self.settle(turn, slot);
            }
        }
    }

    /// Publishes a message of the node itself.
    pub(crate) fn publish_own(&mut self, turn: &mut Turn<'_>, message: Message) {
        self.distribute(turn, None, message, route::Taken::default());
        self.work_off(turn);
    }

    /// The counters of this shard.
    pub fn counters(&self) -> &Counters {
        self.context.counters.get(usize::from(self.id)).expect("invariant: one a shard")
    }
}

#[cfg(test)]
mod tests;
