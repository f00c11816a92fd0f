//! Checks of credentials that are under way elsewhere, and the way back of their outcomes.

use std::sync::{
    Arc,
    mpsc::{Receiver, SyncSender, sync_channel},
};

use plexus_access::{Credentials, Outcome, Policy, Reply};
use plexus_links::Bell;

use crate::ports::Ticket;

/// Checks of one shard that may be under way; beyond it a client is told that the server is busy.
const UNDER_WAY_MAX: usize = 2_048;

/// The checks of one shard.
pub(crate) struct Checks {
    bell: Bell,
    outcomes: SyncSender<(Ticket, Outcome)>,
    arrived: Receiver<(Ticket, Outcome)>,
    under_way: usize,
}

impl Checks {
    /// None yet; the bell tells the shard of each outcome.
    pub(crate) fn new(bell: Bell) -> Self {
        let (outcomes, arrived) = sync_channel(UNDER_WAY_MAX);
        Self { bell, outcomes, arrived, under_way: 0 }
    }

    /// Has the policy check the credentials; false when too many checks are under way.
    pub(crate) fn begin(
        &mut self,
        ticket: Ticket,
        policy: &Arc<dyn Policy>,
        credentials: Credentials,
    ) -> bool {
        if self.under_way >= UNDER_WAY_MAX {
            return false;
        }
        self.under_way += 1;
        let (outcomes, bell) = (self.outcomes.clone(), self.bell.clone());
        let reply = Reply::new(move |outcome| {
            // There is room for every check that is under way; a shard that is gone needs no answer.
            if outcomes.try_send((ticket, outcome)).is_ok() {
                bell.ring();
            }
        });
        policy.verify(credentials, reply);
        true
    }

    /// The next outcome that has arrived.
    pub(crate) fn next(&mut self) -> Option<(Ticket, Outcome)> {
        let outcome = self.arrived.try_recv().ok()?;
        self.under_way -= 1;
        Some(outcome)
    }
}
