//! What is to be changed, and whether it can be.

use std::collections::BTreeMap;

use plexus_config::{ConfigError, Diagnostic, Origin, Override, OverrideValue};
use toml::{Table, Value};

use crate::{
    BadKey, Key,
    limits::{clear_secret, only_in_file},
};

/// Keys of one change.
const KEYS_MAX: usize = 1_000;
/// Tables and lists in each other: more than the configuration has.
const DEPTH_MAX: usize = 16;

/// Keys with their new values; without one what the file says holds again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Patch(BTreeMap<Key, Option<Value>>);

/// Why something is no change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// A patch is an object of tables and keys.
    #[error("a change is an object with the tables and keys of the configuration")]
    NoObject,
    /// Something that names no key.
    #[error("{0}")]
    Key(#[from] BadKey),
    /// Too much.
    #[error("more than {KEYS_MAX} keys; make several changes of them")]
    Many,
    /// Too deep.
    #[error("more than {DEPTH_MAX} tables or lists in each other")]
    Deep,
    /// Something that TOML has not.
    #[error("`{0}`: null in a list; leave the element out")]
    Null(String),
    /// A number that TOML has not.
    #[error("`{0}`: a number that does not fit in 64 bits")]
    Number(String),
}

impl Patch {
    /// The merge patch (RFC 7396): objects are tables, null takes a change back.
    pub fn of_json(patch: &serde_json::Value) -> Result<Self, PatchError> {
        let serde_json::Value::Object(tables) = patch else { return Err(PatchError::NoObject) };
        let mut found = Self::default();
        let mut path = Vec::new();
        found.add_tables(&mut path, tables)?;
        Ok(found)
    }

    /// The keys of a file of TOML.
    pub fn of_table(table: &Table) -> Result<Self, PatchError> {
        let mut found = Self::default();
        for (key, value) in leaves(table)? {
            found.insert(key, Some(value))?;
        }
        Ok(found)
    }

    /// One more key.
    pub fn insert(&mut self, key: Key, value: Option<Value>) -> Result<(), PatchError> {
        if let Some(Value::Table(table)) = value {
            // What stands in a table is changed key by key: the others stay.
            for (inner, value) in leaves(&table)? {
                let path = [key.parts(), inner.parts()].concat();
                self.insert(Key::new(path)?, Some(value))?;
            }
            return Ok(());
        }
        // The later of two that stand in each other is what is meant.
        self.0.retain(|other, _| !key.overlaps(other));
        self.0.insert(key, value);
        if self.0.len() > KEYS_MAX { Err(PatchError::Many) } else { Ok(()) }
    }

    /// One more key with its value of JSON; null takes a change back.
    pub fn insert_json(&mut self, key: Key, value: &serde_json::Value) -> Result<(), PatchError> {
        let value = match value {
            serde_json::Value::Null => None,
            value => Some(toml_of(&key, value, 0)?),
        };
        self.insert(key, value)
    }

    /// One more key, whose value is as a person writes it: as TOML, or a text without its quotes.
    pub fn insert_text(&mut self, key: Key, text: &str) -> Result<(), ConfigError> {
        let origin = Origin::Option(key.to_string());
        let failed = |error: PatchError| {
            ConfigError::one(Diagnostic::new(origin.clone(), error.to_string()))
        };
        let value = one(&key, OverrideValue::Text(text.to_owned())).checked_value();
        let value = value.map_err(ConfigError::one)?;
        self.insert(key, Some(value)).map_err(failed)
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Option<Value>)> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What cannot be changed while a node runs, and keys and values that the configuration does not know: each with
    /// its mend.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut diagnostics = Vec::new();
        for (key, value) in &self.0 {
            let at = || Origin::Whole(format!("the change of {key}"));
            if let Some(why) = only_in_file(key) {
                let message = format!("`{key}` cannot be changed while the node runs: {why}");
                let help = "change it in the configuration file, and start the node anew";
                diagnostics.push(Diagnostic::new(at(), message).with_help(help));
                continue;
            }
            let Some(value) = value else { continue };
            if let Err(wrong) = one(key, OverrideValue::Typed(value.clone())).checked_value() {
                diagnostics.push(Diagnostic { origin: at(), ..wrong });
            } else if let Some(help) = clear_secret(key, value) {
                let message = format!("`{key}` holds a secret");
                diagnostics.push(Diagnostic::new(at(), message).with_help(help));
            }
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(ConfigError { diagnostics }) }
    }

    fn add_tables(
        &mut self,
        path: &mut Vec<String>,
        tables: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), PatchError> {
        for (name, value) in tables {
            if path.len() >= DEPTH_MAX {
                return Err(PatchError::Deep);
            }
            path.push(name.clone());
            match value {
                serde_json::Value::Object(inner) => self.add_tables(path, inner)?,
                value => {
                    self.insert_json(Key::new(path.clone())?, value)?;
                }
            }
            path.pop();
        }
        Ok(())
    }
}

