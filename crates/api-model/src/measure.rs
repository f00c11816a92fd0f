use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::Moment;

/// A topic whose messages are to be counted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTopicMetrics {
    /// The topic, without wildcards.
    pub topic: String,
    /// The tenant whose topic it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What is to be done with counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TopicMetricsAction {
    /// They begin anew.
    #[default]
    Reset,
}

/// Counts that are to begin anew.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicMetricsReset {
    /// What is to be done.
    #[serde(default)]
    pub action: TopicMetricsAction,
    /// Those of this topic; all of them where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// The tenant whose topic it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// The messages of a topic, counted.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
pub struct TopicMetrics {
    /// The topic.
    pub topic: String,
    /// The tenant whose topic it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Since when they are counted.
    pub create_time: Moment,
    /// When they have begun anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_time: Option<Moment>,
    /// By EMQX's names: `messages.in.count`, `messages.out.count`, the same of each quality of service (`messages.qos0.in.count`, …), and
    /// `…rate` in messages a second, of the last seconds.
    pub metrics: BTreeMap<String, Number>,
}

/// Which client is slow, and with what.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct SlowSubscription {
    /// The client.
    pub clientid: String,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The node.
    pub node: String,
    /// The topic of the message that took longest.
    pub topic: String,
    /// Milliseconds from when the message came until it was done with.
    pub timespan: u64,
    /// When that was.
    pub last_update_time: Moment,
}

/// Which slow clients are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
}

/// When a message is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SlowBy {
    /// When the client has acknowledged it; of QoS 0, when it was written.
    #[default]
    Whole,
    /// When it was written to the client.
    Internal,
    /// From when it was written until the client has acknowledged it; nothing of QoS 0.
    Response,
}

/// How slow clients are looked for. It holds until the node ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowSettings {
    /// Whether they are looked for.
    pub enable: bool,
    /// From how long on a message is slow, such as `500ms`.
    #[serde(default = "threshold")]
    pub threshold: String,
    /// How long a client is remembered, such as `300s`.
    #[serde(default = "expire_interval")]
    pub expire_interval: String,
    /// How many are remembered, the slowest: 1 to 1,000.
    #[serde(default = "top_k_num")]
    #[schemars(range(min = 1, max = 1_000))]
    pub top_k_num: u32,
    /// What is measured.
    #[serde(default)]
    pub stats_type: SlowBy,
}

fn threshold() -> String {
    "500ms".to_owned()
}

fn expire_interval() -> String {
    "300s".to_owned()
}

const fn top_k_num() -> u32 {
    10
}

impl Default for SlowSettings {
    fn default() -> Self {
        Self {
            enable: false,
            threshold: threshold(),
            expire_interval: expire_interval(),
            top_k_num: top_k_num(),
            stats_type: SlowBy::default(),
        }
    }
}
