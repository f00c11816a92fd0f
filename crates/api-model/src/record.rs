use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A record of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditRecord {
    /// Its number.
    pub seq: u64,
    /// When, in UTC, with microseconds.
    pub time: String,
    /// What it concerns: `login`, `session`, `access`, `ban`, `admin`, `change`, `node` or `audit`.
    pub kind: String,
    /// What was done or wanted.
    pub act: String,
    /// How it ended: `done`, `refused` or `failed`.
    pub outcome: String,
    /// The client identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The user name, of MQTT or of the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// The name of the listener; `api` for the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// The tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// On what: a topic, a filter, a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// Which records are wanted. All that is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordQuery {
    /// The number of the page, counted from 1; of the newest 10,000 that are wanted.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Those of this kind: `login`, `session`, `access`, `ban`, `admin`, `change`, …
    pub kind: Option<String>,
    /// Those of this client.
    pub clientid: Option<String>,
    /// Those of this user, of MQTT or of the API.
    pub username: Option<String>,
    /// Those that ended so: `done`, `refused`, `failed`.
    pub outcome: Option<String>,
    /// Those of this tenant.
    pub tenant: Option<String>,
    /// Those with this in them, in any case of letters.
    pub search: Option<String>,
}
