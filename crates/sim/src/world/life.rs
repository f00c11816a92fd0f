//! The lives of a node with a log: how it starts, ends at any moment, and comes back.

use std::{sync::Arc, time::Duration};

use plexus_broker::shard::{Context, Shard};
use plexus_recovery::Recovery;
use plexus_stdx::Seed;
use plexus_types::Instant;

use super::{Home, Resident, World};
use crate::{
    agenda::Event,
    plan::{Plan, SHARDS},
    seen::Seen,
};

/// What the system's clock shows when a world begins.
const EPOCH: Duration = Duration::from_hours(500_000);

/// What the shards of a node share.
pub(super) fn context(plan: &Plan, seed: Seed) -> Arc<Context> {
    let mut context = Context::new(plan.node.clone(), seed);
    Arc::get_mut(&mut context).expect("invariant: not shared yet").canary = plan.canary;
    context
}

impl World {
    pub(super) const fn is_down(&self) -> bool {
        self.logger.is_some() && self.homes.is_empty()
    }

    /// The node starts from what its log says.
    pub(super) fn start_node(&mut self) {
        self.try_rot();
        let mut recovery = Recovery::new(self.dice.seed());
        recovery.canary = self.plan.canary;
        let Some(logger) = &mut self.logger else { return };
        if let Err(what) = logger.open(&mut recovery) {
            return self.violated("starts", what);
        }
        self.set_clock();
        self.homes.clear();
        if self.history.crashes > 0 {
            self.plan.shards = self.dice.pick(&SHARDS);
            self.plan.node.shards = self.plan.shards;
        }
        if let Err(what) = self.deal(recovery) {
            return self.violated("starts", what);
        }
        if self.dying {
            return;
        }
        let (life, shards) = (self.history.crashes, self.plan.shards);
        self.story.tell(self.now, &(60, life, shards), || {
            format!("── the node starts, life {life}, {shards} shards")
        });
        self.take_stock();
        self.open_when_restored();
        self.wake_log(Duration::ZERO);
    }

    /// The clock goes on where the log ends, if the system's shows less.
    fn set_clock(&mut self) {
        let Some(logger) = &self.logger else { return };
        let most = self.plan.storage.as_ref().map_or(0, |storage| storage.skew_secs_max);
        let skew = Duration::from_secs(self.dice.between(0, 2 * most) as u64);
        let system = self.now + EPOCH + skew;
        let began = logger.newest().max(system);
        self.lead = began.saturating_since(self.now);
        self.history.now = self.node_now();
    }

    fn deal(&mut self, recovery: Recovery) -> Result<(), String> {
        let Some(logger) = &mut self.logger else { return Ok(()) };
        self.common = context(&self.plan, logger.seed());
        let door = Arc::clone(&self.door);
        let restored = logger.deal(recovery, &self.common, &door)?;
        let now = self.node_now();
        for id in 0..self.plan.shards {
            self.homes.push(Home::new(self.now, Shard::new(now, id, Arc::clone(&self.common))));
        }
        for number in 0..self.actors.len() {
            let id = self.actor(number).id.clone();
            let home = self.common.home(&id);
            self.actor(number).home = home;
            self.home(home).residents.insert(number, Resident::default());
        }
        for (id, restored) in restored.into_iter().enumerate() {
            self.home(id as u16).dealt = true;
            self.call(id as u16, |shard, turn| shard.restore(turn, restored));
        }
        Ok(())
    }

    /// Compares the sessions that are there with those that were promised.
    fn take_stock(&mut self) {
        for actor in 0..self.actors.len() {
            let (id, home) = (self.actor(actor).id.clone(), self.actor(actor).home);
            let known = self.home(home).shard.session(&id).map(|(serial, session)| {
                let subscriptions = session.subscriptions();
                let filters = subscriptions.map(|(filter, options, _)| (filter, options.qos));
                (serial, filters.collect::<Vec<_>>())
            });
            let serial = known.as_ref().map(|(serial, _)| *serial);
            self.home(home).residents.insert(actor, Resident { serial, untold: false });
            if let Some((_, filters)) = known {
                self.see(&Seen::Survived { actor, filters: &filters });
            } else {
                let allowed = self.history.may_vanish(actor);
                self.see(&Seen::Vanished { actor, allowed });
            }
        }
    }

    /// Once every shard knows of all subscriptions, what was open is routed.
    pub(super) fn open_when_restored(&mut self) {
        let waits = |home: &Home| !(home.open || home.dealt && home.shard.is_restored());
        if self.homes.iter().all(|home| home.open) || self.homes.iter().any(waits) {
            return;
        }
        for shard in 0..self.plan.shards {
            let at = self.now + self.dice.micros(1, 2_000);
            self.agenda.enter(at, Event::Reopen(shard));
        }
    }

    pub(super) fn reopen(&mut self, shard: u16) {
        if !std::mem::replace(&mut self.home(shard).open, true) {
            self.call(shard, Shard::reopen);
        }
    }

    /// Whether the node ends with this step.
    pub(super) fn tempt_fate(&mut self) {
        let Some(storage) = &self.plan.storage else { return };
        if storage.crash_one_in == 0 || self.calm || self.dying {
            return;
        }
        self.dying = self.dice.below(storage.crash_one_in) == 0;
    }

    /// The process ends, perhaps by a loss of power, perhaps in the middle of a write.
    pub(super) fn crash(&mut self) {
        self.dying = false;
        let Some(storage) = self.plan.storage.clone() else { return };
        let (power, seed) = (self.dice.chance(storage.power), self.dice.seed());
        let in_write = self.dice.chance(40);
        let now = self.node_now();
        if let Some(logger) = &mut self.logger {
            if in_write {
                logger.fail_for_good(seed.derive(1));
                logger.commit(now.as_millis()).unwrap_or_default();
            }
            logger.end(power.then_some(seed));
        }
        self.story.tell(self.now, &(61, power), || {
            format!("── the node crashes, loss of power: {power}")
        });
        self.lose_connections();
        self.agenda.lose_node();
        self.lanes.clear();
        self.homes.clear();
        self.history.power = power;
        self.see(&Seen::Crashed);
        self.history.crashing = false;
        let down = self.dice.millis(1, storage.down_millis_max);
        self.agenda.enter(self.now + down, Event::Restart);
    }

    fn lose_connections(&mut self) {
        self.history.crashing = true;
        for number in 0..self.links.len() {
            // Also of one that the server was about to close.
            self.detached(number);
            if !std::mem::replace(&mut self.link(number).server_open, false) {
                continue;
            }
            let at = self.now + self.dice.millis(0, 3_000);
            self.agenda.enter(at, Event::ClientLoses(number));
        }
    }

    /// The node comes back, if it is down.
    pub(super) fn be_up(&mut self) {
        if self.is_down() {
            self.start_node();
        }
    }

    /// How long until the node's clock has passed that much.
    pub(super) fn clock_at(&self, moment: Instant) -> Instant {
        moment + self.lead
    }
}
