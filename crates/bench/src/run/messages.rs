//! Messages: publishers publish, subscribers receive, the ledger tells what became of each.

use std::time::Duration;

use hdrhistogram::Histogram;
use plexus_types::{Instant, Text};

use super::{Plan, Session, Target};
use crate::{
    client::{Event, Identity, text},
    error::LoadError,
    outcome::{Outcome, Quantiles},
    pacer::Pacer,
    scenario::{Pace, Scenario},
    traffic::Traffic,
};

/// Without any event for so long, open messages are given up: the broker has dropped them.
const STALL: Duration = Duration::from_secs(1);

pub(super) fn run(target: Target, scenario: &Scenario, plan: &Plan) -> Result<Outcome, LoadError> {
    let mut load = Load::new(target, scenario, plan)?;
    let _pacer = load.open()?;
    load.go_on_for(plan.warm_up)?;
    load.traffic.forget_latency();
    load.lag.reset();
    let (cpu, begin) = (target.cpu()?, load.session.clock.now());
    let delivered = load.traffic.delivered();
    load.go_on_for(plan.measure)?;
    let seconds = load.session.clock.now().saturating_since(begin).as_secs_f64();
    let outcome = Outcome {
        units: load.traffic.delivered() - delivered,
        seconds,
        latency: Quantiles::of(load.traffic.latency()),
        lag: Quantiles::of(&load.lag),
        ..Outcome::default()
    };
    let outcome = outcome.with_cpu(cpu, target.cpu()?);
    load.drain(plan.drain_max)?;
    let (published, faults) = (load.traffic.published(), load.traffic.faults());
    Ok(Outcome { published, faults, ..outcome })
}

/// Subscribers are members 0 to `subscribers`, publishers follow.
struct Load<'a> {
    scenario: &'a Scenario,
    session: Session,
    traffic: Traffic,
    topics: Vec<Text>,
    publishing: bool,
    /// Open loop: when the next message is due, and whose turn it is.
    next_due: Instant,
    next_publisher: u32,
    lag: Histogram<u64>,
    moved: Instant,
}

impl<'a> Load<'a> {
    fn new(target: Target, scenario: &'a Scenario, plan: &Plan) -> Result<Self, LoadError> {
        let mut session = Session::new(target)?;
        let version = plan.version;
        session.bring_up(scenario.subscribers, |number| Identity {
            subscription: Some((scenario.filter(number), scenario.qos)),
            ..Identity::plain(format!("load-s{number}"), version)
        })?;
        session.bring_up(scenario.publishers, |number| {
            Identity::plain(format!("load-p{number}"), version)
        })?;
        let now = session.clock.now();
        let traffic = Traffic::new(scenario);
        Ok(Self {
            scenario,
            session,
            topics: (0..scenario.publishers).map(|number| text(&scenario.topic(number))).collect(),
            publishing: true,
            next_due: now,
            next_publisher: 0,
            lag: traffic.latency().clone(),
            moved: now,
            traffic,
        })
    }

    fn interval(&self) -> Option<Duration> {
        match self.scenario.pace {
            Pace::Window(_) => None,
            Pace::Rate(rate) => Some(Duration::from_secs(1) / rate.max(1)),
        }
    }

    /// Fills the windows, or starts the pacer of an open loop.
    fn open(&mut self) -> Result<Option<Pacer>, LoadError> {
        self.next_due = self.session.clock.now();
        if let Some(interval) = self.interval() {
            let waker = self.session.fleet.waker()?;
            return Ok(Some(Pacer::start(waker, self.session.clock, self.next_due, interval)));
        }
        self.fill();
        Ok(None)
    }

    fn fill(&mut self) {
        let Pace::Window(window) = self.scenario.pace else { return };
        for publisher in 0..self.scenario.publishers {
            for _ in 0..window {
                self.publish(publisher, self.session.clock.now());
            }
        }
    }

    fn publish(&mut self, publisher: u32, due: Instant) {
        let topic = self.topics.get(publisher as usize);
        let Some((topic, stamp)) = topic.zip(self.traffic.publish(publisher, due)) else { return };
        let (payload, qos) = (stamp.payload(self.scenario.payload), self.scenario.qos);
        let member = (self.scenario.subscribers + publisher) as usize;
        self.session
            .fleet
            .with(member, |client| client.publish(topic, qos, payload, stamp.sequence));
    }

    fn go_on_for(&mut self, time: Duration) -> Result<(), LoadError> {
        let end = self.session.clock.now() + time;
        while self.session.clock.now() < end {
            self.turn()?;
        }
        Ok(())
    }

    /// Publishes no more and waits until everything is settled or nothing moves.
    fn drain(&mut self, limit: Duration) -> Result<(), LoadError> {
        self.publishing = false;
        let end = self.session.clock.now() + limit;
        while !self.traffic.is_settled() && self.session.clock.now() < end {
            self.turn()?;
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<(), LoadError> {
        self.session.turn()?;
        let now = self.session.clock.now();
        for (member, event) in std::mem::take(&mut self.session.events) {
            let member = member as u32;
            let settled = match event {
                Event::Ready => None,
                Event::Delivered(payload) => self.traffic.deliver(member, &payload, now),
                Event::Acknowledged(sequence) => {
                    let publisher = member.saturating_sub(self.scenario.subscribers);
                    self.traffic.acknowledge(publisher, sequence)
                }
            };
            self.moved = now;
            if let Some(publisher) = settled.filter(|_| self.publishing && !self.is_open_loop()) {
                self.publish(publisher, now);
            }
        }
        self.publish_due(now);
        self.restart_if_stalled(now);
        self.session.fleet.flush()
    }

    const fn is_open_loop(&self) -> bool {
        matches!(self.scenario.pace, Pace::Rate(_))
    }

    /// Open loop: everything that is due by now, publisher after publisher.
    fn publish_due(&mut self, now: Instant) {
        let Some(interval) = self.interval().filter(|_| self.publishing) else { return };
        while self.next_due <= now {
            let due = self.next_due;
            let lag = now.saturating_since(due).as_nanos();
            self.lag.saturating_record(u64::try_from(lag).unwrap_or(u64::MAX));
            self.publish(self.next_publisher, due);
            self.next_publisher = (self.next_publisher + 1) % self.scenario.publishers.max(1);
            self.next_due = due + interval;
        }
    }

    fn restart_if_stalled(&mut self, now: Instant) {
        if self.publishing && !self.is_open_loop() && now.saturating_since(self.moved) > STALL {
            self.traffic.write_off();
            self.moved = now;
            self.fill();
        }
    }
}
