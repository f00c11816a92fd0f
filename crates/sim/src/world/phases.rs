//! The course of a world: first the faults, then peace in which everything must settle, then all
//! leave and nothing may stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bytes::Bytes;
use plexus_session::{Incoming, QueuePolicy};
use plexus_types::{Instant, Qos, ReasonCode, Text};
use plexus_wire::{DisconnectProperties, SubscribeFilter, SubscriptionOptions};

use super::World;
use crate::{agenda::Event, plan::EXPIRY_MAX, seen::Seen};

/// How long peace may take to settle everything.
const PEACE_MAX: Duration = Duration::from_mins(5);
/// How long it lasts where not everything can settle.
const TRUCE: Duration = Duration::from_secs(5);
/// How long the faults go on at most.
const FAULTS_MAX: Duration = Duration::from_mins(50);

impl World {
    pub(super) fn live_through(&mut self) {
        self.tell("the witness comes");
        self.settle("begin");
        self.tell("the faults begin");
        self.calm = false;
        self.go_on(self.now + FAULTS_MAX);
        self.tell("peace");
        self.make_peace();
        self.settle("settle");
        self.sum_up();
        self.rest_log();
        self.probe_retained();
        self.tell("all leave");
        self.all_leave();
    }

    fn tell(&mut self, what: &'static str) {
        self.story.tell(self.now, &what, || format!("── {what}"));
    }

    /// No more faults and no more ideas.
    fn make_peace(&mut self) {
        self.calm = true;
        self.heal_disk();
        self.be_up();
        self.expel();
        for number in 0..self.actors.len() {
            self.actor(number).asleep_until = Instant::ZERO;
        }
        self.notice_all();
        for number in 0..self.links.len() {
            self.push_up(number);
            self.push_down(number);
            self.agenda.enter(self.now, Event::Serve(number));
        }
        for number in 0..self.actors.len() {
            self.agenda.enter(self.now, Event::Think(number));
        }
    }

    /// Lets the world go on until nothing is under way.
    fn settle(&mut self, phase: &'static str) {
        if self.violation.is_some() {
            return;
        }
        self.settled = false;
        let before = std::mem::replace(&mut self.calm, true);
        self.agenda.enter(self.now, Event::Check);
        // With that policy a client that hears itself may be closed whenever it repeats itself.
        let endless = self.is_endless();
        self.watching = true;
        self.go_on(self.now + if endless { TRUCE } else { PEACE_MAX });
        self.watching = false;
        self.calm = before;
        if !self.settled && !endless && self.violation.is_none() {
            let what = self.unsettled(phase).unwrap_or_else(|| "the agenda ran dry".to_owned());
            self.violated("settles", format!("{phase}: {what}"));
        }
        self.settled = false;
    }

    fn is_endless(&self) -> bool {
        self.plan.session.queue_policy == QueuePolicy::Disconnect
    }

    pub(super) fn check_settled(&mut self) {
        if !self.watching {
            return;
        }
        let begin = self.history.messages.iter().all(|sent| sent.entries.is_empty());
        let phase = if begin && self.steps == self.plan.steps { "begin" } else { "" };
        if self.unsettled(phase).is_none() {
            self.settled = true;
        } else {
            let at = self.now + self.dice.millis(150, 250);
            self.agenda.enter(at, Event::Check);
        }
    }

    /// The first thing that is still under way.
    fn unsettled(&self, phase: &str) -> Option<String> {
        if self.is_down() {
            return Some("the node is down".to_owned());
        }
        let lanes = self.lanes.iter().find(|(_, (queue, _))| !queue.is_empty());
        if let Some((lane, _)) = lanes {
            return Some(format!("envelopes wait: {lane:?}"));
        }
        let from = if phase == "begin" { self.witness() } else { 0 };
        self.actors.iter().skip(from).filter(|actor| !actor.gone).find_map(|actor| {
            let (number, client) = (actor.number, &actor.client);
            if !client.is_connected() {
                return Some(format!("c{number} is not connected"));
            }
            if client.inflight() + client.queued() > 0 {
                let (inflight, queued) = (client.inflight(), client.queued());
                return Some(format!("c{number} has {inflight} under way and {queued} waiting"));
            }
            if actor.requests + actor.pondered.len() > 0 {
                return Some(format!("c{number} waits for {} answers", actor.requests));
            }
            let link = actor.link.and_then(|link| self.links.get(link))?;
            if !link.server_open {
                return Some(format!("c{number} has not noticed that its connection is gone"));
            }
            if !link.is_still() || !link.received.is_empty() || link.down_busy {
                let (up, arrived, received) = (&link.up, &link.arrived, &link.received);
                let busy = link.down_busy;
                return Some(format!(
                    "c{number} sends {} and {} bytes, gets {} and more: {busy}",
                    up.len(),
                    arrived.len(),
                    received.len()
                ));
            }
            let home = self.homes.get(usize::from(actor.home))?;
            let Some((_, session)) = home.shard.session(&actor.id) else {
                return Some(format!("c{number} has no session"));
            };
            let (queued, inflight) = (session.queued().0, session.inflight());
            (queued + inflight > 0)
                .then(|| format!("the node has {inflight} under way and {queued} for c{number}"))
        })
    }

