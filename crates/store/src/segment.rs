use std::fmt;

/// The number of a segment: its place in the log. The first is 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SegmentNumber(u64);

impl SegmentNumber {
    /// Before every segment.
    pub const ZERO: Self = Self(0);
    /// No store comes so far, and what keeps a number in 32 bits has as many left from there on. A file
    /// with a larger one has come from elsewhere.
    pub(crate) const LAST: Self = Self(1 << 31);
    pub(crate) const TOO_LARGE: &str =
        "its number is larger than a log can have, so it is not of this one; move the file away";

    /// The segment of that number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The segment after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The name of its file.
    pub fn file_name(self) -> String {
        format!("{:016x}.seg", self.0)
    }

    /// The segment whose file has that name.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        let number = name.strip_suffix(".seg")?;
        let number = u64::from_str_radix(number, 16).ok()?;
        (Self(number).file_name() == name).then_some(Self(number))
    }
}

const SPARE_SUFFIX: &str = ".spare";

/// The name of a file that waits to be used.
pub(crate) fn spare_name(number: u64) -> String {
    format!("{number:016x}{SPARE_SUFFIX}")
}

/// The number in a spare's name.
pub(crate) fn spare_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(SPARE_SUFFIX)?, 16).ok()?;
    (spare_name(number) == name).then_some(number)
}

impl fmt::Debug for SegmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

impl fmt::Display for SegmentNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SegmentNumber;

    #[test]
    fn only_the_exact_name_is_a_segment() {
        let ten = SegmentNumber::new(10);
        assert_eq!(SegmentNumber::of_file(&ten.file_name()), Some(ten));
        for other in
            ["a.seg", "000000000000000A.seg", "+00000000000000a.seg", "000000000000000a.spare"]
        {
            assert_eq!(SegmentNumber::of_file(other), None, "{other}");
        }
    }
}
