//! How many refusals are written: whoever is refused again and again must not push older records out of
//! the files that are kept.

use crate::{Event, Kind, Moment, Outcome};

/// Refusals in a second: of log-ins, of those whom a fence keeps out, and of everything else.
const A_SECOND: u32 = 20;
/// Log-ins in a second, and ends of connections and sessions: who comes and goes again and again pushes nothing
/// out either.
const COMINGS_A_SECOND: u32 = 100;

/// What this second has had.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    second: u64,
    logins: u32,
    kept_out: u32,
    others: u32,
    comings: u32,
    goings: u32,
}

impl Budget {
    /// Whether a record of it is written; it counts as written then. What was done is always written, but for
    /// what clients do by themselves: they come and go.
    pub(crate) fn takes(&mut self, now: Moment, event: &Event) -> bool {
        let is_refused = event.outcome == Outcome::Refused;
        if !is_refused && !matches!(event.kind, Kind::Login | Kind::Session) {
            return true;
        }
        if now.seconds() != self.second {
            *self = Self { second: now.seconds(), ..Self::default() };
        }
        let (spent, most) = match (is_refused, event.kind) {
            (false, Kind::Session) => (&mut self.goings, COMINGS_A_SECOND),
            (false, _) => (&mut self.comings, COMINGS_A_SECOND),
            (true, Kind::Login) => (&mut self.logins, A_SECOND),
            (true, Kind::Ban) => (&mut self.kept_out, A_SECOND),
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
        let met = Event::kept_out("banned", Who::default(), "stolen");
        assert_eq!((0..500).filter(|_| budget.takes(now, &met)).count(), 20);
        let left = Event::disconnected(Who::default(), "by the client");
        assert_eq!((0..500).filter(|_| budget.takes(now, &left)).count(), 100);
        let done = Event::done(Kind::Change, "rules");
        assert!((0..100).all(|_| budget.takes(now, &done)));
        assert!(budget.takes(Moment::from_micros(6_000_000), &refused(Kind::Access)));
    }
}
