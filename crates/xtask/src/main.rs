//! *What it is.* The project's own commands, started as `cargo xtask <command>`: what a newcomer runs,
//! what a change has to pass, and the checks that keep the tree in the shape its documents promise.
//!
//! *What it never does.* It is no part of the program and nothing depends on it. It changes no file
//! but the generated pages, the budgets and the reports it is asked to write, and what it installs
//! stays below `target/`, except for Debian packages, which it names before it asks for them.
//!
//! *Entry points.* [`main`], one module a command.
//!
//! *Reading order.* `run`, `test`, `ci`, then `tidy` and `spec`; `tree`, `source` and `workspace` hold
//! what these two read.
//!
//! *Tests.* Beside each check, on a tree of a few lines, with the message that a person gets to see.

#![expect(clippy::print_stdout, reason = "the commands talk to a person at a terminal")]
#![expect(clippy::print_stderr, reason = "the commands talk to a person at a terminal")]

mod ci;
mod command;
mod compare;
mod dashboard;
mod failure;
mod fuzz;
mod install;
mod instructions;
mod run;
mod source;
mod spec;
mod test;
mod tidy;
mod tree;
mod workspace;

use std::process::ExitCode;

use crate::failure::{Failure, Outcome};

const HELP: &str = "\
Usage: cargo xtask <command>

  run [-- ARGS]   build in release, with the dashboard if Node.js is there, and start the broker on
                  its embedded defaults; ARGS go to `plexus serve`
  test            install what the tests need and run them all
  test --fast     only what needs nothing from outside: tables, pairs, conformance
  test --ci       install what the gate needs and pass it; also called `ci`: format, tidy, lints,
                  documentation, dashboard, tests, coverage, schema, simulation, instructions,
                  fuzzing
  dashboard       check, build and try the pages of the program in Chromium
  tidy            the shape of the tree: layers, sizes, names, documents, leftovers
  fuzz [SECONDS]  every fuzz target for so long (30), on stable Rust
  instructions    count the instructions of the hot paths and compare them with their budgets
  instructions --write
                  the same, and lower the budgets of what has become cheaper
  compare         Plexus beside every other broker that is installed, under the same load:
                  tables and a plot in docs/bench. [--rounds N (3)] [--seconds S (3)]
                  [--warm-up S (1)] [--only SHAPE,…] [--brokers NAME,…] [--name NAME (peers)]
                  [--plexus PATH (built)]
  spec            write docs/spec-coverage.md
  spec --check    fail when that page is stale or a statement has no code or no test
";

/// Runs one command of the project.
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match dispatch(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(words: &[&str]) -> Outcome {
    match words {
        [] | ["help" | "-h" | "--help"] | ["compare", .., "-h" | "--help"] => {
            print!("{HELP}");
            Ok(())
        }
        ["run", arguments @ ..] => run::run(arguments),
        ["test"] => test::all(),
        ["test", "--fast"] => test::fast(),
        ["ci"] | ["test", "--ci"] => ci::ci(),
        ["fuzz"] => fuzz::fuzz("30"),
        ["fuzz", seconds] => fuzz::fuzz(seconds),
        ["instructions"] => instructions::check(),
        ["instructions", "--write"] => instructions::write(),
        ["compare", options @ ..] => compare::compare(options),
        ["dashboard"] => dashboard::check(),
        ["tidy"] => tidy::tidy(),
        ["spec"] => spec::write(),
        ["spec", "--check"] => spec::check(),
        _ => Err(Failure::new(format!("no such command: {}\n\n{HELP}", words.join(" ")))),
    }
}
