use std::{borrow::Cow, fmt, str::FromStr};

use plexus_types::TopicFilter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// Which topics a rule is for: a topic filter with or without wildcards, as in SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFilter(TopicFilter);

/// Why a text is no filter of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFilterError {
    /// No topic filter.
    #[error("is no topic filter ({0}); write for example \"telemetry/#\"")]
    Filter(#[from] plexus_types::TopicError),
    /// A shared subscription.
    #[error("is a shared subscription; write the filter that stands behind the group's name")]
    Shared,
    /// A number in place of a text.
    #[error("is a number; write a topic filter as text, for example \"telemetry/#\"")]
    Number,
}

impl RuleFilter {
    /// The filter.
    pub const fn get(&self) -> &TopicFilter {
        &self.0
    }
}

impl FromStr for RuleFilter {
    type Err = RuleFilterError;
    fn from_str(text: &str) -> Result<Self, RuleFilterError> {
        let filter = TopicFilter::try_from(text)?;
        if filter.shared().is_some() {
            return Err(RuleFilterError::Shared);
        }
        Ok(Self(filter))
    }
}

impl fmt::Display for RuleFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl JsonSchema for RuleFilter {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "RuleFilter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "topic filter", "type": "string", "minLength": 1 })
    }
}

text_value!(RuleFilter, "a topic filter such as \"telemetry/#\"", |_number| Err(
    RuleFilterError::Number
));
