//! Names that say nothing: a thing is called what it is, as in the glossary.

use super::Findings;
use crate::tree::{File, Tree};
use crate::workspace::Workspace;

/// Empty words at the end of a type's name.
const TYPE_WORDS: [&str; 12] = [
    "Manager", "Helper", "Helpers", "Util", "Utils", "Common", "Core", "Base", "Info", "Data",
    "Impl", "Misc",
];

/// Empty words as the name of a module or a file.
const MODULE_WORDS: [&str; 11] = [
    "manager", "helper", "helpers", "util", "utils", "common", "core", "base", "info", "misc",
    "impl",
];

const HINT: &str = "use the word the glossary has for what it holds or does";

pub(super) fn check(tree: &Tree, _: &Workspace, findings: &mut Findings) {
    for file in tree.below("", ".rs") {
        check_types(file, findings);
        let stem = file.name().trim_end_matches(".rs");
        if MODULE_WORDS.contains(&stem) {
            findings.add(&file.path, 1, format!("a file called `{stem}.rs`; {HINT}"));
        }
        if stem == "mod" {
            findings.add(&file.path, 1, "a file called `mod.rs`; use `foo.rs` beside `foo/`");
        }
    }
}

fn check_types(file: &File, findings: &mut Findings) {
    for (number, line) in (1..).zip(file.views.code.lines()) {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        while let Some(word) = words.next() {
            if !["struct", "enum", "trait", "type", "union"].contains(&word) {
                continue;
            }
            let name = words.next().unwrap_or_default();
            if TYPE_WORDS.iter().any(|empty| name.ends_with(empty)) {
                findings.add(&file.path, number, format!("a type called `{name}`; {HINT}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn empty_words_are_refused() {
        let tree = Tree::of(&[
            ("crates/a/src/util.rs", "pub struct Metadata;\n"),
            ("crates/a/src/a.rs", "pub(crate) enum ConnectionManager {}\n// struct XData\n"),
            ("crates/a/src/a/mod.rs", "type Data = u8;\n"),
        ]);
        let hint = "use the word the glossary has for what it holds or does";
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            [
                format!("crates/a/src/util.rs:1: a file called `util.rs`; {hint}"),
                format!("crates/a/src/a.rs:1: a type called `ConnectionManager`; {hint}"),
                format!("crates/a/src/a/mod.rs:1: a type called `Data`; {hint}"),
                "crates/a/src/a/mod.rs:1: a file called `mod.rs`; use `foo.rs` beside `foo/`"
                    .into(),
            ]
        );
    }
}
