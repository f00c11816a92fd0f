use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{ByteSize, RateText, TenantText};

/// A tenant: its topics, sessions, retained messages, users, rules and numbers are its own, and none of another is
/// seen by its clients. Clients of no tenant are not touched by any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantSettings {
    /// Its name: 1 to 64 letters, digits, `_` and `-`.
    pub name: TenantText,
    /// Server names by which clients ask for it (SNI), at every listener with TLS that is no tenant's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_names: Vec<String>,
    /// The users of this tenant, as in `access.users_file`: they are asked about clients that come in as this
    /// tenant's by their listener or server name, and the users of the node are not. Read anew at SIGHUP, for new
    /// connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users_file: Option<PathBuf>,
    /// Connections of its clients; no limit of its own when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Its sessions, connected or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_sessions: Option<u32>,
    /// Subscriptions of all its sessions; further ones are refused with Quota exceeded (0x97).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_subscriptions: Option<u32>,
    /// Its retained messages; further topics are not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retained_messages: Option<u32>,
    /// Bytes of topic, payload and properties of all its retained messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retained_bytes: Option<ByteSize>,
    /// The messages that its clients publish together, within the limits of listener and node: who has published
    /// more is not read from until it has come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_message_rate: Option<RateText>,
    /// The bytes of those messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_byte_rate: Option<RateText>,
}
