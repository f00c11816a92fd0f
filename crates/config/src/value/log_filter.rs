use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// What is logged: a level (`off`, `error`, `warn`, `info`, `debug`, `trace`), or several parts
/// apart by commas, each a level or `<module>=<level>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// Why a text does not say what is logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFilterError {
    /// A word that is no level.
    #[error(
        "is no log filter: `{0}` is no level; the levels are off, error, warn, info, debug and trace"
    )]
    Level(String),
    /// A module that cannot be one.
    #[error("is no log filter: `{0}` is no module; a part reads <module>=<level>")]
    Module(String),
    /// A number in place of a text.
    #[error("is a number; the levels are off, error, warn, info, debug and trace")]
    Number,
}

const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

impl LogFilter {
    /// The filter as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogFilter {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = LogFilterError;
    fn from_str(text: &str) -> Result<Self, LogFilterError> {
        for part in text.split(',').map(str::trim) {
            let (module, level) = match part.split_once('=') {
                Some((module, level)) => (Some(module), level),
                None => (None, part),
            };
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
            if let Some(module) = module.filter(|name| name.is_empty() || !name.chars().all(named))
            {
                return Err(LogFilterError::Module(module.to_owned()));
            }
            if !LEVELS.contains(&level) {
                return Err(LogFilterError::Level(level.to_owned()));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for LogFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl JsonSchema for LogFilter {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "LogFilter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "log filter", "type": "string", "minLength": 1 })
    }
}

text_value!(LogFilter, "a log level, or <module>=<level> apart by commas", |_number| Err(
    LogFilterError::Number
));
