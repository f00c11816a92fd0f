//! Budgets: lines of a file, of its imports and of a crate. Clippy watches functions and parameters.

use super::Findings;
use crate::source::{first_test_line, is_test_path};
use crate::tree::{File, Tree};
use crate::workspace::Workspace;

const FILE_LINES: usize = 800;
const IMPORT_LINES: usize = 15;
const LINE_WIDTH: usize = 100;
/// Types that `npm run generate` makes of the description of the API.
const GENERATED: &str = ".d.ts";
const CRATE_LINES: usize = 10_000;

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    for file in tree.below("", ".rs").filter(|file| !is_test_path(&file.path)) {
        let lines = production_lines(file);
        if lines > FILE_LINES {
            let message = format!("{lines} lines of at most {FILE_LINES}; use two files");
            findings.add(&file.path, FILE_LINES, message);
        }
        check_imports(file, findings);
    }
    let pages = [".ts", ".tsx", ".css"].iter().flat_map(|kind| tree.below("dashboard/", kind));
    for file in pages.filter(|file| !file.path.ends_with(GENERATED)) {
        let lines = file.text.lines().count();
        if lines > FILE_LINES {
            let message = format!("{lines} lines of at most {FILE_LINES}; use two files");
            findings.add(&file.path, FILE_LINES, message);
        }
    }
    for package in &workspace.packages {
        let sources = format!("{}/src/", package.folder);
        let files = tree.below(&sources, ".rs").filter(|file| !is_test_path(&file.path));
        let lines: usize = files.map(production_lines).sum();
        if lines > CRATE_LINES {
            let message = format!("{lines} lines of at most {CRATE_LINES}; use two crates");
            findings.add(&format!("{}/Cargo.toml", package.folder), 1, message);
        }
    }
}

fn production_lines(file: &File) -> usize {
    first_test_line(&file.views.code) - 1
}

/// Counts the lines of `use` at the top level as if each were filled to the width of a line, since
/// rustfmt gives every name of a nested list a line of its own. `pub use` is a table of contents and
/// counts nothing.
fn check_imports(file: &File, findings: &mut Findings) {
    let mut lines = 0;
    let mut last = 1;
    let mut characters = 0;
    for (number, line) in (1..first_test_line(&file.views.code)).zip(file.views.code.lines()) {
        if characters == 0 && !line.starts_with("use ") {
            continue;
        }
        characters += line.trim().chars().count() + 1;
        if line.trim_end().ends_with(';') {
            lines += characters.div_ceil(LINE_WIDTH);
            last = number;
            characters = 0;
        }
    }
    if lines > IMPORT_LINES {
        let message = format!(
            "{lines} filled lines of imports of at most {IMPORT_LINES}; use one `use` a crate, or \
             a file with one subject"
        );
        findings.add(&file.path, last, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;
    use crate::workspace::Package;

    #[test]
    fn files_and_imports_have_budgets_and_tests_stand_apart() {
        let long = "//\n".repeat(801);
        let apart = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "//\n".repeat(700));
        let nested = format!("use a::{{\n{}}};\n", "    b,\n".repeat(40));
        let imports = format!("{nested}pub use d;\n{}", "use c;\n".repeat(14));
        let tree = Tree::of(&[
            ("crates/a/src/apart.rs", &apart),
            ("crates/a/src/imports.rs", &imports),
            ("crates/a/src/long.rs", &long),
            ("crates/a/src/long/tests.rs", &long),
        ]);
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            [
                "crates/a/src/imports.rs:57: 16 filled lines of imports of at most 15; use one \
                 `use` a crate, or a file with one subject",
                "crates/a/src/long.rs:800: 801 lines of at most 800; use two files",
            ]
        );
    }

    #[test]
    fn a_crate_has_a_budget() {
        let text = "//\n".repeat(700);
        let names: Vec<String> = (0..15).map(|n| format!("crates/a/src/f{n}.rs")).collect();
        let files: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), text.as_str())).collect();
        let package = Package { folder: "crates/a".to_owned(), ..Package::default() };
        let workspace = Workspace { packages: vec![package], ..Workspace::default() };
        assert_eq!(
            said(check, &Tree::of(&files), &workspace),
            ["crates/a/Cargo.toml:1: 10500 lines of at most 10000; use two crates"]
        );
    }
}
