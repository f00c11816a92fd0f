//! Changes as bytes, for the log. A record is a kind and its fields; numbers are LEB128 unless said
//! otherwise, texts and lists carry their length in front. `docs/store.md` draws it.
//!
//! ```text
//! Image         01  client user version expiry away next will subscriptions accepted entries
//! Attached      02  expiry version           Queued     07  entry
//! Away          03                           Dropped    08  sequence
//! Expiry        04  expiry                   Received   09  sequence
//! Subscribed    05  subscription             Completed  0a  sequence
//! Unsubscribed  06  filter                   Accepted   0b  identifier
//! Ended         0e                           Released   0c  identifier
//!                                            Will       0d  will
//! ```
//! A reader of this version knows all of these; an unknown kind is an error that names it.

mod read;
mod replay;
mod write;

pub use read::RecordError;

use plexus_types::MessageId;

use crate::Change;

/// Bits of an entry: RETAIN, and that it names its group.
const RETAIN: u8 = 0b0000_0100;
const SHARED: u8 = 0b0010_0000;

impl Change {
    /// Appends the record of the change. What only its writer needs is left out: the bytes of a
    /// message and the names of those that are let go.
    pub fn encode(&self, into: &mut Vec<u8>) {
        write::change(self, into);
    }

    /// The message, if the record is a [`Change::Queued`], and whether it came straight from its
    /// publisher, neither as a retained one nor by a group: for whoever passes records on unread.
    pub fn queued(record: &[u8]) -> Option<(MessageId, bool)> {
        read::queued(record)
    }

    /// Reads a record that [`Change::encode`] wrote.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        read::change(record)
    }
}

#[cfg(test)]
mod tests;
