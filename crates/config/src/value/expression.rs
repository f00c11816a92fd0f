use std::{borrow::Cow, fmt, str::FromStr};

use plexus_admission::{Expression, ExpressionError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// An expression over what is known of a client, such as `client_id.startsWith('robot-')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionText(Expression);

/// Why a text is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionTextError {
    /// No expression.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// A number in place of a text.
    #[error("is a number; write it as text, in quotes")]
    Number,
}

impl ExpressionText {
    /// The expression.
    pub const fn get(&self) -> &Expression {
        &self.0
    }
}

impl FromStr for ExpressionText {
    type Err = ExpressionTextError;
    fn from_str(text: &str) -> Result<Self, ExpressionTextError> {
        Ok(Self(text.parse()?))
    }
}

impl fmt::Display for ExpressionText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl JsonSchema for ExpressionText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "title": "expression", "type": "string", "minLength": 1 })
    }
}

text_value!(
    ExpressionText,
    "an expression such as \"client_id.startsWith('robot-')\"",
    |_number| Err(ExpressionTextError::Number)
);
