//! The JSON Schema of the configuration, and the list of keys that is read out of it.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{ranges::range_of, settings::Settings};

/// One key of the configuration, as the reference page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Tables and key, apart by points.
    pub path: String,
    /// What may be written.
    pub kind: String,
    /// What holds when nothing is written, as TOML; `None` when the key has to be written or is
    /// simply absent.
    pub default: Option<String>,
    /// What it means.
    pub doc: String,
    /// Whether it is a table with keys of its own.
    pub is_table: bool,
}

impl Key {
    /// The table that holds it; empty for a table of the file itself.
    pub fn table(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(table, _)| table)
    }

    /// Its name in that table.
    pub fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

/// The JSON Schema (draft 2020-12) of `plexus.toml`, for editors.
pub fn json_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schema()).expect("invariant: a schema is JSON");
    text.push('\n');
    text
}

/// Every key, in alphabetical order within its table.
pub fn keys() -> Vec<Key> {
    let schema = schema();
    let mut keys = Vec::new();
    Walk { root: &schema }.table("", &schema, &mut keys);
    keys
}

fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Settings>();
    schema.insert("title".to_owned(), "Configuration of Plexus".into());
    debug_assert_eq!(Settings::schema_name(), "Settings", "the title replaces the name");
    schema.into()
}

#[derive(Clone, Copy)]
struct Walk<'a> {
    root: &'a Value,
}

impl<'a> Walk<'a> {
    fn table(self, prefix: &str, schema: &'a Value, keys: &mut Vec<Key>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            let target = self.target(property);
            let inner = if is(target, "array") { self.items(target) } else { target };
            let is_table = inner.get("properties").is_some();
            keys.push(Key {
                kind: ranged(self.kind(property), &path),
                default: property.get("default").filter(|value| !value.is_null()).map(toml_text),
                doc: doc(property).or_else(|| doc(target)).unwrap_or_default(),
                is_table,
                path: path.clone(),
            });
            if is_table {
                self.table(&path, inner, keys);
            }
        }
    }

    /// The schema itself behind `$ref`, and behind "this or nothing".
    fn target(self, schema: &'a Value) -> &'a Value {
        if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
            let name = name.trim_start_matches("#/$defs/");
            return self.root.get("$defs").and_then(|all| all.get(name)).unwrap_or(schema);
        }
        let choices = schema.get("anyOf").and_then(Value::as_array);
        let mut real = choices.into_iter().flatten().filter(|choice| !is(choice, "null"));
        match (real.next(), real.next()) {
            (Some(only), None) => self.target(only),
            _ => schema,
        }
    }

    fn items(self, schema: &'a Value) -> &'a Value {
        schema.get("items").map_or(schema, |items| self.target(items))
    }

    fn kind(self, schema: &'a Value) -> String {
        let target = self.target(schema);
        if let Some(title) = target.get("title").and_then(Value::as_str) {
            return title.to_owned();
        }
        if let Some(words) = words(target) {
            return words;
        }
        if is(target, "integer") {
            return integer(schema, target);
        }
        if is(target, "boolean") {
            return "`true`, `false`".to_owned();
        }
        if is(target, "array") {
            return format!("list of {}", self.kind(self.items(target)));
        }
        if let Some(values) = target.get("additionalProperties").filter(|value| value.is_object()) {
            return format!("table of names, each: {}", self.kind(values));
        }
        if target.get("properties").is_some() { "table".to_owned() } else { "text".to_owned() }
    }
}

/// A size or duration with its range, which the schema's types cannot say.
fn ranged(kind: String, path: &str) -> String {
    match (range_of(path), kind.split_once(" or ")) {
        (None, _) => kind,
        (Some(range), Some((measure, never))) => format!("{measure} {range}, or {never}"),
        (Some(range), None) => format!("{kind} {range}"),
    }
}

fn is(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(names)) => names.iter().any(|one| one == name),
        _ => false,
    }
}

fn integer(schema: &Value, target: &Value) -> String {
    let bound = |name: &str| schema.get(name).or_else(|| target.get(name)).and_then(Value::as_u64);
    let of_format = match target.get("format").and_then(Value::as_str) {
        Some("uint8") => Some(u64::from(u8::MAX)),
        Some("uint16") => Some(u64::from(u16::MAX)),
        Some("uint32") => Some(u64::from(u32::MAX)),
        _ => None,
    };
    let low = bound("minimum").unwrap_or_default();
    match bound("maximum").or(of_format) {
        Some(high) => format!("number from {low} to {high}"),
        None => format!("number from {low}"),
    }
}

fn words(schema: &Value) -> Option<String> {
    let quoted = |word: &Value| word.as_str().map(|word| format!("`\"{word}\"`"));
    let from_enum = schema.get("enum").and_then(Value::as_array);
    if let Some(words) = from_enum {
        return Some(words.iter().filter_map(quoted).collect::<Vec<_>>().join(", "));
    }
    let choices = schema.get("oneOf").and_then(Value::as_array)?;
    let mut all = Vec::new();
    for choice in choices {
        match (choice.get("const"), choice.get("enum").and_then(Value::as_array)) {
            (Some(word), _) => all.extend(quoted(word)),
            (None, Some(words)) => all.extend(words.iter().filter_map(quoted)),
            (None, None) => return None,
        }
    }
    Some(all.join(", "))
}

/// The description on one line.
fn doc(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn toml_text(value: &Value) -> String {
    match value {
        Value::Object(table) if table.is_empty() => "{}".to_owned(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests;
