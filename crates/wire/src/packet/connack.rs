use bytes::Bytes;
use plexus_types::{Qos, ReasonCode, Text};

use super::UserProperties;

/// CONNACK, section 3.2. Towards 3.x the reason is written as the nearest return code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server had a session of this client.
    pub session_present: bool,
    /// Accepted or why not.
    pub reason: ReasonCode,
    /// Properties of 5.0.
    pub properties: ConnAckProperties,
}

/// Properties of CONNACK, section 3.2.2.3. `None` is absent on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnAckProperties {
    /// Session Expiry Interval when it is not the one asked for.
    pub session_expiry_interval: Option<u32>,
    /// Receive Maximum of the server.
    pub receive_maximum: Option<u16>,
    /// Maximum QoS when below 2.
    pub maximum_qos: Option<Qos>,
    /// Retain Available.
    pub retain_available: Option<bool>,
    /// Maximum Packet Size of the server.
    pub maximum_packet_size: Option<u32>,
    /// The Client Identifier that the server gave.
    pub assigned_client_identifier: Option<Text>,
    /// Topic Alias Maximum of the server.
    pub topic_alias_maximum: Option<u16>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// Wildcard Subscription Available.
    pub wildcard_subscription_available: Option<bool>,
    /// Subscription Identifiers Available.
    pub subscription_identifiers_available: Option<bool>,
    /// Shared Subscription Available.
    pub shared_subscription_available: Option<bool>,
    /// The Keep Alive that the client must use instead of its own.
    pub server_keep_alive: Option<u16>,
    /// Response Information.
    pub response_information: Option<Text>,
    /// Server Reference, with 0x9C and 0x9D.
    pub server_reference: Option<Text>,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Bytes>,
}
