use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Banned, ConfigKey, Moment, RulesOfAll, RulesOfOne};

/// What of a node was made by its API, to be kept elsewhere or given to another node. It holds hashes of passwords: keep it as you
/// keep those.
#[derive(Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// The version of the form: 1.
    pub version: u32,
    /// The node that it is of.
    #[serde(default)]
    pub node: String,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Moment>,
    /// The keys of the configuration that were changed while the node ran.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<ConfigKey>,
    /// Users whom clients log in as.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<StoredAccount>,
    /// Rules of single users and clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RulesOfOne>,
    /// Rules of everybody, for each tenant and for none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules_of_all: Vec<RulesOfAll>,
    /// Bans that the API has made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bans: Vec<Banned>,
    /// Users and keys of the API, as they are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Value>,
}

/// A user with what is stored of the password.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoredAccount {
    /// The user's name.
    pub user_id: String,
    /// The tenant whose user it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// As in a user file, behind the name.
    pub stored: String,
}

/// What was taken of a backup. What is there already has been left as it is, unless it was to be replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Restored {
    /// Keys of the configuration.
    pub configuration: u64,
    /// Users whom clients log in as.
    pub accounts: u64,
    /// Lists of rules.
    pub rules: u64,
    /// Bans.
    pub bans: u64,
    /// Users and keys of the API.
    pub people: u64,
    /// What was there already, and was left as it is.
    pub left: u64,
    /// What is taken at the next start only.
    #[serde(default)]
    pub waits: Vec<String>,
}

/// How a backup is to be taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreQuery {
    /// Whether it takes the place of what is there already.
    pub replace: Option<bool>,
}

impl fmt::Debug for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backup").field("node", &self.node).finish_non_exhaustive()
    }
}

impl fmt::Debug for StoredAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAccount").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}
