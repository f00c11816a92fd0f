//! The world: shards, clients, links and lanes, and the agenda that moves them.

mod actor;
mod client;
mod hostile;
mod life;
mod logger;
mod phases;
mod rot;
mod server;
mod think;
mod wire;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use plexus_broker::{
    envelope::Envelope,
    ports::Door,
    shard::{Context, Shard},
};
use plexus_session::LogPosition;
use plexus_stdx::Seed;
use plexus_types::{ClientId, Durability, Instant};

use self::{actor::Actor, hostile::Hostile, logger::Logger};
use crate::{
    agenda::{ActorNo, Agenda, Event, Lane, LinkNo},
    dice::Dice,
    dock::Dock,
    history::History,
    invariants::{self, Invariant, Violation},
    link::Link,
    plan::{Doorman, Plan},
    seen::Seen,
    story::Story,
};

/// How a world ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The hash of everything that happened.
    pub hash: u64,
    /// How many events that was.
    pub events: u64,
    /// Messages that clients meant to publish.
    pub messages: usize,
    /// The promise that was broken, if any.
    pub violation: Option<Violation>,
}

/// Lets a world happen.
pub fn run(plan: &Plan, story: &mut Story) -> Outcome {
    let mut world = World::new(plan, std::mem::take(story));
    world.live_through();
    *story = world.story;
    Outcome {
        hash: story.hash(),
        events: story.events(),
        messages: world.history.messages.len(),
        violation: world.violation,
    }
}

/// A shard with its surroundings.
#[derive(Debug)]
struct Home {
    shard: Shard,
    dock: Dock,
    /// When the next tick is due.
    tick: Instant,
    /// Publishers are held back until then.
    held_until: Instant,
    /// The actors that live here, with their sessions.
    residents: BTreeMap<ActorNo, Resident>,
    /// The shard was given what the log says of it.
    dealt: bool,
    /// The shard is restored and has routed what was open: clients may come.
    open: bool,
    /// Envelopes of this turn: they leave when its records are with the log.
    outgoing: Vec<(u16, Envelope)>,
    /// A turn has begun and not ended.
    in_turn: bool,
    /// Up to where the shard knows its records to be in the log.
    marked: LogPosition,
}

/// What the node has of an actor.
#[derive(Debug, Clone, Copy, Default)]
struct Resident {
    /// The serial of its session.
    serial: Option<u32>,
    /// No CONNACK has told of that session.
    untold: bool,
}

