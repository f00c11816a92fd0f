//! What clients may do and get, remembered for each of them.

use std::{fmt, sync::Arc};

use plexus_access::{Act, Policy, Principal, Remembered, Verdict};
use plexus_session::Sieve;
use plexus_stdx::Seed;
use plexus_types::{Instant, Message, Qos, ReasonCode, TopicName};

use super::{advice::publishing, clients::Client};
use crate::ports::Door;

/// Lets pass what a client may have of all that its subscriptions bring.
struct Screen {
    policy: Arc<dyn Policy>,
    principal: Arc<Principal>,
    remembered: Remembered,
}

impl fmt::Debug for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Screen").field("principal", &self.principal).finish_non_exhaustive()
    }
}

impl Sieve for Screen {
    fn passes(&mut self, topic: &TopicName, qos: Qos) -> bool {
        let Self { policy, principal, remembered } = self;
        // Rules have the names that clients know.
        let shown = principal.tenant.as_ref().map(|_| topic.to_shown());
        let topic = shown.as_ref().unwrap_or(topic);
        let ask = || policy.receive(principal, topic, qos);
        let Some(edition) = policy.edition(principal) else { return ask() };
        let act = Act::Receive { topic, qos };
        remembered.recall(edition, &act).unwrap_or_else(|| {
            let passes = ask();
            remembered.keep(edition, &act, passes);
            passes
        })
    }
}

/// The sieve of a client, if it has one. A client of whom nobody knows where it came from has none: it is away,
/// and what waits for it is asked about when it is here again.
pub(super) fn sieve(seed: Seed, door: &Door, principal: &Arc<Principal>) -> Option<Box<dyn Sieve>> {
    if principal.is_unplaced || !door.policy.filters_deliveries(principal) {
        return None;
    }
    Some(Box::new(Screen {
        policy: Arc::clone(&door.policy),
        principal: Arc::clone(principal),
        remembered: Remembered::new(seed),
    }))
}

impl Client {
    /// From now on it acts as that principal, or comes through another door.
    pub(super) fn act_as(&mut self, seed: Seed, principal: Arc<Principal>, door: Arc<Door>) {
        self.session.set_sieve(sieve(seed, &door, &principal));
        (self.principal, self.door, self.remembered) = (principal, door, None);
        self.forget_advice();
    }

    /// Whether it may publish that. Only what is allowed is remembered: a refusal is looked up anew, because
    /// it is told with its rule.
    pub(super) fn may_publish(&mut self, now: Instant, seed: Seed, message: &Message) -> Verdict {
        let Message { topic, qos, retain, .. } = message;
        let act = publishing(message);
        // Nobody would have been asked if the rules said anything.
        if let Some(allowed) = self.was_advised(now, &act) {
            let refused = Verdict::Deny(ReasonCode::NotAuthorized);
            return if allowed { Verdict::Allow } else { refused };
        }
        let (policy, principal) = (&self.door.policy, &*self.principal);
        let ask = || policy.publish(principal, topic, *qos, *retain);
        let Some(edition) = policy.edition(principal) else { return ask() };
        let remembered = self.remembered.get_or_insert_with(|| Box::new(Remembered::new(seed)));
        if remembered.recall(edition, &act) == Some(true) {
            return Verdict::Allow;
        }
        let verdict = ask();
        if verdict == Verdict::Allow {
            remembered.keep(edition, &act, true);
        }
        verdict
    }
}
