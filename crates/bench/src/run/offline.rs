//! Sessions that are away: messages are stored for them, then they come back and drain them.

use std::time::Duration;

use plexus_types::Text;

use super::{Plan, Session, Target};
use crate::{
    client::{Event, Identity, text},
    error::LoadError,
    fleet::Member,
    ledger::{Arrival, Stream},
    outcome::Outcome,
    payload::Stamp,
    scenario::{Pace, Scenario},
    traffic::Faults,
};

/// How long the broker may settle before its memory or processor time is read.
const SETTLE: Duration = Duration::from_millis(500);
/// Without any event for so long, what is missing is given up.
const STALL: Duration = Duration::from_secs(10);

pub(super) fn run(target: Target, scenario: &Scenario, plan: &Plan) -> Result<Outcome, LoadError> {
    let mut session = Session::new(target)?;
    let owner = |number: u32, subscription| Identity {
        durable: true,
        subscription,
        ..Identity::plain(format!("load-d{number}"), plan.version)
    };
    session.bring_up(scenario.subscribers, |number| {
        owner(number, Some((scenario.filter(number), scenario.qos)))
    })?;
    session.leave_all(0)?;
    session.rest(SETTLE)?;
    let mut store = Store::new(scenario);
    let stored = store.run(&mut session, target, plan)?;
    session.rest(SETTLE)?;
    let mut drain = Drain::new(scenario, &store);
    let before = target.cpu()?;
    let begin = session.clock.now();
    let first = session.fleet.members();
    session.events.clear();
    session.bring_up_and(
        scenario.subscribers,
        |number| owner(number, None),
        |member, event| {
            drain.take(member - first, event);
        },
    )?;
    let mut moved = session.clock.now();
    while !drain.is_done() && session.clock.now() < moved + STALL {
        session.turn()?;
        if !session.events.is_empty() {
            moved = session.clock.now();
        }
        for (member, event) in &session.events {
            drain.take(*member - first, event);
        }
    }
    let seconds = moved.saturating_since(begin).as_secs_f64();
    session.rest(SETTLE)?; // the last acknowledgements
    let drained = Outcome {
        units: drain.delivered,
        seconds,
        bytes_each: each(target.anonymous_bytes()?, drain.delivered),
        faults: drain.faults(),
        ..Outcome::default()
    };
    let drained = drained.with_cpu(before, target.cpu()?);
    let faults = drained.faults;
    Ok(Outcome { drained: Some(Box::new(drained)), faults, ..stored })
}

fn each(bytes: Option<u64>, units: u64) -> Option<f64> {
    bytes.map(|bytes| bytes as f64 / units.max(1) as f64)
}

/// The first part: message `n` of a publisher is for session `n` modulo their number.
struct Store<'a> {
    scenario: &'a Scenario,
    topics: Vec<Text>,
    /// By publisher.
    sent: Vec<u32>,
    acknowledged: u64,
}

impl<'a> Store<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let topics = (0..scenario.subscribers).map(|number| text(&scenario.topic(number)));
        Self {
            scenario,
            topics: topics.collect(),
            sent: vec![0; scenario.publishers as usize],
            acknowledged: 0,
        }
    }

    /// Messages of each publisher.
    const fn quota(&self) -> u32 {
        self.scenario.messages / self.scenario.publishers
    }

    fn run(
        &mut self,
        session: &mut Session,
        target: Target,
        plan: &Plan,
    ) -> Result<Outcome, LoadError> {
        let first = session.fleet.members();
        session.bring_up(self.scenario.publishers, |number| {
            Identity::plain(format!("load-p{number}"), plan.version)
        })?;
        let total = u64::from(self.quota()) * u64::from(self.scenario.publishers);
        let (before, begin) = (target.cpu()?, session.clock.now());
        let Pace::Window(window) = self.scenario.pace else { return Ok(Outcome::default()) };
        for publisher in 0..self.sent.len() {
            for _ in 0..window {
                self.publish(session, first, publisher);
            }
        }
        session.fleet.flush()?;
        let mut moved = begin;
        while self.acknowledged < total {
            session.turn()?;
            for (member, event) in std::mem::take(&mut session.events) {
                if let Event::Acknowledged(_) = event {
                    self.acknowledged += 1;
                    moved = session.clock.now();
                    self.publish(session, first, member - first);
                }
            }
            session.fleet.flush()?;
            if session.clock.now() > moved + STALL {
                return Err(LoadError::NotStored { stored: self.acknowledged, wanted: total });
            }
        }
        let seconds = session.clock.now().saturating_since(begin).as_secs_f64();
        let after = target.cpu()?;
        session.leave_all(first)?;
        session.rest(SETTLE)?;
        let outcome = Outcome {
            units: total,
            published: total,
            seconds,
            bytes_each: each(target.anonymous_bytes()?, total),
            ..Outcome::default()
        };
        Ok(outcome.with_cpu(before, after))
    }

    fn publish(&mut self, session: &mut Session, first: Member, publisher: usize) {
        let quota = self.quota();
        let Some(sent) = self.sent.get_mut(publisher).filter(|sent| **sent < quota) else { return };
        let number = *sent;
        *sent += 1;
        let sessions = self.scenario.subscribers;
        let Some(topic) = self.topics.get((number % sessions) as usize) else { return };
        let (due, sequence) = (session.clock.now(), number / sessions);
        let stamp = Stamp { publisher: publisher as u32, sequence, due };
        let (payload, qos) = (stamp.payload(self.scenario.payload), self.scenario.qos);
        let member = first + publisher;
        session.fleet.with(member, |client| client.publish(topic, qos, payload, number));
    }
}

