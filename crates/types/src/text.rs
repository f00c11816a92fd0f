use std::{fmt, ops::Deref};

use bytes::Bytes;

/// A UTF-8 Encoded String as MQTT defines it: well-formed UTF-8, no U+0000, at most 65,535 bytes
/// ([MQTT-1.5.4-1], [MQTT-1.5.4-2]). A slice of the packet that brought it, not a copy.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Text(Bytes);

/// Why bytes are no UTF-8 Encoded String.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Not well-formed UTF-8, surrogates included ([MQTT-1.5.4-1]).
    #[error("not well-formed UTF-8")]
    NotUtf8,
    /// The null character U+0000 is in it ([MQTT-1.5.4-2]).
    #[error("contains the null character U+0000")]
    Null,
    /// Longer than the two-byte length can say.
    #[error("longer than 65,535 bytes")]
    TooLong,
}

impl Text {
    /// The longest text that the protocol can carry, in bytes.
    pub const LENGTH_MAX: usize = 65_535;

    /// Checks `bytes` and takes them without a copy.
    pub fn new(bytes: Bytes) -> Result<Self, TextError> {
        Self::check(&bytes)?;
        Ok(Self(bytes))
    }

    /// Checks `bytes` where they are, for a reader that passes them on without taking them.
    pub fn check(bytes: &[u8]) -> Result<(), TextError> {
        if bytes.len() > Self::LENGTH_MAX {
            return Err(TextError::TooLong);
        }
        if is_plain(bytes) {
            return Ok(());
        }
        let text = simdutf8::basic::from_utf8(bytes).map_err(|_| TextError::NotUtf8)?;
        if text.as_bytes().contains(&0) {
            return Err(TextError::Null);
        }
        Ok(())
    }

    /// Bytes that the node has made of valid ones: only these may hold U+0000, and be longer than what is
    /// sent of them.
    pub(crate) fn of_node(bytes: Bytes) -> Self {
        debug_assert!(std::str::from_utf8(&bytes).is_ok());
        Self(bytes)
    }

    /// A text of a program constant, which must be valid.
    pub fn from_static(text: &'static str) -> Self {
        Self::new(Bytes::from_static(text.as_bytes())).expect("invariant: a valid constant")
    }

    /// The text as a string slice.
    pub fn as_str(&self) -> &str {
        // Checked in `new`; checking again costs some nanoseconds and keeps `unsafe` out.
        simdutf8::basic::from_utf8(&self.0).expect("invariant: Text holds UTF-8")
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The shared bytes of the text.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// A copy that no longer keeps the packet alive that it was cut from.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

/// Whether all bytes are ASCII and none is U+0000, as in nearly every text: one pass for both, without
/// a branch for each byte.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| plain & (byte.wrapping_sub(1) < 0x7F))
}

impl TryFrom<&str> for Text {
    type Error = TextError;
    fn try_from(text: &str) -> Result<Self, TextError> {
        Self::new(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl TryFrom<String> for Text {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(Bytes::from(text))
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
