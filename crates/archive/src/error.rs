use std::{io, path::PathBuf};

use plexus_store::{LogError, MissingBodies, OpenError};
use plexus_types::{TextError, TopicError};

use crate::line::{FORMAT, VERSION};

/// Why a store cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store cannot be read.
    #[error("the store cannot be read")]
    Open(#[from] OpenError),
    /// A message cannot be read.
    #[error("the store cannot be read")]
    Log(#[from] LogError),
    /// Messages are gone.
    #[error("messages are lost; a node would not start on this store either")]
    Missing(#[from] MissingBodies),
    /// What was to be written to failed.
    #[error("the export cannot be written")]
    Write(#[source] io::Error),
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A line is not what it has to be.
    #[error("line {number}: {fault}")]
    Line {
        /// Which line, from 1.
        number: u64,
        /// What is wrong and how to mend it.
        fault: Fault,
    },
    /// What was to be read failed.
    #[error("the export cannot be read behind line {number}")]
    Read {
        /// The last line that was read.
        number: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The new store cannot be opened.
    #[error("the new store cannot be made")]
    Open(#[from] OpenError),
    /// The new store cannot be written.
    #[error("the new store cannot be written")]
    Log(#[from] LogError),
}

/// What is wrong with a line.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No JSON, or not the fields that there have to be.
    #[error("{what}; a line is one JSON object with the fields that docs/export.md names")]
    Json {
        /// What was found and where.
        what: String,
    },
    /// Another file.
    #[error(
        "this is no export of a store, whose first line says format \"{FORMAT}\"; name a file \
         that `plexus store export` wrote"
    )]
    Format,
    /// Another version.
    #[error(
        "the export has version {0}, and this program reads versions up to {VERSION}; import it with \
         the program that wrote it"
    )]
    Version(u64),
    /// A line that is longer than any that is written.
    #[error(
        "the line is longer than {} bytes; no line of an export is",
        crate::import::LINE_BYTES_MAX
    )]
    Long,
    /// The file ends before its last line.
    #[error("the file ends here without its `end` line: it was cut off; export the store anew")]
    CutOff,
    /// Something follows the last line.
    #[error("this line stands behind the `end` line; an export ends with that")]
    BehindEnd,
    /// The parts of the file are not in their order.
    #[error(
        "a `{found}` line cannot stand behind a `{after}` line; the order is {}",
        crate::import::ORDER
    )]
    Order {
        /// The kind of the line.
        found: &'static str,
        /// The kind of one before it.
        after: &'static str,
    },
    /// The last line counts otherwise.
    #[error(
        "there are {found} {what} and the `end` line says {told}: lines are missing or too many; \
         export the store anew, or correct the `end` line"
    )]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there are to be.
        told: u64,
    },
    /// A field has a value that it cannot have.
    #[error("`{field}` is {found}; use {wanted}")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it can be.
        wanted: &'static str,
    },
    /// A text that MQTT does not allow.
    #[error("`{field}` is no text of MQTT: {problem}")]
    Text {
        /// The field.
        field: &'static str,
        /// Why.
        problem: TextError,
    },
    /// A topic name or filter that MQTT does not allow.
    #[error("`{field}` \"{found}\": {problem}")]
    Topic {
        /// The field.
        field: &'static str,
        /// Its value.
        found: String,
        /// Why.
        problem: TopicError,
    },
    /// Bytes that cannot be read.
    #[error("`{field}` is no base64: {problem}; encode it anew, with padding")]
    Base64 {
        /// The field.
        field: &'static str,
        /// Why.
        problem: base64::DecodeError,
    },
    /// Two payloads, or none.
    #[error("a message has either `payload` or `payload_base64`; an empty one is \"payload\":\"\"")]
    Payload,
    /// More than an MQTT packet carries.
    #[error("the message has {0} bytes; MQTT carries at most 268435455")]
    Size(usize),
    /// Messages are not in their order.
    #[error(
        "message {id} stands behind message {last}; `message` lines ascend by `id`, and each \
         stands there once"
    )]
    Ascending {
        /// The message.
        id: u64,
        /// The one before it.
        last: u64,
    },
    /// A message that is referred to is not there.
    #[error("message {0} is not in the file; its `message` line has to stand above this one")]
    Missing(u64),
    /// Something stands there twice.
    #[error("{what} stands there twice, first in line {first}; leave one of them out")]
    Twice {
        /// What.
        what: String,
        /// The line of the first.
        first: u64,
    },
    /// A retained message has another topic.
    #[error("message {message} has the topic \"{topic}\"; a topic retains messages of its own")]
    OtherTopic {
        /// The message.
        message: u64,
        /// Its topic.
        topic: String,
    },
    /// A retained message without payload.
    #[error("message {0} has no payload: that deletes a retained message; leave the line out")]
    Deletes(u64),
    /// A queue of another session.
    #[error("the queue of `{client}` stands behind its own `session` line, and no other")]
    Stranger {
        /// The client of the line.
        client: String,
    },
    /// Places in the queue are not in their order.
    #[error(
        "`sequence` {sequence} does not follow {last}; they ascend in the queue of a client, and \
         `next_sequence` is behind them"
    )]
    Sequence {
        /// The place.
        sequence: u32,
        /// The place before it.
        last: u32,
    },
    /// More messages than a queue has.
    #[error("the queue of a client has at most {} messages", crate::import::QUEUE_MAX)]
    Queue,
    /// A message of which only PUBREL is left.
    #[error("only QoS 2 is without `message`, when PUBREC has come")]
    Released,
}

/// Why nothing was imported into a data directory.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// There is a store already.
    #[error(
        "{} has a store already, which an import never overwrites; name another data directory, \
         or move that folder away",
        .0.display()
    )]
    Exists(PathBuf),
    /// The folder cannot be used.
    #[error("{}", folder.display())]
    Io {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The store there cannot be looked at.
    #[error("{}", folder.display())]
    Open {
        /// Which.
        folder: PathBuf,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The export is not what it has to be, or the store cannot be written.
    #[error(transparent)]
    Import(#[from] ImportError),
}