/// The second part.
struct Drain {
    publishers: usize,
    /// By session and publisher, with how many there were.
    streams: Vec<(Stream, u32)>,
    wanted: u64,
    delivered: u64,
    faults: Faults,
}

impl Drain {
    fn new(scenario: &Scenario, store: &Store<'_>) -> Self {
        let sessions = scenario.subscribers;
        let streams = (0..sessions).flat_map(|number| {
            let count = move |sent: &u32| sent / sessions + u32::from(number < sent % sessions);
            store.sent.iter().map(move |sent| (Stream::default(), count(sent)))
        });
        Self {
            publishers: store.sent.len(),
            streams: streams.collect(),
            wanted: store.acknowledged,
            delivered: 0,
            faults: Faults::default(),
        }
    }

    fn take(&mut self, session: usize, event: &Event) {
        let Event::Delivered(payload) = event else { return };
        let stream = Stamp::read(payload).and_then(|stamp| {
            let at = session * self.publishers + stamp.publisher as usize;
            let mine = (stamp.publisher as usize) < self.publishers;
            Some((self.streams.get_mut(at).filter(|_| mine)?, stamp.sequence))
        });
        let Some(((stream, _), sequence)) = stream else {
            self.faults.stray += 1;
            return;
        };
        match stream.arrive(sequence) {
            Arrival::Duplicate => {
                self.faults.duplicates += 1;
                return;
            }
            Arrival::Late => self.faults.out_of_order += 1,
            Arrival::Fresh => {}
        }
        self.delivered += 1;
    }

    const fn is_done(&self) -> bool {
        self.delivered >= self.wanted
    }

    fn faults(&self) -> Faults {
        let lost = self.streams.iter().map(|(stream, sent)| stream.lost(*sent)).sum();
        Faults { lost, ..self.faults }
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::Instant;

    use super::*;

    fn scenario() -> Scenario {
        let mut all = Scenario::durable().into_iter();
        let one = all.next().expect("there is one");
        Scenario { publishers: 2, subscribers: 3, messages: 14, ..one }
    }

    #[test]
    fn each_session_misses_what_was_sent_to_it_and_did_not_come() {
        let scenario = scenario();
        let mut store = Store::new(&scenario);
        (store.sent, store.acknowledged) = (vec![7, 7], 14);
        let mut drain = Drain::new(&scenario, &store);
        let arrive = |drain: &mut Drain, session: usize, publisher: u32, sequence: u32| {
            let stamp = Stamp { publisher, sequence, due: Instant::ZERO };
            drain.take(session, &Event::Delivered(stamp.payload(16).into()));
        };
        for publisher in 0..2 {
            for number in 0..7 {
                arrive(&mut drain, number % 3, publisher, number as u32 / 3);
            }
        }
        assert!(drain.is_done());
        assert_eq!(drain.faults(), Faults::default());
        arrive(&mut drain, 0, 5, 0);
        arrive(&mut drain, 0, 1, 1);
        assert_eq!((drain.faults().stray, drain.faults().duplicates), (1, 1));
        let mut store = Store::new(&scenario);
        (store.sent, store.acknowledged) = (vec![7, 7], 14);
        let mut drain = Drain::new(&scenario, &store);
        arrive(&mut drain, 0, 0, 1);
        arrive(&mut drain, 0, 0, 0);
        assert_eq!((drain.faults().lost, drain.faults().out_of_order), (12, 1));
    }
}
