//! *What it is.* The program `sim`: tells the story of one seed, or runs many and says which fail.
//!
//! *What it never does.* It decides nothing: the library does.
//!
//! *Entry points.* `sim --seed 7`, `sim --seeds 1000 [--from N] [--steps M]`; with `--log` the node has
//! a log, crashes and a failing disk.
//!
//! *Reading order.* This file.
//!
//! *Tests.* Those of the library.

use std::{
    io::{self, Write},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use clap::Parser;
use plexus_sim::{Plan, Story, run};

/// A node and its clients in one thread, from a seed.
#[derive(Debug, Parser)]
#[command(name = "sim", version)]
struct Arguments {
    /// Tells the story of this seed.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// Runs so many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Ideas of all clients of a world together.
    #[arg(long)]
    steps: Option<usize>,
    /// Gives the node a log, and lets node and disk fail.
    #[arg(long)]
    log: bool,
    /// Goes on after a failure.
    #[arg(long)]
    keep_going: bool,
}

/// The seed that is running, for the words of a panic.
static RUNNING: AtomicU64 = AtomicU64::new(0);

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let before = std::panic::take_hook();
    let (steps, log) = (arguments.steps, arguments.log);
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        say(&format!("panicked; replay: {}", replay(RUNNING.load(Relaxed), steps, log)));
    }));
    let failed = match arguments.seed {
        Some(seed) => tell(seed, steps, log),
        None => run_many(&arguments),
    };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan(seed: u64, steps: Option<usize>, log: bool) -> Plan {
    let plan = Plan::new(seed);
    let plan = if log { plan.with_log() } else { plan };
    match steps {
        Some(steps) => plan.with_steps(steps),
        None => plan,
    }
}

/// Prints everything that happens in one world.
fn tell(seed: u64, steps: Option<usize>, log: bool) -> u64 {
    RUNNING.store(seed, Relaxed);
    let plan = plan(seed, steps, log);
    say(&format!("{plan:#?}"));
    let mut story = Story::told();
    let outcome = run(&plan, &mut story);
    for line in story.take_lines() {
        say(&line);
    }
    if let Some(violation) = outcome.violation {
        say(&format!("seed {seed} violates {violation}"));
        return 1;
    }
    say(&format!("seed {seed} passed, {} events, {:016x}", outcome.events, outcome.hash));
    0
}

fn run_many(arguments: &Arguments) -> u64 {
    let (mut passed, mut failed, mut events, mut messages) = (0_u64, 0_u64, 0_u64, 0);
    for seed in arguments.from..arguments.from.saturating_add(arguments.seeds) {
        RUNNING.store(seed, Relaxed);
        let outcome = run(&plan(seed, arguments.steps, arguments.log), &mut Story::silent());
        events += outcome.events;
        messages += outcome.messages;
        let Some(violation) = outcome.violation else {
            passed += 1;
            continue;
        };
        failed += 1;
        say(&format!("seed {seed} violates {violation}"));
        say(&format!("replay: {}", replay(seed, arguments.steps, arguments.log)));
        if !arguments.keep_going {
            break;
        }
    }
    say(&format!("{passed} passed, {failed} failed; {events} events, {messages} messages"));
    failed
}

fn replay(seed: u64, steps: Option<usize>, log: bool) -> String {
    let log = if log { "--log " } else { "" };
    let steps = steps.map_or(String::new(), |steps| format!(" --steps {steps}"));
    format!("cargo run --release -p plexus-sim --bin sim -- {log}--seed {seed}{steps}")
}

/// A line for whoever asked; if nobody reads any more, nothing is left to say.
fn say(line: &str) {
    drop(writeln!(io::stdout().lock(), "{line}"));
}
