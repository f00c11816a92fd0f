use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{ByteSize, Span, SpanOrNever};

/// What happens to a message when the queue of its receiver is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueueFull {
    /// The oldest message goes, QoS 0 before the others.
    DropOldest,
    /// The new message goes.
    DropNewest,
    /// The receiver is disconnected with Quota exceeded; while it is away, the new message goes.
    Disconnect,
}

/// One table of keys twice: all of them for `[mqtt]`, and each one optional for a listener that
/// differs.
macro_rules! mqtt_settings {
    ($($(#[doc = $doc:literal])* $(#[schemars($range:meta)])? $name:ident: $type:ty = $default:expr;)*) => {
        /// Limits and abilities of every client; a listener may have its own under `mqtt`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct MqttSettings {
            $($(#[doc = $doc])* $(#[schemars($range)])? pub $name: $type,)*
        }

        impl Default for MqttSettings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        /// Keys of `[mqtt]` that are different for the clients of this listener.
        #[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct MqttOverrides {
            $($(#[doc = $doc])*
            $(#[schemars($range)])?
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $name: Option<$type>,)*
        }

        impl MqttOverrides {
            /// `base` with the keys that are set here.
            pub fn over(&self, base: &MqttSettings) -> MqttSettings {
                MqttSettings {
                    $($name: self.$name.clone().unwrap_or_else(|| base.$name.clone()),)*
                }
            }

            /// Whether nothing is set.
            pub fn is_empty(&self) -> bool {
                *self == Self::default()
            }
        }
    };
}

mqtt_settings! {
    /// The largest packet that is accepted; told to 5.0 clients as Maximum Packet Size.
    max_packet_size: ByteSize = ByteSize::mib(1);
    /// Levels of a topic name or filter.
    #[schemars(range(min = 1))]
    max_topic_levels: u16 = 128;
    /// Bytes of a topic name or filter.
    #[schemars(range(min = 1))]
    max_topic_length: u16 = 4_096;
    /// Bytes of a client identifier.
    #[schemars(range(min = 23))]
    max_client_id_length: u16 = 1_024;
    /// Subscriptions of one client.
    max_subscriptions: u32 = 10_000;
    /// Unacknowledged QoS 1 and 2 messages towards a client, within what the client allows.
    max_inflight: NonZeroU16 = nonzero(32);
    /// Unacknowledged QoS 1 and 2 messages from a client; told to 5.0 clients as Receive Maximum.
    receive_maximum: NonZeroU16 = nonzero(100);
    /// Messages that wait for a client that is away or slow.
    max_queue_messages: u32 = 1_000;
    /// Bytes of the messages that wait for a client.
    max_queue_bytes: ByteSize = ByteSize::mib(16);
    /// How long a message waits for a client; one that has waited for longer is dropped and counted as
    /// expired, also where its own Message Expiry Interval is longer. `"never"` is no limit.
    max_queue_age: SpanOrNever = SpanOrNever::Never;
    /// What happens to a message when the queue of its receiver is full.
    queue_policy: QueueFull = QueueFull::DropOldest;
    /// Whether QoS 0 messages wait for a client that is away, too.
    queue_qos0_offline: bool = true;
    /// Topic aliases that a client may use towards the node.
    topic_alias_maximum: u16 = 32;
    /// Topic aliases that the node uses towards a client, within what the client allows.
    outbound_topic_alias_maximum: u16 = 16;
    /// The keep-alive that every client has to use; `"never"` leaves the choice to the client.
    server_keep_alive: SpanOrNever = SpanOrNever::Never;
    /// The longest keep-alive, also for clients that ask for none; `"never"` is no limit.
    max_keep_alive: SpanOrNever = SpanOrNever::Never;
    /// The longest session expiry that a client gets; `"never"` is no limit.
    max_session_expiry: SpanOrNever = SpanOrNever::Never;
    /// How long the session of a 3.1 or 3.1.1 client outlives its connection when it connects
    /// without Clean Session.
    session_expiry_3x: Span = Span::secs(2 * 60 * 60);
    /// Whether retained messages are kept.
    retain_available: bool = true;
    /// Whether filters with `+` and `#` are allowed.
    wildcard_available: bool = true;
    /// Whether shared subscriptions (`$share/…`) are allowed.
    shared_available: bool = true;
    /// The highest quality of service of a message from a client.
    #[schemars(range(max = 2))]
    maximum_qos: u8 = 2;
    /// Whether a payload that is marked as UTF-8 text is checked to be that.
    validate_payload_format: bool = false;
    /// Response Information for clients that ask for it; `{client_id}` becomes the client's own.
    /// Empty for none.
    response_information: String = String::new();
}

const fn nonzero(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("invariant: a default above zero")
}
