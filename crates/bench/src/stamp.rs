//! The stamp of a message: who published, which one, when it was due.
//!
//! ```text
//! 0        4        8                16            size
//! | u32 LE | u32 LE | u64 LE         | zeros       |
//! | publisher       | due, nanoseconds since 1970  |
//!          | sequence
//! ```
//! In a template it is text: `plxs`, then the same 16 bytes as hexadecimal digits.

use std::fmt::Write as _;

use bytes::{Buf, BufMut, BytesMut};
use plexus_types::Instant;

/// Smallest payload that holds a stamp, in bytes.
pub const STAMP_LENGTH: usize = 16;

/// What comes before a stamp in a text.
const MARK: &[u8] = b"plxs";

/// What a payload says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Index of the publishing client.
    pub publisher: u32,
    /// Counts the messages of this publisher from zero.
    pub sequence: u32,
    /// When the message should have left; latency is counted from here, so that a generator that
    /// was held up does not hide the wait (coordinated omission).
    pub due: Instant,
}

impl Stamp {
    /// Appends a payload of `size` bytes, at least [`STAMP_LENGTH`], that begins with this stamp.
    pub fn write(self, size: usize, out: &mut BytesMut) {
        let begin = out.len();
        out.reserve(size.max(STAMP_LENGTH));
        out.put_u32_le(self.publisher);
        out.put_u32_le(self.sequence);
        out.put_u64_le(self.due.as_nanos());
        out.resize(begin + size.max(STAMP_LENGTH), 0);
    }

    /// The stamp at the head of a payload, unless it is too short to hold one.
    pub fn read(mut payload: &[u8]) -> Option<Self> {
        Some(Self {
            publisher: payload.try_get_u32_le().ok()?,
            sequence: payload.try_get_u32_le().ok()?,
            due: Instant::from_nanos(payload.try_get_u64_le().ok()?),
        })
    }

    /// The stamp as text.
    pub fn text(self) -> String {
        let mut bytes = BytesMut::new();
        self.write(STAMP_LENGTH, &mut bytes);
        let mut text = String::from_utf8_lossy(MARK).into_owned();
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// The first stamp that stands as text in a payload.
    pub fn find(payload: &[u8]) -> Option<Self> {
        let at = memchr::memmem::find(payload, MARK)? + MARK.len();
        let digits = payload.get(at..at + 2 * STAMP_LENGTH)?;
        let mut bytes = [0; STAMP_LENGTH];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *byte = u8::from_str_radix(pair, 16).ok()?;
        }
        Self::read(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp =
        Stamp { publisher: 7, sequence: 1_000_000, due: Instant::from_nanos(1 << 40) };

    #[test]
    fn a_stamp_survives_its_payload() {
        let mut payload = BytesMut::new();
        STAMP.write(256, &mut payload);
        assert_eq!((payload.len(), Stamp::read(&payload)), (256, Some(STAMP)));
        assert_eq!(Stamp::read(&[0; STAMP_LENGTH - 1]), None);
    }

    #[test]
    fn a_stamp_is_found_in_a_text() {
        let text = format!("{{\"v\":1,\"s\":\"{}\"}}", STAMP.text());
        assert_eq!(Stamp::find(text.as_bytes()), Some(STAMP));
        for text in ["", "plxs", "plxs00", "plxszz000000000000000000000000000000", "nothing"] {
            assert_eq!(Stamp::find(text.as_bytes()), None, "{text}");
        }
    }
}
