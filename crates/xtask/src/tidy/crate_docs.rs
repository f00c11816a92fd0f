//! Every crate opens with the same page: what it is, what it never does, where to enter, how it is
//! tested.

use super::Findings;
use crate::tree::Tree;
use crate::workspace::{Package, Workspace};

/// The parts in their order; the second word says whether a small crate may leave it out.
const PARTS: [(&str, bool); 5] = [
    ("*What it is.*", true),
    ("*What it never does.*", true),
    ("*Entry points.*", true),
    ("*Reading order.*", false),
    ("*Tests.*", true),
];

const LINES: usize = 40;

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    for package in &workspace.packages {
        let Some(file) = root_of(package).and_then(|root| tree.file(root)) else { continue };
        let lines = file.text.lines().take_while(|line| line.starts_with("//!"));
        let documentation: Vec<&str> = lines.collect();
        if documentation.len() > LINES {
            let message = format!(
                "{} lines of crate documentation; use at most {LINES}, and a page under docs/",
                documentation.len()
            );
            findings.add(&file.path, LINES, message);
        }
        let mut after = 0;
        for (part, needed) in PARTS {
            let starts =
                |line: &&str| line.trim_start_matches("//!").trim_start().starts_with(part);
            match documentation.iter().position(starts) {
                Some(at) if at < after => {
                    let message = format!("`{part}` stands too late; use the fixed order");
                    findings.add(&file.path, at + 1, message);
                }
                Some(at) => after = at,
                None if needed => {
                    let message = format!("no `{part}` in the crate documentation; use all parts");
                    findings.add(&file.path, 1, message);
                }
                None => {}
            }
        }
    }
}

/// The library's root, else the program's.
fn root_of(package: &Package) -> Option<&str> {
    let of_kind = |wanted: &str| {
        let found = package.targets.iter().find(|(kind, _)| kind == wanted);
        found.map(|(_, path)| path.as_str())
    };
    of_kind("lib").or_else(|| of_kind("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    fn said_about(text: &str) -> Vec<String> {
        let path = "crates/a/src/lib.rs";
        let targets = vec![("lib".to_owned(), path.to_owned())];
        let workspace = Workspace {
            packages: vec![Package { targets, ..Package::default() }],
            ..Workspace::default()
        };
        said(check, &Tree::of(&[(path, text)]), &workspace)
    }

    #[test]
    fn all_parts_in_order_are_fine() {
        let text = "//! *What it is.* A.\n//!\n//! *What it never does.* B.\n//! *Entry points.* C.\n\
                    //! *Tests.* D.\nuse a;\n";
        assert_eq!(said_about(text), Vec::<String>::new());
    }

    #[test]
    fn missing_misplaced_and_endless_parts_are_named() {
        let text = "//! *What it never does.* B.\n//! *What it is.* A.\n//! *Entry points.* C.\n";
        assert_eq!(
            said_about(&format!("{text}{}", "//!\n".repeat(38))),
            [
                "crates/a/src/lib.rs:40: 41 lines of crate documentation; use at most 40, and a page \
                 under docs/",
                "crates/a/src/lib.rs:1: `*What it never does.*` stands too late; use the fixed order",
                "crates/a/src/lib.rs:1: no `*Tests.*` in the crate documentation; use all parts",
            ]
        );
    }
}
