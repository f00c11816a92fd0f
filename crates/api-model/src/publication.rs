use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a payload is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As it is.
    #[default]
    Plain,
    /// Base64 with padding (RFC 4648, section 4).
    Base64,
}

/// A message that is to be published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: String,
    /// How the payload is written.
    #[serde(default)]
    pub payload_encoding: Encoding,
    /// Quality of service.
    #[serde(default)]
    #[schemars(range(max = 2))]
    pub qos: u8,
    /// Whether it is kept for those who subscribe later.
    #[serde(default)]
    pub retain: bool,
    /// The tenant in which it is published; none for those who are of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// In whose name; the user or key that asks, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// Properties of MQTT 5.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<PublicationProperties>,
}

/// Properties of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationProperties {
    /// Payload Format Indicator: 1 for UTF-8.
    #[schemars(range(max = 1))]
    pub payload_format_indicator: Option<u8>,
    /// Message Expiry Interval in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Response Topic.
    pub response_topic: Option<String>,
    /// Correlation Data.
    pub correlation_data: Option<String>,
    /// Content Type.
    pub content_type: Option<String>,
    /// User Properties.
    #[serde(default)]
    pub user_properties: BTreeMap<String, String>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Published {
    /// The reason code of MQTT, if it reached nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<u8>,
    /// What that means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
