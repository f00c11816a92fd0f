//! A frame: what one commit wrote, with a checksum that holds in its own segment only.

use crate::SegmentNumber;

/// What stands before the records of a frame.
pub(crate) const HEAD_BYTES: usize = 24;
/// The largest frame.
pub(crate) const BYTES_MAX: usize = 1 << 30;

const CHECKED_FROM: usize = 8;

/// What marks the frames of one segment. A frame that was left over in a file that is used again,
/// or that came from another store, has another mark and another checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    tag: u32,
    seed: u32,
}

impl Seal {
    pub(crate) fn new(store: u128, number: SegmentNumber) -> Self {
        let of = |part: u8| {
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&[part]);
            hasher.update(&store.to_le_bytes());
            hasher.update(&number.get().to_le_bytes());
            hasher.finalize()
        };
        // Never zero: an untouched file must not look like the beginning of a frame.
        Self { tag: of(1) | 1, seed: of(2) }
    }

    pub(crate) const fn tag(self) -> [u8; 4] {
        self.tag.to_le_bytes()
    }

    fn checksum(self, checked: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new_with_initial(self.seed);
        hasher.update(checked);
        hasher.finalize()
    }
}

/// The beginning of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Bytes of the records.
    pub(crate) length: u32,
    /// Up to where the segment was known to be kept when the frame was written.
    pub(crate) kept: u32,
    /// When, in milliseconds since 1970.
    pub(crate) millis: u64,
}

impl Head {
    /// Reads the head, when the segment's mark stands there.
    pub(crate) fn decode(bytes: &[u8], seal: Seal) -> Option<Self> {
        if bytes.get(..4)? != seal.tag() {
            return None;
        }
        let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
        let millis = bytes.get(16..HEAD_BYTES)?.try_into().ok().map(u64::from_le_bytes)?;
        Some(Self { length: word(8)?, kept: word(12)?, millis })
    }

    /// The bytes of the whole frame.
    pub(crate) const fn frame_bytes(&self) -> usize {
        HEAD_BYTES + self.length as usize
    }
}

/// Begins a frame in an empty buffer: the head is filled in by [`close`].
pub(crate) fn begin(frame: &mut Vec<u8>) {
    frame.clear();
    frame.resize(HEAD_BYTES, 0);
}

/// Whether there are no records in it.
pub(crate) const fn is_empty(frame: &[u8]) -> bool {
    frame.len() <= HEAD_BYTES
}

/// Fills in the head of a frame whose records stand behind it.
pub(crate) fn close(frame: &mut [u8], seal: Seal, kept: u32, millis: u64) {
    let length = frame.len().saturating_sub(HEAD_BYTES) as u32;
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = frame.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &seal.tag());
    put(8, &length.to_le_bytes());
    put(12, &kept.to_le_bytes());
    put(16, &millis.to_le_bytes());
    let sum = seal.checksum(frame.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(place) = frame.get_mut(4..CHECKED_FROM) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// The records of a frame, when the frame is whole.
pub(crate) fn verify(frame: &[u8], seal: Seal) -> Option<(Head, &[u8])> {
    let head = Head::decode(frame, seal)?;
    if frame.len() != head.frame_bytes() {
        return None;
    }
    let sum = u32::from_le_bytes(frame.get(4..CHECKED_FROM)?.try_into().ok()?);
    (sum == seal.checksum(frame.get(CHECKED_FROM..)?)).then_some(())?;
    Some((head, frame.get(HEAD_BYTES..)?))
}

#[cfg(test)]
mod tests;
