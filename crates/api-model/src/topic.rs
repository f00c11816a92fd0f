use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Encoding, Moment};

/// A message that is kept for those who subscribe later.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RetainedMessage {
    /// Its name within the node.
    pub msgid: String,
    /// Its topic.
    pub topic: String,
    /// The tenant whose topic it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Quality of service.
    pub qos: u8,
    /// Who published it.
    pub from_clientid: String,
    /// Bytes of its payload.
    pub size: u64,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Moment>,
    /// Its payload; in lists only where it is asked for, and no more than `payload_max` bytes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// How the payload is written.
    pub payload_encoding: Encoding,
    /// Content Type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

/// Which retained messages are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetainedQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// The `cursor` of the page before; `none` for the first.
    pub cursor: Option<String>,
    /// Those of topics that this filter matches; `#`, hence none that begins with `$`, where nothing is said.
    pub topic: Option<String>,
    /// The tenant whose they are; none for those of none.
    pub tenant: Option<String>,
    /// Bytes of each payload that are shown at most: none where nothing is said, 65,536 at most, and 4 MiB of all.
    #[schemars(range(max = 65_536))]
    pub payload_max: Option<usize>,
}

/// A topic, in a path: its slashes are written %2F.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct TopicPath {
    /// The topic.
    pub topic: String,
}

/// What somebody is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub struct Route {
    /// The topic filter, without `$share/…/`.
    pub topic: String,
    /// The tenant whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The node that has subscribers.
    pub node: String,
}

/// Which filters are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Exactly this filter.
    pub topic: Option<String>,
    /// The node they are on.
    pub node: Option<String>,
}

/// A level of the tree of retained topics.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct TopicLevel {
    /// Its name.
    pub name: String,
    /// The whole topic that ends with it.
    pub topic: String,
    /// Whether there are topics below it.
    pub has_children: bool,
    /// The retained message of that topic, with the beginning of its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<RetainedMessage>,
}

/// Which levels are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TreeQuery {
    /// The topic below which they are; the first levels of all where nothing is said.
    pub parent: Option<String>,
    /// How much is to be there: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// The `cursor` of the part before.
    pub cursor: Option<String>,
    /// The tenant whose they are; none for those of none.
    pub tenant: Option<String>,
}

/// A message of a client's queue, or under way to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ClientMessage {
    /// Its name within the node.
    pub msgid: String,
    /// Its topic; none where it is only on disk.
    pub topic: Option<String>,
    /// Quality of service of the delivery.
    pub qos: u8,
    /// The mark that it was retained.
    pub retain: bool,
    /// Since when it waits, in whole seconds.
    pub inserted_at: Moment,
    /// Who published it; none where it is only on disk.
    pub from_clientid: Option<String>,
    /// Bytes of topic, payload and properties.
    pub size: u64,
    /// Its packet identifier, while it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet_id: Option<u16>,
    /// Whether PUBREC has come for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<bool>,
    /// The beginning of its payload, where it is asked for and in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// How the payload is written.
    pub payload_encoding: Encoding,
}

/// Which messages of a client are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientMessageQuery {
    /// The tenant of the client; none for those that are of none.
    pub tenant: Option<String>,
    /// How much is wanted: 1 to 1,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u64>,
    /// The `cursor` of the part before. What leaves the queue meanwhile moves what is behind it.
    pub cursor: Option<String>,
    /// Bytes of each payload that are shown at most: none where nothing is said, 65,536 at most, and 4 MiB of all.
    #[schemars(range(max = 65_536))]
    pub payload_max: Option<usize>,
}

/// A subscription that is wanted for a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    /// The topic filter.
    pub topic: String,
    /// The highest quality of service of its deliveries.
    #[serde(default)]
    #[schemars(range(max = 2))]
    pub qos: u8,
    /// No Local: 1 if it is not to get its own messages.
    #[serde(default)]
    #[schemars(range(max = 1))]
    pub nl: u8,
    /// Retain As Published: 1 if deliveries keep the mark.
    #[serde(default)]
    #[schemars(range(max = 1))]
    pub rap: u8,
    /// Retain Handling: when retained messages are sent, 0 always, 1 to a new subscription, 2 never.
    #[serde(default)]
    #[schemars(range(max = 2))]
    pub rh: u8,
}

/// A subscription that is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OldSubscription {
    /// The topic filter.
    pub topic: String,
}
