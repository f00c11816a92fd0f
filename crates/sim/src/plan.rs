//! A world's parameters, all drawn from its seed.

mod storage;

use std::{sync::Arc, time::Duration};

use plexus_access::{
    Advice, AllowAll, Credentials, Edition, Outcome, Policy, Principal, Reply, Verdict,
};
use plexus_broker::{NodeOptions, shard::Canary};
use plexus_session::{Options, QueuePolicy};
use plexus_stdx::Seed;
use plexus_topics::Strategy;
use plexus_types::{Durability, Qos, TopicFilter, TopicName};

pub use self::storage::Storage;
use crate::dice::Dice;

/// Which promises a world can be held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Limits are out of reach: nothing that was acknowledged may be missing.
    Roomy,
    /// Small queues, small packets, messages that expire: much is dropped, by the rules.
    Tight,
    /// Roomy, with strangers who send nonsense.
    Hostile,
}

/// Everything that is decided before a world begins.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed that everything follows from.
    pub seed: u64,
    /// Which promises hold.
    pub kind: Kind,
    /// Shards of the node.
    pub shards: u16,
    /// Clients, the witness apart.
    pub actors: usize,
    /// Strangers who send nonsense.
    pub hostiles: usize,
    /// Ideas that all clients together have.
    pub steps: usize,
    /// A bug to plant.
    pub canary: Canary,
    /// Where the node keeps what must survive it; none for nowhere.
    pub storage: Option<Storage>,
    pub(crate) node: NodeOptions,
    pub(crate) session: Arc<Options>,
    pub(crate) faults: Faults,
}

/// How often something goes wrong, in percent of the occasions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Faults {
    /// Connections that are cut.
    pub(crate) cuts: usize,
    /// Clients that stop reading, or read slowly.
    pub(crate) laziness: usize,
    /// Envelopes that are late.
    pub(crate) stalls: usize,
    /// Publishers that are held back.
    pub(crate) holds: usize,
}

/// Messages of clients and packets that no world of a kind but the tight one is small for.
const PLENTY: usize = 1 << 20;
/// The longest that a session stays without a client, in seconds.
pub(crate) const EXPIRY_MAX: u32 = 3_600;
/// How many shards a node may have.
pub(crate) const SHARDS: [u16; 6] = [1, 2, 2, 3, 4, 7];
/// Ideas of a world, if nothing else is said.
const STEPS: usize = 250;

impl Plan {
    /// The world of that seed.
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(Seed::new(seed).derive(1));
        let kind = match dice.below(10) {
            0..=5 => Kind::Roomy,
            6..=8 => Kind::Tight,
            _ => Kind::Hostile,
        };
        let shards = dice.pick(&SHARDS);
        Self {
            seed,
            kind,
            shards,
            actors: dice.between(2, 10),
            hostiles: if kind == Kind::Hostile { dice.between(1, 3) } else { 0 },
            steps: STEPS,
            canary: Canary::Silent,
            storage: None,
            node: node(&mut dice, shards),
            session: Arc::new(session(&mut dice, kind)),
            faults: Faults {
                cuts: dice.pick(&[0, 2, 8, 15]),
                laziness: dice.pick(&[0, 2, 8]),
                stalls: dice.pick(&[0, 1, 10]),
                holds: dice.pick(&[0, 0, 3]),
            },
        }
    }

    /// The same with another number of ideas.
    #[must_use]
    pub fn with_steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// The same with a bug planted.
    #[must_use]
    pub fn with_canary(mut self, canary: Canary) -> Self {
        self.canary = canary;
        self
    }

    /// The same with a log, with crashes and a disk that fails.
    #[must_use]
    pub fn with_log(mut self) -> Self {
        self.storage = Some(Storage::new(self.seed));
        self.node.durability = Durability::Synced;
        self.node.topics = storage::topics(self.seed);
        Arc::make_mut(&mut self.session).durable = true;
        self
    }

    /// The same with a bug of the log planted.
    #[must_use]
    pub fn with_plant(mut self, plant: plexus_store::testing::Plant) -> Self {
        if let Some(storage) = &mut self.storage {
            storage.plant = Some(plant);
        }
        self
    }

    /// Whether nothing may be dropped.
    pub fn is_lossless(&self) -> bool {
        self.kind != Kind::Tight
    }
}

