//! What a shard writes into the log: changes of sessions under a short key, retained messages, and
//! publications that not everybody who gets them is known to have kept.
//!
//! ```text
//! Session    00  key, change                    Open     04  message, 0
//! Listener   01  key, name                      Open     04  message, 1, group's whole filter
//! Retained   02  message, topic                 Done     05  as in Open
//! Deleted    03  topic                          Started  06  message, number of shards
//! Deleted    09  message, topic                 Taken    07  message, group's whole filter
//! Still      0a  message, topic                 AllAway  08
//! ```
//! Numbers are LEB128, the last text of a record takes its rest.

use std::sync::Arc;

use plexus_session::{Change, Given, RecordError};
use plexus_stdx::varint::{self, Cursor};
use plexus_types::MessageId;

const SESSION: u8 = 0x00;
const LISTENER: u8 = 0x01;
const ALL_AWAY: u8 = 0x08;

/// A record of a shard.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A change of the session of that key.
    Session(u64, Change),
    /// The session of that key came in through that listener.
    Listener(u64, Box<str>),
    /// The message is the retained one of its topic.
    Retained(MessageId, Box<str>),
    /// The same, written anew because its record is to go: the topic has not been written by that.
    StillRetained(MessageId, Box<str>),
    /// The topic has no retained message.
    ///
    /// Because of that message; one that has expired itself names itself. A store that was taken over
    /// from another does not say.
    Deleted(Option<MessageId>, Box<str>),
    /// The message is the node's, but not yet with all who get it.
    Open(MessageId, Audience),
    /// It is with all of them.
    Done(MessageId, Audience),
    /// The node has started: from that one on each of so many shards names messages in its turn.
    Started(MessageId, u16),
    /// A member of that group has the message, which is open. A node says so by the entry in the
    /// session's queue; this is for what is taken over from another store.
    Taken(MessageId, Arc<str>),
    /// The node has started: whoever of this record's own group was connected before is away since.
    AllAway,
}

/// Who is to get a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Whoever is subscribed.
    Subscribers,
    /// One member of that group.
    Group(Arc<str>),
}

impl Record {
    /// Appends the record.
    pub fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Session(key, change) => Self::session(*key, change, into),
            Self::Listener(key, name) => named(LISTENER, *key, name, into),
            Self::Retained(message, topic) => named(0x02, message.get(), topic, into),
            Self::StillRetained(message, topic) => named(0x0a, message.get(), topic, into),
            Self::Deleted(Some(message), topic) => named(0x09, message.get(), topic, into),
            Self::Deleted(None, topic) => {
                into.push(0x03);
                into.extend_from_slice(topic.as_bytes());
            }
            Self::Open(message, audience) => addressed(0x04, *message, audience, into),
            Self::Done(message, audience) => addressed(0x05, *message, audience, into),
            Self::Started(message, shards) => {
                into.push(0x06);
                varint::put(into, message.get());
                varint::put(into, u64::from(*shards));
            }
            Self::Taken(message, filter) => named(0x07, message.get(), filter, into),
            Self::AllAway => into.push(ALL_AWAY),
        }
    }

    /// A change of a session, without a copy of it.
    pub fn session(key: u64, change: &Change, into: &mut Vec<u8>) {
        into.push(SESSION);
        varint::put(into, key);
        change.encode(into);
    }

    /// Whether the record is about sessions of its group.
    pub fn is_of_session(record: &[u8]) -> bool {
        matches!(record.first(), Some(&(SESSION | LISTENER | ALL_AWAY)))
    }

    /// The session and the message, if the record says that one waits for the other.
    pub fn queued(record: &[u8]) -> Option<(u64, Given<'_>)> {
        let mut cursor = Cursor::new(record);
        if cursor.byte()? != SESSION {
            return None;
        }
        let key = cursor.varint()?;
        Change::queued(cursor.rest()).map(|given| (key, given))
    }

    /// Reads a record that [`Record::encode`] wrote.
    pub fn decode(record: &[u8]) -> Result<Self, RecordError> {
        let mut cursor = Cursor::new(record);
        let kind = cursor.byte().ok_or(RecordError::Short)?;
        let mut number = || cursor.varint().ok_or(RecordError::Field("number"));
        Ok(match kind {
            SESSION => Self::Session(number()?, Change::decode(cursor.rest())?),
            LISTENER => Self::Listener(number()?, text(cursor.rest())?),
            0x02 => Self::Retained(MessageId::new(number()?), text(cursor.rest())?),
            0x03 => Self::Deleted(None, text(cursor.rest())?),
            0x0a => Self::StillRetained(MessageId::new(number()?), text(cursor.rest())?),
            0x09 => Self::Deleted(Some(MessageId::new(number()?)), text(cursor.rest())?),
            0x04 => Self::Open(MessageId::new(number()?), audience(cursor.rest())?),
            0x05 => Self::Done(MessageId::new(number()?), audience(cursor.rest())?),
            0x06 => {
                let (first, shards) = (MessageId::new(number()?), number()?);
                let shards = u16::try_from(shards).ok().filter(|shards| *shards > 0);
                match cursor.rest().len() {
                    0 => Self::Started(first, shards.ok_or(RecordError::Field("shards"))?),
                    left => return Err(RecordError::Long(left)),
                }
            }
            0x07 => Self::Taken(MessageId::new(number()?), text(cursor.rest())?),
            ALL_AWAY => match cursor.rest().len() {
                0 => Self::AllAway,
                left => return Err(RecordError::Long(left)),
            },
            kind => return Err(RecordError::Kind(kind)),
        })
    }
}

