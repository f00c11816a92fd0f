//! `plexus-load`: the command line of the load generator.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand};
use plexus_bench::{Comparison, Pace, Plan, Program, Scenario, Shape, Target, run};
use plexus_types::{ProtocolVersion, Qos};

/// Loads an MQTT broker from outside and tells what it costs.
#[derive(Debug, Parser)]
#[command(name = "plexus-load", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One run against a broker that is running; prints JSON.
    Run(RunOptions),
    /// Plexus against Mosquitto, each started afresh for every run; writes a report.
    Compare(CompareOptions),
    /// Names the standing scenarios.
    Scenarios,
}

#[derive(Debug, Args)]
struct PlanOptions {
    /// Seconds of traffic before the measured part.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds measured.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Speak MQTT 5.0 instead of 3.1.1.
    #[arg(long)]
    v5: bool,
}

impl PlanOptions {
    fn plan(&self) -> Result<Plan, String> {
        const DRAIN_MAX: Duration = Duration::from_secs(5);
        let time = |seconds| Duration::try_from_secs_f64(seconds).map_err(|why| why.to_string());
        let version = if self.v5 { ProtocolVersion::V5 } else { ProtocolVersion::V311 };
        let (warm_up, measure) = (time(self.warm_up)?, time(self.seconds)?);
        Ok(Plan { warm_up, measure, drain_max: DRAIN_MAX, version })
    }
}

#[derive(Debug, Args)]
struct RunOptions {
    /// Where the broker listens.
    #[arg(long, default_value = "127.0.0.1:1883")]
    address: SocketAddr,
    /// The broker's process, to read its processor time and memory.
    #[arg(long)]
    pid: Option<u32>,
    /// A standing scenario to start from (see `scenarios`).
    #[arg(long, default_value = "p2p-q0")]
    scenario: String,
    /// Who publishes to whom.
    #[arg(long)]
    shape: Option<Shape>,
    /// Clients that publish, connect or idle.
    #[arg(long)]
    publishers: Option<u32>,
    /// Clients that subscribe.
    #[arg(long)]
    subscribers: Option<u32>,
    /// Quality of service.
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: Option<u8>,
    /// Payload in bytes, at least 16.
    #[arg(long)]
    payload: Option<usize>,
    /// Unsettled messages for each publisher.
    #[arg(long, conflicts_with = "rate")]
    window: Option<u32>,
    /// Messages a second over all publishers, whatever the broker does.
    #[arg(long)]
    rate: Option<u32>,
    /// Messages that are stored for sessions that are away.
    #[arg(long)]
    messages: Option<u32>,
    #[command(flatten)]
    plan: PlanOptions,
}

#[derive(Debug, Args)]
struct CompareOptions {
    /// The Plexus program, built for release.
    #[arg(long, default_value = "plexus")]
    plexus: PathBuf,
    /// The Mosquitto program.
    #[arg(long, default_value = "mosquitto")]
    mosquitto: PathBuf,
    /// Rounds; both brokers take their turn in each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only these scenarios.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Where the report goes.
    #[arg(long, default_value = "docs/bench")]
    out: PathBuf,
    /// Name of the report's files.
    #[arg(long, default_value = "mosquitto")]
    name: String,
    #[command(flatten)]
    plan: PlanOptions,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Run(options) => run_one(&options),
        Command::Compare(options) => compare(options),
        Command::Scenarios => list(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "plexus-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> Result<(), String> {
    for scenario in Scenario::standard().into_iter().chain(Scenario::durable()) {
        say(&format!("{:18} {}", scenario.name, scenario.describe()))?;
    }
    Ok(())
}

fn standing(name: &str) -> Result<Scenario, String> {
    let mut all = Scenario::standard().into_iter().chain(Scenario::durable());
    let found = all.find(|scenario| scenario.name == name);
    found.ok_or_else(|| format!("there is no scenario named {name}"))
}

fn run_one(options: &RunOptions) -> Result<(), String> {
    let mut scenario = standing(&options.scenario)?;
    scenario.shape = options.shape.unwrap_or(scenario.shape);
    scenario.publishers = options.publishers.unwrap_or(scenario.publishers);
    scenario.subscribers = options.subscribers.unwrap_or(scenario.subscribers);
    scenario.qos = options.qos.and_then(Qos::new).unwrap_or(scenario.qos);
    scenario.payload = options.payload.unwrap_or(scenario.payload);
    scenario.messages = options.messages.unwrap_or(scenario.messages);
    let pace = options.window.map(Pace::Window).or_else(|| options.rate.map(Pace::Rate));
    scenario.pace = pace.unwrap_or(scenario.pace);
    let target = Target { address: options.address, pid: options.pid };
    let outcome = run(target, &scenario, &options.plan.plan()?);
    let outcome = outcome.map_err(|error| error.to_string())?;
    let json = serde_json::to_string_pretty(&outcome).map_err(|error| error.to_string())?;
    say(&json)
}

fn compare(options: CompareOptions) -> Result<(), String> {
    let chosen: Result<Vec<_>, _> = options.only.iter().map(|name| standing(name)).collect();
    let chosen = chosen?;
    let comparison = Comparison {
        ours: Program::Plexus(options.plexus),
        theirs: Program::Mosquitto(options.mosquitto),
        scenarios: if chosen.is_empty() { Scenario::standard() } else { chosen },
        rounds: options.rounds,
        plan: options.plan.plan()?,
    };
    let report = comparison.run(|record| {
        let outcome = &record.outcome;
        let cpu = outcome.cpu_micros.unwrap_or_default();
        let (round, rate) = (record.round + 1, outcome.per_second());
        let (scenario, broker) = (&record.scenario, record.broker);
        let state = match (&record.failure, outcome.is_clean()) {
            (Some(failure), _) => failure.as_str(),
            (None, true) => "clean",
            (None, false) => "FAULTS",
        };
        // Progress only; a closed terminal must not end the measurement.
        let _ =
            say(&format!("{round} {scenario:18} {broker:10} {cpu:8.2} µs {rate:9.0}/s {state}"));
        if let Some(drained) = &outcome.drained {
            let (cpu, rate) = (drained.cpu_micros.unwrap_or_default(), drained.per_second());
            let _ = say(&format!("{:32} {cpu:8.2} µs {rate:9.0}/s drained", ""));
        }
    });
    comparison.write(&report, &options.out, &options.name).map_err(|error| error.to_string())
}

fn say(line: &str) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_unknown_scenario_is_refused() {
        assert!(standing("p2p-q0").is_ok());
        assert!(standing("p2p-q9").is_err());
    }
}
