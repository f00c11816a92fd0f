//! Leads a run: one step after the other, what is measured in each, and who watches.

mod steps;

use std::{io, sync::Arc, time::Duration};

use mio::{Events, Poll, Token, Waker};
use plexus_types::{Instant, Qos};

use crate::{
    clock::Clock,
    counts::{Census, Count, Counts},
    engine::{Command, Crew, Shared},
    meter::{Meters, Metric, Quantiles},
    plan::{Plan, Role},
    summary::{Broker, Part, Summary},
    usage::{self, Cpu},
};

/// The longest wait between two looks at the numbers.
const LOOK: Duration = Duration::from_millis(20);
/// How often the watcher is told.
const TELL: Duration = Duration::from_secs(1);
/// How long a worker may take to hand over its times.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// Somebody who watches a run.
pub trait Watch {
    /// About once a second, and at each new step.
    fn tell(&mut self, progress: &Progress);
    /// Whether the run is to end now, in order.
    fn wants_end(&mut self) -> bool;
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// The name of the scenario.
    pub name: String,
    /// What is going on.
    pub step: String,
    /// Since the beginning of the run.
    pub elapsed: Duration,
    /// How much of the step is done, where that is known: 0 to 1.
    pub done: Option<f64>,
    /// All numbers so far.
    pub counts: Counts,
    /// The names of the groups and how many clients each has.
    pub groups: Vec<(String, u32)>,
    /// Since the last telling.
    pub interval: Duration,
    /// The numbers at the last telling.
    pub before: Counts,
    /// Distributions of the times since the last telling.
    pub times: Vec<(Metric, Quantiles)>,
    /// Connections that failed or were lost, and other troubles.
    pub troubles: u64,
}

/// The state of things at one moment.
#[derive(Debug, Clone)]
struct Mark {
    at: Instant,
    counts: Counts,
    broker: Option<(Cpu, u64)>,
}

/// Leads one run.
#[derive(Debug)]
pub struct Director {
    crew: Crew,
    shared: Arc<Shared>,
    clock: Clock,
    poll: Poll,
    waker: Arc<Waker>,
    events: Events,
    /// Times of the part that is measured.
    meters: Meters,
    parts: Vec<Part>,
    step: String,
    told_at: Instant,
    told: Counts,
    /// Somebody wants the end.
    ending: bool,
    /// What is done now is done to its end all the same: what is under way arrives, who is there says
    /// good-bye.
    patient: bool,
    peak_memory: u64,
}