fn named(kind: u8, value: u64, name: &str, into: &mut Vec<u8>) {
    into.push(kind);
    varint::put(into, value);
    into.extend_from_slice(name.as_bytes());
}

fn addressed(kind: u8, message: MessageId, audience: &Audience, into: &mut Vec<u8>) {
    into.push(kind);
    varint::put(into, message.get());
    match audience {
        Audience::Subscribers => into.push(0),
        Audience::Group(filter) => {
            into.push(1);
            into.extend_from_slice(filter.as_bytes());
        }
    }
}

fn audience(bytes: &[u8]) -> Result<Audience, RecordError> {
    match bytes.split_first() {
        Some((0, [])) => Ok(Audience::Subscribers),
        Some((1, filter)) => text(filter).map(Audience::Group),
        _ => Err(RecordError::Field("audience")),
    }
}

fn text<T: for<'a> From<&'a str>>(bytes: &[u8]) -> Result<T, RecordError> {
    std::str::from_utf8(bytes).map(T::from).map_err(|_| RecordError::Field("text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_cut_is_refused() {
        let message = MessageId::new(1 << 60);
        for record in [
            Record::Session(300, Change::Away),
            Record::Listener(1, "tls".into()),
            Record::Retained(message, "a/b".into()),
            Record::StillRetained(message, "a/b".into()),
            Record::Deleted(None, "a/b".into()),
            Record::Deleted(Some(message), "a/b".into()),
            Record::Open(message, Audience::Subscribers),
            Record::Open(message, Audience::Group("$share/g/t".into())),
            Record::Done(message, Audience::Subscribers),
            Record::Started(message, 300),
            Record::Taken(message, "$share/g/t".into()),
            Record::Done(message, Audience::Group("$share/g/t".into())),
            Record::AllAway,
        ] {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(Record::decode(&bytes).as_ref(), Ok(&record));
            let of_session =
                matches!(record, Record::Session(..) | Record::Listener(..) | Record::AllAway);
            assert_eq!(Record::is_of_session(&bytes), of_session);
            for length in 0..bytes.len() {
                assert_ne!(Record::decode(&bytes[..length]).as_ref(), Ok(&record), "{length}");
            }
        }
        assert_eq!(Record::decode(&[11]), Err(RecordError::Kind(11)));
    }
}
