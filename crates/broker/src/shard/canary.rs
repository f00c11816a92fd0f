//! Planted bugs: the simulation has to find each of them, or it proves nothing.

use std::sync::Arc;

use plexus_types::{Message, Qos};

/// A bug that can be switched on; only built with the feature `canary`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Canary {
    /// No bug.
    #[default]
    Silent,
    /// QoS 1 messages are acknowledged and never reach the last shard.
    LosesRemote,
    /// QoS 2 messages reach another shard twice.
    RepeatsRemote,
    /// Retained messages are not replaced by newer ones.
    KeepsOldRetained,
}

impl Canary {
    /// How often the message is handed to another shard.
    pub(super) fn copies(self, shard: u16, shards: u16, message: &Message) -> usize {
        match self {
            Self::LosesRemote if message.qos == Qos::AtLeastOnce && shard + 1 == shards => 0,
            Self::RepeatsRemote if message.qos == Qos::ExactlyOnce => 2,
            _ => 1,
        }
    }

    /// Whether a retained message is let pass.
    pub(super) fn retains(self, known: bool, message: &Arc<Message>) -> bool {
        !(self == Self::KeepsOldRetained && known && !message.payload.is_empty())
    }
}
