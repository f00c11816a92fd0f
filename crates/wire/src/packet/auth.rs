use bytes::Bytes;
use plexus_types::{ReasonCode, Text};

use super::UserProperties;

/// AUTH, section 3.15; 5.0 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate ([MQTT-3.15.2-1]).
    pub reason: ReasonCode,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Bytes>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}
