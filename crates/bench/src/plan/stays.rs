//! Who stays, who comes and goes, and what is left of them with the broker.

use std::time::Duration;

use plexus_types::Qos;

use super::Workload;
use crate::pattern::Pattern;

/// Whether sessions outlive their connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sessions {
    /// As the options of all clients say.
    #[default]
    Asked,
    /// Each begins anew and ends with its connection.
    Clean,
    /// They are kept, and ended when the run is over.
    Kept {
        /// Whether the first connection begins anew. Before MQTT 5.0 none does.
        clean_start: bool,
        /// For how many seconds the broker keeps them; without it as long as the options of all clients
        /// say, at least an hour. Before MQTT 5.0 the broker decides.
        expiry: Option<u32>,
    },
}

/// How clients come and go while messages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Churn {
    /// How long a client stays once it is ready. The first time they leave one after the other, spread
    /// evenly over this time.
    pub stay: Duration,
    /// How long it is away.
    pub away: Duration,
    /// Whether it leaves without DISCONNECT, so that its will is published.
    pub drops: bool,
}

/// What the broker publishes when a client is gone without DISCONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// The topic.
    pub topic: Pattern,
    /// The payload.
    pub payload: Pattern,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker keeps the message.
    pub retain: bool,
}

/// For how many seconds a broker is asked to keep the sessions of a group, where nothing else is said.
const EXPIRY_USUAL: u32 = 3_600;

impl Sessions {
    /// For how many seconds a broker is asked to keep them, if they are kept; `asked` is what the options
    /// of all clients say.
    pub(crate) fn expiry(self, asked: u32) -> Option<u32> {
        match self {
            Self::Kept { expiry, .. } => Some(expiry.unwrap_or_else(|| asked.max(EXPIRY_USUAL))),
            Self::Asked | Self::Clean => None,
        }
    }

    /// Whether they are kept, and ended when the run is over.
    pub const fn are_kept(self) -> bool {
        match self {
            Self::Kept { .. } => true,
            Self::Asked | Self::Clean => false,
        }
    }
}

impl Workload {
    /// Groups whose clients come and go.
    pub fn churning(&self) -> Vec<usize> {
        let groups = self.groups.iter().enumerate();
        groups.filter(|(_, group)| group.churn.is_some()).map(|(index, _)| index).collect()
    }
}
