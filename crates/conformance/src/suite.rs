//! All cases, in every version and over every transport they name, several at a time.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{Address, Case, Failure, Transport, Version, play};

/// Cases wait far more than they work, so there are more threads than processors.
const WORKERS: usize = 16;

/// One run of one case.
#[derive(Debug)]
pub struct Outcome {
    /// File and name of the case.
    pub case: String,
    /// The version it ran in.
    pub version: Version,
    /// The transport it ran over.
    pub transport: Transport,
    /// What it came to.
    pub result: Result<(), Failure>,
}

/// What a suite came to.
#[derive(Debug, Default)]
pub struct Summary {
    /// Runs that held.
    pub passed: usize,
    /// Runs that did not, in the order of the cases.
    pub failed: Vec<Outcome>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.failed {
            let (version, transport) = (outcome.version.name(), outcome.transport.name());
            writeln!(f, "\n{} ({version}, {transport})", outcome.case)?;
            if let Err(failure) = &outcome.result {
                writeln!(f, "  {failure}")?;
            }
        }
        writeln!(f, "{} runs held, {} did not", self.passed, self.failed.len())
    }
}

/// Plays every case against the addresses; a case whose transports have no address is left out.
/// `run` begins every prefix, so that two suites against one broker do not meet.
pub fn play_all(cases: &[&Case], addresses: &[Address], run: u32) -> Summary {
    let jobs = jobs(cases, addresses);
    let queue = Mutex::new(jobs.iter().enumerate());
    let outcomes = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let job = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((number, job)) = job else { return };
                    let prefix = format!("{}x{}", base36(run), base36(number as u32));
                    let outcome = job.play(&prefix);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push((number, outcome));
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|(number, _)| *number);
    let mut summary = Summary::default();
    for (_, outcome) in outcomes {
        match outcome.result {
            Ok(()) => summary.passed += 1,
            Err(_) => summary.failed.push(outcome),
        }
    }
    summary
}

struct Job<'a> {
    case: &'a Case,
    version: Version,
    address: &'a Address,
}

impl Job<'_> {
    fn play(&self, prefix: &str) -> Outcome {
        Outcome {
            case: format!("{}: {}", self.case.theme, self.case.name),
            version: self.version,
            transport: self.address.transport,
            result: play(self.case, self.address, self.version, prefix),
        }
    }
}

fn jobs<'a>(cases: &[&'a Case], addresses: &'a [Address]) -> Vec<Job<'a>> {
    let mut jobs = Vec::new();
    for case in cases {
        for &version in &case.versions {
            for address in addresses {
                if case.transports.contains(&address.transport) {
                    jobs.push(Job { case, version, address });
                }
            }
        }
    }
    jobs
}

/// Digits and letters that any client identifier may hold.
fn base36(mut number: u32) -> String {
    let mut digits = Vec::new();
    loop {
        digits.extend(char::from_digit(number % 36, 36));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}
