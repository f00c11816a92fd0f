//! Changes as bytes, for the log. A record is a kind and its fields; numbers are LEB128 unless said
//! otherwise, texts and lists carry their length in front. `docs/store.md` draws it.
//!
//! ```text
//! Image         01  client user version expiry away unsent next will subscriptions accepted entries
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

/// Bits of an entry: RETAIN, that it has Subscription Identifiers, and that it names its group.
const RETAIN: u8 = 0b0000_0100;
const IDS: u8 = 0b0001_0000;
const SHARED: u8 = 0b0010_0000;

/// A message that a session was given, as its record tells at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given<'a> {
    /// Its name.
    pub message: MessageId,
    /// RETAIN of the delivery: it may have come as a retained message.
    pub retain: bool,
    /// The whole filter of the group that it came by.
    pub group: Option<&'a str>,
}

impl Change {
    /// Appends the record of the change. What only its writer needs is left out: the bytes of a
    /// message and the names of those that are let go.
    pub fn encode(&self, into: &mut Vec<u8>) {
        write::change(self, into);
    }

    /// The message, if the record is a [`Change::Queued`]: for whoever passes records on unread.
    pub fn queued(record: &[u8]) -> Option<Given<'_>> {
        read::queued(record)
    }

    /// Reads a record that [`Change::encode`] wrote.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        read::change(record)
    }
}

#[cfg(test)]
mod tests;
