//! Two brokers side by side, in turn, on the same machine and by the same generator.

use std::{fs, io, path::Path};

use crate::{
    broker::{Broker, Program},
    error::LoadError,
    outcome::Outcome,
    report::{Record, Report},
    run::{Plan, Target, run},
    scenario::{Scenario, Shape},
    usage,
};

/// What is compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The broker in question.
    pub ours: Program,
    /// The broker that it is measured against.
    pub theirs: Program,
    /// What is measured.
    pub scenarios: Vec<Scenario>,
    /// How often; both brokers take their turn in each round.
    pub rounds: u32,
    /// How long.
    pub plan: Plan,
}

impl Comparison {
    /// Runs everything; every run has a fresh broker. `progress` hears of every run. A run
    /// that fails is recorded with its reason, and the others go on.
    pub fn run(&self, mut progress: impl FnMut(&Record)) -> Report {
        let mut report = Report { conditions: self.conditions(), records: Vec::new() };
        for round in 0..self.rounds {
            for scenario in &self.scenarios {
                for program in self.turns(round) {
                    let record = self.one(round, scenario, program);
                    progress(&record);
                    report.records.push(record);
                }
            }
        }
        report
    }

    /// Both programs; who goes first changes from round to round, so that what the first run
    /// leaves behind for the second does not always meet the same broker.
    const fn turns(&self, round: u32) -> [&Program; 2] {
        if round.is_multiple_of(2) {
            [&self.ours, &self.theirs]
        } else {
            [&self.theirs, &self.ours]
        }
    }

    fn one(&self, round: u32, scenario: &Scenario, program: &Program) -> Record {
        let load_average = usage::load_average();
        let result = self.measure(scenario, program);
        let (broker, scenario) = (program.name(), scenario.name.clone());
        let failure = result.as_ref().err().map(ToString::to_string);
        let outcome = result.unwrap_or_default();
        Record { round, broker, scenario, load_average, outcome, failure }
    }

    fn measure(&self, scenario: &Scenario, program: &Program) -> Result<Outcome, LoadError> {
        let broker = Broker::start(program, scenario.shape == Shape::Offline)
            .map_err(LoadError::io("starting the broker"))?;
        let target = Target { address: broker.address(), pid: Some(broker.pid()) };
        run(target, scenario, &self.plan)
    }

    fn conditions(&self) -> Vec<String> {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let processors = std::thread::available_parallelism().map_or(0, usize::from);
        let Plan { warm_up, measure, version, .. } = self.plan;
        let time = if self.scenarios.iter().all(|one| one.shape == Shape::Offline) {
            "both keep what they acknowledge on disk, Plexus synced before it does, Mosquitto every half hour and at \
             its end; up to 1,000 messages under way to a client"
                .to_owned()
        } else {
            let (warm_up, measure) = (warm_up.as_secs_f64(), measure.as_secs_f64());
            format!("{warm_up} s of warm-up, {measure} s measured")
        };
        vec![
            format!("{}: {}", self.ours.name(), self.ours.version()),
            format!("{}: {}", self.theirs.name(), self.theirs.version()),
            format!("Linux {}, {processors} processors, loopback, {version:?}", kernel.trim()),
            format!(
                "{} rounds, brokers in turn (who begins alternates), a fresh process for each run; {time}; the generator \
                 shares the machine",
                self.rounds,
            ),
        ]
    }

    /// Writes `<name>.md`, `<name>.csv` and `<name>.json` into the directory.
    pub fn write(&self, report: &Report, directory: &Path, name: &str) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        let (ours, theirs) = (self.ours.name(), self.theirs.name());
        let markdown = report.markdown(&self.scenarios, ours, theirs);
        fs::write(directory.join(format!("{name}.md")), markdown)?;
        fs::write(directory.join(format!("{name}.csv")), report.csv())?;
        let mut json = serde_json::to_string_pretty(&report.records)?;
        json.push('\n');
        fs::write(directory.join(format!("{name}.json")), json)
    }
}
