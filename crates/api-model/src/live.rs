use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Encoding, Moment};

/// What is watched. All that is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveQuery {
    /// Of topics that this filter matches; all but those that begin with `$` where nothing is said.
    pub topic: Option<String>,
    /// Of this client, as publisher or receiver.
    pub clientid: Option<String>,
    /// Of clients from this address.
    pub ip_address: Option<String>,
    /// The tenant whose they are; none for those of none.
    pub tenant: Option<String>,
    /// Whether deliveries to clients are shown, too, and not only what is published; false where nothing is said.
    pub deliveries: Option<bool>,
    /// Bytes of each payload that are shown at most: 4,096 where nothing is said, 65,536 at most.
    #[schemars(range(max = 65_536))]
    pub payload_max: Option<usize>,
}

/// What is told of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveKind {
    /// It was published.
    Published,
    /// It was written to a client.
    Delivered,
    /// A client has acknowledged it.
    Acknowledged,
    /// Messages for a client were dropped.
    Dropped,
    /// A client has subscribed.
    Subscribed,
    /// A client has unsubscribed.
    Unsubscribed,
}

/// Something that goes on, as an event of the stream (`event: message`). Where the watcher is too slow an event `lost`
/// says how many were left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LiveMessage {
    /// When.
    pub at: Moment,
    /// What.
    pub event: LiveKind,
    /// Whose: the publisher's, or the receiver's.
    pub clientid: String,
    /// The user name of that client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Who published it, of a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_clientid: Option<String>,
    /// The topic or the filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Quality of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<u8>,
    /// Whether it is to be retained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
    /// Bytes of its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The beginning of its payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// How the payload is written.
    pub payload_encoding: Encoding,
    /// Content Type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Why messages were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How many were dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

/// Which topics are watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveTopicsQuery {
    /// Those that this filter matches; all but those that begin with `$` where nothing is said.
    pub topic: Option<String>,
    /// The tenant whose they are; none for those of none.
    pub tenant: Option<String>,
    /// Bytes of each payload that are shown at most: 1,024 where nothing is said, 4,096 at most.
    #[schemars(range(max = 4_096))]
    pub payload_max: Option<usize>,
}

/// What has come in a second, as an event of the stream (`event: topics`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LiveTopics {
    /// When.
    pub at: Moment,
    /// The topics with messages since the last event: each with its last message.
    pub topics: Vec<LiveTopic>,
    /// Messages of topics that are not among them: more than 10,000 topics, or than 4 MiB of them, have come in the second.
    pub others: u64,
}

/// A topic that has had messages.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct LiveTopic {
    /// The topic.
    pub topic: String,
    /// How many there were.
    pub count: u64,
    /// The payload of the last, or its beginning.
    pub payload: String,
    /// How the payload is written.
    pub payload_encoding: Encoding,
    /// Bytes of the payload of the last.
    pub size: u64,
    /// Quality of service of the last.
    pub qos: u8,
    /// Whether the last was to be retained.
    pub retain: bool,
    /// Content Type of the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Who published the last.
    pub from_clientid: String,
}

/// Which events are watched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveEventsQuery {
    /// Those of this client.
    pub clientid: Option<String>,
    /// Those of this kind: `login`, `session`, `access`, `ban`, `change`, `node`.
    pub kind: Option<String>,
    /// Those of this tenant's clients; of all where nothing is said.
    pub tenant: Option<String>,
    /// How many of the last ones come first: none where nothing is said, 1,000 at most.
    #[schemars(range(max = 1_000))]
    pub last: Option<usize>,
}
