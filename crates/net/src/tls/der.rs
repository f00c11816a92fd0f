//! As much of DER (X.690) as is read here: elements one after the other. What TLS decides by is read by
//! the TLS library; this is for what an operator is told.

use plexus_stdx::calendar;

pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0A;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The tag of `[number]` around elements.
pub(super) const fn around(number: u8) -> u8 {
    0xA0 | number
}

/// The tag of `[number]` in the place of a simple type's own.
pub(super) const fn instead(number: u8) -> u8 {
    0x80 | number
}

/// Elements that are still to be read. Whatever breaks the rules yields `None`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next element: its tag and its content.
    pub(super) fn take(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7F => (usize::from(first), rest),
            // The length itself is that many bytes long; more than four are never needed here.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
                let length = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                (usize::try_from(length).ok()?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next element as it is written, its tag and its length included.
    pub(super) fn whole(&mut self) -> Option<&'a [u8]> {
        let before = self.0;
        self.take()?;
        before.get(..before.len().checked_sub(self.0.len())?)
    }

    /// The content of the next element, which has that tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.take().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }

    /// The elements within the next one, which has that tag.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.expect(tag).map(Self)
    }

    /// The content of the next element if it has that tag; else nothing is read.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&tag) { self.expect(tag) } else { None }
    }

    /// The next element as a moment, in seconds since 1970.
    pub(super) fn time(&mut self) -> Option<u64> {
        let (tag, content) = self.take()?;
        moment(tag, content)
    }
}

/// UTCTime or GeneralizedTime as RFC 5280, section 4.1.2.5, has them: with seconds, in UTC.
fn moment(tag: u8, content: &[u8]) -> Option<u64> {
    let digits = content.strip_suffix(b"Z")?;
    let mut numbers = [0; 7];
    let pairs = match (tag, digits.len()) {
        (UTC_TIME, 12) => numbers.get_mut(1..)?,
        (GENERALIZED_TIME, 14) => &mut numbers[..],
        _ => return None,
    };
    for (number, pair) in pairs.iter_mut().zip(digits.chunks(2)) {
        *number =
            std::str::from_utf8(pair).ok().filter(|_| is_digits(pair))?.parse::<u64>().ok()?;
    }
    let [century, year, month, day, hour, minute, second] = numbers;
    let year = match (tag, year) {
        (UTC_TIME, 0..50) => 2_000 + year,
        (UTC_TIME, _) => 1_900 + year,
        (_, _) => 100 * century + year,
    };
    let in_range = hour < 24 && minute < 60 && second < 60;
    let begin = calendar::moment(year, month, day).filter(|_| in_range)?;
    Some(begin + 3_600 * hour + 60 * minute + second)
}

fn is_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_one_after_the_other() {
        let mut elements = Elements::of(&[0x30, 3, 2, 1, 7, 0x04, 0x81, 1, 9, 0xA0, 0]);
        assert_eq!(
            elements.enter(SEQUENCE).and_then(|mut one| one.expect(INTEGER)),
            Some(&[7][..])
        );
        assert_eq!(elements.optional(INTEGER), None);
        assert_eq!(elements.expect(OCTET_STRING), Some(&[9][..]));
        assert_eq!(elements.take(), Some((around(0), &[][..])));
        assert_eq!(elements.take(), None);
    }

    #[test]
    fn what_is_cut_off_or_has_no_length_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x82, 1],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0],
        ] {
            assert_eq!(Elements::of(bytes).take(), None, "{bytes:?}");
        }
    }

    #[test]
    fn moments_are_read_in_both_ways_of_writing() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, "500101000000Z", None),
            (GENERALIZED_TIME, "20000229000001Z", Some(951_782_401)),
            (GENERALIZED_TIME, "20230229000000Z", None),
            (GENERALIZED_TIME, "20240101240000Z", None),
            (GENERALIZED_TIME, "20240101000000", None),
            (GENERALIZED_TIME, "202401010000+0Z", None),
            (GENERALIZED_TIME, "240101000000Z", None),
            (UTC_TIME, "2401010000Z", None),
            (INTEGER, "240101000000Z", None),
        ] {
            assert_eq!(moment(tag, text.as_bytes()), expected, "{text}");
        }
    }
}
