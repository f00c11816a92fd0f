use std::{borrow::Cow, fmt, str::FromStr};

use plexus_types::TenantName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::text_value;

/// The name of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantText(TenantName);

/// Why a text is no name of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TenantTextError {
    /// Other letters, none or too many.
    #[error("is no name of a tenant; use 1 to 64 letters, digits, `_` and `-`")]
    Name,
    /// A number in place of a text.
    #[error("is a number; write the name of a tenant as text, for example \"acme\"")]
    Number,
}

impl TenantText {
    /// The name.
    pub const fn get(&self) -> &TenantName {
        &self.0
    }
}

impl FromStr for TenantText {
    type Err = TenantTextError;
    fn from_str(text: &str) -> Result<Self, TenantTextError> {
        TenantName::try_from(text).map(Self).map_err(|_| TenantTextError::Name)
    }
}

impl fmt::Display for TenantText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl JsonSchema for TenantText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "TenantText".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "title": "name of a tenant",
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,64}$",
        })
    }
}

text_value!(TenantText, "the name of a tenant such as \"acme\"", |_number| Err(
    TenantTextError::Number
));
