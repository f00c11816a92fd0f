use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    /// What is on it.
    pub data: Vec<T>,
    /// Where it stands.
    pub meta: Meta,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Meta {
    /// Its number, counted from 1; none where it was asked for by a cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u64>,
    /// How much is on it at most.
    pub limit: u64,
    /// How much is in the whole list, where that is known without walking through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Whether there is more behind it.
    pub hasnext: bool,
    /// Where the next page begins: give it as `cursor`. The walk goes on there in the same time however far it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}