impl Home {
    fn new(now: Instant, shard: Shard) -> Self {
        Self {
            shard,
            dock: Dock::default(),
            tick: Instant::FAR_FUTURE,
            held_until: now,
            residents: BTreeMap::new(),
            dealt: false,
            open: false,
            outgoing: Vec::new(),
            in_turn: false,
            marked: LogPosition::ZERO,
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
struct World {
    now: Instant,
    plan: Plan,
    dice: Dice,
    agenda: Agenda,
    common: Arc<Context>,
    door: Arc<Door>,
    homes: Vec<Home>,
    lanes: BTreeMap<Lane, (VecDeque<Envelope>, Instant)>,
    /// The log with its thread and its disk, if there is one.
    logger: Option<Logger>,
    /// By how much the node's clock is ahead.
    lead: Duration,
    /// The node is about to crash: nothing that it does counts any more.
    dying: bool,
    links: Vec<Link>,
    actors: Vec<Actor>,
    hostiles: Vec<Hostile>,
    /// Ideas that are left.
    steps: usize,
    /// Nothing goes wrong any more.
    calm: bool,
    history: History,
    invariants: Vec<Box<dyn Invariant>>,
    violation: Option<Violation>,
    story: Story,
    /// What the phase waits for has come.
    settled: bool,
    /// Whether the phase ends when everything has settled.
    watching: bool,
    /// Retained messages that the witness has got, while it asks for them.
    probed: Option<BTreeMap<String, Bytes>>,
}

impl World {
    fn new(plan: &Plan, story: Story) -> Self {
        let seed = Seed::new(plan.seed);
        let common = life::context(plan, seed.derive(2));
        let now = Instant::from_nanos(1);
        let homes = (0..plan.shards).map(|id| {
            let home = Home::new(now, Shard::new(now, id, Arc::clone(&common)));
            Home { open: true, ..home }
        });
        let logger = plan.storage.as_ref().map(|storage| Logger::new(storage, seed));
        let door = Door {
            meter: None,
            name: Arc::from("sim"),
            options: Arc::clone(&plan.session),
            policy: Arc::new(Doorman::new(plan)),
            durability: Durability::Synced,
            tenant: None,
        };
        let count = plan.actors + 1;
        let mut world = Self {
            now,
            plan: plan.clone(),
            dice: Dice::new(seed.derive(3)),
            agenda: Agenda::default(),
            homes: homes.collect(),
            common,
            door: Arc::new(door),
            lanes: BTreeMap::new(),
            logger,
            lead: Duration::ZERO,
            dying: false,
            links: Vec::new(),
            actors: Vec::new(),
            hostiles: Vec::new(),
            steps: plan.steps,
            calm: plan.storage.is_some(),
            history: History::new(plan, count),
            invariants: invariants::all(plan.actors, plan.storage.is_some()),
            violation: None,
            story,
            settled: false,
            watching: false,
            probed: None,
        };
        if world.logger.is_some() {
            world.start_node();
        }
        world.populate();
        world
    }

    fn populate(&mut self) {
        for number in 0..=self.plan.actors {
            let id = if number == self.witness() { "witness".into() } else { format!("c{number}") };
            let id = ClientId::try_from(id.as_str()).expect("invariant: short and plain");
            let home = self.common.home(&id);
            self.home(home).residents.insert(number, Resident::default());
            let dice = Dice::new(self.dice.seed());
            let actor = Actor::new(number, (id, home), dice, number == self.witness());
            self.actors.push(actor);
            self.be_born(number);
        }
        for number in 0..self.plan.hostiles {
            let dice = Dice::new(self.dice.seed());
            self.hostiles.push(Hostile::new(dice));
            self.agenda.enter(self.now, Event::Harass(number));
        }
    }

    /// The client that nothing ever happens to.
    const fn witness(&self) -> ActorNo {
        self.plan.actors
    }

    /// Lets things happen until the agenda is empty, the phase has settled, or a promise is broken.
    fn go_on(&mut self, until: Instant) {
        while self.violation.is_none() && !self.settled {
            let Some((at, event)) = self.agenda.next() else { return };
            if at > until {
                self.agenda.enter(at, event);
                return;
            }
            self.now = self.now.max(at);
            self.history.now = self.node_now();
            self.happen(event);
            if self.dying {
                self.crash();
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Think(actor) => self.think(actor),
            Event::Timeout(actor) => self.client_timeout(actor),
            Event::Acknowledge(actor) => self.acknowledge(actor),
            Event::Harass(hostile) => self.harass(hostile),
            Event::Up(link) => self.move_up(link),
            Event::Down(link) => self.move_down(link),
            Event::Serve(link) => self.serve(link),
            Event::ServerLoses(link) => self.server_loses(link),
            Event::ClientLoses(link) => self.client_loses(link),
            Event::Envelope(lane) => self.deliver_envelope(lane),
            Event::Verified(shard, ticket) => self.verified(shard, ticket),
            Event::Advised(shard, query) => self.advised(shard, query),
            Event::Tick(shard) => self.tick(shard),
            Event::Check => self.check_settled(),
            Event::EndTurn(shard) => self.end_turn(shard),
            Event::Log => self.work_log(),
            Event::Marked(shard, upto) => self.mark(shard, upto),
            Event::Fetched(shard, answer) => self.fetched(shard, answer),
            Event::Refresh(shard, upto) => {
                self.call(shard, |shard, _| shard.handle_refresh(upto));
            }
            Event::Reopen(shard) => self.reopen(shard),
            Event::Restart => self.be_up(),
            Event::Relieve => self.relieve_disk(),
        }
    }

    /// The node's clock.
    fn node_now(&self) -> Instant {
        self.now + self.lead
    }

    /// When the node's clock will show that moment.
    fn moment_of(&self, shown: Instant) -> Instant {
        if shown == Instant::FAR_FUTURE {
            return shown;
        }
        Instant::ZERO + shown.saturating_since(Instant::ZERO + self.lead)
    }

    /// Shows the invariants what has happened.
    fn see(&mut self, seen: &Seen<'_>) {
        self.history.apply(seen);
        for invariant in &mut self.invariants {
            if let Err(what) = invariant.check(&self.history, seen) {
                let invariant = invariant.name();
                self.violated(invariant, what);
                return;
            }
        }
    }

    fn violated(&mut self, invariant: &'static str, what: String) {
        let at = self.now;
        self.story.tell(at, &invariant, || format!("VIOLATED {invariant}: {what}"));
        self.violation.get_or_insert(Violation { invariant, what, at });
    }

    fn home(&mut self, shard: u16) -> &mut Home {
        self.homes.get_mut(usize::from(shard)).expect("invariant: shards are numbered")
    }

    fn actor(&mut self, actor: ActorNo) -> &mut Actor {
        self.actors.get_mut(actor).expect("invariant: actors are numbered")
    }

    fn link(&mut self, link: LinkNo) -> &mut Link {
        self.links.get_mut(link).expect("invariant: links are numbered and stay")
    }
}
