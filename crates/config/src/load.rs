//! File, environment and command line merged into one tree: each source is checked by itself, so
//! that a mistake is shown where it was made, and then laid over the weaker ones.

mod file;
mod origins;
mod paths;
mod strays;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

pub(crate) use origins::Origins;
use serde::Deserialize;
use toml::{
    Table, Value,
    de::{DeTable, DeValue},
};

use crate::{
    check,
    explain::{Spot, explain},
    report::{ConfigError, Diagnostic, Origin, Place},
    settings::Settings,
};

/// The largest configuration file that is read.
const FILE_SIZE_MAX: u64 = 1024 * 1024;

/// What begins the name of an environment variable that sets a key: `PLEXUS__NODE__NAME`.
pub const VARIABLE_PREFIX: &str = "PLEXUS__";

/// A configuration file that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it was read.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

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

/// Everything a configuration is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<File>,
    /// What is laid over it, the strongest last.
    pub overrides: Vec<Override>,
    /// The names of environment variables: those that set no key but look like it are told.
    pub variables: Vec<String>,
}

/// A configuration that has been checked, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The merged tree.
    pub settings: Settings,
    /// What is odd and no mistake.
    pub warnings: Vec<Diagnostic>,
    sources: Sources,
}

impl File {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path, FILE_SIZE_MAX)?;
        Ok(Self { path: path.to_owned(), text })
    }
}

/// The text of a file that the operator named.
pub(crate) fn read_text(path: &Path, size_max: u64) -> Result<String, ConfigError> {
    let origin = || Origin::Whole(path.display().to_string());
    let failed = |error: std::io::Error| {
        let diagnostic = Diagnostic::new(origin(), format!("cannot read the file: {error}"));
        ConfigError::one(match error.kind() {
            std::io::ErrorKind::PermissionDenied => {
                diagnostic.with_help("let the user that runs plexus read it")
            }
            _ => diagnostic,
        })
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > size_max {
        let message = format!("the file is larger than {size_max} bytes");
        return Err(ConfigError::one(Diagnostic::new(origin(), message)));
    }
    std::fs::read_to_string(path).map_err(failed)
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
            let origin = Origin::Option(format!("--set {text}"));
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

    /// The tree with nothing but this key, checked.
    fn tree(&self) -> Result<Table, Diagnostic> {
        match &self.value {
            OverrideValue::Typed(value) => self.checked(value.clone()),
            OverrideValue::Text(text) => match parsed(text) {
                // A name that looks like a number is still a name.
                Some(value) => self.checked(value).or_else(|diagnostic| {
                    self.checked(Value::String(text.clone())).map_err(|_| diagnostic)
                }),
                None => self.checked(Value::String(text.clone())),
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
        let help = match explained.meant {
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

/// A text as TOML value, if it is one.
fn parsed(text: &str) -> Option<Value> {
    let mut table = toml::from_str::<Table>(&format!("value = {text}")).ok()?;
    // More than the one key means that the text held a line break and smuggled others in.
    if table.len() == 1 { table.remove("value") } else { None }
}

/// Merges and checks the sources. All mistakes are reported together, but for those that may only
/// follow from others.
pub fn load(sources: Sources) -> Result<Config, ConfigError> {
    let (mut tree, mut diagnostics) = sources.file.as_ref().map(file::read).unwrap_or_default();
    for source in &sources.overrides {
        match source.tree() {
            Ok(over) => lay_over(&mut tree, over),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let strays = strays::among(sources.variables.iter().map(String::as_str));
    diagnostics.extend(strays.errors);
    match Settings::deserialize(tree) {
        Ok(settings) => {
            let config = Config { settings, warnings: strays.warnings, sources };
            let whole = diagnostics.is_empty();
            diagnostics.extend(check::values(&config));
            if whole {
                diagnostics.extend(check::together(&config));
            }
            if diagnostics.is_empty() {
                return Ok(config);
            }
        }
        Err(error) if diagnostics.is_empty() => {
            let origin = Origin::Whole("the merged configuration".to_owned());
            let message = explain(error.message(), &Spot::default()).message;
            diagnostics.push(Diagnostic::new(origin, message));
        }
        Err(_) => {}
    }
    diagnostics.sort_by_key(|one| match &one.origin {
        Origin::File(place) => (place.line, place.column),
        Origin::Variable(_) | Origin::Option(_) | Origin::Whole(_) => (usize::MAX, 0),
    });
    Err(ConfigError { diagnostics })
}

/// Tables are merged, everything else is replaced.
fn lay_over(tree: &mut Table, over: Table) {
    for (key, value) in over {
        match (tree.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                tree.insert(key, value);
            }
        }
    }
}

impl Config {
    /// The built-in defaults.
    pub fn defaults() -> Self {
        Self { settings: Settings::default(), warnings: Vec::new(), sources: Sources::default() }
    }

    /// The file that it was read from, if any.
    pub fn file(&self) -> Option<&Path> {
        self.sources.file.as_ref().map(|file| file.path.as_path())
    }

    /// Who set the key of that path: the strongest source, or nobody.
    pub fn origin(&self, path: &[&str]) -> Origin {
        let strongest = self.sources.overrides.iter().rev().find(|source| {
            let shared = source.path.len().min(path.len());
            source.path.iter().zip(path).take(shared).all(|(one, other)| one == other)
        });
        if let Some(source) = strongest {
            return source.origin.clone();
        }
        match self.sources.file.as_ref() {
            Some(file) => match locate(&file.text, path) {
                Some(span) => Origin::File(Place::new(&file.path, &file.text, span)),
                None => Origin::Whole(file.path.display().to_string()),
            },
            None => Origin::Whole(format!("{}, by default", path.join("."))),
        }
    }

    /// A mistake at the key of that path.
    pub(crate) fn mistake(&self, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.origin(path), message)
    }
}

/// Where the value of that path stands, or the last part of the path that does stand somewhere.
/// Numbers count the elements of a list.
fn locate(text: &str, path: &[&str]) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let (first, rest) = path.split_first()?;
    let mut found = root.get_ref().get(*first)?;
    let mut span = found.span();
    for part in rest {
        let next = match found.get_ref() {
            DeValue::Table(table) => table.get(*part),
            DeValue::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get(index)),
            _ => None,
        };
        match next {
            Some(next) => found = next,
            None => break,
        }
        span = found.span();
    }
    Some(span)
}

#[cfg(test)]
mod tests;
