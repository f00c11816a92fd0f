/// What the acknowledgement of a message, or of a session's state, promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Durability {
    /// It lives as long as the process.
    Memory,
    /// The operating system has it: it survives a crash of the program.
    Written,
    /// The disk has it: it survives a loss of power.
    #[default]
    Synced,
}

impl Durability {
    /// Whether it outlives the process.
    pub const fn is_kept(self) -> bool {
        !matches!(self, Self::Memory)
    }
}
