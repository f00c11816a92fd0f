use plexus_types::MessageId;
use smallvec::SmallVec;

/// Messages that one shard named, in their order, and told a session of up to the newest: an older one
/// that the session has not got was not for it, or it had no place for it. To give it to the session now
/// would break the order of their publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// Above the names of earlier starts of the node.
    pub first: u64,
    /// Each shard has every so many-th name.
    pub shards: u64,
    /// The newest that the session was given.
    pub newest: u64,
}

impl Lot {
    /// Whether the shard that named the newest has named this one, and not later.
    pub fn has(&self, id: MessageId) -> bool {
        let id = id.get();
        (self.first..=self.newest).contains(&id)
            && (self.newest - id).is_multiple_of(self.shards.max(1))
    }
}

/// What a session has to do with publications that were open when the node stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// What it was given as retained messages, ascending.
    pub given: Vec<MessageId>,
    /// What it was given straight from publishers.
    pub lots: SmallVec<[Lot; 1]>,
}

impl Seen {
    /// Whether an open message that comes straight from its publisher is not for the session any
    /// more.
    pub fn has(&self, id: MessageId) -> bool {
        self.given.binary_search(&id).is_ok() || self.lots.iter().any(|lot| lot.has(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_has_the_older_names_of_one_shard_since_one_start() {
        let lot = Lot { first: 100, shards: 4, newest: 117 };
        let names: Vec<_> = (0..200).filter(|id| lot.has(MessageId::new(*id))).collect();
        assert_eq!(names, [101, 105, 109, 113, 117]);
        let seen = Seen { given: vec![MessageId::new(3)], lots: SmallVec::from_slice(&[lot]) };
        assert!(seen.has(MessageId::new(3)) && seen.has(MessageId::new(101)));
        assert!(!seen.has(MessageId::new(121)) && !seen.has(MessageId::new(102)));
    }
}
