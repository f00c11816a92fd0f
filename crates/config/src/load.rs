//! File, environment and command line merged into one tree: each source is checked by itself, so
//! that a mistake is shown where it was made, and then laid over the weaker ones.

mod file;
mod mask;
mod origins;
mod overrides;
mod paths;
mod strays;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use plexus_net::read_regular_file;
use serde::Deserialize;
use toml::{Table, Value, de::DeTable};

pub use self::mask::is_secret;
pub(crate) use self::origins::Origins;
use self::origins::locate;
pub use self::overrides::{Override, OverrideValue, VARIABLE_PREFIX};
use crate::{
    check,
    explain::{Spot, explain},
    report::{ConfigError, Diagnostic, Origin, Place},
    settings::Settings,
};

/// The largest configuration file that is read.
const FILE_SIZE_MAX: u64 = 1024 * 1024;

/// A configuration file that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it was read.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

/// Everything a configuration is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sources {
    /// The file, if there is one.
    pub file: Option<File>,
    /// What was changed while a node ran: over the file, below everything else.
    pub layer: Vec<Override>,
    /// What is laid over both, the strongest last.
    pub overrides: Vec<Override>,
    /// The names of environment variables: those that set no key but look like it are told.
    pub variables: Vec<String>,
    /// What was wrong with others, which are therefore not among them.
    pub mistakes: Vec<Diagnostic>,
}

/// A configuration that has been checked, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The merged tree.
    pub settings: Settings,
    /// What is odd and no mistake.
    pub warnings: Vec<Diagnostic>,
    /// The number in the file of each listener.
    numbers: Vec<usize>,
    sources: Sources,
}

/// What is good of a configuration, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// What is good, with defaults in place of the rest.
    pub config: Config,
    /// What is wrong.
    pub mistakes: Vec<Diagnostic>,
}

/// What a mistake leaves unknown: nothing is told that may only follow from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touched {
    /// Something in the table of that name.
    Table(String),
    /// Anything.
    All,
}

impl File {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read_text(path, FILE_SIZE_MAX)?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The place of a byte range, secrets hidden.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::new(&self.path, &self.text, span).hiding(&self.text, &mask::secrets(&self.text))
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
    let bytes = read_regular_file(path, size_max).map_err(failed)?;
    let utf8 = |_| Diagnostic::new(origin(), "cannot read the file: it is not UTF-8");
    String::from_utf8(bytes).map_err(|error| ConfigError::one(utf8(error)))
}

/// Merges and checks the sources. All mistakes are reported together, but for those that may only
/// follow from others.
pub fn load(sources: Sources) -> Result<Config, ConfigError> {
    let Examined { config, mistakes } = examine(sources);
    if mistakes.is_empty() { Ok(config) } else { Err(ConfigError { diagnostics: mistakes }) }
}

/// What is good of the sources, for further checks, and what is wrong with the rest.
pub fn examine(sources: Sources) -> Examined {
    let mut read = sources.file.as_ref().map(file::read).unwrap_or_default();
    read.touched.extend(sources.mistakes.iter().filter_map(|mistake| match mistake.origin {
        Origin::Whole(_) => Some(Touched::All),
        Origin::File(_) | Origin::Variable(_) | Origin::Option(_) => None,
    }));
    let mut mistakes = sources.mistakes.clone();
    mistakes.append(&mut read.mistakes);
    for source in sources.layer.iter().chain(&sources.overrides) {
        match source.tree() {
            Ok(over) => {
                if over.contains_key("listener") {
                    read.numbers.clear();
                }
                lay_over(&mut read.tree, over);
            }
            Err(mistake) => {
                mistakes.push(mistake);
                read.touched.extend(source.path.first().cloned().map(Touched::Table));
            }
        }
    }
    let strays = strays::among(sources.variables.iter().map(String::as_str));
    mistakes.extend(strays.errors);
    let settings = Settings::deserialize(read.tree).unwrap_or_else(|error| {
        let origin = Origin::Whole("the merged configuration".to_owned());
        let message = explain(error.message(), &Spot::default()).message;
        mistakes.push(Diagnostic::new(origin, message));
        read.touched.push(Touched::All);
        Settings::default()
    });
    let mut config = Config { settings, warnings: strays.warnings, numbers: read.numbers, sources };
    config.warnings.extend(check::odd(&config));
    mistakes.extend(check::values(&config));
    mistakes.extend(check::together(&config, &read.touched));
    mistakes.sort_by_key(|one| match &one.origin {
        Origin::File(place) => (place.line, place.column),
        Origin::Variable(_) | Origin::Option(_) | Origin::Whole(_) => (usize::MAX, 0),
    });
    Examined { config, mistakes }
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
        Self {
            settings: Settings::default(),
            warnings: Vec::new(),
            numbers: Vec::new(),
            sources: Sources::default(),
        }
    }

    /// The file that it was read from, if any.
    pub fn file(&self) -> Option<&Path> {
        self.sources.file.as_ref().map(|file| file.path.as_path())
    }

    /// The same without what was changed while a node ran, and without environment and command line. Where
    /// the file alone would be no configuration, defaults stand in the place of what is wrong.
    #[must_use]
    pub fn of_file(&self) -> Self {
        let sources = Sources { file: self.sources.file.clone(), ..Sources::default() };
        examine(sources).config
    }

    /// The same sources with these changes in the place of those that were made while a node ran, and with what is
    /// wrong with them.
    pub fn with_layer(&self, layer: Vec<Override>, mistakes: Vec<Diagnostic>) -> Examined {
        let mut sources = Sources { layer, ..self.sources.clone() };
        sources.mistakes.extend(mistakes);
        examine(sources)
    }

    /// Who hides what the layer says of the key of that path, if somebody does.
    pub fn hidden_by(&self, path: &[&str]) -> Option<&Origin> {
        let mut overrides = self.sources.overrides.iter().rev();
        overrides.find(|source| source.is_about(path)).map(|source| &source.origin)
    }

    /// The value of the key of that path, defaults included; nothing where it is not set. Secrets are masked.
    pub fn value(&self, path: &[&str]) -> Option<Value> {
        let (first, rest) = path.split_first()?;
        let mut tree = Table::try_from(&self.settings).ok()?;
        rest.iter().try_fold(tree.remove(*first)?, |value, part| match value {
            Value::Table(mut table) => table.remove(*part),
            _ => None,
        })
    }

    /// The number that the file gives a listener of the settings: elements that were wrong are not
    /// among those.
    pub fn number(&self, index: usize) -> usize {
        self.numbers.get(index).copied().unwrap_or(index)
    }

    /// Who set the key of that path: the strongest source, or nobody. Elements of lists have the
    /// numbers of the file.
    pub fn origin(&self, path: &[&str]) -> Origin {
        let overrides = self.sources.overrides.iter().rev();
        let mut sources = overrides.chain(self.sources.layer.iter().rev());
        if let Some(source) = sources.find(|source| source.is_about(path)) {
            return source.origin.clone();
        }
        let Some(file) = self.sources.file.as_ref() else {
            return Origin::Whole(format!("{}, by default", path.join(".")));
        };
        let document = DeTable::parse(&file.text).ok();
        match document.and_then(|document| locate(document.get_ref(), path)) {
            Some(found) => Origin::File(file.place(found.span)),
            None => Origin::Whole(file.path.display().to_string()),
        }
    }

    /// A mistake at the key of that path.
    pub(crate) fn mistake(&self, path: &[&str], message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.origin(path), message)
    }
}

#[cfg(test)]
mod tests;
