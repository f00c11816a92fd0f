//! `cargo xtask compare`: Plexus beside other brokers on this machine, under the load of `plexus bench`.
//!
//! Which brokers, how each is started, and under which load stand in two pages of `docs/bench`. Every
//! run has a process and a directory of its own, so that no run finds what another has left.

mod brokers;
mod conditions;
mod load;
mod options;
mod plot;
mod process;
mod report;
mod run;
mod shapes;
mod spread;
mod summary;

use std::path::{Path, PathBuf};

use self::brokers::{Brokers, Contestant};
use self::conditions::conditions;
use self::load::Load;
use self::options::Options;
use self::report::Report;
use self::run::{Interrupt, Run};
use self::shapes::{Shape, Shapes};
use crate::command;
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Where pages are read and reports are written, from the root.
const FOLDER: &str = "docs/bench";
/// How each broker is started.
const BROKERS: &str = "docs/bench/brokers.toml";
/// What is measured.
const SHAPES: &str = "docs/bench/shapes.toml";
/// The broker that all others are seen beside.
const OURS: &str = "plexus";
/// The broker that the targets are ratios to.
const MEASURE: &str = "mosquitto";

/// Measures and writes the report.
pub(crate) fn compare(words: &[&str]) -> Outcome {
    let options = Options::parse(words)?;
    let workspace = Workspace::read()?;
    let read = |page: &str| {
        std::fs::read_to_string(workspace.root.join(page)).map_err(Failure::doing(page))
    };
    let Shapes { always, shapes } = Shapes::parse(&read(SHAPES)?)?.chosen(&options.only)?;
    let brokers = Brokers::parse(&read(BROKERS)?)?.chosen(&options.brokers)?;
    overwrites_no_other(&workspace.root.join(FOLDER), &options.name)?;
    let plexus = program(&options, &workspace)?;
    let (contestants, missing) = brokers.present(&plexus)?;
    for broker in &missing {
        println!("{} is not installed: `{}` gets it", broker.name, broker.get);
    }
    if contestants.is_empty() {
        return Err(Failure::new("none of these brokers is installed"));
    }
    let load = Load { plexus, always, seconds: options.seconds, warm_up: options.warm_up };
    let runs = all(&options, &shapes, &contestants, &load)?;
    let report = Report {
        name: options.name.clone(),
        conditions: conditions(&options, &contestants, &missing),
        brokers: contestants.iter().map(|one| one.broker.name.clone()).collect(),
        shapes,
        runs,
    };
    report.write(&workspace.root.join(FOLDER))?;
    println!("{FOLDER}/{}.md, .csv, .json and .svg are written", options.name);
    Ok(())
}

/// Whether a page of that name is one that was written here, or there is none.
fn overwrites_no_other(folder: &Path, name: &str) -> Outcome {
    let file = format!("{name}.md");
    match std::fs::read_to_string(folder.join(&file)) {
        Ok(text) if !text.starts_with(report::TITLE) => {
            let words =
                format!("--name {name}: {FOLDER}/{file} is another page; choose another name");
            Err(Failure::new(words))
        }
        _ => Ok(()),
    }
}

/// The program that is measured, which is also the one that makes the load.
fn program(options: &Options, workspace: &Workspace) -> Outcome<PathBuf> {
    if let Some(path) = &options.plexus {
        let doing = || format!("--plexus {}", path.display());
        let path = std::fs::canonicalize(path).map_err(Failure::doing(doing()))?;
        let said = brokers::version(&path, &["--version".to_owned()])?;
        if !said.starts_with("plexus ") {
            let words = format!("{}: it is no plexus, and makes no load: {said}", doing());
            return Err(Failure::new(words));
        }
        return Ok(path);
    }
    command::run(&mut command::cargo(&["build", "--release", "--package", "plexus"]))?;
    Ok(workspace.target.join("release").join("plexus"))
}

/// Every shape on every broker in every round. A run that comes to nothing is told and the others go
/// on; only a person ends them all.
fn all(
    options: &Options,
    shapes: &[Shape],
    contestants: &[Contestant],
    load: &Load,
) -> Outcome<Vec<Run>> {
    let interrupt = Interrupt::watch()?;
    let mut runs = Vec::new();
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        for shape in shapes {
            for turn in turns(round, contestants.len()) {
                let Some(contestant) = contestants.get(turn) else { continue };
                let run = Run::make(round, shape, contestant, load, &interrupt);
                if interrupt.is_set() {
                    return Err(Failure::new("ended early; nothing is written"));
                }
                println!("{}", run.progress(shape));
                runs.push(run);
            }
        }
    }
    Ok(runs)
}

/// Who runs after whom. Who begins changes from round to round, so that what one run leaves behind in
/// the machine does not always meet the same broker.
fn turns(round: u32, brokers: usize) -> impl Iterator<Item = usize> {
    let first = (round as usize).checked_rem(brokers).unwrap_or_default();
    (first..brokers).chain(0..first)
}

/// A path means a place from here, not from the directory of a broker; a bare name is searched.
fn found(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.is_file().then(|| program.to_owned());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_begins_changes_from_round_to_round() {
        let orders: Vec<Vec<usize>> = (0..4).map(|round| turns(round, 3).collect()).collect();
        assert_eq!(orders, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
        assert_eq!(turns(5, 0).count(), 0);
    }

    #[test]
    fn a_page_of_somebody_else_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("xtask-compare-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [("own", "# Plexus beside other brokers\n"), ("README", "# Measured\n")]
        {
            std::fs::write(folder.join(format!("{name}.md")), text).unwrap();
        }
        assert!(overwrites_no_other(&folder, "own").is_ok());
        assert!(overwrites_no_other(&folder, "new").is_ok());
        let error = overwrites_no_other(&folder, "README").unwrap_err().to_string();
        assert!(error.contains("README.md is another page"), "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_bare_name_is_searched_and_a_path_is_taken() {
        let shell = found(Path::new("sh")).unwrap();
        assert!(shell.is_absolute() && shell.ends_with("sh"));
        assert_eq!(found(&shell), Some(shell));
        assert_eq!(found(Path::new("/nowhere/sh")), None);
        assert_eq!(found(Path::new("no-such-broker")), None);
    }
}
