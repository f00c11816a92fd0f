use std::{borrow::Cow, fmt, str::FromStr};

use plexus_access::{Network, NetworkError, Pattern, PatternError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// The topics of a rule, such as `robot/${clientid}/#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicPattern(Pattern);

/// Why a text does not say which topics are meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicPatternError {
    /// No pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A number in place of a text.
    #[error("is a number; write topics as text, for example \"robot/${{clientid}}/#\"")]
    Number,
}

impl TopicPattern {
    /// The pattern.
    pub const fn get(&self) -> &Pattern {
        &self.0
    }
}

impl FromStr for TopicPattern {
    type Err = TopicPatternError;
    fn from_str(text: &str) -> Result<Self, TopicPatternError> {
        Ok(Self(Pattern::parse(text)?))
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for TopicPattern {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "TopicPattern".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "topic filter with places", "type": "string", "minLength": 1 })
    }
}

text_value!(TopicPattern, "topics such as \"robot/${clientid}/#\"", |_number| Err(
    TopicPatternError::Number
));

/// A network or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetworkText(Network);

impl NetworkText {
    /// The network.
    pub const fn get(self) -> Network {
        self.0
    }
}

impl FromStr for NetworkText {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for NetworkText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for NetworkText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Network".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "address or network", "type": "string", "minLength": 2 })
    }
}

text_value!(NetworkText, "an address or a network such as \"10.0.0.0/8\"", |_number| Err(
    NetworkError::Form
));
