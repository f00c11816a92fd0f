use std::path::Path;

use super::{json_schema, keys};
use crate::{Settings, markdown};

/// The checked-in copy of a generated page must be what the settings say today.
#[track_caller]
fn assert_current(path: &str, generated: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        stored == generated,
        "{path} is stale; write it anew with\n  cargo run -p plexus -- config schema > docs/config/\
         plexus.schema.json\n  cargo run -p plexus -- config schema --markdown > docs/config.md"
    );
}

#[test]
fn the_schema_in_the_documentation_is_current() {
    assert_current("docs/config/plexus.schema.json", &json_schema());
}

#[test]
fn the_reference_page_is_current() {
    assert_current("docs/config.md", &markdown());
}

#[test]
fn every_key_is_documented() {
    for key in keys() {
        assert!(!key.doc.is_empty(), "{} has no documentation", key.path);
        assert!(!key.kind.is_empty(), "{} has no type", key.path);
    }
}

#[test]
fn every_key_of_the_defaults_is_a_key_of_the_schema() {
    let keys = keys().into_iter().map(|key| key.path).collect::<Vec<_>>();
    let tree = toml::Table::try_from(Settings::default()).unwrap();
    for (table, values) in tree {
        let values = values.as_table().unwrap();
        for key in values.keys() {
            let path = format!("{table}.{key}");
            assert!(keys.contains(&path), "{path} is missing");
        }
    }
}

#[test]
fn the_default_of_a_key_in_the_schema_is_the_default_of_the_settings() {
    let tree = serde_json::to_value(Settings::default()).unwrap();
    for key in keys() {
        let pointer = format!("/{}", key.path.replace('.', "/"));
        if let (Some(value), false) = (tree.pointer(&pointer), key.is_table) {
            let shown = key.default.as_deref().map(serde_json::from_str::<serde_json::Value>);
            assert_eq!(shown.map(Result::unwrap).as_ref(), Some(value), "{}", key.path);
        }
    }
}
