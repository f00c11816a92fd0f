use std::fmt;

/// Names a message within its node, in the log too: ascending in the order in which messages are
/// routed on a shard, and never given twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MessageId(u64);

impl MessageId {
    /// Of a message that has not been routed.
    pub const NONE: Self = Self(0);

    /// The identifier of that number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the identifier.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{}", self.0)
    }
}
