//! What a person writes on the way and takes out before the end.

use super::Findings;
use crate::source::holds_word;
use crate::tree::{File, Tree};
use crate::workspace::Workspace;

/// In code: the words and what to do instead.
const CODE: [(&str, &str); 9] = [
    ("dbg!(", "a structured log line or nothing"),
    ("todo!(", "code that does it, or leave the feature out"),
    ("unimplemented!(", "code that does it, or leave the feature out"),
    ("#[ignore", "a test that runs, or none"),
    ("#[should_panic", "an assertion on the result"),
    ("#[allow(", "`#[expect(lint, reason = \"…\")]`"),
    ("#![allow(", "`#![expect(lint, reason = \"…\")]`"),
    ("thread::sleep", "a condition to wait for, with a deadline"),
    ("#![feature(", "stable Rust"),
];

/// In comments.
const COMMENTS: [&str; 4] = ["FIXME", "XXX", "TODO", "HACK"];

pub(super) fn check(tree: &Tree, _: &Workspace, findings: &mut Findings) {
    for file in tree.below("", ".rs") {
        for (number, line) in (1..).zip(file.views.code.lines()) {
            for (word, instead) in CODE.iter().filter(|(word, _)| holds_word(line, word)) {
                let word = word.trim_end_matches('(');
                findings.add(&file.path, number, format!("`{word}` left behind; use {instead}"));
            }
        }
        check_comments(file, findings);
    }
}

fn check_comments(file: &File, findings: &mut Findings) {
    for (number, line) in (1..).zip(file.views.comments.lines()) {
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        if let Some(word) = words.find(|word| COMMENTS.contains(word)) {
            let message = format!("`{word}` left behind; use an issue, or mend it now");
            findings.add(&file.path, number, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn leftovers_are_found_in_code_and_comments_but_not_in_strings() {
        let text = "#[allow(dead_code)]\nlet a = \"todo!()\";\nmy_dbg!(a);\n    todo!()\n\
                    // FIXME: later\n// fixmate\n";
        assert_eq!(
            said(check, &Tree::of(&[("crates/a/src/lib.rs", text)]), &Workspace::default()),
            [
                "crates/a/src/lib.rs:1: `#[allow` left behind; use `#[expect(lint, reason = \"…\")]`",
                "crates/a/src/lib.rs:4: `todo!` left behind; use code that does it, or leave the \
                 feature out",
                "crates/a/src/lib.rs:5: `FIXME` left behind; use an issue, or mend it now",
            ]
        );
    }
}