/// A source that sets that key alone.
fn one(key: &Key, value: OverrideValue) -> Override {
    let origin = Origin::Option(key.to_string());
    Override { origin, path: key.parts().to_vec(), value }
}

/// Every key with its value; lists are values, also those of tables.
pub(crate) fn leaves(table: &Table) -> Result<Vec<(Key, Value)>, PatchError> {
    fn walk(
        path: &mut Vec<String>,
        table: &Table,
        found: &mut Vec<(Key, Value)>,
    ) -> Result<(), PatchError> {
        for (name, value) in table {
            if path.len() >= DEPTH_MAX {
                return Err(PatchError::Deep);
            }
            if found.len() > KEYS_MAX {
                return Err(PatchError::Many);
            }
            path.push(name.clone());
            match value {
                Value::Table(inner) => walk(path, inner, found)?,
                value => found.push((Key::new(path.clone())?, value.clone())),
            }
            path.pop();
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(&mut Vec::new(), table, &mut found)?;
    Ok(found)
}

fn toml_of(key: &Key, value: &serde_json::Value, depth: usize) -> Result<Value, PatchError> {
    use serde_json::Value as Json;
    if depth > DEPTH_MAX {
        return Err(PatchError::Deep);
    }
    Ok(match value {
        Json::Null => return Err(PatchError::Null(key.to_string())),
        Json::Bool(one) => Value::Boolean(*one),
        Json::String(text) => Value::String(text.clone()),
        Json::Number(number) => match (number.as_i64(), number.is_f64(), number.as_f64()) {
            (Some(whole), _, _) => Value::Integer(whole),
            (None, true, Some(part)) => Value::Float(part),
            _ => return Err(PatchError::Number(key.to_string())),
        },
        Json::Array(list) => {
            let list = list.iter().map(|one| toml_of(key, one, depth + 1));
            Value::Array(list.collect::<Result<_, _>>()?)
        }
        Json::Object(table) => {
            let table = table.iter().map(|(name, value)| {
                Ok::<_, PatchError>((name.clone(), toml_of(key, value, depth + 1)?))
            });
            Value::Table(table.collect::<Result<_, _>>()?)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{DEPTH_MAX, KEYS_MAX, Patch, PatchError};

    fn told(patch: &Value) -> String {
        match Patch::of_json(patch) {
            Err(error) => error.to_string(),
            Ok(patch) => match patch.check() {
                Err(error) => error.to_string(),
                Ok(()) => "ok".to_owned(),
            },
        }
    }

    #[test]
    fn hostile_patches_are_refused_with_a_mend() {
        let mut deep = json!(1);
        for _ in 0..=DEPTH_MAX {
            deep = json!({ "a": deep });
        }
        let mut list = json!(1);
        for _ in 0..DEPTH_MAX + 2 {
            list = json!([list]);
        }
        let many: serde_json::Map<_, _> =
            (0..=KEYS_MAX).map(|number| (format!("k{number}"), json!(1))).collect();
        let huge = u64::MAX;
        for (patch, words) in [
            (json!([1]), "an object"),
            (json!("x"), "an object"),
            (deep, "in each other"),
            (json!({ "listener": list }), "in each other"),
            (json!({ "mqtt": many }), "more than 1000 keys"),
            (json!({ "": 1 }), "empty"),
            (json!({ "mqtt": { "max_inflight": huge } }), "64 bits"),
            (json!({ "listener": [null] }), "null in a list"),
            (json!({ "mqtt": { "max_inflght": 1 } }), "did you mean mqtt.max_inflight?"),
            (json!({ "mqtt": { "max_inflight": "many" } }), "mqtt.max_inflight"),
            (json!({ "mqtt": 3 }), "mqtt"),
            (json!({ "layer": { "version": 3 } }), "unknown key"),
            (json!({ "api": { "address": "0.0.0.0:1" } }), "who has the file"),
            (json!({ "node": { "data_dir": null } }), "kept there"),
            (json!({ "access": { "users": { "bob": "***" } } }), "stands in the place"),
            (json!({ "access": { "users": { "bob": "hunter2" } } }), "file:<path>"),
        ] {
            let told = told(&patch);
            assert!(told.contains(words), "{words}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
        assert_eq!(told(&json!({})), "ok");
        assert_eq!(told(&json!({ "mqtt": { "max_inflight": 7, "maximum_qos": null } })), "ok");
    }

    #[test]
    fn the_later_of_two_that_stand_in_each_other_holds() {
        let mut patch = Patch::default();
        patch.insert_text("mqtt.max_inflight".parse().unwrap(), "7").unwrap();
        patch.insert("mqtt".parse().unwrap(), None).unwrap();
        assert_eq!(patch.iter().count(), 1);
        let error = patch.insert_text("mqtt.max_inflght".parse().unwrap(), "7").unwrap_err();
        assert!(error.to_string().contains("did you mean"), "{error}");
        assert!(matches!(Patch::of_json(&json!(1)), Err(PatchError::NoObject)));
    }
}
