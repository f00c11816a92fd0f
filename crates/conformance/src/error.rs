//! What can go wrong, by whose fault: the author of a case, the set-up, or the broker.

use std::{io, path::PathBuf};

/// A case that cannot be played as it is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// No packet has this name.
    #[error("there is no packet {0}")]
    UnknownPacket(String),
    /// The packet has no such field.
    #[error("{packet} has no field {field}")]
    UnknownField {
        /// The packet.
        packet: String,
        /// The field.
        field: String,
    },
    /// The packet cannot be written without this field.
    #[error("{packet} needs {field}")]
    MissingField {
        /// The packet.
        packet: String,
        /// The field.
        field: &'static str,
    },
    /// A property in a version that has none.
    #[error("{0} is a property, which only 5.0 has")]
    NeedsVersion5(String),
    /// Not a number, or out of its range.
    #[error("{0:?} is not a number that fits")]
    BadNumber(String),
    /// A value that has no reading.
    #[error("{0:?} cannot be read as a value")]
    BadValue(String),
    /// A name that was used before it was captured.
    #[error("${0} has not been captured")]
    NotCaptured(String),
    /// A step that follows no form.
    #[error("the step {0:?} follows no form")]
    BadStep(String),
}

/// A file of cases that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file is not what a case file looks like.
    #[error("{}: {source}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<toml::de::Error>,
    },
    /// A step of a case is not understood.
    #[error("{}: {case}: {source}", path.display())]
    Step {
        /// The file.
        path: PathBuf,
        /// The case.
        case: String,
        /// The cause.
        source: ScriptError,
    },
}

/// A broker that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program is not there; the message says how to build it or name it.
    #[error("no program at {}; build it (cargo build -p plexus) or set PLEXUS_BIN", .0.display())]
    NoProgram(PathBuf),
    /// The program could not be run.
    #[error("{} cannot be run", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The certificate for its TLS listener could not be made.
    #[error("no certificate for the broker: {0}")]
    Certificate(String),
    /// The program ended before it printed `ready`.
    #[error("the broker ended before it was ready; it said: {0}")]
    EndedEarly(String),
    /// An address that is not `host:port`.
    #[error("{0:?} is not host:port")]
    BadAddress(String),
}

/// Why a case failed: the step, the reason and everything that went over the connections until
/// then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}\n{transcript}")]
pub struct Failure {
    /// What was expected and what came instead.
    pub reason: String,
    /// Every packet so far, one a line.
    pub transcript: String,
}
