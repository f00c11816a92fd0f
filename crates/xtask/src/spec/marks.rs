//! Marks such as `[MQTT-3.1.2-4]` in code and tests, and the clauses of the cases in `conformance/`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::source::{first_test_line, is_test_path};
use crate::tree::{File, Tree};
use crate::workspace::{Layer, Workspace};

/// Statement → places, in code and in tests apart.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Files that enforce it.
    pub(crate) code: BTreeMap<String, BTreeSet<Place>>,
    /// Tests and cases that prove it.
    pub(crate) tests: BTreeMap<String, BTreeSet<Place>>,
}

/// Where a mark stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The file, relative to the root.
    pub(crate) path: String,
    /// The test or the case; empty for code, where a line number would go stale.
    pub(crate) name: String,
}

/// One case of `conformance/`.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its file.
    pub(crate) path: String,
    /// Its sentence.
    pub(crate) name: String,
    /// What it proves.
    pub(crate) clauses: Vec<String>,
}

#[derive(Deserialize)]
struct CaseFile {
    #[serde(default)]
    case: Vec<CaseEntry>,
}

#[derive(Deserialize)]
struct CaseEntry {
    name: String,
    #[serde(default)]
    clauses: Vec<String>,
}

/// Reads every case.
pub(crate) fn cases(tree: &Tree) -> Outcome<Vec<Case>> {
    let mut cases = Vec::new();
    for file in tree.below("conformance/", ".toml") {
        let entries: CaseFile = toml::from_str(&file.text).map_err(Failure::doing(&file.path))?;
        cases.extend(entries.case.into_iter().map(|entry| Case {
            path: file.path.clone(),
            name: entry.name,
            clauses: entry.clauses,
        }));
    }
    Ok(cases)
}

/// Rust files whose marks count. This tool's own examples do not.
pub(crate) fn marked_files(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.below("crates/", ".rs").filter(|file| !file.path.starts_with("crates/xtask/"))
}

/// The marks of one line: ids without brackets, or the text of what only looks like a mark.
pub(crate) fn in_line(line: &str) -> impl Iterator<Item = Result<&str, &str>> {
    line.match_indices("[MQTT").filter_map(|(at, _)| {
        let text = line.get(at..)?;
        let text = text.get(..=text.find(']')?)?;
        let id = text.trim_start_matches('[').trim_end_matches(']');
        let number = id.strip_prefix("MQTT-").or_else(|| id.strip_prefix("MQTT3-"))?;
        Some(if is_number(number) { Ok(id) } else { Err(text) })
    })
}

/// `3.1.2-4`: a section and a number.
fn is_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(section, number)| {
        section.split('.').count() > 1 && section.split('.').all(digits) && digits(number)
    })
}

/// Collects all marks of the project.
pub(crate) fn collect(tree: &Tree, workspace: &Workspace) -> Outcome<Marks> {
    let mut marks = Marks::default();
    for file in marked_files(tree) {
        let owner = workspace.owner(&file.path);
        let proves = owner.is_some_and(|package| package.layer == Some(Layer::Tests));
        marks.add_file(file, proves || is_test_path(&file.path));
    }
    for case in cases(tree)? {
        for id in case.clauses {
            let place = Place { path: case.path.clone(), name: case.name.clone() };
            marks.tests.entry(id).or_default().insert(place);
        }
    }
    Ok(marks)
}

impl Marks {
    fn add_file(&mut self, file: &File, is_test: bool) {
        let tests_from = if is_test { 1 } else { first_test_line(&file.views.code) };
        for (number, line) in (1..).zip(file.text.lines()) {
            for id in in_line(line).filter_map(Result::ok) {
                let path = file.path.clone();
                if number < tests_from {
                    let place = Place { path, name: String::new() };
                    self.code.entry(id.to_owned()).or_default().insert(place);
                } else {
                    let place = Place { path, name: test_at(&file.views.code, number) };
                    self.tests.entry(id.to_owned()).or_default().insert(place);
                }
            }
        }
    }
}

/// The function a line belongs to: the one below its comments and attributes, else the one around it.
fn test_at(code: &str, number: usize) -> String {
    let below = code.lines().skip(number - 1).find(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("#[")
    });
    let above = || {
        let lines: Vec<&str> = code.lines().take(number).collect();
        lines.into_iter().rev().find_map(function_name)
    };
    below.and_then(function_name).or_else(above).unwrap_or_default().to_owned()
}

fn function_name(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let is_item = before.chars().all(|c| c.is_alphanumeric() || "_ ()".contains(c));
    let name = rest.split(['(', '<']).next()?.trim();
    (is_item && !name.is_empty()).then_some(name)
}
