use plexus_types::{ReasonCode, Text};

use super::UserProperties;

/// DISCONNECT, section 3.14. 3.x clients send it bare; 3.x servers never send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Normal disconnection when absent on the wire.
    pub reason: ReasonCode,
    /// Properties of 5.0.
    pub properties: DisconnectProperties,
}

/// Properties of DISCONNECT, section 3.14.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisconnectProperties {
    /// A new Session Expiry Interval in seconds; only from the client ([MQTT-3.14.2-2]).
    pub session_expiry_interval: Option<u32>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// Server Reference, with 0x9C and 0x9D.
    pub server_reference: Option<Text>,
}

impl Disconnect {
    /// A bare DISCONNECT with that reason.
    pub fn new(reason: ReasonCode) -> Self {
        Self { reason, properties: DisconnectProperties::default() }
    }
}
