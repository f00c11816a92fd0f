use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the node is well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Status {
    /// Its name.
    pub node_name: String,
    /// `started`.
    pub broker_status: String,
    /// `running`.
    pub app_status: String,
    /// Its version.
    pub rel_vsn: String,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NodeStatus {
    /// It serves.
    Running,
    /// It does not.
    Stopped,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct NodeState {
    /// Its name.
    pub node: String,
    /// What it does.
    pub node_status: NodeStatus,
    /// Its version.
    pub version: String,
    /// For how long it has run, in milliseconds.
    pub uptime: u64,
    /// Clients that are connected.
    pub live_connections: u64,
    /// Clients that are connected, or whose sessions wait for them.
    pub connections: u64,
    /// How many shards it has.
    pub shards: u16,
    /// Memory that is resident, in bytes.
    pub memory_used: u64,
    /// What of it is private and behind no file.
    pub memory_heap: u64,
    /// Processors.
    pub cores: u16,
}

/// How much there is of each thing now: `connections.count` and so on.
pub type Stats = BTreeMap<String, u64>;

/// How often each thing has happened since the start: `messages.received` and so on.
pub type Metrics = BTreeMap<String, u64>;

/// How much there is now, and how fast messages come and go.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub struct Rates {
    /// Clients that are connected.
    pub live_connections: u64,
    /// Clients that are connected, or whose sessions wait for them.
    pub connections: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Retained messages.
    pub retained_msg_count: u64,
    /// Messages that wait in queues.
    pub queued: u64,
    /// Messages received a second.
    pub received_msg_rate: u64,
    /// Messages sent a second.
    pub sent_msg_rate: u64,
    /// Messages dropped a second.
    pub dropped_msg_rate: u64,
    /// Bytes received a second.
    pub received_bytes_rate: u64,
    /// Bytes sent a second.
    pub sent_bytes_rate: u64,
}

/// Whether a listener listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ListenerStatus {
    /// Whether it does.
    pub running: bool,
    /// How many connections it may have.
    pub max_connections: u64,
}

/// Where the node listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Listener {
    /// Its name.
    pub id: String,
    /// `tcp`, `tls`, `ws`, `wss` or `unix`.
    pub r#type: String,
    /// Where, with the real port.
    pub bind: String,
    /// Whether it listens.
    pub status: ListenerStatus,
    /// The tenant whose clients come in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}
