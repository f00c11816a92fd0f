use std::{borrow::Cow, fmt, path::PathBuf, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// Something that no output may show: written out, or `"file:<path>"` for the first line of a file.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Written where it is used.
    Inline(String),
    /// In a file of its own.
    File(PathBuf),
}

/// Why a text is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing, or nothing behind `file:`.
    #[error("is empty; write the secret, or \"file:\" and the path of the file that holds it")]
    Empty,
    /// A number in place of a text.
    #[error("is a number; a secret is text in quotes")]
    Number,
}

impl FromStr for Secret {
    type Err = SecretError;
    fn from_str(text: &str) -> Result<Self, SecretError> {
        match text.strip_prefix("file:") {
            None if text.is_empty() => Err(SecretError::Empty),
            Some("") => Err(SecretError::Empty),
            Some(path) => Ok(Self::File(path.into())),
            None => Ok(Self::Inline(text.to_owned())),
        }
    }
}

/// The reference, or `***` in place of what is written out.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("***"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

/// As [`fmt::Display`]: a secret is not shown here either.
impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "secret or \"file:<path>\"", "type": "string", "minLength": 1 })
    }
}

text_value!(Secret, "a text, or \"file:\" and a path", |_number| Err(SecretError::Number));
