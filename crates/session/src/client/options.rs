use std::fmt;

use bytes::Bytes;
use plexus_types::{ProtocolVersion, Text};
use plexus_wire::{ConnectProperties, Will};

/// What a client asks for and what it allows itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientOptions {
    /// The version that it speaks.
    pub version: ProtocolVersion,
    /// Its identifier; empty lets the server choose, and its choice is kept.
    pub client_id: Text,
    /// Clean Start (5.0) of the first connection; later ones resume if the session may outlive a
    /// connection. Clean Session (3.x) of every connection.
    pub clean_start: bool,
    /// Keep Alive in seconds, zero for none.
    pub keep_alive: u16,
    /// Whether it tells a 3.x server that it is a bridge: no message of its own comes back, RETAIN is
    /// kept. 5.0 has subscription options for that.
    pub bridge: bool,
    /// Its Will.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password.
    pub password: Option<Bytes>,
    /// Session expiry, Receive Maximum, Maximum Packet Size, Topic Alias Maximum, authentication
    /// and User Properties of a 5.0 CONNECT.
    pub properties: ConnectProperties,
    /// Whether messages are acknowledged as soon as they are handed over, without
    /// [`Client::acknowledge`](crate::Client::acknowledge).
    pub acknowledge: bool,
    /// Its own limit of unacknowledged messages, within the server's Receive Maximum.
    pub inflight_max: u16,
    /// Messages that may wait while it is offline or the window is full; zero for none.
    pub queue_messages_max: usize,
    /// Bytes of those messages.
    pub queue_bytes_max: usize,
    /// Topic aliases that it assigns, within the server's Topic Alias Maximum.
    pub outbound_alias_maximum: u16,
    /// Seconds that CONNACK and PINGRESP may take; zero for as long as they like.
    pub response_timeout: u16,
}

/// Without the password: options end up in logs.
impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("version", &self.version)
            .field("client_id", &self.client_id)
            .field("clean_start", &self.clean_start)
            .field("user_name", &self.user_name)
            .finish_non_exhaustive()
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            version: ProtocolVersion::V5,
            client_id: Text::default(),
            clean_start: true,
            keep_alive: 60,
            bridge: false,
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
            acknowledge: true,
            inflight_max: 100,
            queue_messages_max: 1_000,
            queue_bytes_max: 16 * 1024 * 1024,
            outbound_alias_maximum: 0,
            response_timeout: 20,
        }
    }
}
