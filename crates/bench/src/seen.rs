//! Which messages came, wherever: the members of a shared subscription together.

/// One bit for each message of one publisher.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Vec<u64>);

impl Seen {
    /// Messages that are told apart; what is beyond counts as new.
    const MESSAGES_MAX: usize = 1 << 32;

    /// Notes a message; true when it had not come before.
    pub(crate) fn note(&mut self, sequence: u32) -> bool {
        let (word, bit) = (sequence as usize / 64, 1_u64 << (sequence % 64));
        if word >= Self::MESSAGES_MAX / 64 {
            return true;
        }
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let Some(word) = self.0.get_mut(word) else { return true };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Adds what another thread saw; tells how many messages both had.
    pub(crate) fn merge(&mut self, other: &Self) -> u64 {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut both = 0;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            both += u64::from((*mine & theirs).count_ones());
            *mine |= theirs;
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_saw_is_counted_once() {
        let (mut one, mut two) = (Seen::default(), Seen::default());
        assert!(one.note(0) && one.note(1_000) && !one.note(0));
        assert!(two.note(1_000) && two.note(5_000));
        assert_eq!(one.merge(&two), 1);
        assert_eq!(one.merge(&two), 2, "everything of the second is known by now");
        assert!(!one.note(5_000));
    }
}
