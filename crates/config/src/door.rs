use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwapOption;
use plexus_access::{Act, AllowAll, Credentials, Effect, Policy, Principal, Rules, Users, Verdict};
use plexus_audit::{AuditPort, Event, Kind, Who};
use plexus_types::{Qos, ReasonCode, TopicFilter, TopicName};

use crate::report::on_one_line;

/// The users of a running node. What replaces them holds for connections from then on; whoever is
/// connected stays.
#[derive(Debug, Clone)]
pub struct LiveUsers(Arc<RwLock<Users>>);

impl LiveUsers {
    /// These users, until others replace them.
    pub fn new(users: Users) -> Self {
        Self(Arc::new(RwLock::new(users)))
    }

    /// Puts other users in their place.
    pub fn replace(&self, users: Users) {
        let mut now = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *now, users);
        drop(now);
        // A million users take their time to be freed, which nobody has to wait for.
        drop(old);
    }

    /// The users of now. The copy shares them, so that nothing slow happens under the lock.
    fn now(&self) -> Users {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The rules of a running node. What replaces them holds from the next message on; what somebody is
/// subscribed to already has to be reviewed (`NodeHandle::review_access`).
#[derive(Debug, Clone, Default)]
pub struct LiveRules(Arc<ArcSwapOption<Rules>>);

impl LiveRules {
    /// These rules, until others replace them; without any everything is allowed.
    pub fn new(rules: Option<Rules>) -> Self {
        let live = Self::default();
        live.replace(rules);
        live
    }

    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.0.load().is_some()
    }

    /// Puts other rules in their place; whether they differ.
    pub fn replace(&self, rules: Option<Rules>) -> bool {
        let rules = rules.map(Arc::new);
        self.0.swap(rules.clone()) != rules
    }
}

/// A door that knows the users, if there are any, and the rules.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) users: Option<LiveUsers>,
    /// Whether clients without user name are let in.
    pub(crate) anonymous: bool,
    pub(crate) rules: LiveRules,
    /// What is refused here is reported there.
    pub(crate) audit: AuditPort,
}

impl Door {
    fn decide(&self, principal: &Principal, act: &Act<'_>) -> Result<(), ReasonCode> {
        let rules = self.rules.0.load();
        let Some(rules) = rules.as_deref() else { return Ok(()) };
        let decision = rules.decide(principal, act);
        if decision.effect == Effect::Allow {
            return Ok(());
        }
        let rule = decision.rule.map_or(NO_MATCH, |(_, rule)| &rule.name);
        tell(principal, act, rule);
        self.audit.record(|| refusal(principal, act, rule));
        Err(ReasonCode::NotAuthorized)
    }

    /// The same for what no rule can allow.
    fn forbid(&self, principal: &Principal, act: &Act<'_>, reason: ReasonCode) -> ReasonCode {
        self.audit.record(|| refusal(principal, act, FORBIDDEN));
        reason
    }
}

/// What decides where no rule does.
const NO_MATCH: &str = "access.no_match";
/// What clients may not publish whatever the rules say.
const FORBIDDEN: &str = "$SYS is the node's own";

/// What the audit log says of it.
fn refusal(principal: &Principal, act: &Act<'_>, because: &str) -> Event {
    let (name, target) = match act {
        Act::Publish { topic, .. } => ("publish", topic.as_str()),
        Act::Subscribe { filter, .. } => ("subscribe", filter.as_str()),
    };
    let who = Who {
        client: Some(principal.client_id.as_str().to_owned()),
        user: principal.user_name.as_deref().map(str::to_owned),
        peer: principal.peer,
        listener: Some(principal.listener.to_string()),
    };
    Event::refused(Kind::Access, name, who, because).on(target)
}

#[cold]
fn tell(principal: &Principal, act: &Act<'_>, rule: &str) {
    // What a client has written is not to look like a line of the log.
    let client = on_one_line(principal.client_id.as_str());
    let user = on_one_line(principal.user_name.as_deref().unwrap_or(""));
    match act {
        Act::Publish { topic, .. } => {
            let topic = on_one_line(topic);
            tracing::info!(%client, %user, %topic, rule, "publishing refused");
        }
        Act::Subscribe { filter, .. } => {
            let filter = on_one_line(filter.as_str());
            tracing::info!(%client, %user, %filter, rule, "subscribing refused");
        }
    }
}

impl Policy for Door {
    fn authenticate(&self, credentials: &Credentials) -> Verdict {
        match &self.users {
            Some(users) => users.now().with_anonymous(self.anonymous).authenticate(credentials),
            None => AllowAll.authenticate(credentials),
        }
    }

    fn verify(&self, credentials: &Credentials) -> Result<(), ReasonCode> {
        match &self.users {
            Some(users) => users.now().verify(credentials),
            None => AllowAll.verify(credentials),
        }
    }

    fn publish(
        &self,
        principal: &Principal,
        topic: &TopicName,
        qos: Qos,
        retain: bool,
    ) -> Result<(), ReasonCode> {
        let act = Act::Publish { topic, qos, retain };
        AllowAll
            .publish(principal, topic, qos, retain)
            .map_err(|reason| self.forbid(principal, &act, reason))?;
        self.decide(principal, &act)
    }

    fn subscribe(
        &self,
        principal: &Principal,
        filter: &TopicFilter,
        qos: Qos,
    ) -> Result<(), ReasonCode> {
        AllowAll.subscribe(principal, filter, qos)?;
        self.decide(principal, &Act::Subscribe { filter, qos })
    }
}
