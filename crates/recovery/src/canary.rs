//! Planted bugs: the simulation has to find each of them, or it proves nothing.

use std::sync::Arc;

use plexus_session::Change;
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
    /// What a turn records counts as kept when it is handed to the log.
    AcknowledgesEarly,
    /// Records of subscriptions are passed over when the log is read.
    SkipsSubscriptions,
    /// Records of queued messages are passed over when the log is read.
    SkipsQueued,
    /// QoS 2 identifiers of clients are forgotten when the log is read.
    ForgetsAccepted,
}

impl Canary {
    /// How often the message is handed to another shard.
    pub fn copies(self, shard: u16, shards: u16, message: &Message) -> usize {
        match self {
            Self::LosesRemote if message.qos == Qos::AtLeastOnce && shard + 1 == shards => 0,
            Self::RepeatsRemote if message.qos == Qos::ExactlyOnce => 2,
            _ => 1,
        }
    }

    /// Whether a turn waits for its records.
    pub fn waits_for_log(self) -> bool {
        self != Self::AcknowledgesEarly
    }

    /// Whether a change that was read from the log is passed over.
    pub fn skips(self, change: &Change) -> bool {
        match self {
            Self::SkipsSubscriptions => matches!(change, Change::Subscribed(_)),
            Self::SkipsQueued => matches!(change, Change::Queued(..)),
            Self::ForgetsAccepted => matches!(change, Change::Accepted(_)),
            Self::Silent
            | Self::LosesRemote
            | Self::RepeatsRemote
            | Self::KeepsOldRetained
            | Self::AcknowledgesEarly => false,
        }
    }

    /// Whether a retained message is let pass.
    pub fn retains(self, known: bool, message: &Arc<Message>) -> bool {
        !(self == Self::KeepsOldRetained && known && !message.payload.is_empty())
    }
}
