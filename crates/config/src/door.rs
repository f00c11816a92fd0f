use std::time::Duration;

use plexus_access::{
    Act, Advice, AllowAll, Credentials, Edition, Effect, Explanation, Notice, Outcome, Policy,
    Principal, Reply, Rule, Rules, Verdict, Visitor, Wanted,
};
use plexus_admission::Advisers;
use plexus_audit::{AuditPort, Event, Kind, Who};
use plexus_types::{Qos, ReasonCode, TenantName, TopicFilter, TopicName};

use crate::{
    live::{LiveChain, LiveRules, MANY},
    report::on_one_line,
};

/// A door that knows whom to ask about clients, if there is anybody, and the rules.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) chain: LiveChain,
    pub(crate) rules: LiveRules,
    /// Whether each delivery is asked about.
    pub(crate) filters_deliveries: bool,
    /// Who is asked about acts of which no rule says anything, and how long what they say is remembered.
    pub(crate) advisers: Option<(Advisers, Duration)>,
    /// What is refused here is reported there.
    pub(crate) audit: AuditPort,
}

impl Door {
    /// What the rules say: `find` finds the one that speaks. `refused` hears of the one that refuses.
    fn decide(
        &self,
        principal: &Principal,
        find: impl Fn(&Rules) -> Option<(usize, &Rule)>,
        refused: impl FnOnce(Option<&Rule>),
    ) -> Verdict {
        let no = Verdict::Deny(ReasonCode::NotAuthorized);
        if self.is_unknown(principal) {
            refused(None);
            return no;
        }
        let rights = principal.rights.as_deref();
        if rights.is_some_and(|rights| rights.is_superuser) {
            return Verdict::Allow;
        }
        // What a client has brought with it speaks first.
        let own = rights.and_then(|rights| rights.rules.as_ref());
        let (rules, named) = (self.rules.load(), self.rules.named());
        let of_name = || named.as_deref()?.of(principal).find_map(&find);
        let rule = own.and_then(&find).or_else(of_name);
        let rule = rule.or_else(|| rules.as_deref().and_then(&find));
        let effect = match rule {
            Some((_, rule)) => rule.effect,
            None if self.advisers.is_some() => return Verdict::Later,
            None => self.otherwise(rules.as_deref(), own.is_some()),
        };
        if effect == Effect::Allow {
            return Verdict::Allow;
        }
        refused(rule.map(|(_, rule)| rule));
        no
    }

    /// Whether what a client had brought with it did not outlive the node: it may have been a ban.
    fn is_unknown(&self, principal: &Principal) -> bool {
        principal.is_unplaced && self.chain.gives_rights()
    }

    /// What the rules say to an act, and which of them.
    fn explained(
        &self,
        principal: &Principal,
        find: impl Fn(&Rules) -> Option<(usize, &Rule)>,
    ) -> Explanation {
        let verdict = self.decide(principal, &find, |_| {});
        let rights = principal.rights.as_deref();
        let own = rights.and_then(|rights| rights.rules.as_ref());
        let (rules, named) = (self.rules.load(), self.rules.named());
        let of_name = || named.as_deref()?.of(principal).find_map(&find);
        let because = if self.is_unknown(principal) {
            "it has not come back since the node started: what it may is not known".to_owned()
        } else if rights.is_some_and(|rights| rights.is_superuser) {
            "no rule holds for a superuser".to_owned()
        } else if let Some((_, rule)) = own.and_then(&find) {
            format!("rule `{}`, which the client has brought with it", rule.name)
        } else if let Some((_, rule)) = of_name() {
            format!("rule `{}` of the accounts", rule.name)
        } else if let Some((place, rule)) = rules.as_deref().and_then(&find) {
            format!("rule `{}`, access.rule {}", rule.name, place + 1)
        } else if self.advisers.is_some() {
            "no rule says anything: the services of access.ask are asked".to_owned()
        } else if rules.is_some() || own.is_some() {
            "no rule says anything: access.no_match holds".to_owned()
        } else if named.is_some() {
            "no rule of the accounts says anything, and the configuration has none".to_owned()
        } else {
            "there are no rules".to_owned()
        };
        Explanation { verdict, because }
    }

    /// What holds where nobody says anything.
    fn otherwise(&self, rules: Option<&Rules>, has_own: bool) -> Effect {
        match rules {
            Some(rules) => rules.otherwise(),
            None if has_own || self.advisers.is_some() => Effect::Deny,
            None => Effect::Allow,
        }
    }

