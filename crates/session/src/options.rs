use plexus_types::{Qos, Text};

/// What a listener allows its sessions. Plain checked values; the configuration makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Receive Maximum that the server announces: unacknowledged QoS 1 and 2 messages from a client.
    pub receive_maximum: u16,
    /// Maximum Packet Size that the server announces and enforces, in bytes.
    pub packet_size_max: u32,
    /// Topic Alias Maximum that the server announces.
    pub topic_alias_maximum: u16,
    /// Topic aliases that the server assigns towards a client, within the client's own maximum.
    pub outbound_alias_maximum: u16,
    /// Unacknowledged QoS 1 and 2 messages towards a client, within its Receive Maximum.
    pub inflight_max: u16,
    /// Messages that wait for a client that is away or slow.
    pub queue_messages_max: usize,
    /// Bytes of those messages.
    pub queue_bytes_max: usize,
    /// Seconds that a message waits at most; 0xFFFF_FFFF for no limit.
    pub queue_seconds_max: u32,
    /// What happens when the queue is full.
    pub queue_policy: QueuePolicy,
    /// Whether QoS 0 messages are kept for a client that is away.
    pub queue_qos0_offline: bool,
    /// Keep Alive that a client must use instead of its own (5.0), and that is enforced for all.
    pub server_keep_alive: Option<u16>,
    /// The longest Keep Alive in seconds; a longer one or none is lowered to it (5.0: told by
    /// Server Keep Alive). Zero for no cap.
    pub keep_alive_max: u16,
    /// The longest Session Expiry Interval in seconds; 0xFFFF_FFFF for no cap.
    pub session_expiry_max: u32,
    /// Session expiry of 3.x clients that connect without Clean Session, in seconds.
    pub session_expiry_3x: u32,
    /// Subscriptions of one client.
    pub subscriptions_max: usize,
    /// Levels of a topic name or filter.
    pub topic_levels_max: usize,
    /// Bytes of a topic name or filter.
    pub topic_length_max: usize,
    /// Bytes of a Client Identifier.
    pub client_id_length_max: usize,
    /// Whether retained messages are kept.
    pub retain_available: bool,
    /// Whether wildcard filters are allowed.
    pub wildcard_available: bool,
    /// Whether shared subscriptions are allowed.
    pub shared_available: bool,
    /// The highest quality of service of a PUBLISH to the server.
    pub maximum_qos: Qos,
    /// Whether a payload marked as UTF-8 is checked to be that.
    pub validate_payload_format: bool,
    /// Whether sessions that outlive their connection are kept in the log.
    pub durable: bool,
    /// Response Information for clients that ask for it; the client's own `{client_id}` is filled in.
    pub response_information: Option<Text>,
}

/// What happens to a message when the queue of its receiver is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueuePolicy {
    /// The oldest goes, QoS 0 before the others.
    #[default]
    DropOldest,
    /// The new one goes.
    DropNewest,
    /// The receiver is disconnected with Quota exceeded (0x97); offline, the new one goes.
    Disconnect,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            receive_maximum: 100,
            packet_size_max: 1024 * 1024,
            topic_alias_maximum: 32,
            outbound_alias_maximum: 16,
            inflight_max: 32,
            queue_messages_max: 1_000,
            queue_bytes_max: 16 * 1024 * 1024,
            queue_seconds_max: u32::MAX,
            queue_policy: QueuePolicy::DropOldest,
            queue_qos0_offline: true,
            server_keep_alive: None,
            keep_alive_max: 0,
            session_expiry_max: u32::MAX,
            session_expiry_3x: 2 * 60 * 60,
            subscriptions_max: 10_000,
            topic_levels_max: 128,
            topic_length_max: 4_096,
            client_id_length_max: 1_024,
            retain_available: true,
            wildcard_available: true,
            shared_available: true,
            maximum_qos: Qos::ExactlyOnce,
            validate_payload_format: false,
            durable: false,
            response_information: None,
        }
    }
}
