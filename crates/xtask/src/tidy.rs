//! The shape of the tree: what the documents promise about it and a compiler does not check.
//!
//! Every complaint is one line, `path:line: what is wrong; use X`.

mod blobs;
mod clauses;
mod crate_docs;
mod dead_files;
mod dependencies;
mod layers;
mod leftovers;
mod manifests;
mod markdown;
mod names;
mod purity;
mod size;

use std::fmt;

use crate::failure::{Failure, Outcome};
use crate::tree::Tree;
use crate::workspace::Workspace;

/// One complaint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Collects complaints.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    findings: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.findings.push(Finding { path: path.to_owned(), line, message: message.into() });
    }
}

type Check = fn(&Tree, &Workspace, &mut Findings);

const CHECKS: [Check; 12] = [
    layers::check,
    manifests::check,
    dependencies::check,
    purity::check,
    size::check,
    names::check,
    crate_docs::check,
    dead_files::check,
    leftovers::check,
    clauses::check,
    markdown::check,
    blobs::check,
];

/// Runs every check on the project; fails when one complains.
pub(crate) fn tidy() -> Outcome {
    let workspace = Workspace::read()?;
    let tree = Tree::read(&workspace.root)?;
    let mut findings = Findings::default();
    for check in CHECKS {
        check(&tree, &workspace, &mut findings);
    }
    findings.findings.sort();
    findings.findings.dedup();
    for finding in &findings.findings {
        println!("{finding}");
    }
    match findings.findings.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("the tree is not tidy in {count} places"))),
    }
}

/// What a check says about a small tree, for its test.
#[cfg(test)]
fn said(check: Check, tree: &Tree, workspace: &Workspace) -> Vec<String> {
    let mut findings = Findings::default();
    check(tree, workspace, &mut findings);
    findings.findings.iter().map(ToString::to_string).collect()
}
