use bytes::Bytes;
use plexus_types::{MessageProperties, ProtocolVersion, Qos, Text, TopicName};

use super::UserProperties;

/// CONNECT, section 3.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the client asks for; the rest of the connection speaks it.
    pub version: ProtocolVersion,
    /// A bridge that announced itself by bit 7 of the protocol level (a habit of 3.x bridges):
    /// its own messages are not sent back to it and RETAIN is kept as published.
    pub bridge: bool,
    /// Clean Start (5.0) or Clean Session (3.x).
    pub clean_start: bool,
    /// Keep Alive in seconds, zero for none.
    pub keep_alive: u16,
    /// The Client Identifier, possibly empty.
    pub client_id: Text,
    /// The Will, if the Will Flag is set.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password: Binary Data.
    pub password: Option<Bytes>,
    /// Properties of 5.0.
    pub properties: ConnectProperties,
}

/// Properties of CONNECT, section 3.1.2.11. Absent ones hold what absence means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Session Expiry Interval in seconds; 0xFFFF_FFFF for never.
    pub session_expiry_interval: u32,
    /// Receive Maximum, never zero; 65,535 when absent.
    pub receive_maximum: u16,
    /// Maximum Packet Size, never zero; `None` for no limit.
    pub maximum_packet_size: Option<u32>,
    /// Topic Alias Maximum that the client accepts; zero for none.
    pub topic_alias_maximum: u16,
    /// Whether the client asks for Response Information.
    pub request_response_information: bool,
    /// Whether Reason String and User Properties may come with every packet.
    pub request_problem_information: bool,
    /// Authentication Method of an enhanced authentication.
    pub authentication_method: Option<Text>,
    /// Authentication Data; only with a method.
    pub authentication_data: Option<Bytes>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

impl Default for ConnectProperties {
    fn default() -> Self {
        Self {
            session_expiry_interval: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            request_response_information: false,
            request_problem_information: true,
            authentication_method: None,
            authentication_data: None,
            user_properties: UserProperties::default(),
        }
    }
}

/// The Will of CONNECT, sections 3.1.3.2 to 3.1.3.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Will Topic.
    pub topic: TopicName,
    /// Will Payload.
    pub payload: Bytes,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// Will Delay Interval in seconds.
    pub delay_interval: u32,
    /// Message Expiry Interval in seconds, counted from the moment the Will is published.
    pub message_expiry_interval: Option<u32>,
    /// The properties that travel with the message.
    pub properties: MessageProperties,
}
