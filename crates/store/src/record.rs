//! What a frame holds: records, one after the other.

use plexus_stdx::varint::{self, Cursor};
use plexus_types::MessageId;

use crate::{Group, SegmentNumber};

const ENTRY: u8 = 1;
const BODY: u8 = 2;
const VOID: u8 = 3;
const MARK: u8 = 4;
const HOLE: u8 = 5;
const FLOOR: u8 = 6;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// What a group is told.
    Entry {
        /// Whom it is for.
        group: Group,
        /// Its place among the group's entries.
        index: u64,
        /// What it says.
        payload: &'a [u8],
    },
    /// A message.
    Body {
        /// Its name.
        id: MessageId,
        /// A checksum and the message.
        content: &'a [u8],
    },
    /// The group's entries from this index on are void.
    Void {
        /// Whose.
        group: Group,
        /// The first that is void.
        from: u64,
    },
    /// Where a group stands, when its entries no longer tell.
    Mark {
        /// Whose.
        group: Group,
        /// The index of its last entry.
        last: u64,
        /// Entries up to here are forgotten.
        purged: u64,
    },
    /// Damage that a repair has fenced in; the rest of the frame says nothing.
    Hole,
    /// Segments before that one have been cleaned, and may be gone.
    Floor(SegmentNumber),
}

pub(crate) fn put_entry(out: &mut Vec<u8>, group: Group, index: u64, payload: &[u8]) {
    out.push(ENTRY);
    varint::put(out, u64::from(group.0));
    varint::put(out, index);
    varint::put(out, payload.len() as u64);
    out.extend_from_slice(payload);
}

/// Begins a body of that many bytes; the caller appends them.
pub(crate) fn put_body(out: &mut Vec<u8>, id: MessageId, content_bytes: usize) {
    out.push(BODY);
    varint::put(out, id.get());
    varint::put(out, content_bytes as u64);
}

pub(crate) fn put_void(out: &mut Vec<u8>, group: Group, from: u64) {
    out.push(VOID);
    varint::put(out, u64::from(group.0));
    varint::put(out, from);
}

pub(crate) fn put_mark(out: &mut Vec<u8>, group: Group, last: u64, purged: u64) {
    out.push(MARK);
    varint::put(out, u64::from(group.0));
    varint::put(out, last);
    varint::put(out, purged);
}

pub(crate) fn put_floor(out: &mut Vec<u8>, first: SegmentNumber) {
    out.push(FLOOR);
    varint::put(out, first.get());
}

/// The first record of the frame that a repair lays over damage.
pub(crate) const HOLE_RECORD: [u8; 1] = [HOLE];

/// Records of a frame, each with the offset of its payload or content among the records.
#[derive(Debug, Clone)]
pub(crate) struct Records<'a>(Cursor<'a>);

/// A record that this format does not have, at that offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadRecord(pub(crate) usize);

impl BadRecord {
    pub(crate) const WHAT: &'static str = "a record of an unknown kind or shape";
}

impl<'a> Records<'a> {
    pub(crate) const fn new(records: &'a [u8]) -> Self {
        Self(Cursor::new(records))
    }

    /// Where the next record begins.
    pub(crate) const fn at(&self) -> usize {
        self.0.at()
    }

    fn read(&mut self) -> Option<(usize, Record<'a>)> {
        let cursor = &mut self.0;
        let kind = cursor.byte()?;
        let record = match kind {
            ENTRY => {
                let (group, index) = (group(cursor)?, cursor.varint()?);
                let payload = cursor.counted()?;
                return Some((
                    cursor.at() - payload.len(),
                    Record::Entry { group, index, payload },
                ));
            }
            BODY => {
                let id = MessageId::new(cursor.varint()?);
                let content = cursor.counted()?;
                return Some((cursor.at() - content.len(), Record::Body { id, content }));
            }
            VOID => Record::Void { group: group(cursor)?, from: cursor.varint()? },
            MARK => Record::Mark {
                group: group(cursor)?,
                last: cursor.varint()?,
                purged: cursor.varint()?,
            },
            HOLE => {
                cursor.take(cursor.rest().len())?;
                Record::Hole
            }
            FLOOR => Record::Floor(SegmentNumber::new(cursor.varint()?)),
            _ => return None,
        };
        Some((cursor.at(), record))
    }
}

fn group(cursor: &mut Cursor<'_>) -> Option<Group> {
    u16::try_from(cursor.varint()?).ok().map(Group)
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<(usize, Record<'a>), BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.rest().is_empty() {
            return None;
        }
        let at = self.0.at();
        let read = self.read().ok_or(BadRecord(at));
        if read.is_err() {
            self.0 = Cursor::new(&[]);
        }
        Some(read)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(bytes: &[u8]) -> Vec<Result<Record<'_>, BadRecord>> {
        Records::new(bytes).map(|read| read.map(|(_, record)| record)).collect()
    }

    #[test]
    fn each_kind_has_its_bytes() {
        let mut bytes = Vec::new();
        put_entry(&mut bytes, Group(300), 5, b"ab");
        put_body(&mut bytes, MessageId::new(9), 3);
        bytes.extend_from_slice(b"xyz");
        put_void(&mut bytes, Group(1), 4);
        put_mark(&mut bytes, Group(2), 8, 6);
        put_floor(&mut bytes, SegmentNumber::new(300));
        bytes.extend_from_slice(&HOLE_RECORD);
        bytes.extend_from_slice(b"damage");
        assert_eq!(&bytes[..8], &[1, 0xac, 2, 5, 2, b'a', b'b', 2]);
        let records = [
            Ok(Record::Entry { group: Group(300), index: 5, payload: b"ab" }),
            Ok(Record::Body { id: MessageId::new(9), content: b"xyz" }),
            Ok(Record::Void { group: Group(1), from: 4 }),
            Ok(Record::Mark { group: Group(2), last: 8, purged: 6 }),
            Ok(Record::Floor(SegmentNumber::new(300))),
            Ok(Record::Hole),
        ];
        assert_eq!(all(&bytes), records);
    }

    #[test]
    fn an_unknown_kind_ends_the_records() {
        for bytes in [&[0][..], &[9, 9], &[1, 0xff, 0xff, 0xff, 1, 0, 0], &[2, 1, 5, 0]] {
            assert_eq!(all(bytes), [Err(BadRecord(0))], "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_come_back(
            entries in proptest::collection::vec(
                (any::<u16>(), any::<u64>(), proptest::collection::vec(any::<u8>(), 0..200)), 0..20),
            noise in proptest::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut bytes = Vec::new();
            for (group, index, payload) in &entries {
                put_entry(&mut bytes, Group(*group), *index, payload);
            }
            let read = all(&bytes);
            prop_assert_eq!(read.len(), entries.len());
            for (read, (group, index, payload)) in read.iter().zip(&entries) {
                let entry = Record::Entry { group: Group(*group), index: *index, payload };
                prop_assert_eq!(read, &Ok(entry));
            }
            // Anything at all is read to its end without a panic.
            prop_assert!(all(&noise).len() <= noise.len());
        }
    }
}
