use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// By what a trace chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TraceBy {
    /// A client: all that it does and gets, and what happens to it.
    Clientid,
    /// A topic filter: what is published and delivered there.
    Topic,
    /// An address: all that clients from there do and get.
    IpAddress,
}

/// How a trace stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TraceStatus {
    /// It records.
    Running,
    /// It has ended: by its time, its size, a word, or with the node.
    Stopped,
}

/// A trace that is to be begun.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTrace {
    /// Its name: 1 to 64 letters, digits, `_` and `-`.
    pub name: String,
    /// By what it chooses.
    pub r#type: TraceBy,
    /// The client, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// The topic filter, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The address, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The tenant whose they are; none for those of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it ends: after ten minutes where nothing is said, and after a day at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Moment>,
    /// Bytes of each payload that are recorded at most: 1,024 where nothing is said, 65,536 at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 65_536))]
    pub payload_max: Option<usize>,
}

/// A trace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Trace {
    /// Its name.
    pub name: String,
    /// By what it chooses.
    pub r#type: TraceBy,
    /// The client, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// The topic filter, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The address, if it chooses by that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The tenant whose they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// When it began.
    pub start_at: Moment,
    /// When it ends, or would have ended.
    pub end_at: Moment,
    /// How it stands.
    pub status: TraceStatus,
    /// Bytes of its file, by node.
    pub log_size: BTreeMap<String, u64>,
}

/// A trace, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct TracePath {
    /// Its name.
    pub name: String,
}

/// Which part of a trace is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceLogQuery {
    /// Where it begins, in bytes: 0 where nothing is said, or what the part before told.
    pub position: Option<u64>,
    /// How much is wanted: 1 to 1,048,576 bytes, 65,536 where nothing is said.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub bytes: Option<u64>,
}

/// A part of a trace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TraceLog {
    /// Whole lines, each an object of JSON.
    pub items: String,
    /// Where it stands.
    pub meta: TraceLogMeta,
}

/// Where a part of a trace stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TraceLogMeta {
    /// Where the next part begins.
    pub position: u64,
    /// Bytes of this part.
    pub bytes: u64,
}

/// How it was at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Sample {
    /// When, in milliseconds since 1970.
    pub time_stamp: u64,
    /// Sessions.
    pub connections: u64,
    /// Clients that were connected.
    pub live_connections: u64,
    /// Subscriptions.
    pub subscriptions: u64,
    /// Retained messages.
    pub retained_msg_count: u64,
    /// Messages that came since the sample before.
    pub received: u64,
    /// Messages that went since then.
    pub sent: u64,
    /// Messages that were dropped since then, nobody having wanted them or for another reason.
    pub dropped: u64,
    /// Bytes that came since then.
    pub received_bytes: u64,
    /// Bytes that went since then.
    pub sent_bytes: u64,
    /// Messages that waited.
    pub queued: u64,
    /// Memory of the process that was resident, in bytes.
    pub memory: u64,
}

/// Which samples are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorQuery {
    /// Those of so many seconds up to now: 3,600 where nothing is said, 86,400 at most.
    #[schemars(range(min = 10, max = 86_400))]
    pub latest: Option<u64>,
}
