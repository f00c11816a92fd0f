//! How many refusals are written: whoever is refused again and again must not push older records out of
//! the files that are kept.

use crate::{Event, Kind, Moment, Outcome};

/// Refusals in a second, of log-ins and of everything else.
const A_SECOND: u32 = 20;
/// Log-ins in a second: who comes again and again pushes nothing out either.
const COMINGS_A_SECOND: u32 = 100;

/// What this second has had.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    second: u64,
    logins: u32,
    others: u32,
    comings: u32,
}

impl Budget {
    /// Whether a record of it is written; it counts as written then. What was done is always written, but for
    /// log-ins.
    pub(crate) fn takes(&mut self, now: Moment, event: &Event) -> bool {
        let is_refused = event.outcome == Outcome::Refused;
        if !is_refused && event.kind != Kind::Login {
            return true;
        }
        if now.seconds() != self.second {
            *self = Self { second: now.seconds(), ..Self::default() };
        }
        let (spent, most) = match (is_refused, event.kind) {
            (false, _) => (&mut self.comings, COMINGS_A_SECOND),
            (true, Kind::Login) => (&mut self.logins, A_SECOND),
            (true, _) => (&mut self.others, A_SECOND),
        };
        *spent = spent.saturating_add(1);
        *spent <= most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Who;

    #[test]
    fn a_flood_of_refusals_is_cut_and_nothing_else_is() {
        let mut budget = Budget::default();
        let now = Moment::from_micros(5_000_000);
        let refused = |kind| Event::refused(kind, "publish", Who::default(), "rule");
        let taken = (0..100).filter(|_| budget.takes(now, &refused(Kind::Access))).count();
        assert_eq!(taken, 20);
        assert!(budget.takes(now, &refused(Kind::Login)));
        let came = Event::logged_in(Who::default());
        assert_eq!((0..500).filter(|_| budget.takes(now, &came)).count(), 100);
        let done = Event::done(Kind::Change, "rules");
        assert!((0..100).all(|_| budget.takes(now, &done)));
        assert!(budget.takes(Moment::from_micros(6_000_000), &refused(Kind::Access)));
    }
}
