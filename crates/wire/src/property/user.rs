use bytes::{Bytes, BytesMut};
use plexus_types::Text;

use super::PropertyId;
use crate::{reader::Reader, sink::Sink};

/// The pairs of [`UserProperties`](crate::UserProperties), in order.
#[derive(Debug, Clone)]
pub struct UserPropertyIter<'a> {
    block: &'a Bytes,
    at: usize,
}

impl<'a> UserPropertyIter<'a> {
    pub(crate) const fn new(block: &'a Bytes) -> Self {
        Self { block, at: 0 }
    }
}

impl Iterator for UserPropertyIter<'_> {
    type Item = (Text, Text);

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = Reader::new(self.block, self.at, self.block.len());
        if reader.is_empty() || reader.u8().ok()? != PropertyId::UserProperty.get() {
            return None;
        }
        let pair = (reader.text().ok()?, reader.text().ok()?);
        self.at = reader.position();
        Some(pair)
    }
}

/// Appends one User Property.
pub(crate) fn put_pair(buffer: &mut BytesMut, name: &Text, value: &Text) {
    buffer.u8(PropertyId::UserProperty.get());
    buffer.text(name);
    buffer.text(value);
}
