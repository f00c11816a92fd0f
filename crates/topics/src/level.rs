//! One level of a topic, held in 16 bytes when it is short.

/// The bytes of one topic level: up to 15 in place, longer ones in an allocation.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Level {
    Short(u8, [u8; Self::SHORT_MAX]),
    // Two pointers deep, so that the common case stays at 16 bytes.
    Long(Box<Box<[u8]>>),
}

impl Level {
    const SHORT_MAX: usize = 14;

    pub(crate) fn new(bytes: &[u8]) -> Self {
        if bytes.len() > Self::SHORT_MAX {
            return Self::Long(Box::new(bytes.into()));
        }
        let mut short = [0; Self::SHORT_MAX];
        for (to, from) in short.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self::Short(bytes.len() as u8, short)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Self::Long(bytes) => bytes,
        }
    }

    /// Bytes outside of the value itself.
    pub(crate) fn heap(&self) -> usize {
        match self {
            Self::Short(..) => 0,
            Self::Long(bytes) => bytes.len() + size_of::<Box<[u8]>>(),
        }
    }
}

/// The levels of a topic or filter.
pub(crate) fn levels(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn a_level_gives_back_its_bytes_and_stays_small() {
        assert_eq!(size_of::<Level>(), 16);
        for length in [0, 1, 13, 14, 15, 16, 300] {
            let bytes = vec![b'x'; length];
            assert_eq!(Level::new(&bytes).bytes(), bytes, "{length}");
        }
    }
}
