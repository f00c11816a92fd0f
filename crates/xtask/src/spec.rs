//! The specification joined with the tree: which code enforces a statement, which test proves it.

pub(crate) mod clause;
pub(crate) mod marks;
mod page;

use std::collections::BTreeSet;
use std::fs;

use crate::failure::{Failure, Outcome};
use crate::tree::Tree;
use crate::workspace::Workspace;
use clause::{Clause, Document};
use marks::{Marks, Place};

/// The generated page.
const PAGE: &str = "docs/spec-coverage.md";

/// Writes the page and says what is missing.
pub(crate) fn write() -> Outcome {
    let (workspace, tree) = read()?;
    let coverage = Coverage::of(&tree, &workspace)?;
    let path = workspace.root.join(PAGE);
    fs::write(&path, page::render(&coverage)).map_err(Failure::doing(path.display()))?;
    let gaps = coverage.gaps();
    for gap in &gaps {
        println!("{gap}");
    }
    println!("{PAGE} is written; {} gaps", gaps.len());
    Ok(())
}

/// Fails when the page is stale or a statement has no code or no test.
pub(crate) fn check() -> Outcome {
    let (workspace, tree) = read()?;
    let coverage = Coverage::of(&tree, &workspace)?;
    let mut complaints = coverage.gaps();
    if tree.file(PAGE).is_none_or(|file| file.text != page::render(&coverage)) {
        complaints.push(format!("{PAGE}:1: the page is stale; use `cargo xtask spec`"));
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("the specification is not covered in {count} places"))),
    }
}

fn read() -> Outcome<(Workspace, Tree)> {
    let workspace = Workspace::read()?;
    let tree = Tree::read(&workspace.root)?;
    Ok((workspace, tree))
}

/// Both documents and everything that refers to them.
pub(crate) struct Coverage {
    documents: Vec<Document>,
    marks: Marks,
}

impl Coverage {
    /// Reads the lists and collects the marks.
    fn of(tree: &Tree, workspace: &Workspace) -> Outcome<Self> {
        let documents = clause::documents(tree)?;
        if documents.is_empty() {
            return Err(Failure::new("there is no list of statements in docs/spec/"));
        }
        Ok(Self { documents, marks: marks::collect(tree, workspace)? })
    }

    /// One line for every statement that nothing enforces or nothing proves.
    ///
    /// A statement that cannot be tested says why in the list and needs nothing. One that can be
    /// tested needs a test always, and code unless its `why` says how it holds without a line.
    fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        for document in &self.documents {
            for clause in &document.clauses {
                if let Some(missing) = self.missing(clause) {
                    let place = format!("{}:{}", document.path, clause.line);
                    gaps.push(format!("{place}: `{}` has {missing}", clause.id));
                }
            }
        }
        gaps
    }

    /// The files that enforce a statement, by its own mark or by that of its like.
    fn code(&self, clause: &Clause) -> Option<&BTreeSet<Place>> {
        let like = || clause.like.as_ref().and_then(|id| self.marks.code.get(id));
        self.marks.code.get(&clause.id).or_else(like)
    }

    fn missing(&self, clause: &Clause) -> Option<&'static str> {
        let code = self.code(clause).is_some() || clause.why.is_some();
        let test = self.marks.tests.contains_key(&clause.id);
        match (clause.testable, code, test) {
            (false, _, _) if clause.why.is_some() => None,
            (true, true, true) => None,
            (false, ..) => Some("no `why` although it is not testable; use `why = \"…\"`"),
            (true, false, false) => Some("no code and no test; use marks beside both"),
            (true, false, true) => Some("no code; use a mark beside the line that enforces it"),
            (true, true, false) => Some("no test; use a case in conformance/ or a mark in a test"),
        }
    }
}

#[cfg(test)]
mod tests;
