use plexus_types::{PacketId, ReasonCode, Text};

use super::UserProperties;

/// PUBACK, PUBREC, PUBREL or PUBCOMP, sections 3.4 to 3.7: they have one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The identifier of the message.
    pub packet_id: PacketId,
    /// Success when absent on the wire.
    pub reason: ReasonCode,
    /// Reason String and User Properties; boxed because they are rare and acknowledgements are not.
    pub details: Option<Box<AckDetails>>,
}

/// What an acknowledgement of 5.0 may add for the eyes of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AckDetails {
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

impl Ack {
    /// The plain acknowledgement.
    pub const fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self { packet_id, reason, details: None }
    }
}
