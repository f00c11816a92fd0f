//! docs/attacks.md: every attack has a test, and every test that it names is there.

use std::{collections::BTreeSet, fs, path::Path};

use crate::ground::{cases, root};

/// Where the tests are that are no cases.
const TESTS: [&str; 5] = [
    "crates/admission/src/tokens",
    "crates/conformance/tests/it",
    "crates/plexus/tests/it",
    "crates/plexus/tests/outside",
    "crates/net/tests/it",
];
/// The columns of a table of attacks.
const COLUMNS: usize = 4;
/// The list only grows.
const ATTACKS_MIN: usize = 50;

/// The names of the functions that are tests, and of the cases.
fn tests() -> BTreeSet<String> {
    let mut names: BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    for folder in TESTS {
        add_tests(&root().join(folder), &mut names);
    }
    names
}

fn add_tests(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of tests") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            add_tests(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a file of tests");
            let tests = text.split("#[test]\n").skip(1);
            names.extend(
                tests.filter_map(|rest| {
                    Some(rest.split_once("fn ")?.1.split_once('(')?.0.to_owned())
                }),
            );
        }
    }
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_attack_of_the_list_has_its_test() {
    let text = fs::read_to_string(root().join("docs/attacks.md")).expect("the list of attacks");
    let tests = tests();
    let mut attacks = 0;
    let mut mistakes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else {
            continue;
        };
        let cells: Vec<&str> = row.split(" | ").collect();
        if cells.first() == Some(&"what is done") {
            continue;
        }
        attacks += 1;
        let named: Vec<&str> = cells.last().copied().map(quoted).into_iter().flatten().collect();
        if cells.len() != COLUMNS || cells.iter().any(|cell| cell.is_empty()) || named.is_empty() {
            mistakes.push(format!(
                "docs/attacks.md:{number}: not {COLUMNS} cells, the last with tests"
            ));
        }
        for name in named.iter().filter(|name| !tests.contains(**name)) {
            mistakes.push(format!("docs/attacks.md:{number}: there is no test `{name}`"));
        }
    }
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    assert!(attacks >= ATTACKS_MIN, "{attacks} attacks");
}

/// A case that is an attack and stands in no row was forgotten.
#[test]
fn every_attack_of_the_cases_is_in_the_list() {
    let text = fs::read_to_string(root().join("docs/attacks.md")).expect("the list of attacks");
    let listed: BTreeSet<&str> = quoted(&text).collect();
    let attacks = cases().into_iter().filter(|case| case.theme == "attacks");
    let missing: Vec<String> =
        attacks.map(|case| case.name).filter(|name| !listed.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in docs/attacks.md: {missing:#?}");
}
