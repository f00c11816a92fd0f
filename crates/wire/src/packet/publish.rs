use bytes::Bytes;
use plexus_types::{MessageProperties, PacketId, Qos, Text};
use smallvec::SmallVec;

/// PUBLISH, section 3.3, as it came or goes; its topic may be empty when an alias stands for it, so
/// it is checked text and not yet a topic name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// DUP: perhaps sent before ([MQTT-3.3.1-1]).
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name without wildcards ([MQTT-3.3.2-2]); empty only with a Topic Alias.
    pub topic: Text,
    /// The identifier; present exactly when the quality of service is above 0.
    pub packet_id: Option<PacketId>,
    /// Properties of 5.0.
    pub properties: PublishProperties,
    /// Application Message.
    pub payload: Bytes,
}

/// Properties of PUBLISH, section 3.3.2.3: the ones that belong to the hop are taken apart, the
/// ones that travel on stay together as checked bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishProperties {
    /// Topic Alias, never zero.
    pub topic_alias: Option<u16>,
    /// Message Expiry Interval in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Subscription Identifiers; only from server to client.
    pub subscription_ids: SmallVec<[u32; 2]>,
    /// What is forwarded unaltered.
    pub forwarded: MessageProperties,
}
