//! What lies over the file: environment variables and options, each as a tree with one key.

use serde::Deserialize;
use toml::{Table, Value};

use crate::{
    explain::{Spot, explain},
    report::{ConfigError, Diagnostic, Origin},
    settings::Settings,
};

/// What begins the name of an environment variable that sets a key: `PLEXUS__NODE__NAME`.
pub const VARIABLE_PREFIX: &str = "PLEXUS__";

/// A key that is set outside of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    /// Who sets it, for the mistakes.
    pub origin: Origin,
    /// The tables and the key.
    pub path: Vec<String>,
    /// Its value.
    pub value: OverrideValue,
}

/// The value of an [`Override`].
#[derive(Debug, Clone, PartialEq)]
pub enum OverrideValue {
    /// Already of a type.
    Typed(Value),
    /// Written by a person: a TOML value, or a text without its quotes.
    Text(String),
}

impl Override {
    /// A key set by an option of the command line.
    pub fn option(option: impl Into<String>, path: &[&str], value: impl Into<Value>) -> Self {
        Self {
            origin: Origin::Option(option.into()),
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            value: OverrideValue::Typed(value.into()),
        }
    }

    /// A key set by `--set <key>=<value>`.
    pub fn assignment(text: &str) -> Result<Self, ConfigError> {
        let Some((path, value)) = text.split_once('=') else {
            // It may be a secret that stands behind another sign.
            let shown = if text.trim_start().starts_with("access") { "access…" } else { text };
            let origin = Origin::Option(format!("--set {shown}"));
            let diagnostic = Diagnostic::new(origin, "expected <key>=<value>");
            return Err(ConfigError::one(diagnostic.with_help("for example mqtt.maximum_qos=1")));
        };
        // Without the value, which may be a secret.
        let origin = Origin::Option(format!("--set {}", path.trim()));
        let path = path.trim().split('.').map(str::to_owned).collect();
        Ok(Self { origin, path, value: OverrideValue::Text(value.trim().to_owned()) })
    }

    /// The keys that environment variables set, in the order of their names.
    pub fn environment(variables: impl IntoIterator<Item = (String, String)>) -> Vec<Self> {
        let mut found = variables
            .into_iter()
            .filter_map(|(name, text)| {
                let keys = name.strip_prefix(VARIABLE_PREFIX)?.to_ascii_lowercase();
                let path = keys.split("__").map(str::to_owned).collect();
                let origin = Origin::Variable(name);
                Some((path, Self { origin, path: Vec::new(), value: OverrideValue::Text(text) }))
            })
            .map(|(path, found): (Vec<String>, Self)| Self { path, ..found })
            .collect::<Vec<_>>();
        found.sort_by(|one, other| one.path.cmp(&other.path));
        found
    }

    /// What the key is set to, or why it cannot be set.
    pub fn checked_value(&self) -> Result<Value, Diagnostic> {
        let tree = Value::Table(self.tree()?);
        let found = self.path.iter().try_fold(&tree, |value, part| value.get(part));
        Ok(found.cloned().unwrap_or(tree))
    }

    /// Whether it sets that key, something in it, or something around it.
    pub(super) fn is_about(&self, path: &[&str]) -> bool {
        let shared = self.path.len().min(path.len());
        self.path.iter().zip(path).take(shared).all(|(one, other)| one == other)
    }

    /// The tree with nothing but this key, checked.
    pub(super) fn tree(&self) -> Result<Table, Diagnostic> {
        match &self.value {
            OverrideValue::Typed(value) => self.checked(value.clone()),
            OverrideValue::Text(text) => match parsed(text) {
                // A name that looks like a number is still a name.
                Ok(value) => self.checked(value).or_else(|diagnostic| {
                    self.checked(Value::String(text.clone())).map_err(|_| diagnostic)
                }),
                Err(syntax) => self
                    .checked(Value::String(text.clone()))
                    .map_err(|diagnostic| self.unfinished(text, &syntax).unwrap_or(diagnostic)),
            },
        }
    }

    fn checked(&self, value: Value) -> Result<Table, Diagnostic> {
        let mut value = value;
        for part in self.path.iter().rev() {
            value = Value::Table(Table::from_iter([(part.clone(), value)]));
        }
        let Value::Table(table) = value else {
            return Err(Diagnostic::new(self.origin.clone(), "names no key"));
        };
        match Settings::deserialize(table.clone()) {
            Ok(_) => Ok(table),
            Err(error) => Err(self.mistake(error.message())),
        }
    }

    fn mistake(&self, message: &str) -> Diagnostic {
        let explained = explain(message, &Spot { path: self.path.clone(), is_table: None });
        let listeners = self.path.first().is_some_and(|first| first == "listener");
        let help = match explained.meant {
            _ if listeners && self.path.len() > 1 => Some(self.all_listeners()),
            Some((unknown, meant)) => {
                let path =
                    self.path.iter().map(|part| if *part == unknown { &meant } else { part });
                Some(format!("did you mean {}?", self.named(path)))
            }
            None => explained.help,
        };
        let key = self.path.join(".");
        let message = if explained.message.starts_with("unknown key") {
            format!("unknown key `{key}`")
        } else {
            format!("`{key}`: {}", explained.message)
        };
        Diagnostic { message, origin: self.origin.clone(), help }
    }

    /// What was begun as a TOML value and is none, where no plain text can stand.
    fn unfinished(&self, text: &str, syntax: &str) -> Option<Diagnostic> {
        let begun = text.trim_start().starts_with(['[', '{', '"', '\'']);
        begun.then(|| {
            let message = format!("`{}` is no TOML value: {syntax}", self.path.join("."));
            let help = "are all brackets and quotes closed? a shell needs single quotes around it";
            Diagnostic::new(self.origin.clone(), message).with_help(help)
        })
    }

    /// One listener has no name by which a key of it could be set.
    fn all_listeners(&self) -> String {
        let list = "[{ url = \"tcp://127.0.0.1:1883\" }]";
        let whole = match &self.origin {
            Origin::Variable(_) => format!("{VARIABLE_PREFIX}LISTENER='{list}'"),
            Origin::File(_) | Origin::Option(_) | Origin::Whole(_) => {
                format!("'listener={list}', or serve --listen <url>")
            }
        };
        format!("the listeners are one list, set as a whole: {whole}")
    }

    /// A path the way this source writes it.
    fn named<'a>(&self, path: impl Iterator<Item = &'a String>) -> String {
        let parts = path.map(String::as_str).collect::<Vec<_>>();
        match &self.origin {
            Origin::Variable(_) => {
                format!("{VARIABLE_PREFIX}{}", parts.join("__").to_ascii_uppercase())
            }
            Origin::File(_) | Origin::Option(_) | Origin::Whole(_) => parts.join("."),
        }
    }
}

/// A text as TOML value, or why it is none.
fn parsed(text: &str) -> Result<Value, String> {
    let read = toml::from_str::<Table>(&format!("value = {text}"));
    let mut table = read.map_err(|error| error.message().to_owned())?;
    // More than the one key means that the text held a line break and smuggled others in.
    let only = table.len() == 1;
    table.remove("value").filter(|_| only).ok_or_else(|| "there is more than one value".to_owned())
}
