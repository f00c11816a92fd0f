//! What a match needs while it walks: the levels of the topic, found and hashed once and only as
//! far down as the tree reaches, and the branches that are still to be taken.

use std::hash::{BuildHasher, Hasher};

use plexus_stdx::SeededState;

/// A level of the topic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Level {
    start: u32,
    end: u32,
    pub(crate) hash: u64,
}

impl Level {
    #[inline]
    pub(crate) fn text(self, topic: &[u8]) -> &[u8] {
        topic.get(self.start as usize..self.end as usize).expect("invariant: a level of the topic")
    }
}

/// A node whose children are to be looked at, and the number of levels above them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Branch {
    pub(crate) node: u32,
    pub(crate) depth: u32,
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) branches: Vec<Branch>,
    levels: Vec<Level>,
    /// Where the next level starts; beyond the topic's end when all are found.
    next: usize,
    /// Nodes that the last walk looked at: what the tests bound.
    pub(crate) visited: usize,
}

impl Walk {
    pub(crate) fn start(&mut self) {
        self.branches.clear();
        self.levels.clear();
        self.next = 0;
        self.visited = 0;
    }

    /// The level at `depth`, or none when the topic has ended above it.
    #[inline]
    pub(crate) fn level(
        &mut self,
        state: &SeededState,
        topic: &[u8],
        depth: usize,
    ) -> Option<Level> {
        while depth >= self.levels.len() {
            let rest = topic.get(self.next..)?;
            let length = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let end = self.next + length;
            let hash = hash_level(state, rest.get(..length).unwrap_or_default());
            self.levels.push(Level { start: self.next as u32, end: end as u32, hash });
            self.next = end + 1;
        }
        self.levels.get(depth).copied()
    }
}

/// The hash of one level by itself.
#[inline]
pub(crate) fn hash_level(state: &SeededState, level: &[u8]) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(level);
    hasher.finish()
}
