//! The layer as a file that a person reads: the keys as the configuration file has them, and below them in
//! `[layer]` who changed what when.

use std::{collections::BTreeMap, ops::Range};

use plexus_config::{ConfigError, Diagnostic, File, Origin, Override};
use serde::{Deserialize, Serialize};
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use crate::{Change, Layer, Stamp, patch::leaves};

const HEAD: &str = "\
# What was changed of the configuration while the node ran, written by the node: change it with
# `plexus config apply`, or over the API. What stands above [layer] can be put into the
# configuration file as it is.
";

/// Characters of a moment, a name or a reason.
pub(crate) const WORDS_MAX: usize = 1_024;

#[derive(Deserialize)]
struct Document {
    layer: Record,
}

/// The table `layer`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    version: u64,
    at: String,
    by: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    why: String,
    #[serde(default)]
    changes: BTreeMap<String, Made>,
}

/// How one key was changed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    at: String,
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
}

/// The layer as text.
pub(crate) fn written(layer: &Layer) -> Result<String, toml::ser::Error> {
    let mut tree = Table::new();
    for (key, change) in &layer.changes {
        put(&mut tree, key.parts(), change.value.clone());
    }
    let changes = layer.changes.iter().map(|(key, change)| {
        let Change { value: _, at, by, before } = change.clone();
        (key.to_string(), Made { at, by, before })
    });
    let Stamp { at, by, why } = layer.stamp.clone();
    let record = Record { version: layer.version, at, by, why, changes: changes.collect() };
    let record = Table::from_iter([("layer".to_owned(), Value::try_from(record)?)]);
    let mut text = HEAD.to_owned();
    for part in [tree, record] {
        let part = toml::to_string_pretty(&part)?;
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&part);
        }
    }
    Ok(text)
}