const STRATEGIES: [Strategy; 7] = [
    Strategy::RoundRobin,
    Strategy::Random,
    Strategy::Sticky,
    Strategy::HashClient,
    Strategy::HashTopic,
    Strategy::Local,
    Strategy::LeastInflight,
];

fn node(dice: &mut Dice, shards: u16) -> NodeOptions {
    NodeOptions {
        shards,
        shared_strategy: dice.pick(&STRATEGIES),
        shared_strategies: vec![("g2".to_owned(), dice.pick(&STRATEGIES))],
        sys_interval: None,
        write_buffer_max: dice.pick(&[0, 100, 2_000, 100_000]),
        ..NodeOptions::default()
    }
}

fn session(dice: &mut Dice, kind: Kind) -> Options {
    let roomy = Options {
        receive_maximum: dice.pick(&[1, 3, 20, 100]),
        topic_alias_maximum: dice.pick(&[0, 2, 32]),
        outbound_alias_maximum: dice.pick(&[0, 2, 16]),
        inflight_max: dice.pick(&[1, 2, 8, 32]),
        queue_messages_max: PLENTY,
        queue_bytes_max: PLENTY * 1_024,
        session_expiry_max: EXPIRY_MAX,
        session_expiry_3x: EXPIRY_MAX,
        retain_available: kind != Kind::Hostile,
        // A stranger's deadline must pass before the world ends.
        keep_alive_max: if kind == Kind::Hostile { 600 } else { 0 },
        ..Options::default()
    };
    if kind != Kind::Tight {
        return roomy;
    }
    Options {
        queue_messages_max: dice.pick(&[0, 1, 3, 10]),
        queue_bytes_max: dice.pick(&[100, 2_000, PLENTY]),
        queue_policy: dice.pick(&[
            QueuePolicy::DropOldest,
            QueuePolicy::DropNewest,
            QueuePolicy::Disconnect,
        ]),
        queue_qos0_offline: dice.chance(50),
        packet_size_max: dice.pick(&[256, 1_000_000]),
        subscriptions_max: dice.pick(&[2, 5, 100]),
        keep_alive_max: dice.pick(&[0, 3, 20]),
        ..roomy
    }
}

/// Lets everybody in, some of them after a while, and allows everything.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doorman {
    /// Where somebody else is asked about half of the filters.
    asks: Option<Seed>,
    /// About half of the topics, too.
    asks_topics: bool,
}

impl Doorman {
    /// A message that is asked about is lost with its session, and a Will when the node crashes: nobody is
    /// asked about topics where nothing may be lost, nor about anything where there may be a crash.
    pub(crate) fn new(plan: &Plan) -> Self {
        let asks = plan.storage.is_none() && plan.seed.is_multiple_of(2);
        let asks_topics = !plan.is_lossless();
        Self { asks: asks.then(|| Seed::new(plan.seed)), asks_topics }
    }

    fn answer(&self, text: &str) -> Verdict {
        let later = self.asks.is_some_and(|seed| seed.hash(text).is_multiple_of(2));
        if later { Verdict::Later } else { Verdict::Allow }
    }
}

impl Policy for Doorman {
    fn authenticate(&self, credentials: &Credentials) -> Verdict {
        match &credentials.user_name {
            Some(_) => Verdict::Later,
            None => Verdict::Allow,
        }
    }

    fn verify(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::allow());
    }

    fn publish(&self, principal: &Principal, topic: &TopicName, qos: Qos, retain: bool) -> Verdict {
        match AllowAll.publish(principal, topic, qos, retain) {
            Verdict::Allow if self.asks_topics => self.answer(topic),
            verdict => verdict,
        }
    }

    fn advice(&self) -> Option<Advice> {
        let holds = Duration::from_secs(1);
        self.asks.map(|_| Advice { edition: Edition::default(), holds })
    }

    fn subscribe(&self, _: &Principal, filter: &TopicFilter, _: Qos) -> Verdict {
        self.answer(filter.as_str())
    }
}
