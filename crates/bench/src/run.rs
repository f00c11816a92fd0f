//! One measurement: connect, warm up, measure, drain.

mod connections;
mod messages;
mod offline;

use std::{net::SocketAddr, time::Duration};

use plexus_types::ProtocolVersion;

use crate::{
    client::{Event, Identity},
    clock::Clock,
    error::LoadError,
    fleet::{Fleet, Member},
    outcome::Outcome,
    scenario::{Pace, Scenario, Shape},
    usage::{self, Cpu},
};

/// How long the parts of a run take and what the clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Traffic before the measured part.
    pub warm_up: Duration,
    /// The measured part.
    pub measure: Duration,
    /// The longest wait for what is open at the end.
    pub drain_max: Duration,
    /// What the clients speak.
    pub version: ProtocolVersion,
}

/// The broker that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process, if its processor time and memory are to be read.
    pub pid: Option<u32>,
}

impl Target {
    fn cpu(self) -> Result<Option<Cpu>, LoadError> {
        let cpu = self.pid.map(Cpu::of).transpose();
        cpu.map_err(LoadError::io("reading the broker's processor time"))
    }

    fn anonymous_bytes(self) -> Result<Option<u64>, LoadError> {
        let bytes = self.pid.map(usage::anonymous_bytes).transpose();
        bytes.map_err(LoadError::io("reading the broker's memory"))
    }
}

/// Runs the scenario once.
pub fn run(target: Target, scenario: &Scenario, plan: &Plan) -> Result<Outcome, LoadError> {
    check(scenario)?;
    match scenario.shape {
        Shape::Connect => connections::connect(target, scenario, plan),
        Shape::Idle => connections::idle(target, scenario, plan),
        Shape::Pairs | Shape::FanIn | Shape::FanOut => messages::run(target, scenario, plan),
        Shape::Offline => offline::run(target, scenario, plan),
    }
}

fn check(scenario: &Scenario) -> Result<(), LoadError> {
    const SPARE_FILES: u32 = 64;
    let fault = match (scenario.shape, scenario.pace) {
        _ if scenario.publishers == 0 => "it has no clients",
        _ if scenario.sockets().saturating_add(SPARE_FILES) > usage::open_files_max() => {
            "it needs more open files than this process may have"
        }
        (Shape::Pairs, _) if scenario.publishers != scenario.subscribers => {
            "pairs need as many subscribers as publishers"
        }
        (Shape::FanIn, _) if scenario.subscribers != 1 => "fan-in has one subscriber",
        (Shape::FanOut, _) if scenario.publishers != 1 => "fan-out has one publisher",
        (Shape::FanOut | Shape::Offline, _) if scenario.subscribers == 0 => "it has no subscribers",
        (Shape::Offline, Pace::Rate(_)) => "messages are stored by a window",
        (Shape::Offline, _) if scenario.messages < scenario.publishers => "it has no messages",
        (_, Pace::Window(window)) if window == 0 || window > u32::from(u16::MAX) => {
            "a window is 1 to 65,535 messages"
        }
        (_, Pace::Rate(0)) => "the rate is zero",
        _ => return Ok(()),
    };
    Err(LoadError::Scenario { name: scenario.name.clone(), problem: fault })
}

/// A fleet with its clock and the events of its last turn.
struct Session {
    fleet: Fleet,
    clock: Clock,
    events: Vec<(Member, Event)>,
}

impl Session {
    /// Clients that connect at the same time: below any broker's backlog.
    const CONNECTING_MAX: u32 = 100;
    const READY_MAX: Duration = Duration::from_mins(1);
    const TURN_MAX: Duration = Duration::from_millis(20);

    fn new(target: Target) -> Result<Self, LoadError> {
        let fleet = Fleet::new(target.address)?;
        Ok(Self { fleet, clock: Clock::start(), events: Vec::new() })
    }

    /// One turn of the fleet; its events replace the earlier ones.
    fn turn(&mut self) -> Result<(), LoadError> {
        self.events.clear();
        self.fleet.turn(Self::TURN_MAX, &mut self.events)
    }

    /// Brings up `wanted` clients and waits until all are ready.
    fn bring_up(
        &mut self,
        wanted: u32,
        identity: impl Fn(u32) -> Identity,
    ) -> Result<(), LoadError> {
        self.bring_up_and(wanted, identity, |_, _| {})
    }

    /// The same for clients that get messages at once.
    fn bring_up_and(
        &mut self,
        wanted: u32,
        identity: impl Fn(u32) -> Identity,
        mut hear: impl FnMut(Member, &Event),
    ) -> Result<(), LoadError> {
        let (mut started, mut ready) = (0, 0);
        let deadline = self.clock.now() + Self::READY_MAX;
        while ready < wanted {
            while started < wanted && started - ready < Self::CONNECTING_MAX {
                self.fleet.connect(identity(started))?;
                started += 1;
            }
            self.turn()?;
            ready += self.events.iter().filter(|(_, event)| *event == Event::Ready).count() as u32;
            self.events.iter().for_each(|(member, event)| hear(*member, event));
            if self.clock.now() > deadline {
                return Err(LoadError::NotReady { ready, wanted });
            }
        }
        Ok(())
    }

    /// Says good-bye for all clients from that one on.
    fn leave_all(&mut self, first: Member) -> Result<(), LoadError> {
        (first..self.fleet.members()).try_for_each(|member| self.fleet.leave(member))
    }

    /// Turns until the time is over.
    fn rest(&mut self, time: Duration) -> Result<(), LoadError> {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.turn()?;
        }
        Ok(())
    }
}
