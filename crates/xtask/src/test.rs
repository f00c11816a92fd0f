//! `cargo xtask test`: everything the tests need, then the tests, then the runner's own summary.

use std::process::Command;

use crate::command::{self, Stream, cargo};
use crate::failure::{Failure, Outcome};
use crate::install::{self, Tools};
use crate::workspace::Workspace;

/// Crates whose tests need the outside world or take their time: rings 4 and 5.
const OUTER_RINGS: [&str; 3] = ["plexus-sim", "plexus-bench", "plexus"];

/// Installs what the tests need and runs all of them.
pub(crate) fn all() -> Outcome {
    let tools = install::all()?;
    let summary = suite(&Workspace::read()?, Some(&tools), "default")?;
    println!("{summary}");
    Ok(())
}

/// Runs what needs nothing from outside.
pub(crate) fn fast() -> Outcome {
    let summary = suite(&Workspace::read()?, None, "default")?;
    println!("{summary}");
    Ok(())
}

/// Runs the tests and yields the runner's summary. Without tools: the inner rings only.
pub(crate) fn suite(
    workspace: &Workspace,
    tools: Option<&Tools>,
    profile: &str,
) -> Outcome<String> {
    build_program(workspace)?;
    let has_nextest = command::succeeds(&mut cargo(&["nextest", "--version"]));
    let mut runner = if has_nextest {
        cargo(&["nextest", "run", "--workspace", "--profile", profile])
    } else {
        println!("cargo-nextest is not installed; `cargo test` runs the tests instead.");
        cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
    };
    if tools.is_none() {
        for name in OUTER_RINGS.iter().filter(|name| workspace.package(name).is_some()) {
            runner.args(["--exclude", name]);
        }
    }
    prepare(&mut runner, workspace, tools);
    let stream = if has_nextest { Stream::Error } else { Stream::Output };
    let mut summary = Summary::of(if has_nextest { "Summary [" } else { "test result:" });
    let passed = command::watched(&mut runner, stream, |line| summary.read(line))?;
    if passed { Ok(summary.text()) } else { Err(Failure::new(summary.text())) }
}

/// The examples of the documentation, which nextest leaves out.
pub(crate) fn doc_examples() -> Outcome {
    command::run(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))
}

/// Tests of whole programs start the binary; it is built as the tests are, so nothing is built twice.
fn build_program(workspace: &Workspace) -> Outcome {
    if workspace.package("plexus").is_none() {
        return Ok(());
    }
    command::run(&mut cargo(&["build", "--profile", "test", "--package", "plexus"]))
}

/// Where the tests find what they start.
fn prepare(runner: &mut Command, workspace: &Workspace, tools: Option<&Tools>) {
    if workspace.package("plexus").is_some() {
        runner.env("PLEXUS_BIN", workspace.target.join("debug").join("plexus"));
    }
    if let Some(tools) = tools {
        runner.env("PLEXUS_PYTHON", &tools.python).env("NODE_PATH", &tools.node_modules);
    }
}

/// The runner's own words about the whole run.
#[derive(Debug)]
struct Summary {
    start: &'static str,
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Summary {
    /// Expects lines that start so; a failed test's own output may hold those of another runner.
    fn of(start: &'static str) -> Self {
        Self { start, lines: Vec::new(), failed: Vec::new() }
    }

    fn read(&mut self, line: &str) {
        let words = line.trim_start();
        if words.starts_with(self.start) {
            self.lines.push(words.to_owned());
        } else if is_failed_test(words) && !self.failed.iter().any(|failed| failed == words) {
            self.failed.push(words.to_owned());
        }
    }

    fn text(&self) -> String {
        match (self.lines.as_slice(), self.failed.as_slice()) {
            ([], _) => "the tests did not come to an end".to_owned(),
            (lines, []) => lines.join("\n"),
            (lines, failed) => format!("{}\n{}", lines.join("\n"), failed.join("\n")),
        }
    }
}

fn is_failed_test(line: &str) -> bool {
    ["FAIL [", "TIMEOUT [", "SIGABRT [", "SIGSEGV [", "LEAK-FAIL ["]
        .iter()
        .any(|s| line.starts_with(s))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_runners_own() {
        let mut summary = Summary::of("Summary [");
        assert_eq!(summary.text(), "the tests did not come to an end");
        for line in [
            "        FAIL [   0.004s] plexus-wire packet::round_trip",
            "    test result: FAILED. 0 passed; 1 failed",
            "     Summary [   2.001s] 3 tests run: 2 passed, 1 failed, 0 skipped",
            "        FAIL [   0.004s] plexus-wire packet::round_trip",
            "error: test run failed",
        ] {
            summary.read(line);
        }
        assert_eq!(
            summary.text(),
            "Summary [   2.001s] 3 tests run: 2 passed, 1 failed, 0 skipped\n\
             FAIL [   0.004s] plexus-wire packet::round_trip"
        );
    }
}
