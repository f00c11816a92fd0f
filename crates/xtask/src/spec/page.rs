//! The page a reader gets: each statement with its code and its tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Coverage;
use super::clause::{Actor, Clause, Document};
use super::marks::Place;

const HEAD: &str = "\
# Coverage of the specification

Written by `cargo xtask spec` from [the lists of statements](spec/README.md), the marks in the code and
the cases in `conformance/`; not edited by hand. *Code* names the files that enforce a statement, *tests*
what proves it. Where one of them is absent, the page says why.
";

/// Renders the whole page.
pub(super) fn render(coverage: &Coverage) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n| document | statements | with code | with a test | with a reason instead | gaps |\n",
    );
    page.push_str("|---|---|---|---|---|---|\n");
    for document in &coverage.documents {
        page.push_str(&summary(coverage, document));
    }
    for document in &coverage.documents {
        let _ = write!(page, "\n## {}\n\n", document.title);
        page.push_str(
            "| statement | what it demands | of | code | tests |\n|---|---|---|---|---|\n",
        );
        for clause in &document.clauses {
            page.push_str(&row(coverage, clause));
        }
    }
    page
}

fn summary(coverage: &Coverage, document: &Document) -> String {
    let count =
        |test: &dyn Fn(&Clause) -> bool| document.clauses.iter().filter(|c| test(c)).count();
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        document.title,
        document.clauses.len(),
        count(&|clause| coverage.code(clause).is_some()),
        count(&|clause| coverage.marks.tests.contains_key(&clause.id)),
        count(&|clause| clause.why.is_some()),
        count(&|clause| coverage.missing(clause).is_some()),
    )
}

fn row(coverage: &Coverage, clause: &Clause) -> String {
    let reason = clause.why.as_ref().map(|why| format!("*{}*", escaped(why)));
    let gap = || "**gap**".to_owned();
    let none = || "–".to_owned();
    let code = coverage.code(clause).map(cell);
    let tests = coverage.marks.tests.get(&clause.id).map(cell);
    let (code, tests) = if clause.testable {
        (code.or(reason).unwrap_or_else(gap), tests.unwrap_or_else(gap))
    } else {
        (code.unwrap_or_else(none), tests.or(reason).unwrap_or_else(gap))
    };
    let actor = match clause.actor {
        Actor::Server => "server",
        Actor::Client => "client",
        Actor::Both => "both",
    };
    format!("| {} | {} | {actor} | {code} | {tests} |\n", clause.id, escaped(&clause.text))
}

/// Links to the files, each followed by the tests in it.
fn cell(places: &BTreeSet<Place>) -> String {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for place in places {
        files.entry(&place.path).or_default().push(&place.name);
    }
    let file = |(path, names): (&&str, &Vec<&str>)| {
        let names: Vec<String> =
            names.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
        let colon = if names.is_empty() { "" } else { ": " };
        format!("[{}](../{path}){colon}{}", short(path), names.join(", "))
    };
    files.iter().map(file).collect::<Vec<_>>().join("<br>")
}

/// `crates/wire/src/packet/connect.rs` → `wire/packet/connect`.
fn short(path: &str) -> String {
    let path = path.trim_start_matches("crates/").replacen("/src/", "/", 1);
    path.trim_end_matches(".rs").trim_end_matches(".toml").to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}
