/// Messages that wait, and their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// How many.
    pub messages: u64,
    /// The bytes of topic, payload and properties.
    pub bytes: u64,
}

impl Waiting {
    /// More than any node has.
    pub const UNLIMITED: Self = Self { messages: u64::MAX, bytes: u64::MAX };

    /// One message.
    pub const fn one(size: usize) -> Self {
        Self { messages: 1, bytes: size as u64 }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_add(other.messages),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    /// Without the other; nothing where that has more.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(other.messages),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// Whether it is room enough for one message of that size.
    pub const fn holds(self, size: usize) -> bool {
        self.messages > 0 && self.bytes >= size as u64
    }
}
