use std::{borrow::Cow, fmt, str::FromStr};

use plexus_access::{Template, TemplateError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// A text in which `${clientid}` and the like stand for what a client shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed(Template);

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlacedError {
    /// No template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A number in place of a text.
    #[error("is a number; write it as text, in quotes")]
    Number,
}

impl Placed {
    /// The template.
    pub const fn get(&self) -> &Template {
        &self.0
    }
}

impl FromStr for Placed {
    type Err = PlacedError;
    fn from_str(text: &str) -> Result<Self, PlacedError> {
        Ok(Self(Template::parse(text)?))
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for Placed {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Placed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "text with places", "type": "string" })
    }
}

text_value!(Placed, "a text such as \"${clientid}\"", |_number| Err(PlacedError::Number));