    fn sum_up(&mut self) {
        if self.violation.is_none() {
            self.see(&Seen::Settled);
        }
    }

    /// A subscriber that comes now gets what is kept.
    fn probe_retained(&mut self) {
        if !self.plan.session.retain_available || self.violation.is_some() {
            return;
        }
        self.probed = Some(BTreeMap::new());
        self.witness_subscribes("r/#");
        self.settle("probe");
        let probed = self.probed.take().unwrap_or_default();
        if self.violation.is_none() && self.plan.is_lossless() {
            self.see(&Seen::Retained(&probed));
        }
        for topic in self.retained_topics() {
            self.delete_retained(self.witness(), &topic, Qos::AtLeastOnce);
        }
        self.settle("delete");
    }

    /// Every topic to which some client may have retained something.
    fn retained_topics(&self) -> BTreeSet<String> {
        let messages = self.history.messages.iter();
        messages.filter(|sent| sent.retain).map(|sent| sent.topic.clone()).collect()
    }

    fn witness_subscribes(&mut self, filter: &'static str) {
        let now = self.now;
        let options = SubscriptionOptions { qos: Qos::AtLeastOnce, ..Default::default() };
        let filters = vec![SubscribeFilter { filter: Text::from_static(filter), options }];
        let witness = self.witness();
        let actor = self.actor(witness);
        if actor.client.subscribe(now, filters, None).is_ok() {
            actor.requests += 1;
        }
        self.drain(witness);
    }

    /// The witness got a retained message.
    pub(super) fn probe(&mut self, incoming: &Incoming) {
        if let Some(probed) = &mut self.probed {
            let payload = Bytes::copy_from_slice(&incoming.payload);
            probed.insert(incoming.topic.to_string(), payload);
        }
    }

    /// Some say good-bye, some just go; time passes until every session has expired.
    fn all_leave(&mut self) {
        if self.violation.is_some() {
            return;
        }
        for number in 0..self.actors.len() {
            self.leave(number);
        }
        self.notice_all();
        let end = self.now + Duration::from_secs(u64::from(EXPIRY_MAX) + 200);
        self.go_on(end);
        if self.violation.is_some() {
            return;
        }
        self.now = end;
        self.history.now = self.clock_at(end);
        for shard in 0..self.plan.shards {
            self.tick(shard);
        }
        self.go_on(end + Duration::from_secs(10));
        let mut censuses: Vec<_> = self.homes.iter().map(|home| home.shard.census()).collect();
        if self.is_endless() {
            // Not even the witness got through to delete what is retained.
            for census in &mut censuses {
                (census.retained, census.retained_deadlines) = (0, 0);
            }
        }
        if self.violation.is_none() {
            self.see(&Seen::Left(&censuses));
        }
        self.rest_log();
        if let Some(rest) = self.rest().filter(|_| self.violation.is_none() && !self.is_endless()) {
            self.see(&Seen::Emptied(rest.stat));
        }
    }

    /// Waits until the log has nothing to write or to clean.
    fn rest_log(&mut self) {
        if self.logger.is_none() || self.violation.is_some() {
            return;
        }
        let end = self.now + PEACE_MAX;
        let mut until = self.now;
        while until < end && self.violation.is_none() {
            until = until + Duration::from_millis(100);
            self.go_on(until);
            if self.is_log_at_rest() {
                break;
            }
        }
        if self.violation.is_some() {
            return;
        }
        if !self.is_log_at_rest() {
            let stat = self.rest().map(|rest| rest.stat);
            return self.violated("log_rests", format!("cleaning goes on and on: {stat:?}"));
        }
        if let Some(rest) = self.rest() {
            self.see(&Seen::Rested(rest));
        }
    }

    fn leave(&mut self, number: usize) {
        let now = self.now;
        let polite = self.dice.chance(60);
        let actor = self.actor(number);
        actor.gone = true;
        match actor.link {
            Some(link) if !polite => self.cut(link),
            _ => {
                let properties = DisconnectProperties::default();
                actor.client.disconnect(now, ReasonCode::Success, properties);
                self.drain(number);
            }
        }
    }
}
