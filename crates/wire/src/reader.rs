use bytes::Bytes;
use plexus_types::{PacketId, Text};

use crate::{ProtocolError, varint};

/// Reads the fields of one packet out of the block that holds it, never past the packet's end.
/// Texts and binary data are slices of the block.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    block: &'a Bytes,
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the bytes `at..end` of `block`.
    pub(crate) fn new(block: &'a Bytes, at: usize, end: usize) -> Self {
        assert!(at <= end && end <= block.len(), "the caller has the whole packet");
        Self { block, at, end }
    }

    /// A reader of the next `length` bytes, which this one passes over.
    pub(crate) fn sub(&mut self, length: usize) -> Result<Self, ProtocolError> {
        let at = self.skip(length)?;
        Ok(Self { block: self.block, at, end: self.at })
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ProtocolError> {
        self.array().map(|[byte]: [u8; 1]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ProtocolError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ProtocolError> {
        self.array().map(u32::from_be_bytes)
    }

    /// A Variable Byte Integer, which only 5.0 has inside a packet ([MQTT-1.5.5-1]).
    pub(crate) fn varint(&mut self) -> Result<u32, ProtocolError> {
        let (value, length) = varint::read(self.rest_slice())?.ok_or(ProtocolError::Truncated)?;
        self.at += length;
        if varint::len(value) < length { Err(ProtocolError::NotMinimal) } else { Ok(value) }
    }

    /// A Packet Identifier, never zero ([MQTT-2.2.1-3] [MQTT3-2.3.1-1]).
    pub(crate) fn packet_id(&mut self) -> Result<PacketId, ProtocolError> {
        PacketId::new(self.u16()?).ok_or(ProtocolError::PacketIdZero)
    }

    /// Binary Data: a two-byte length and that many bytes.
    pub(crate) fn binary(&mut self) -> Result<Bytes, ProtocolError> {
        let length = usize::from(self.u16()?);
        let at = self.skip(length)?;
        Ok(self.block.slice(at..self.at))
    }

    /// A UTF-8 Encoded String ([MQTT-1.5.4-1] [MQTT-1.5.4-2]). Nothing of it is normalised or
    /// stripped, a leading U+FEFF neither ([MQTT-1.5.4-3] [MQTT3-1.5.3-3]).
    pub(crate) fn text(&mut self) -> Result<Text, ProtocolError> {
        Ok(Text::new(self.binary()?)?)
    }

    /// The bytes of Binary Data where they stand.
    pub(crate) fn binary_slice(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = usize::from(self.u16()?);
        let at = self.skip(length)?;
        Ok(self.slice(at, self.at))
    }

    /// The bytes of a UTF-8 Encoded String where they stand, checked.
    pub(crate) fn text_slice(&mut self) -> Result<&'a [u8], ProtocolError> {
        let bytes = self.binary_slice()?;
        Text::check(bytes)?;
        Ok(bytes)
    }

    /// Passes over `length` bytes; returns where they began.
    pub(crate) fn skip(&mut self, length: usize) -> Result<usize, ProtocolError> {
        if length > self.remaining() {
            return Err(ProtocolError::Truncated);
        }
        let at = self.at;
        self.at += length;
        Ok(at)
    }

    /// All that is left, as a slice of the block.
    pub(crate) fn rest(&mut self) -> Bytes {
        let at = self.at;
        self.at = self.end;
        self.block.slice(at..self.end)
    }

    /// All that is left, where it stands.
    pub(crate) fn rest_slice(&self) -> &'a [u8] {
        self.slice(self.at, self.end)
    }

    /// A reader over an earlier part of the block.
    pub(crate) fn again(&self, at: usize, end: usize) -> Self {
        Self::new(self.block, at, end)
    }

    /// A slice of the block by positions that [`Reader::position`] gave.
    pub(crate) fn cut(&self, at: usize, end: usize) -> Bytes {
        self.block.slice(at..end)
    }

    /// The same without taking a share of the block.
    pub(crate) fn slice(&self, at: usize, end: usize) -> &'a [u8] {
        self.block.get(at..end).expect("invariant: the reader stays within its packet")
    }

    /// Where the next byte stands in the block.
    pub(crate) const fn position(&self) -> usize {
        self.at
    }

    pub(crate) const fn remaining(&self) -> usize {
        self.end - self.at
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.at == self.end
    }

    /// The packet must have ended here.
    pub(crate) const fn finish(&self) -> Result<(), ProtocolError> {
        if self.is_empty() { Ok(()) } else { Err(ProtocolError::TrailingBytes) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        let bytes = self.rest_slice().first_chunk::<N>().ok_or(ProtocolError::Truncated)?;
        self.at += N;
        Ok(*bytes)
    }
}
