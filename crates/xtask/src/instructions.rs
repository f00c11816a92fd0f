//! `cargo xtask instructions`: what the hot paths cost, in instructions, beside what they may cost.
//!
//! Time depends on who else uses the machine, instructions do not: two counts of one program agree to
//! a hundredth of a per cent, so a change that makes a path dearer is seen in the change itself.

mod budgets;
mod comparison;
mod count;

use std::path::{Path, PathBuf};

use self::budgets::Budgets;
use self::comparison::Comparison;
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::workspace::Workspace;

/// Where the budgets stand, from the root.
const BUDGETS: &str = "docs/bench/instructions.toml";

/// Counts and compares. Where the counter cannot be had there is nothing to compare.
pub(crate) fn check() -> Outcome {
    if let Err(failure) = install::counter() {
        println!("nothing is counted: {failure}");
        return Ok(());
    }
    let comparison = compare(&Workspace::read()?)?;
    println!("{}", comparison.verdict()?);
    Ok(())
}

/// Counts, and lowers the budgets of what has become cheaper.
pub(crate) fn write() -> Outcome {
    install::counter()?;
    let workspace = Workspace::read()?;
    let comparison = compare(&workspace)?;
    // What is too dear is no reason not to keep what has been gained.
    let lowered = comparison.lowered();
    let path = budgets_of(&workspace.root);
    std::fs::write(&path, lowered.text()).map_err(Failure::doing(BUDGETS))?;
    println!("{BUDGETS} is written; a budget is raised by hand, with a reason");
    comparison.without_hints().verdict().map(drop)
}

/// The step of the gate.
pub(crate) fn step(workspace: &Workspace) -> Outcome<String> {
    install::counter()?;
    compare(workspace)?.verdict()
}

/// Counts every path and shows the table.
fn compare(workspace: &Workspace) -> Outcome<Comparison> {
    let path = budgets_of(&workspace.root);
    let budgets = match std::fs::read_to_string(&path) {
        Ok(text) => Budgets::parse(&text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Budgets::default(),
        Err(error) => return Err(Failure::doing(BUDGETS)(error)),
    };
    let counted = count::all(workspace)?;
    let comparison = Comparison { budgets, tools: count::tools()?, counted };
    print!("{}", comparison.table());
    Ok(comparison)
}

fn budgets_of(root: &Path) -> PathBuf {
    root.join(BUDGETS)
}
