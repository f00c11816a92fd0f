//! A mark such as `[MQTT-3.1.2-4]` names a statement that exists.

use super::Findings;
use crate::spec::clause;
use crate::spec::marks;
use crate::tree::Tree;
use crate::workspace::Workspace;

pub(super) fn check(tree: &Tree, _: &Workspace, findings: &mut Findings) {
    let index = match clause::index(tree) {
        Ok(index) => index,
        Err(failure) => return findings.add("docs/spec", 1, failure.to_string()),
    };
    let hint = "use an id from docs/spec/";
    for file in marks::marked_files(tree) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for mark in marks::in_line(line) {
                match mark {
                    Ok(id) if index.contains(id) => {}
                    Ok(id) => {
                        findings.add(&file.path, number, format!("no statement `{id}`; {hint}"));
                    }
                    Err(text) => {
                        let message = format!("`{text}` is no mark of a statement; {hint}");
                        findings.add(&file.path, number, message);
                    }
                }
            }
        }
    }
    for case in marks::cases(tree).unwrap_or_default() {
        for id in case.clauses.iter().filter(|id| !index.contains(id.as_str())) {
            let message = format!("case `{}` names no statement `{id}`; {hint}", case.name);
            findings.add(&case.path, 1, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn a_mark_names_a_statement_of_the_index() {
        let tree = Tree::of(&[
            (
                "docs/spec/mqtt5.toml",
                "[[clause]]\nid = \"MQTT-1.5.4-1\"\ntext = \"a\"\nactor = \"both\"\ntestable = true\n",
            ),
            ("docs/spec/mqtt311.toml", ""),
            ("crates/wire/src/lib.rs", "// [MQTT-1.5.4-1]\n// [MQTT-9.9.9-9] and [MQTT3-1.5]\n"),
            (
                "conformance/a.toml",
                "[[case]]\nname = \"b\"\nclauses = [\"MQTT3-1.5.4-1\"]\nsteps = []\n",
            ),
        ]);
        let hint = "use an id from docs/spec/";
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            [
                format!("crates/wire/src/lib.rs:2: no statement `MQTT-9.9.9-9`; {hint}"),
                format!(
                    "crates/wire/src/lib.rs:2: `[MQTT3-1.5]` is no mark of a statement; {hint}"
                ),
                format!(
                    "conformance/a.toml:1: case `b` names no statement `MQTT3-1.5.4-1`; {hint}"
                ),
            ]
        );
    }
}
