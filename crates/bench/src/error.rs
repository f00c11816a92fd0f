//! What can go wrong with a measurement.

use std::io;

use plexus_types::ReasonCode;
use plexus_wire::ProtocolError;

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A socket, file or process failed.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The broker sent something that is not MQTT.
    #[error("the broker broke the protocol: {0}")]
    Protocol(ProtocolError),
    /// The broker refused a connection or a subscription.
    #[error("the broker refused a client: {0}")]
    Refused(ReasonCode),
    /// The broker closed a connection that was in use.
    #[error("the broker closed a connection")]
    Closed,
    /// Clients did not become ready in time.
    #[error("{ready} of {wanted} clients were ready in time")]
    NotReady {
        /// How many were.
        ready: u32,
        /// How many were to be.
        wanted: u32,
    },
    /// The broker stopped acknowledging.
    #[error("{stored} of {wanted} messages were acknowledged, then nothing came")]
    NotStored {
        /// How many were.
        stored: u64,
        /// How many were to be.
        wanted: u64,
    },
    /// The scenario cannot be run as it is written.
    #[error("scenario {name}: {problem}")]
    Scenario {
        /// Its name.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl LoadError {
    /// Wraps an error of the system with what was being done.
    pub fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
