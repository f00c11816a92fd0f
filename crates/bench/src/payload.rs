//! The stamp at the head of every payload: who published, which one, when it was due.
//!
//! ```text
//! 0        4        8                16            size
//! | u32 LE | u32 LE | u64 LE         | zeros       |
//! | publisher       | due, nanoseconds of the run  |
//!          | sequence
//! ```

use bytes::{Buf, BufMut};
use plexus_types::Instant;

/// Smallest payload that holds a stamp.
pub(crate) const STAMP_LENGTH: usize = 16;

/// What a payload says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Index of the publishing client.
    pub(crate) publisher: u32,
    /// Counts the messages of this publisher from zero.
    pub(crate) sequence: u32,
    /// When the message should have left; latency is counted from here, so that a generator that
    /// was held up does not hide the wait (coordinated omission).
    pub(crate) due: Instant,
}

impl Stamp {
    /// A payload of `size` bytes, at least [`STAMP_LENGTH`], that begins with this stamp.
    pub(crate) fn payload(self, size: usize) -> Vec<u8> {
        let mut payload = Vec::with_capacity(size.max(STAMP_LENGTH));
        payload.put_u32_le(self.publisher);
        payload.put_u32_le(self.sequence);
        payload.put_u64_le(self.due.as_nanos());
        payload.resize(size.max(STAMP_LENGTH), 0);
        payload
    }

    /// The stamp of a payload, unless it is too short to hold one.
    pub(crate) fn read(mut payload: &[u8]) -> Option<Self> {
        Some(Self {
            publisher: payload.try_get_u32_le().ok()?,
            sequence: payload.try_get_u32_le().ok()?,
            due: Instant::from_nanos(payload.try_get_u64_le().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_its_payload() {
        let stamp = Stamp { publisher: 7, sequence: 1_000_000, due: Instant::from_nanos(1 << 40) };
        let payload = stamp.payload(256);
        assert_eq!(payload.len(), 256);
        assert_eq!(Stamp::read(&payload), Some(stamp));
    }

    #[test]
    fn a_short_payload_has_no_stamp() {
        assert_eq!(Stamp::read(&[0; STAMP_LENGTH - 1]), None);
    }
}