impl Director {
    /// Starts the threads; nothing is connected yet.
    pub fn new(plan: Plan) -> io::Result<Self> {
        let clock = Clock::start();
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), Token(0))?);
        let crew = Crew::start(plan, clock)?;
        let shared = Arc::clone(&crew.shared);
        let told = shared.counts();
        Ok(Self {
            crew,
            shared,
            clock,
            poll,
            waker,
            events: Events::with_capacity(4),
            meters: Meters::default(),
            parts: Vec::new(),
            step: String::new(),
            told_at: clock.now(),
            told,
            ending: false,
            patient: false,
            peak_memory: 0,
        })
    }

    /// Rings the director from another thread, so that it asks whether the run is to end.
    pub fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Goes through all steps.
    pub fn run(mut self, watch: &mut dyn Watch) -> io::Result<Summary> {
        let pid = std::process::id();
        let cpu = Cpu::of(pid).ok();
        let broker = self.broker();
        let begin = self.clock.now();
        for step in self.shared.plan.workload.steps.clone() {
            self.step(&step, watch)?;
        }
        self.crew.order(&Command::Halt);
        self.flush()?;
        self.look(watch, None)?;
        let broker = used(broker, self.broker());
        let used = cpu.zip(Cpu::of(pid).ok()).map(|(before, after)| after.micros_since(before));
        let seconds = self.clock.now().saturating_since(begin).as_secs_f64();
        self.tell(watch, Some(1.0));
        let (shared, crew) = (self.shared, self.crew);
        let harvests = crew.finish();
        let mut summary = Summary::new(&shared, harvests);
        summary.troubles = shared.reasons();
        summary.seconds = seconds;
        summary.interrupted = self.ending;
        summary.generator.cpu_seconds = used.map(|micros| micros as f64 / 1e6);
        summary.generator.memory_bytes = self.peak_memory;
        summary.generator.threads = shared.plan.workers;
        summary.parts = self.parts;
        summary.broker = broker;
        let mut summary = summary.judged(&shared.plan.workload, &shared.audience);
        if let (Some(pid), None) = (shared.plan.broker, broker) {
            summary
                .notes
                .push(format!("the process {pid} ended during the run: what it used is not known"));
        }
        Ok(summary)
    }

    /// Waits a moment, then tells and asks the watcher if it is time; the numbers as they are.
    fn look(&mut self, watch: &mut dyn Watch, done: Option<f64>) -> io::Result<Counts> {
        match self.poll.poll(&mut self.events, Some(LOOK)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            Ok(()) | Err(_) => {}
        }
        self.ending |= watch.wants_end();
        if self.clock.now().saturating_since(self.told_at) >= TELL {
            self.tell(watch, done);
        }
        Ok(self.shared.counts())
    }

    fn tell(&mut self, watch: &mut dyn Watch, done: Option<f64>) {
        let now = self.clock.now();
        let mut recent = Meters::default();
        self.shared.take_recent(&mut recent);
        let times = Metric::ALL.into_iter();
        let times = times.filter_map(|metric| Some((metric, recent.quantiles(metric)?)));
        let workload = &self.shared.plan.workload;
        let counts = self.shared.counts();
        watch.tell(&Progress {
            name: workload.name.clone(),
            step: self.step.clone(),
            elapsed: now.saturating_since(self.shared.begun),
            done,
            groups: workload.groups.iter().map(|one| (one.name.clone(), one.count)).collect(),
            interval: now.saturating_since(self.told_at),
            before: std::mem::replace(&mut self.told, counts.clone()),
            times: times.collect(),
            troubles: self.shared.reasons().values().sum(),
            counts,
        });
        self.meters.absorb(&mut recent);
        self.told_at = now;
        let memory = usage::anonymous_bytes(std::process::id()).unwrap_or_default();
        self.peak_memory = self.peak_memory.max(memory);
    }

    /// Waits until all workers have handed over the times that they recorded.
    fn flush(&mut self) -> io::Result<()> {
        let wanted = self.crew.flushed() + self.crew.len();
        self.crew.order(&Command::Flush);
        let end = self.clock.now() + FLUSH_TIMEOUT;
        while self.crew.flushed() < wanted && self.clock.now() < end {
            match self.poll.poll(&mut self.events, Some(Duration::from_millis(1))) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        self.shared.take_recent(&mut self.meters);
        Ok(())
    }

    /// Forgets the times so far: from here on is measured.
    fn begin_part(&mut self) -> io::Result<Mark> {
        self.flush()?;
        self.meters = Meters::default();
        Ok(self.mark())
    }

    fn mark(&self) -> Mark {
        Mark { at: self.clock.now(), counts: self.shared.counts(), broker: self.broker() }
    }

    /// What lies between two marks was a part, which lasted until `end`.
    fn end_part(&mut self, name: &str, end: Instant, before: &Mark, after: &Mark) {
        let seconds = end.saturating_since(before.at).as_secs_f64();
        let mut part = Part::new(name, seconds, &before.counts, &after.counts, &self.meters);
        part.broker = used(before.broker, after.broker);
        self.parts.push(part);
    }

    /// Processor time and memory of the broker now, if its process is known.
    fn broker(&self) -> Option<(Cpu, u64)> {
        let pid = self.shared.plan.broker?;
        Some((Cpu::of(pid).ok()?, usage::anonymous_bytes(pid).ok()?))
    }

    /// Clients of a group that are neither ready nor have come to nothing since `before`.
    fn missing(&self, counts: &Counts, group: usize, before: &Counts) -> u64 {
        let count = self.shared.plan.workload.groups.get(group).map_or(0, |one| one.count);
        let since = |census| counts.of(group, census) - before.of(group, census);
        // Who was lost after being ready is counted twice, and that only ends a wait sooner.
        let over = since(Census::Ready) + since(Census::Failed) + since(Census::Lost);
        let standing = before.standing(group);
        u64::from(count).saturating_sub(standing + over)
    }

    /// Whether everything of QoS 1 and 2 that was published has been acknowledged.
    fn is_answered(&self, counts: &Counts) -> bool {
        let all = self.shared.plan.workload.groups.iter().all(|group| match &group.role {
            Role::Publish(publishing) => publishing.qos != Qos::AtMostOnce,
            Role::Connect | Role::Subscribe(_) => true,
        });
        let answered = counts.get(Count::Acknowledged) + counts.get(Count::Refused);
        // Where QoS 0 is among them, how many are to be acknowledged is not counted.
        !all || answered >= counts.get(Count::Published)
    }

    /// The same, and everything has been delivered.
    fn is_settled(&self, counts: &Counts) -> bool {
        self.is_answered(counts) && self.arrived(counts) >= counts.get(Count::Expected)
    }

    /// Deliveries that have come: without stamps each counts, because they are not told apart.
    fn arrived(&self, counts: &Counts) -> u64 {
        let stamped = self.shared.plan.workload.is_stamped();
        let unstamped = if stamped { 0 } else { counts.get(Count::Unstamped) };
        counts.get(Count::Delivered) + unstamped
    }
}

/// What the broker used between two readings.
fn used(before: Option<(Cpu, u64)>, after: Option<(Cpu, u64)>) -> Option<Broker> {
    let ((before, memory_before), (after, memory_bytes)) = (before?, after?);
    let cpu_seconds = after.micros_since(before) as f64 / 1e6;
    let user_seconds = after.user_micros_since(before) as f64 / 1e6;
    Some(Broker { cpu_seconds, user_seconds, memory_bytes, memory_before })
}
