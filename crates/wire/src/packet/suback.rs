use plexus_types::{PacketId, ReasonCode, Text};

use super::UserProperties;

/// SUBACK, section 3.9: one reason for each filter, in order ([MQTT-3.8.4-6]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAck {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// Granted or refused, filter by filter.
    pub reasons: Vec<ReasonCode>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

/// UNSUBACK, section 3.11: one reason for each filter, in order; 3.x sends none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubAck {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// Done or refused, filter by filter.
    pub reasons: Vec<ReasonCode>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}
