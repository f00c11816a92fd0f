//! A short run of every fuzz target, on stable Rust.
//!
//! The coverage counters that libFuzzer feeds on come from the compiler's own pass, so no nightly
//! toolchain is needed; only the sanitizers would need one.

use std::path::Path;
use std::sync::Mutex;
use std::thread;

use serde::Deserialize;

use crate::command::{self, cargo, program};
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    bin: Vec<Bin>,
}

#[derive(Deserialize)]
struct Bin {
    name: String,
}

/// Runs every target for so many seconds.
pub(crate) fn fuzz(seconds: &str) -> Outcome {
    let seconds = seconds.parse().map_err(Failure::doing(format!("`{seconds}` seconds")))?;
    let ran = smoke(&Workspace::read()?, seconds)?;
    println!("{ran}");
    Ok(())
}

/// Runs every target of `fuzz/` for that many seconds; yields what ran.
pub(crate) fn smoke(workspace: &Workspace, seconds: u32) -> Outcome<String> {
    let manifest = workspace.root.join("fuzz").join("Cargo.toml");
    if !manifest.is_file() {
        return Ok("no targets yet".to_owned());
    }
    let text = std::fs::read_to_string(&manifest).map_err(Failure::doing("fuzz/Cargo.toml"))?;
    let targets = target_names(&text)?;
    let host = host()?;
    let built = workspace.target.join("fuzz");
    let path = manifest.display().to_string();
    let words = ["build", "--release", "--manifest-path", &path, "--target", &host];
    command::run(cargo(&words).env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &built))?;
    let programs = built.join(&host).join("release");
    in_parallel(&targets, |target| run_target(workspace, &programs.join(target), target, seconds))?;
    Ok(format!("{} for {seconds} s each", targets.join(", ")))
}

/// As many at a time as the machine has processors. After a failure no further one is begun.
fn in_parallel(targets: &[String], run: impl Fn(&str) -> Outcome + Sync) -> Outcome {
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    let left = Mutex::new((targets.iter(), Ok(())));
    let next = || left.lock().ok().and_then(|mut left| left.0.next());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(target) = next() {
                    if let (Err(failure), Ok(mut left)) = (run(target), left.lock()) {
                        *left = ([].iter(), Err(failure));
                    }
                }
            });
        }
    });
    left.into_inner().map_err(|_| Failure::new("a fuzz target could not be run"))?.1
}

fn run_target(workspace: &Workspace, binary: &Path, target: &str, seconds: u32) -> Outcome {
    let corpus = workspace.target.join("fuzz").join("corpus").join(target);
    std::fs::create_dir_all(&corpus).map_err(Failure::doing(corpus.display()))?;
    let artifacts = format!("-artifact_prefix={}/", corpus.display());
    let time = format!("-max_total_time={seconds}");
    let limits = ["-rss_limit_mb=1024", "-timeout=10", "-verbosity=0", "-print_final_stats=1"];
    let mut run = program(binary, &limits);
    run.args([&time, &artifacts]).arg(&corpus);
    // Inputs that are worth keeping are checked in beside the target.
    let seeds = workspace.root.join("fuzz").join("seeds").join(target);
    if seeds.is_dir() {
        run.arg(seeds);
    }
    command::run(&mut run)
}

fn target_names(manifest: &str) -> Outcome<Vec<String>> {
    let manifest: Manifest = toml::from_str(manifest).map_err(Failure::doing("fuzz/Cargo.toml"))?;
    Ok(manifest.bin.into_iter().map(|bin| bin.name).collect())
}

/// The machine's own target: flags given to it do not reach build scripts only when it is named.
fn host() -> Outcome<String> {
    let version = command::output(&mut program("rustc", &["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Failure::new("`rustc -vV` names no host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_run_and_one_failure_is_told() {
        let targets: Vec<_> = (0..20).map(|number| number.to_string()).collect();
        let ran = Mutex::new(Vec::new());
        let outcome = in_parallel(&targets, |target| {
            ran.lock().unwrap().push(target.to_owned());
            Ok(())
        });
        assert!(outcome.is_ok());
        let mut ran = ran.into_inner().unwrap();
        ran.sort_by_key(|target| target.parse::<u32>().unwrap());
        assert_eq!(ran, targets);
        let outcome = in_parallel(&targets, |target| match target {
            "3" => Err(Failure::new("three")),
            _ => Ok(()),
        });
        assert!(outcome.unwrap_err().to_string().contains("three"));
    }

    #[test]
    fn targets_are_the_programs_of_the_manifest() {
        let manifest = "[package]\nname = \"fuzz\"\n[[bin]]\nname = \"decode\"\ntest = false\n";
        assert_eq!(target_names(manifest).unwrap(), ["decode"]);
    }
}
