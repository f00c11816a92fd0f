use std::io;

use plexus_types::MessageId;

use crate::{Group, header};

/// Why a store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk refused.
    #[error("cannot {operation} {file}")]
    Io {
        /// The file, or `folder`.
        file: String,
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// Something that was kept cannot be read.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The segment's file.
        file: String,
        /// Where the damage begins.
        offset: u64,
        /// What is wrong there.
        what: String,
    },
    /// What is there cannot be mended in place.
    #[error("{0}")]
    BeyondRepair(String),
    /// A newer program wrote this.
    #[error(
        "{file} has format {version}, and this program reads formats up to {}; start the program \
         that wrote it",
        header::VERSION
    )]
    Newer {
        /// The segment's file.
        file: String,
        /// The version in its header.
        version: u16,
    },
    /// The state does not take what the log has.
    #[error("record {index} of group {} in {file} is refused: {reason}", group.0)]
    Refused {
        /// The segment's file.
        file: String,
        /// The record's group.
        group: Group,
        /// The record's index.
        index: u64,
        /// What the state said.
        reason: String,
    },
    /// There is no room for the first segment.
    #[error("{}", no_room(*bytes, *free))]
    NoRoom {
        /// What it takes.
        bytes: u64,
        /// What there is, if the disk can tell.
        free: Option<u64>,
    },
    /// A store was to be read, and there is none.
    #[error("nothing is stored there: it has no segments")]
    Empty,
    /// The options contradict themselves.
    #[error("the log cannot run so: {0}")]
    Options(&'static str),
}

impl OpenError {
    pub(crate) fn io(file: &str, operation: &'static str, source: io::Error) -> Self {
        Self::Io { file: file.to_owned(), operation, source }
    }

    pub(crate) fn damaged(file: &str, offset: u64, what: impl Into<String>) -> Self {
        Self::Damaged { file: file.to_owned(), offset, what: what.into() }
    }
}

/// A disk that has more than it takes refuses for another reason than its size.
fn no_room(bytes: u64, free: Option<u64>) -> String {
    match free {
        Some(free) if free >= bytes => format!(
            "the file system refuses the log's first file of {bytes} bytes although it says that \
             {free} are free: a quota or its number of files (inodes) is at its end; raise it"
        ),
        free => format!(
            "the disk has no room for the log's first file of {bytes} bytes ({} are free): choose \
             smaller segments (store.segment_size, for an import --segment-size) or make room",
            free.map_or_else(|| "fewer".to_owned(), |free| free.to_string())
        ),
    }
}

/// Why the log did not do what it was asked. Nothing of it counts as kept.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk is full.
    #[error("the disk has no room for more than the {bytes} bytes that the log takes")]
    Full {
        /// What the files take now.
        bytes: u64,
    },
    /// The disk refused.
    #[error("cannot {operation} {file}")]
    Io {
        /// The file.
        file: String,
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The file that is written has lost its name, or another has it.
    #[error("{file} is not in its folder any more")]
    Gone {
        /// The file.
        file: String,
    },
    /// Something that was kept cannot be read.
    #[error("{file} is damaged at byte {offset}: {what}")]
    Damaged {
        /// The segment's file.
        file: String,
        /// Where.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// The log does not hold the body.
    #[error("the log does not hold message {}", body.get())]
    Missing {
        /// Which.
        body: MessageId,
    },
    /// More than one frame can carry.
    #[error("{bytes} bytes at once are more than the log takes, {}", crate::frame::BYTES_MAX)]
    TooLarge {
        /// The bytes of the batches together.
        bytes: usize,
    },
}

/// The restored state refers to bodies that the log does not hold.
#[derive(Debug, thiserror::Error)]
#[error(
    "the state refers to {} messages that the log does not hold, the first of them {}, although no \
     repair has taken anything out of use: please report it",
    bodies.len(),
    bodies.first().map_or(0, |body| body.get())
)]
pub struct MissingBodies {
    /// Which, ascending.
    pub bodies: Vec<MessageId>,
}
