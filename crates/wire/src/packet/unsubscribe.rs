use plexus_types::{PacketId, Text};

use super::UserProperties;

/// UNSUBSCRIBE, section 3.10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The identifier that UNSUBACK repeats.
    pub packet_id: PacketId,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// At least one ([MQTT-3.10.3-2]).
    pub filters: Vec<Text>,
}
