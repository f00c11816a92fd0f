use plexus_access::{
    Act, AllowAll, Credentials, Effect, Notice, Policy, Principal, Reply, Rule, Verdict, Visitor,
};
use plexus_audit::{AuditPort, Event, Kind, Who};
use plexus_types::{Qos, ReasonCode, TopicFilter, TopicName};

use crate::{
    live::{LiveChain, LiveRules},
    report::on_one_line,
};

/// A door that knows whom to ask about clients, if there is anybody, and the rules.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) chain: LiveChain,
    pub(crate) rules: LiveRules,
    /// What is refused here is reported there.
    pub(crate) audit: AuditPort,
}

impl Door {
    fn decide(&self, principal: &Principal, act: &Act<'_>) -> Result<(), ReasonCode> {
        // What a client had brought with it did not outlive the node: it may have been a ban.
        if principal.is_unplaced && self.chain.gives_rights() {
            return self.answer(principal, act, Effect::Deny, None);
        }
        let rights = principal.rights.as_deref();
        if rights.is_some_and(|rights| rights.is_superuser) {
            return Ok(());
        }
        // What a client has brought with it speaks first.
        let own = rights.and_then(|rights| rights.rules.as_ref());
        if let Some((_, rule)) = own.and_then(|own| own.find(principal, act)) {
            return self.answer(principal, act, rule.effect, Some(rule));
        }
        let rules = self.rules.load();
        match (rules.as_deref(), own) {
            (Some(rules), _) => {
                let decision = rules.decide(principal, act);
                let rule = decision.rule.map(|(_, rule)| rule);
                self.answer(principal, act, decision.effect, rule)
            }
            (None, Some(_)) => self.answer(principal, act, Effect::Deny, None),
            (None, None) => Ok(()),
        }
    }

    fn answer(
        &self,
        principal: &Principal,
        act: &Act<'_>,
        effect: Effect,
        rule: Option<&Rule>,
    ) -> Result<(), ReasonCode> {
        if effect == Effect::Allow {
            return Ok(());
        }
        let rule = rule.map_or(NO_MATCH, |rule| &rule.name);
        tell(principal, act, rule);
        self.audit.record(|| refusal(principal, act, rule));
        Err(ReasonCode::NotAuthorized)
    }

    /// What can be said at once.
    fn at_once(&self, credentials: &Credentials) -> Verdict {
        match &*self.chain.load() {
            Some(chain) => chain.at_once(credentials),
            // No method of enhanced authentication is offered ([MQTT-4.12.0-1]).
            None if credentials.enhanced.is_some() => {
                Verdict::Deny(ReasonCode::BadAuthenticationMethod)
            }
            None => AllowAll.authenticate(credentials),
        }
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

/// Somebody, as the audit log names him.
fn named(visitor: Visitor<'_>) -> Who {
    Who {
        client: visitor.client.map(str::to_owned),
        user: visitor.user.map(str::to_owned),
        peer: visitor.peer,
        listener: Some(visitor.listener.to_owned()),
    }
}

/// What the audit log says of it.
fn refusal(principal: &Principal, act: &Act<'_>, because: &str) -> Event {
    let (name, target) = match act {
        Act::Publish { topic, .. } => ("publish", topic.as_str()),
        Act::Subscribe { filter, .. } => ("subscribe", filter.as_str()),
    };
    Event::refused(Kind::Access, name, named(principal.into()), because).on(target)
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
        self.at_once(credentials)
    }

    fn verify(&self, credentials: Credentials, reply: Reply) {
        match &*self.chain.load() {
            Some(chain) => chain.ask(credentials, reply),
            None => AllowAll.verify(credentials, reply),
        }
    }

    fn note(&self, visitor: Visitor<'_>, notice: Notice<'_>) {
        self.audit.record(|| {
            let who = named(visitor);
            match notice {
                Notice::LetIn => Event::logged_in(who),
                Notice::TurnedAway(because) => Event::login_refused(who, because.to_string()),
                Notice::KeptOut(fence, because) => Event::kept_out(fence, who, because.to_string()),
                Notice::Renewed => Event::renewed(who),
                Notice::NotRenewed(because) => Event::renewal_refused(who, because.to_string()),
                Notice::Disconnected(because) => Event::disconnected(who, because.to_string()),
                Notice::SessionEnded(because) => Event::session_ended(who, because.to_string()),
            }
        });
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

#[cfg(test)]
mod tests;
