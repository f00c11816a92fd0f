//! What an operator is told when a node cannot start.

use std::io;

use plexus_porch::OpenError;

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The number of shards is zero or above 64.
    #[error("a node has 1 to 64 shards, not {0}")]
    Shards(u16),
    /// The system refused a thread or a poll.
    #[error("the system refused {what}")]
    System {
        /// What was asked of it.
        what: &'static str,
        /// Its answer.
        #[source]
        source: io::Error,
    },
    /// The folder of the log is not to be had.
    #[error("the data folder {folder} cannot be used")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The log cannot be read.
    #[error("the log in {folder} cannot be read")]
    Log {
        /// Its folder.
        folder: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no log, and none can be begun.
    #[error("the log in {folder} cannot be begun")]
    Begin {
        /// Its folder.
        folder: String,
        /// Why.
        #[source]
        source: plexus_store::OpenError,
    },
    /// A listener could not be opened.
    #[error("listener {name} could not be opened")]
    Listener {
        /// The name of the listener.
        name: String,
        /// Why.
        #[source]
        source: OpenError,
    },
}
