use super::*;
use crate::workspace::{Layer, Package};

const LIST: &str = r#"
[[clause]]
id = "MQTT-1.1.1-1"
text = "Enforced | proved."
actor = "both"
testable = true

[[clause]]
id = "MQTT-1.1.1-2"
text = "Binds the peer."
actor = "client"
testable = false
why = "binds the client only"

[[clause]]
id = "MQTT-1.1.1-3"
text = "Forgotten."
actor = "server"
testable = true

[[clause]]
id = "MQTT-1.1.1-4"
text = "Holds by construction."
actor = "server"
testable = true
why = "the type has no other value"
"#;

const OLDER: &str = "[[clause]]
id = \"MQTT3-1.0.0-1\"
text = \"The same.\"
actor = \"both\"
testable = true
like = \"MQTT-1.1.1-1\"
";

const CASES: &str = r#"
[[case]]
name = "it_holds"
clauses = ["MQTT-1.1.1-4"]
steps = ["a > CONNECT"]
"#;

const CODE: &str = "\
// [MQTT-1.1.1-1]
fn enforce() {}

#[cfg(test)]
mod tests {
    /// Proves [MQTT-1.1.1-1].
    #[test]
    fn is_enforced() {}

    fn second() {
        // [MQTT-1.1.1-1]
    }
}
";

fn coverage() -> Coverage {
    let package = |folder: &str, layer| Package {
        folder: folder.to_owned(),
        layer: Some(layer),
        ..Package::default()
    };
    let packages =
        vec![package("crates/a", Layer::Program(1)), package("crates/kit", Layer::Tests)];
    let workspace = Workspace { packages, ..Workspace::default() };
    let tree = Tree::of(&[
        ("docs/spec/mqtt5.toml", LIST),
        ("docs/spec/mqtt311.toml", OLDER),
        ("conformance/a.toml", CASES),
        ("crates/a/src/b.rs", CODE),
        ("crates/kit/src/table.rs", "fn rows() {\n    let row = \"[MQTT-1.1.1-1]\";\n}\n"),
    ]);
    Coverage::of(&tree, &workspace).unwrap()
}

#[test]
fn the_page_joins_statements_code_and_tests() {
    let page = page::render(&coverage());
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| MQTT")).collect();
    assert_eq!(
        rows,
        [
            "| MQTT 5.0 | 4 | 1 | 2 | 2 | 1 |",
            "| MQTT 3.1.1 | 1 | 1 | 0 | 0 | 1 |",
            "| MQTT-1.1.1-1 | Enforced \\| proved. | both | [a/b](../crates/a/src/b.rs) | \
             [a/b](../crates/a/src/b.rs): `is_enforced`, `second`<br>\
             [kit/table](../crates/kit/src/table.rs): `rows` |",
            "| MQTT-1.1.1-2 | Binds the peer. | client | – | *binds the client only* |",
            "| MQTT-1.1.1-3 | Forgotten. | server | **gap** | **gap** |",
            "| MQTT-1.1.1-4 | Holds by construction. | server | *the type has no other value* | \
             [conformance/a](../conformance/a.toml): `it_holds` |",
            "| MQTT3-1.0.0-1 | The same. | both | [a/b](../crates/a/src/b.rs) | **gap** |",
        ]
    );
}

#[test]
fn a_statement_without_code_or_test_is_a_gap() {
    assert_eq!(
        coverage().gaps(),
        [
            "docs/spec/mqtt5.toml:16: `MQTT-1.1.1-3` has no code and no test; use marks beside both",
            "docs/spec/mqtt311.toml:2: `MQTT3-1.0.0-1` has no test; use a case in conformance/ or a \
             mark in a test",
        ]
    );
}

#[test]
fn marks_are_ids_or_named_as_none() {
    let line = "[MQTT-3.1.2-4] [MQTT3-3.1.2-11], [MQTT-3.1] [MQTTX] `[MQTT3-a.b-1]` [MQTT-1.2-3";
    let marks: Vec<_> = marks::in_line(line).collect();
    let expected =
        [Ok("MQTT-3.1.2-4"), Ok("MQTT3-3.1.2-11"), Err("[MQTT-3.1]"), Err("[MQTT3-a.b-1]")];
    assert_eq!(marks, expected);
}

#[test]
fn a_statement_stands_once() {
    let twice = format!("{LIST}{LIST}");
    let tree = Tree::of(&[("docs/spec/mqtt5.toml", &twice)]);
    assert_eq!(
        clause::documents(&tree).unwrap_err().to_string(),
        "docs/spec/mqtt5.toml: `MQTT-1.1.1-1` stands twice"
    );
}

#[test]
fn a_likeness_names_a_statement() {
    let tree = Tree::of(&[("docs/spec/mqtt5.toml", ""), ("docs/spec/mqtt311.toml", OLDER)]);
    assert_eq!(
        clause::documents(&tree).unwrap_err().to_string(),
        "docs/spec/mqtt311.toml: `MQTT3-1.0.0-1` is like no statement `MQTT-1.1.1-1`"
    );
}
