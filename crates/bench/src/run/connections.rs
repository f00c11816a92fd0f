//! Connections without messages: what coming and staying costs.

use std::time::Duration;

use super::{Plan, Session, Target};
use crate::{
    client::{Event, Identity},
    error::LoadError,
    outcome::Outcome,
    scenario::Scenario,
};

/// Connects of one run: each leaves a local port in TIME-WAIT, and there are some 28,000 of them.
const CONNECTS_MAX: u64 = 20_000;
/// How long the broker may settle before its memory or processor time is read.
const SETTLE: Duration = Duration::from_millis(500);

fn stranger(plan: &Plan, number: u64) -> Identity {
    Identity::plain(format!("load-c{number}"), plan.version)
}

/// Clients that connect, are answered and leave, `publishers` at a time.
pub(super) fn connect(
    target: Target,
    scenario: &Scenario,
    plan: &Plan,
) -> Result<Outcome, LoadError> {
    let mut session = Session::new(target)?;
    let (mut started, mut ready) = (0, 0);
    let (cpu, begin) = (target.cpu()?, session.clock.now());
    let end = begin + plan.measure;
    loop {
        let open = session.clock.now() < end && started < CONNECTS_MAX;
        while open && started - ready < u64::from(scenario.publishers) {
            session.fleet.connect(stranger(plan, started))?;
            started += 1;
        }
        if started == ready {
            break;
        }
        session.turn()?;
        for (member, event) in &session.events {
            if *event == Event::Ready {
                session.fleet.leave(*member)?;
                ready += 1;
            }
        }
        if session.clock.now() > end + plan.drain_max {
            return Err(LoadError::NotReady { ready: ready as u32, wanted: started as u32 });
        }
    }
    let seconds = session.clock.now().saturating_since(begin).as_secs_f64();
    session.rest(SETTLE)?; // the broker has yet to see the last of them leave
    let outcome = Outcome { units: ready, seconds, ..Outcome::default() };
    Ok(outcome.with_cpu(cpu, target.cpu()?))
}

/// Clients that connect and stay.
pub(super) fn idle(target: Target, scenario: &Scenario, plan: &Plan) -> Result<Outcome, LoadError> {
    let mut session = Session::new(target)?;
    let before = target.anonymous_bytes()?;
    session.bring_up(scenario.publishers, |number| stranger(plan, u64::from(number)))?;
    session.rest(SETTLE)?;
    let after = target.anonymous_bytes()?;
    let units = u64::from(scenario.publishers);
    let bytes_each = before
        .zip(after)
        .map(|(before, after)| after.saturating_sub(before) as f64 / units.max(1) as f64);
    Ok(Outcome { units, bytes_each, ..Outcome::default() })
}
