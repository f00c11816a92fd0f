//! `cargo xtask ci`: the gate a change has to pass. Every step runs, so one run shows all that fails.

use std::time::{Duration, Instant};

use crate::command::{self, cargo, program};
use crate::failure::{Failure, Outcome};
use crate::install::{self, Tools};
use crate::workspace::Workspace;
use crate::{dashboard, fuzz, instructions, spec, test, tidy};

const SIMULATED_SEEDS: &str = "1000";
/// With a log, crashes and a failing disk.
const LOGGED_SEEDS: &str = "500";
const FUZZ_SECONDS: u32 = 30;

/// What the steps share.
struct Gate {
    workspace: Workspace,
    tools: Tools,
}

/// A step yields a few words about what it did.
type Step = fn(&Gate) -> Outcome<String>;

const STEPS: [(&str, Step); 12] = [
    ("format", format),
    ("tidy", |_| tidy::tidy().map(done)),
    ("lints", lints),
    ("documentation", documentation),
    ("dashboard", |gate| dashboard::step(&gate.workspace)),
    ("tests", |gate| test::suite(&gate.workspace, Some(&gate.tools), "ci")),
    ("examples in the documentation", |_| test::doc_examples().map(done)),
    ("specification", |_| spec::check().map(done)),
    ("configuration schema", schema),
    ("simulation", simulation),
    // Behind the simulation, whose build has most of what it is made of.
    ("instructions", |gate| instructions::step(&gate.workspace)),
    ("fuzzing", |gate| fuzz::smoke(&gate.workspace, FUZZ_SECONDS)),
];

/// How one step ended.
struct Report {
    name: &'static str,
    took: Duration,
    outcome: Outcome<String>,
}

/// Runs every step, then says how each ended.
pub(crate) fn ci() -> Outcome {
    install::gate()?;
    let tools = install::all()?;
    let gate = Gate { workspace: Workspace::read()?, tools };
    let reports: Vec<Report> =
        STEPS.iter().map(|(name, step)| report(&gate, name, *step)).collect();
    println!("\n── summary");
    for report in &reports {
        println!("{}", line(report));
    }
    let failed: Vec<&str> = reports.iter().filter(|r| r.outcome.is_err()).map(|r| r.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("the gate is closed: {}", failed.join(", "))))
}

#[expect(clippy::disallowed_methods, reason = "a person wants to know where the minutes go")]
fn report(gate: &Gate, name: &'static str, step: Step) -> Report {
    println!("\n── {name}");
    let start = Instant::now();
    let outcome = step(gate);
    if let Err(failure) = &outcome {
        println!("{failure}");
    }
    Report { name, took: start.elapsed(), outcome }
}

fn line(report: &Report) -> String {
    let (mark, words) = match &report.outcome {
        Ok(words) => ("ok    ", words.clone()),
        Err(failure) => ("FAILED", failure.to_string()),
    };
    let words = words.lines().collect::<Vec<_>>().join("\n          ");
    format!("{mark} {:>5} s  {}: {words}", report.took.as_secs(), report.name)
}

fn done(_: ()) -> String {
    "nothing to complain about".to_owned()
}

fn format(_: &Gate) -> Outcome<String> {
    command::run(&mut cargo(&["fmt", "--all", "--check"])).map(done)
}

fn lints(_: &Gate) -> Outcome<String> {
    let words = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    command::run(&mut cargo(&words)).map(done)
}

fn documentation(_: &Gate) -> Outcome<String> {
    let words = ["doc", "--workspace", "--no-deps", "--document-private-items", "--quiet"];
    command::run(cargo(&words).env("RUSTDOCFLAGS", "-D warnings")).map(done)
}

/// The schema in the tree is the one the program prints.
fn schema(gate: &Gate) -> Outcome<String> {
    const SCHEMA: &str = "docs/config/plexus.schema.json";
    let binary = gate.workspace.target.join("debug").join("plexus");
    let path = gate.workspace.root.join(SCHEMA);
    if gate.workspace.package("plexus-config").is_none() {
        return Ok("no configuration yet".to_owned());
    }
    let kept = std::fs::read_to_string(&path).map_err(Failure::doing(SCHEMA))?;
    let printed = command::output(&mut program(&binary, &["config", "schema"]))?;
    if kept.trim_end() == printed.trim_end() {
        return Ok(done(()));
    }
    Err(Failure::new(format!("{SCHEMA} is stale; use `plexus config schema > {SCHEMA}`")))
}

fn simulation(gate: &Gate) -> Outcome<String> {
    if gate.workspace.package("plexus-sim").is_none() {
        return Ok("no simulation yet".to_owned());
    }
    let words = ["run", "--release", "--package", "plexus-sim", "--bin", "sim", "--"];
    command::run(cargo(&words).args(["--seeds", SIMULATED_SEEDS]))?;
    command::run(cargo(&words).args(["--log", "--seeds", LOGGED_SEEDS]))?;
    Ok(format!("{SIMULATED_SEEDS} seeds, {LOGGED_SEEDS} with a log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_line_with_its_time() {
        let took = Duration::from_secs(75);
        let outcome = Err(Failure::new("Summary: 1 failed\nFAIL a"));
        assert_eq!(
            line(&Report { name: "tests", took, outcome }),
            "FAILED    75 s  tests: Summary: 1 failed\n          FAIL a"
        );
        let outcome = Ok("1000 seeds".to_owned());
        assert_eq!(
            line(&Report { name: "simulation", took, outcome }),
            "ok        75 s  simulation: 1000 seeds"
        );
    }
}