    /// The same of an act whose refusal is told.
    fn answer(
        &self,
        principal: &Principal,
        act: &Act<'_>,
        find: impl Fn(&Rules) -> Option<(usize, &Rule)>,
    ) -> Verdict {
        let refused = |rule: Option<&Rule>| {
            let rule = rule.map_or(NO_MATCH, |rule| &rule.name);
            tell(principal, act, rule);
            self.audit.record(|| refusal(principal, act, rule));
        };
        self.decide(principal, find, refused)
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
/// Those who are asked about what no rule speaks of.
const ASKED: &str = "access.ask";
/// Nobody of them has said anything.
const UNANSWERED: &str = "access.ask gives no answer";
/// What clients may not publish whatever the rules say.
const FORBIDDEN: &str = "$SYS and $events are the node's own";

/// Somebody, as the audit log names him.
fn named(visitor: Visitor<'_>) -> Who {
    Who {
        client: visitor.client.map(str::to_owned),
        user: visitor.user.map(str::to_owned),
        peer: visitor.peer,
        listener: Some(visitor.listener.to_owned()),
        tenant: visitor.tenant.map(str::to_owned),
    }
}

/// What the audit log says of it.
fn refusal(principal: &Principal, act: &Act<'_>, because: &str) -> Event {
    let (name, target) = match act {
        Act::Publish { topic, .. } => ("publish", topic.as_str()),
        Act::Subscribe { filter, .. } => ("subscribe", filter.as_str()),
        Act::Receive { topic, .. } => ("receive", topic.as_str()),
    };
    Event::refused(Kind::Access, name, named(principal.into()), because).on(target)
}

#[cold]
fn tell(principal: &Principal, act: &Act<'_>, rule: &str) {
    // What a client has written is not to look like a line of the log.
    let client = on_one_line(principal.client_id.as_str());
    let user = on_one_line(principal.user_name.as_deref().unwrap_or(""));
    let tenant = principal.tenant.as_ref().map(TenantName::as_str);
    match act {
        Act::Publish { topic, .. } => {
            let topic = on_one_line(topic);
            tracing::info!(%client, %user, %topic, rule, tenant, "publishing refused");
        }
        Act::Subscribe { filter, .. } => {
            let filter = on_one_line(filter.as_str());
            tracing::info!(%client, %user, %filter, rule, tenant, "subscribing refused");
        }
        // As many as there are messages: they are counted.
        Act::Receive { .. } => {}
    }
}

#[cold]
fn tell_advice(who: &Who, wanted: &Wanted, rule: &str) {
    let client = on_one_line(who.client.as_deref().unwrap_or(""));
    let user = on_one_line(who.user.as_deref().unwrap_or(""));
    let topic = on_one_line(&wanted.topic);
    let action = if wanted.publish { "publishing" } else { "subscribing" };
    let tenant = who.tenant.as_deref();
    tracing::info!(%client, %user, %topic, rule, tenant, "{action} refused");
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

    fn publish(&self, principal: &Principal, topic: &TopicName, qos: Qos, retain: bool) -> Verdict {
        let act = Act::Publish { topic, qos, retain };
        if let Verdict::Deny(reason) = AllowAll.publish(principal, topic, qos, retain) {
            return Verdict::Deny(self.forbid(principal, &act, reason));
        }
        self.answer(principal, &act, |rules| rules.find(principal, &act))
    }

    fn advice(&self) -> Option<Advice> {
        let (_, holds) = self.advisers.as_ref()?;
        let (edition, _) = self.rules.edition();
        Some(Advice { edition, holds: *holds })
    }

    fn ask(&self, credentials: Credentials, reply: Reply) {
        let Some((advisers, _)) = &self.advisers else {
            return reply.send(Outcome::Deny(ReasonCode::NotAuthorized));
        };
        let (audit, who, wanted) =
            (self.audit.clone(), named((&credentials).into()), credentials.wanted.clone());
        let reply = Reply::new(move |outcome| {
            if let (Outcome::Deny(reason), Some(wanted)) = (&outcome, &wanted) {
                let because = if *reason == ReasonCode::NotAuthorized { ASKED } else { UNANSWERED };
                tell_advice(&who, wanted, because);
                audit.record(|| {
                    let name = if wanted.publish { "publish" } else { "subscribe" };
                    Event::refused(Kind::Access, name, who, because).on(wanted.topic.as_str())
                });
            }
            reply.send(outcome);
        });
        let otherwise = self.otherwise(self.rules.load().as_deref(), false);
        advisers.ask(credentials, otherwise, reply);
    }

    fn edition(&self, principal: &Principal) -> Option<Edition> {
        let (edition, many) = self.rules.edition();
        let Some(rights) = principal.rights.as_deref() else { return many.then_some(edition) };
        let own = rights.rules.as_ref().map_or(0, Rules::len);
        ((many || own >= MANY) && !rights.is_superuser).then_some(edition)
    }

    fn subscribe(&self, principal: &Principal, filter: &TopicFilter, qos: Qos) -> Verdict {
        let act = Act::Subscribe { filter, qos };
        if self.filters_deliveries {
            self.answer(principal, &act, |rules| rules.find_any(principal, filter, qos))
        } else {
            self.answer(principal, &act, |rules| rules.find(principal, &act))
        }
    }

    fn explain(&self, principal: &Principal, act: &Act<'_>) -> Explanation {
        match *act {
            Act::Publish { topic, qos, retain } => {
                match AllowAll.publish(principal, topic, qos, retain) {
                    verdict @ Verdict::Deny(_) => {
                        Explanation { verdict, because: FORBIDDEN.to_owned() }
                    }
                    _ => self.explained(principal, |rules| rules.find(principal, act)),
                }
            }
            Act::Subscribe { filter, qos } if self.filters_deliveries => {
                self.explained(principal, |rules| rules.find_any(principal, filter, qos))
            }
            Act::Subscribe { .. } | Act::Receive { .. } => {
                self.explained(principal, |rules| rules.find(principal, act))
            }
        }
    }

    fn filters_deliveries(&self, principal: &Principal) -> bool {
        let rights = principal.rights.as_deref();
        self.filters_deliveries && !rights.is_some_and(|rights| rights.is_superuser)
    }

    fn receive(&self, principal: &Principal, topic: &TopicName, qos: Qos) -> bool {
        let act = Act::Receive { topic, qos };
        self.decide(principal, |rules| rules.find(principal, &act), |_| {}) == Verdict::Allow
    }
}

#[cfg(test)]
mod tests;
