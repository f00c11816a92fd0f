use plexus_types::{PacketId, Qos, Text};

use super::UserProperties;

/// SUBSCRIBE, section 3.8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The identifier that SUBACK repeats.
    pub packet_id: PacketId,
    /// Subscription Identifier, 1 to 268,435,455.
    pub subscription_id: Option<u32>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// At least one ([MQTT-3.8.3-2]).
    pub filters: Vec<SubscribeFilter>,
}

/// One Topic Filter of SUBSCRIBE with its options. The filter is text that the session checks, so
/// that one bad filter is answered in its own SUBACK code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// The filter as it came.
    pub filter: Text,
    /// Its options.
    pub options: SubscriptionOptions,
}

/// Subscription Options, section 3.8.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubscriptionOptions {
    /// The highest quality of service that the client wants.
    pub qos: Qos,
    /// No Local: not the client's own messages.
    pub no_local: bool,
    /// Retain As Published: keep the RETAIN flag.
    pub retain_as_published: bool,
    /// When retained messages are sent on subscribing.
    pub retain_handling: RetainHandling,
}

/// Retain Handling, section 3.8.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every SUBSCRIBE ([MQTT-3.3.1-9]).
    #[default]
    Always = 0,
    /// Only if the subscription is new ([MQTT-3.3.1-10]).
    IfNew = 1,
    /// Never ([MQTT-3.3.1-11]).
    Never = 2,
}