/// Sets the value of that path. No key stands in another.
fn put(tree: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [name] => drop(tree.insert(name.clone(), value)),
        [first, rest @ ..] => {
            let inner = tree.entry(first.clone()).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// What a file holds, and each key as a source of the configuration that knows its line.
pub(crate) fn read(file: &File) -> Result<(Layer, Vec<Override>), ConfigError> {
    let wrong = |error: &toml::de::Error| mistake(file, error.message(), error.span());
    let document: Document = toml::from_str(&file.text).map_err(|error| wrong(&error))?;
    let mut tree: Table = toml::from_str(&file.text).map_err(|error| wrong(&error))?;
    let places = DeTable::parse(&file.text).map_err(|error| wrong(&error))?;
    let place = |path: &[&str]| span_of(places.get_ref(), path);
    tree.remove("layer");
    let Record { version, at, by, why, changes: mut made } = document.layer;
    let leaves = leaves(&tree).map_err(|error| mistake(file, &error.to_string(), None))?;
    let mut changes = BTreeMap::new();
    for (key, value) in leaves {
        let Some(Made { at, by, before }) = made.remove(&key.to_string()) else {
            let message = format!("`{key}` has no record under [layer.changes]");
            return Err(mistake(file, &message, place(&key.path())));
        };
        changes.insert(key, Change { value, at, by, before });
    }
    if let Some(key) = made.keys().next() {
        let message = format!("`{key}` is recorded as changed and has no value");
        return Err(mistake(file, &message, place(&["layer", "changes", key])));
    }
    let layer = Layer { version, stamp: Stamp { at, by, why }, changes };
    if !is_sober(&layer) {
        let message = "a moment, name or reason is too long, or holds control characters";
        return Err(mistake(file, message, place(&["layer"])));
    }
    let overrides = layer.overrides(|key| match place(&key.path()) {
        Some(span) => Origin::File(file.place(span)),
        None => Origin::Whole(file.path.display().to_string()),
    });
    Ok((layer, overrides))
}

/// Whether what people and programs said of themselves can be shown.
fn is_sober(layer: &Layer) -> bool {
    let Stamp { at, by, why } = &layer.stamp;
    let of_keys = layer.changes.values().flat_map(|change| [&change.at, &change.by]);
    let sober = |text: &String| text.len() <= WORDS_MAX && !text.contains(char::is_control);
    [at, by, why].into_iter().chain(of_keys).all(sober)
}

fn span_of(document: &DeTable<'_>, path: &[&str]) -> Option<Range<usize>> {
    let (first, rest) = path.split_first()?;
    let found = rest.iter().try_fold(document.get(*first)?, |value, part| match value.get_ref() {
        DeValue::Table(table) => table.get(*part),
        _ => None,
    });
    found.map(toml::Spanned::span)
}

fn mistake(file: &File, message: &str, span: Option<Range<usize>>) -> ConfigError {
    let origin = match span {
        Some(span) => Origin::File(file.place(span)),
        None => Origin::Whole(file.path.display().to_string()),
    };
    let message = format!("changes of the configuration that cannot be read: {message}");
    let help = "mend that line, or put a version of the folder `history` beside the file in its place; \
                the file is left as it is";
    ConfigError::one(Diagnostic::new(origin, message).with_help(help))
}

#[cfg(test)]
mod tests {
    use plexus_config::File;
    use serde_json::json;

    use super::{read, written};
    use crate::{
        Layer,
        layer::tests::{config, patched},
    };

    fn file(text: &str) -> File {
        File { path: "data/config/layer.toml".into(), text: text.to_owned() }
    }

    #[test]
    fn what_is_written_reads_back() {
        let patch = json!({
            "mqtt": { "maximum_qos": 1 },
            "shared": { "groups": { "a \"b\"\n": "sticky" } },
            "access": { "rule": [{ "allow": "publish", "topics": ["a/#"] }] },
        });
        let layer = patched(&Layer::default(), &config(""), &patch);
        let text = written(&layer).unwrap();
        let (again, overrides) = read(&file(&text)).unwrap();
        assert_eq!(again, layer);
        let qos = overrides.iter().find(|one| one.path.join(".") == "mqtt.maximum_qos").unwrap();
        let line = text.lines().position(|line| line.starts_with("maximum_qos")).unwrap() + 1;
        assert_eq!(qos.origin.to_string(), format!("data/config/layer.toml:{line}"));
        let empty = Layer::default();
        assert_eq!(read(&file(&written(&empty).unwrap())).unwrap().0, empty);
    }

    #[test]
    fn what_stands_above_the_record_is_a_configuration() {
        let patch = json!({ "mqtt": { "maximum_qos": 1 }, "node": { "name": "x" } });
        let text = written(&patched(&Layer::default(), &config(""), &patch)).unwrap();
        let keys = text.split("\n[layer]").next().unwrap();
        assert_eq!(config(keys).settings.mqtt.maximum_qos, 1);
    }

    #[test]
    fn a_broken_file_is_told_with_its_line_and_a_mend() {
        let record = "[layer]\nversion = 1\nat = \"x\"\nby = \"y\"\n";
        let made = "[layer.changes.\"mqtt.maximum_qos\"]\nat = \"x\"\nby = \"y\"\n";
        let long = "y".repeat(2_000);
        for (text, words) in [
            ("[mqtt]\nmaximum_qos = ".to_owned(), "layer.toml:2"),
            ("[mqtt]\nmaximum_qos = 1\n".to_owned(), "missing field `layer`"),
            (format!("[mqtt]\nmaximum_qos = 1\n{record}"), "layer.toml:2"),
            (format!("{record}{made}"), "has no value"),
            (format!("{record}more = 1\n"), "layer.toml:5"),
            (record.replace("\"y\"", "\"\\u001b\""), "control characters"),
            (record.replace("\"y\"", &format!("\"{long}\"")), "too long"),
            (record.replace("version = 1", "version = -1"), "layer.toml:2"),
        ] {
            let told = read(&file(&text)).unwrap_err().to_string();
            assert!(told.contains(words), "{words}: {told}");
            assert!(told.contains("= mend that line"), "{told}");
        }
    }
}
