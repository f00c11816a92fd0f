//! How many records a peer can bring about: whoever is refused again and again must not push older
//! records out of the files that are kept.

use crate::{Kind, Moment};

/// Records of log-ins and of refusals, of each of the two, in a second.
const A_SECOND: u32 = 20;

/// What this second has had, by kind.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    second: u64,
    logins: u32,
    refusals: u32,
}

impl Budget {
    /// Whether a record of that kind is written; it counts as written then.
    pub(crate) fn takes(&mut self, now: Moment, kind: Kind) -> bool {
        if !kind.is_rationed() {
            return true;
        }
        if now.seconds() != self.second {
            *self = Self { second: now.seconds(), ..Self::default() };
        }
        let spent = if kind == Kind::Login { &mut self.logins } else { &mut self.refusals };
        *spent = spent.saturating_add(1);
        *spent <= A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_cut_and_the_others_are_not() {
        let mut budget = Budget::default();
        let now = Moment::from_micros(5_000_000);
        let taken = (0..100).filter(|_| budget.takes(now, Kind::Access)).count();
        assert_eq!(taken, 20);
        assert!(budget.takes(now, Kind::Login));
        assert!((0..100).all(|_| budget.takes(now, Kind::Change)));
        assert!(budget.takes(Moment::from_micros(6_000_000), Kind::Access));
    }
}
