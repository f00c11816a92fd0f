//! The memory that sockets are read into.

use bytes::BytesMut;

/// The reading memory of one thread, lent to every stream that is read.
///
/// A socket writes into initialised bytes, and a block is initialised once when it is made. What a
/// large read brought becomes the caller's by splitting the block: no copy, no second zeroing. A small
/// read is copied out instead, into memory of just its size: that costs less than splitting, leaves the
/// warm block where it is, and a small message that is kept for long does not keep a whole block alive.
#[derive(Debug)]
pub struct ReadBlock {
    /// All of it initialised, none of it lent.
    free: BytesMut,
    size: usize,
}

impl ReadBlock {
    /// A size that holds a burst of small packets or a large part of a payload.
    pub const SIZE_DEFAULT: usize = 64 * 1024;

    /// Reads below this length are copied.
    const COPY_MAX: usize = 4 * 1024;

    /// A block from which each read takes at most `size` bytes, and at least a quarter of it.
    pub fn new(size: usize) -> Self {
        let size = size.max(Self::COPY_MAX);
        Self { free: BytesMut::zeroed(size), size }
    }

    /// The initialised memory to read into; never empty.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.free.len() < self.size / 4 {
            self.free = BytesMut::zeroed(self.size);
        }
        &mut self.free
    }

    /// Hands over the first `length` bytes of [`Self::space`], behind what `out` already holds.
    pub(crate) fn take(&mut self, length: usize, out: &mut BytesMut) {
        let length = length.min(self.free.len());
        if length <= Self::COPY_MAX || !out.is_empty() {
            out.extend_from_slice(self.free.get(..length).unwrap_or_default());
        } else {
            *out = self.free.split_to(length);
        }
    }
}

impl Default for ReadBlock {
    fn default() -> Self {
        Self::new(Self::SIZE_DEFAULT)
    }
}

#[cfg(test)]
mod tests;
