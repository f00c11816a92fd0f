use std::num::NonZeroU32;

use plexus_types::Qos;

/// Names a subscriber within a shard: the slot of a session, or of a shared group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId(pub u32);

/// What a match yields for one subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Whose it is.
    pub subscriber: SubscriberId,
    /// Its Subscription Identifier.
    pub id: Option<NonZeroU32>,
    /// Its options.
    pub options: Options,
}

/// The options of a subscription that matter to a delivery, in one byte.
///
/// ```text
/// bit  7..4      3                     2          1..0
///      reserved  Retain As Published   No Local   QoS
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options(u8);

impl Options {
    const NO_LOCAL: u8 = 0b0100;
    const RETAIN_AS_PUBLISHED: u8 = 0b1000;

    /// Packs the options.
    pub fn new(qos: Qos, no_local: bool, retain_as_published: bool) -> Self {
        let mut bits = qos.get();
        if no_local {
            bits |= Self::NO_LOCAL;
        }
        if retain_as_published {
            bits |= Self::RETAIN_AS_PUBLISHED;
        }
        Self(bits)
    }

    /// The highest quality of service that the subscriber wants.
    pub fn qos(self) -> Qos {
        Qos::new(self.0 & 0b11).expect("invariant: made from a Qos")
    }

    /// Whether the subscriber's own messages are kept from it ([MQTT-3.8.3-3]).
    pub fn no_local(self) -> bool {
        self.0 & Self::NO_LOCAL != 0
    }

    /// Whether RETAIN is kept as published ([MQTT-3.3.1-12], [MQTT-3.3.1-13]).
    pub fn retain_as_published(self) -> bool {
        self.0 & Self::RETAIN_AS_PUBLISHED != 0
    }
}
