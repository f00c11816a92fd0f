use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The configuration that holds.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct EffectiveConfig {
    /// The version of the changes; 0 where the file was never changed over.
    pub version: u64,
    /// All keys with their values, as the configuration file has them; secrets are masked.
    pub config: Value,
    /// Where each key comes from that is not a default; elements of lists by their number.
    pub origins: BTreeMap<String, String>,
}

/// What was changed while the node ran, and holds over the file.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigChanges {
    /// The version.
    pub version: u64,
    /// The keys.
    pub changes: Vec<ConfigChange>,
    /// Keys that differ from what the node runs with, and are taken at the next start.
    pub waits: Vec<String>,
}

/// A key that was changed.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigChange {
    /// The key.
    pub key: String,
    /// Its value; secrets are masked.
    pub value: Value,
    /// When.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What the file, or a default, says now.
    pub of_file: Option<Value>,
    /// Where the file says it.
    pub place: Option<String>,
    /// What the file said when it was changed.
    pub before: Option<Value>,
    /// The environment variable or option that hides the change.
    pub hidden_by: Option<String>,
    /// What somebody should know of it: that it is hidden, or that the file says something else since.
    pub notes: Vec<String>,
}

/// A version of the changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigVersion {
    /// Its number.
    pub version: u64,
    /// When it was made.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why.
    pub why: String,
    /// The keys in which it differs from the one before.
    pub keys: Vec<String>,
}

/// A key with its new value.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigKey {
    /// The key, as `mqtt.max_inflight`.
    pub key: String,
    /// Its value; null has the file hold again.
    pub value: Value,
}

/// A change of the configuration: of some keys, the others stay.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigPatch {
    /// The version of the changes that it is made against.
    pub version: u64,
    /// A merge patch (RFC 7396): tables and keys as in the file; null has the file hold again. Lists are replaced as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Value>,
    /// Or the keys one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<ConfigKey>,
    /// Why, for the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// An earlier version that is to hold again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigRollback {
    /// The version of the changes that holds now.
    pub version: u64,
    /// The one that is to hold again; 0 is the file alone.
    pub to: u64,
    /// Why, for the history.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// Whether it is only to be checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigQuery {
    /// Say what would come of it, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// What came of a change, or would come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ConfigOutcome {
    /// The version that holds.
    pub version: u64,
    /// The keys that have changed.
    pub keys: Vec<String>,
    /// What the node has taken at once; nothing where it was only checked.
    pub done: Vec<String>,
    /// Keys that are taken at the next start.
    pub waits: Vec<String>,
}
