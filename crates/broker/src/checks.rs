//! Checks of credentials, and questions about acts, that are under way elsewhere, and the way back of their
//! outcomes.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use plexus_access::{Credentials, Gate, Outcome, Policy, Reply};
use plexus_links::Bell;
use plexus_porch::{Clock, Fence, Fences, Who};

use plexus_types::{ClientId, Text};

use crate::ports::{Query, Ticket};

/// Checks of one shard that may be under way; beyond it a client is told that the server is busy.
const UNDER_WAY_MAX: usize = 2_048;
/// The same of questions about acts. They are apart: who comes in does not wait for who is in.
const ACTS_MAX: usize = 2_048;

/// Who somebody says that he is.
struct Claim {
    client: ClientId,
    user: Option<Text>,
    peer: Option<IpAddr>,
}

impl Claim {
    fn of(credentials: &Credentials) -> Self {
        let Credentials { client_id, user_name, peer, .. } = credentials;
        Self { client: client_id.clone(), user: user_name.clone(), peer: *peer }
    }

    /// By the name that was tried, where that is another than the one that was given.
    fn who<'a>(&'a self, tried: Option<&'a str>) -> Who<'a> {
        let user = tried.or(self.user.as_deref());
        Who { client: self.client.as_str(), user, peer: self.peer }
    }
}

/// The checks of one shard.
pub(crate) struct Checks {
    bell: Bell,
    fences: Arc<Fences>,
    clock: Clock,
    outcomes: SyncSender<(Ticket, Outcome)>,
    arrived: Receiver<(Ticket, Outcome)>,
    under_way: usize,
    advice: SyncSender<(Query, Outcome)>,
    advised: Receiver<(Query, Outcome)>,
    acts: usize,
}

impl Checks {
    /// None yet; the bell tells the shard of each outcome.
    pub(crate) fn new(bell: Bell, fences: Arc<Fences>, clock: Clock) -> Self {
        let (outcomes, arrived) = sync_channel(UNDER_WAY_MAX);
        let (advice, advised) = sync_channel(ACTS_MAX);
        let (under_way, acts) = (0, 0);
        Self { bell, fences, clock, outcomes, arrived, under_way, advice, advised, acts }
    }

    /// Has the policy check the credentials; false when too many checks are under way.
    pub(crate) fn begin(
        &mut self,
        ticket: Ticket,
        policy: &Arc<dyn Policy>,
        mut credentials: Credentials,
    ) -> bool {
        if self.under_way >= UNDER_WAY_MAX {
            return false;
        }
        self.under_way += 1;
        let (outcomes, bell) = (self.outcomes.clone(), self.bell.clone());
        let (fences, clock) = (Arc::clone(&self.fences), self.clock);
        let claim = Arc::new(Claim::of(&credentials));
        let (asks, claims) = (Arc::clone(&fences), Arc::clone(&claim));
        let gate = Gate::new(move |tried| {
            asks.ask_lockout(clock.now(), claims.who(tried)).map_err(Fence::reason)
        });
        credentials.gate = gate.clone();
        let reply = Reply::new(move |mut outcome| {
            // Counted where it is found, before the next one is asked about.
            fences.note_outcome(clock.now(), claim.who(gate.tried()), &outcome);
            if let Outcome::Allow(rights, _) = &mut outcome {
                // What it was found by has another clock.
                rights.expires = rights.expires.map(|end| clock.of_system(end));
            }
            // There is room for every check that is under way; a shard that is gone needs no answer.
            if outcomes.try_send((ticket, outcome)).is_ok() {
                bell.ring();
            }
        });
        policy.verify(credentials, reply);
        true
    }

    /// Has the policy ask about an act; false when too many questions are under way.
    pub(crate) fn ask(
        &mut self,
        query: Query,
        policy: &dyn Policy,
        credentials: Credentials,
    ) -> bool {
        if self.acts >= ACTS_MAX {
            return false;
        }
        self.acts += 1;
        let (advice, bell, clock) = (self.advice.clone(), self.bell.clone(), self.clock);
        let reply = Reply::new(move |mut outcome| {
            if let Outcome::Allow(rights, _) = &mut outcome {
                rights.expires = rights.expires.map(|end| clock.of_system(end));
            }
            // There is room for every question that is under way.
            if advice.try_send((query, outcome)).is_ok() {
                bell.ring();
            }
        });
        policy.ask(credentials, reply);
        true
    }

    /// The next answer about an act that has arrived.
    pub(crate) fn next_advice(&mut self) -> Option<(Query, Outcome)> {
        let advice = self.advised.try_recv().ok()?;
        self.acts -= 1;
        Some(advice)
    }

    /// The next outcome that has arrived.
    pub(crate) fn next(&mut self) -> Option<(Ticket, Outcome)> {
        let outcome = self.arrived.try_recv().ok()?;
        self.under_way -= 1;
        Some(outcome)
    }
}
