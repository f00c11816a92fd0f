//! Words and cores (layers 0 and 1) decide; they touch no file, socket, clock, thread or task.

use super::Findings;
use crate::source::{first_test_line, holds_word, is_test_path};
use crate::tree::Tree;
use crate::workspace::{Layer, Workspace};

/// What betrays a shell, and what a core uses instead.
const BANNED: [(&str, &str); 13] = [
    ("std::fs", "an effect that a shell carries out"),
    ("std::net::Tcp", "an effect that a shell carries out"),
    ("std::net::Udp", "an effect that a shell carries out"),
    ("std::os::", "an effect that a shell carries out"),
    ("std::thread", "an input of the state machine"),
    ("std::process", "an error the caller sees"),
    ("std::env", "an option"),
    ("std::time::Instant", "a `now: types::Instant` parameter"),
    ("std::time::SystemTime", "a `now: types::Instant` parameter"),
    ("async fn", "a `handle_*` and a `poll_*` method"),
    (".await", "a `handle_*` and a `poll_*` method"),
    ("getrandom", "a seed in the constructor"),
    ("println!", "an output the caller sees"),
];

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    let pure = |layer: Option<Layer>| layer <= Some(Layer::Program(1)) && layer.is_some();
    for package in workspace.packages.iter().filter(|package| pure(package.layer)) {
        let sources = format!("{}/src/", package.folder);
        for file in tree.below(&sources, ".rs").filter(|file| !is_test_path(&file.path)) {
            let end = first_test_line(&file.views.code);
            for (number, line) in (1..end).zip(file.views.code.lines()) {
                for (word, instead) in BANNED.iter().filter(|(word, _)| holds_word(line, word)) {
                    let message = format!("`{word}` in a pure crate; use {instead}");
                    findings.add(&file.path, number, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;
    use crate::workspace::Package;

    #[test]
    fn cores_are_pure_and_shells_are_not_asked() {
        let package = |folder: &str, layer| Package {
            folder: folder.to_owned(),
            layer: Some(Layer::Program(layer)),
            ..Package::default()
        };
        let workspace = Workspace {
            packages: vec![package("crates/topics", 1), package("crates/net", 3)],
            ..Workspace::default()
        };
        let text = "// std::fs is not code\nuse std::fs;\nasync fn a() { self.awaits }\n";
        let tree = Tree::of(&[
            ("crates/topics/src/lib.rs", text),
            ("crates/topics/src/lib/tests.rs", text),
            ("crates/net/src/lib.rs", text),
        ]);
        assert_eq!(
            said(check, &tree, &workspace),
            [
                "crates/topics/src/lib.rs:2: `std::fs` in a pure crate; use an effect that a shell \
                 carries out",
                "crates/topics/src/lib.rs:3: `async fn` in a pure crate; use a `handle_*` and a \
                 `poll_*` method",
            ]
        );
    }
}
