//! Checks of credentials, and questions about acts, that are under way elsewhere, and the way back of their
//! outcomes.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use plexus_access::{Credentials, Gate, Outcome, Policy, Reply, Rights};
use plexus_links::Bell;
use plexus_types::{ClientId, ReasonCode, TenantName, Text};

use crate::{Clock, Fence, Fences, Who};

/// Names a connection within its shard; the shell chooses the numbers and keeps them small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnId(pub u32);

/// Names a pending check of credentials: the connection and which of its occupants asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket {
    /// The connection that waits.
    pub conn: ConnId,
    /// Guards against a connection number that is used again.
    pub serial: u32,
}

/// Names a client of a shard; the serial tells it from a later one in the same slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientRef {
    /// The slot of the client in its shard.
    pub slot: u32,
    /// Which occupant of the slot.
    pub serial: u32,
}

/// Names a question about an act of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Query {
    /// The client waits for the answer; the number tells its questions apart.
    Act(ClientRef, u32),
    /// It is about a Will, of that number, and nobody waits.
    Will(u64),
}

/// Checks of one shard that may be under way; beyond it a client is told that the server is busy.
const UNDER_WAY_MAX: usize = 2_048;
/// The same of questions about acts. They are apart: who comes in does not wait for who is in.
const ACTS_MAX: usize = 2_048;

/// Who somebody says that he is.
struct Claim {
    client: ClientId,
    user: Option<Text>,
    peer: Option<IpAddr>,
    tenant: Option<TenantName>,
}

impl Claim {
    fn of(credentials: &Credentials) -> Self {
        let Credentials { client_id, user_name, peer, tenant, .. } = credentials;
        let (client, user) = (client_id.clone(), user_name.clone());
        Self { client, user, peer: *peer, tenant: tenant.clone() }
    }

    /// By the name that was tried, where that is another than the one that was given.
    fn who<'a>(&'a self, tried: Option<&'a str>) -> Who<'a> {
        let user = tried.or(self.user.as_deref());
        Who { client: self.client.as_str(), user, peer: self.peer, tenant: self.tenant.as_ref() }
    }
}

/// The checks of one shard.
#[derive(Debug)]
pub struct Checks {
    bell: Bell,
    fences: Arc<Fences>,
    clock: Clock,
    outcomes: SyncSender<(Ticket, Outcome)>,
    arrived: Receiver<(Ticket, Outcome)>,
    under_way: usize,
    advice: SyncSender<(Query, Outcome)>,
    advised: Receiver<(Query, Outcome)>,
    acts: usize,
    /// Who waits for one; whoever is gone is not in it.
    waiting: BTreeMap<(ConnId, u32), Arc<()>>,
}

impl Checks {
    /// None yet; the bell tells the shard of each outcome.
    pub fn new(bell: Bell, fences: Arc<Fences>, clock: Clock) -> Self {
        let (outcomes, arrived) = sync_channel(UNDER_WAY_MAX);
        let (advice, advised) = sync_channel(ACTS_MAX);
        let (under_way, waiting, acts) = (0, BTreeMap::new(), 0);
        Self { bell, fences, clock, outcomes, arrived, under_way, advice, advised, acts, waiting }
    }

    /// Has the policy check the credentials; false when too many checks are under way.
    pub fn begin(
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
        let waits = Arc::new(());
        let waiting = Arc::downgrade(&waits);
        self.waiting.insert((ticket.conn, ticket.serial), waits);
        let gate = Gate::new(move |tried| {
            // Nothing is computed for who is gone, and so nobody hears this.
            if waiting.strong_count() == 0 {
                return Err(ReasonCode::UnspecifiedError);
            }
            asks.ask_lockout(clock.now(), claims.who(tried)).map_err(Fence::reason)
        });
        credentials.gate = gate.clone();
        let reply = Reply::new(move |mut outcome| {
            // Counted where it is found, before the next one is asked about. Who is let in by something else says
            // nothing of the user whose name he gives.
            let tried = gate.tried();
            let is_another = |rights: &Rights| {
                tried.is_none() && rights.is_name_unproved && rights.user_name.is_none()
            };
            if !matches!(&outcome, Outcome::Allow(rights, _) if is_another(rights)) {
                fences.note_outcome(clock.now(), claim.who(tried), &outcome);
            }
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
    pub fn ask(&mut self, query: Query, policy: &dyn Policy, credentials: Credentials) -> bool {
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
    pub fn next_advice(&mut self) -> Option<(Query, Outcome)> {
        let advice = self.advised.try_recv().ok()?;
        self.acts -= 1;
        Some(advice)
    }

    /// The next outcome that has arrived.
    pub fn next_outcome(&mut self) -> Option<(Ticket, Outcome)> {
        let outcome = self.arrived.try_recv().ok()?;
        self.under_way -= 1;
        let (Ticket { conn, serial }, _) = &outcome;
        self.waiting.remove(&(*conn, *serial));
        Some(outcome)
    }

    /// That connection is gone: what it asked and nobody has begun with need not be found out.
    pub fn give_up(&mut self, conn: ConnId) {
        if self.waiting.is_empty() {
            return; // Nearly always.
        }
        let asked = self.waiting.range((conn, 0)..=(conn, u32::MAX));
        for key in asked.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.waiting.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use plexus_access::{Principal, Verdict};
    use plexus_stdx::Seed;
    use plexus_types::{Instant, Qos, TopicFilter, TopicName};

    use super::*;
    use crate::FenceOptions;

    /// Keeps what it is asked.
    #[derive(Default)]
    struct Slow(Mutex<Vec<(Credentials, Reply)>>);

    impl Policy for Slow {
        fn authenticate(&self, _: &Credentials) -> Verdict {
            Verdict::Later
        }

        fn verify(&self, credentials: Credentials, reply: Reply) {
            self.0.lock().unwrap().push((credentials, reply));
        }

        fn publish(&self, _: &Principal, _: &TopicName, _: Qos, _: bool) -> Verdict {
            Verdict::Allow
        }

        fn subscribe(&self, _: &Principal, _: &TopicFilter, _: Qos) -> Verdict {
            Verdict::Allow
        }
    }

    fn credentials() -> Credentials {
        Credentials {
            client_id: ClientId::try_from("c").unwrap(),
            user_name: None,
            password: None,
            peer: None,
            listener: Arc::from("tcp"),
            tenant: None,
            certificate: None,
            enhanced: None,
            wanted: None,
            gate: Gate::default(),
        }
    }

    #[test]
    fn what_somebody_asked_who_is_gone_is_not_begun() {
        let poll = mio::Poll::new().unwrap();
        let bell = Bell::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let fences = Arc::new(Fences::new(&FenceOptions::default(), Seed::new(1)));
        let mut checks = Checks::new(bell, fences, Clock::start(Instant::ZERO));
        let slow = Arc::new(Slow::default());
        let policy: Arc<dyn Policy> = Arc::<Slow>::clone(&slow);
        for (conn, serial) in [(1, 7), (2, 8)] {
            assert!(checks.begin(Ticket { conn: ConnId(conn), serial }, &policy, credentials()));
        }
        checks.give_up(ConnId(1));
        let asked = std::mem::take(&mut *slow.0.lock().unwrap());
        let worth_while = asked.iter().map(|(credentials, _)| credentials.gate.ask().is_ok());
        assert_eq!(worth_while.collect::<Vec<_>>(), [false, true]);
        drop(asked);
        assert_eq!(std::iter::from_fn(|| checks.next_outcome()).count(), 2, "each is answered");
        assert!(checks.waiting.is_empty() && checks.under_way == 0);
    }
}
