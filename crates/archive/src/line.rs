//! The lines of an export, field by field. `docs/export.md` explains them.

use serde::{Deserialize, Serialize};

/// What the first line calls the format.
pub const FORMAT: &str = "plexus-store";
/// The version of the format that is written, and the only one that is read.
pub const VERSION: u64 = 2;

/// The part of the first line that every version has.
#[derive(Debug, Deserialize)]
pub(crate) struct Title {
    pub(crate) format: String,
    pub(crate) version: u64,
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    pub(crate) format: String,
    pub(crate) version: u64,
    /// The store's identifier, 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) store: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_millis: Option<u64>,
    /// The newest time in the store: the clock of a node that starts on it is not behind that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) newest_millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written_millis: Option<u64>,
}

/// Every other line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Line {
    Message(MessageLine),
    Open(OpenLine),
    Retained(RetainedLine),
    Session(SessionLine),
    Queued(QueuedLine),
    End(Counts),
}

/// A message, once however many sessions it waits for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageLine {
    pub(crate) id: u64,
    /// The tenant that it is of; without it, of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    pub(crate) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload_base64: Option<String>,
    pub(crate) qos: u8,
    #[serde(default)]
    pub(crate) retain: bool,
    #[serde(default)]
    pub(crate) publisher: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires_millis: Option<u64>,
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub(crate) properties: Properties,
}

/// The properties that travel with a message, by the names of MQTT 5.0.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Properties {
    /// 1 if the payload is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_format_indicator: Option<u8>,
    /// Content Type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Response Topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_topic: Option<String>,
    /// Correlation Data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_data_base64: Option<String>,
    /// A list and no object: names may come twice, and their order counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub user_properties: Vec<(String, String)>,
}

/// A publication that a start routes anew.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenLine {
    pub(crate) message: u64,
    /// The whole filter of the shared group that one member is to get it from; otherwise it is for
    /// all subscribers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
    /// Its topic has been written since: it is not to be retained again.
    #[serde(default)]
    pub(crate) superseded: bool,
    /// The whole filters of groups of which a member has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) served: Vec<String>,
}

/// The retained message of a topic.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetainedLine {
    /// The tenant that it is of; without it, of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    pub(crate) topic: String,
    pub(crate) message: u64,
}

/// A session apart from its queue.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionLine {
    /// The tenant that it is of; without it, of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    pub(crate) client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
    pub(crate) listener: String,
    /// 3, 4 or 5, as in CONNECT.
    pub(crate) protocol_level: u8,
    pub(crate) session_expiry_interval: u32,
    /// Since when the client is away; without it, it was connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) away_since_millis: Option<u64>,
    /// From this place on nothing has been sent to the client; without it that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unsent_sequence: Option<u32>,
    /// The place of the next message in the queue.
    pub(crate) next_sequence: u32,
    #[serde(default)]
    pub(crate) subscriptions: Vec<SubscriptionLine>,
    /// Packet Identifiers of QoS 2 messages of the client that it has not released.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) accepted_packet_ids: Vec<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) will: Option<WillLine>,
    /// Open publications that it has, or has had already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) seen: Vec<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubscriptionLine {
    pub(crate) filter: String,
    pub(crate) qos: u8,
    #[serde(default)]
    pub(crate) no_local: bool,
    #[serde(default)]
    pub(crate) retain_as_published: bool,
    #[serde(default)]
    pub(crate) retain_handling: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subscription_identifier: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WillLine {
    pub(crate) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) payload_base64: Option<String>,
    pub(crate) qos: u8,
    #[serde(default)]
    pub(crate) retain: bool,
    #[serde(default)]
    pub(crate) will_delay_interval: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_expiry_interval: Option<u32>,
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub(crate) properties: Properties,
}

/// A QoS 1 or 2 message that is under way or waits for the client of the session above.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueuedLine {
    pub(crate) client: String,
    pub(crate) sequence: u32,
    /// Not there when PUBREC has come: then only PUBREL is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<u64>,
    /// Since when it waits, in seconds since 1970.
    pub(crate) since_seconds: u32,
    pub(crate) qos: u8,
    #[serde(default)]
    pub(crate) retain: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) subscription_identifiers: Vec<u32>,
    /// The whole filter of the group that it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group: Option<String>,
}

/// How much there is of everything: the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Messages, each once.
    pub messages: u64,
    /// Publications that a start routes anew.
    pub open: u64,
    /// Retained messages.
    pub retained: u64,
    /// Sessions.
    pub sessions: u64,
    /// Messages in their queues.
    pub queued: u64,
}
