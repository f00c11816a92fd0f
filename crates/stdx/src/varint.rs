//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the high bit set on
//! all bytes but the last.

/// Appends the number.
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The number of bytes that [`put`] appends.
pub const fn length(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// Reads a slice from its beginning; every method says `None` when there is not enough.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the beginning of these bytes.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A number; `None` also when it has more than 64 bits or more bytes than it needs.
    pub fn varint(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 || shift > 0 && byte == 0 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// So many bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        self.at += count;
        Some(taken)
    }

    /// Bytes with their length before them.
    pub fn counted(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.varint()?).ok()?;
        self.take(count)
    }

    /// What has not been read.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have been read.
    pub const fn at(&self) -> usize {
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, length, put};
    use proptest::prelude::*;

    #[test]
    fn only_the_shortest_form_is_read() {
        let cases: [(&[u8], Option<u64>); 8] = [
            (&[0], Some(0)),
            (&[0x7f], Some(127)),
            (&[0x80, 1], Some(128)),
            (&[0xff; 9], None),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Some(u64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], None),
            (&[0x80, 0], None),
            (&[], None),
        ];
        for (bytes, number) in cases {
            assert_eq!(Cursor::new(bytes).varint(), number, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn every_number_comes_back(number: u64, low in 0_u64..40_000) {
            for number in [number, low, number >> 40] {
                let mut bytes = Vec::new();
                put(&mut bytes, number);
                assert_eq!(bytes.len(), length(number));
                let mut cursor = Cursor::new(&bytes);
                assert_eq!(cursor.varint(), Some(number));
                assert!(cursor.rest().is_empty());
                assert_eq!(cursor.at(), bytes.len());
            }
        }
    }
}
