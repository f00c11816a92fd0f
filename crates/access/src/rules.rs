use std::{net::IpAddr, sync::Arc};

use plexus_types::{Qos, TenantName, TopicFilter, TopicName};

use crate::{Pattern, Person, Principal};

mod network;
mod wildcard;

pub use network::{Network, NetworkError};
pub use wildcard::Wildcard;

/// What a rule says, and what holds where no rule says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is allowed.
    Allow,
    /// It is refused.
    Deny,
}

/// What a client wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act<'a> {
    /// Publish to a topic.
    Publish {
        /// The topic.
        topic: &'a TopicName,
        /// The quality of service of the message.
        qos: Qos,
        /// Whether it is to be retained.
        retain: bool,
    },
    /// Get all that a filter matches.
    Subscribe {
        /// The filter, `$share/…/` included.
        filter: &'a TopicFilter,
        /// The highest quality of service that is asked for.
        qos: Qos,
    },
    /// Get a message by whichever subscription.
    Receive {
        /// Its topic.
        topic: &'a TopicName,
        /// The quality of service with which it would be delivered.
        qos: Qos,
    },
}

/// Whom a rule is for: everybody who is in each of the lists that have something in them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// Of which tenant they are.
    pub whose: Whose,
    /// User names; who has none is in no list.
    pub users: Vec<Wildcard>,
    /// Client identifiers.
    pub clients: Vec<Wildcard>,
    /// Where they come from, behind a proxy their real address; who comes through a Unix socket is in no
    /// network.
    pub networks: Vec<Network>,
    /// Names of listeners.
    pub listeners: Vec<Wildcard>,
    /// Attributes by name, each of which it has to have with such a value.
    pub attributes: Vec<(Box<str>, Wildcard)>,
}

/// Whose clients a rule is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Whose {
    /// Those of any tenant and of none: what a client has brought with it is about itself.
    #[default]
    Anybodys,
    /// Those of that tenant alone, or of none: rules of one tenant are never another's.
    Tenants(Option<TenantName>),
}

/// What of it a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acts {
    /// Publishing.
    pub publish: bool,
    /// Subscribing.
    pub subscribe: bool,
    /// The qualities of service, by their number.
    pub qos: [bool; 3],
    /// Of what is published, only what is retained, or only what is not.
    pub retain: Option<bool>,
}

impl Acts {
    /// Publishing and subscribing at every quality of service.
    pub const ALL: Self = Self { publish: true, subscribe: true, qos: [true; 3], retain: None };

    fn include(self, act: &Act<'_>) -> bool {
        let (concerns, qos) = match *act {
            Act::Publish { qos, retain, .. } => {
                (self.publish && self.retain.is_none_or(|wanted| wanted == retain), qos)
            }
            Act::Subscribe { qos, .. } | Act::Receive { qos, .. } => (self.subscribe, qos),
        };
        concerns && self.qos.get(usize::from(qos.get())).is_some_and(|included| *included)
    }
}

/// A rule: who may do what, or may not, with which topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is called in answers and in the log.
    pub name: Box<str>,
    /// What it says.
    pub effect: Effect,
    /// Whom it is for.
    pub who: Who,
    /// What it is about.
    pub acts: Acts,
    /// The topics that it is about.
    pub topics: Vec<Pattern>,
}

/// What the rules say, and which one of them says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision<'a> {
    /// Whether it is allowed.
    pub effect: Effect,
    /// The rule that says so, with its place among them; none where no rule says anything.
    pub rule: Option<(usize, &'a Rule)>,
}

/// Who may publish and subscribe what: the first rule that says something about it decides.
///
/// A rule that allows says something about a filter when it covers all of it, one that denies when
/// it meets any of it ([`Pattern`]): nobody gets by a wide filter what a narrow one would not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    rules: Arc<[Rule]>,
    otherwise: Effect,
}

impl Rules {
    /// These rules, in their order, and what holds where none says anything.
    pub fn new(rules: Vec<Rule>, otherwise: Effect) -> Self {
        Self { rules: rules.into(), otherwise }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// They, in their order.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// These rules, and behind them those others; in the end holds what holds here.
    #[must_use]
    pub fn followed_by(&self, others: &Self) -> Self {
        let rules = self.rules.iter().chain(&*others.rules).cloned();
        Self { rules: rules.collect(), otherwise: self.otherwise }
    }

    /// What the rules say to an act of a client.
    pub fn decide(&self, principal: &Principal, act: &Act<'_>) -> Decision<'_> {
        let rule = self.find(principal, act);
        Decision { effect: rule.map_or(self.otherwise, |(_, rule)| rule.effect), rule }
    }

    /// What holds where no rule says anything.
    pub const fn otherwise(&self) -> Effect {
        self.otherwise
    }

    /// The first rule that says something to an act of a client, with its place among them.
    pub fn find(&self, principal: &Principal, act: &Act<'_>) -> Option<(usize, &Rule)> {
        let person = Person::of(principal);
        let decides = |(_, rule): &(usize, &Rule)| {
            rule.acts.include(act)
                && rule.is_about(act, person)
                && rule.who.includes(principal, rule.effect)
        };
        self.rules.iter().enumerate().find(decides)
    }

    /// The first rule that says something to a subscription where each delivery is asked about: one that
    /// allows any of it, or one that refuses all of it. At most that quality of service is delivered.
    pub fn find_any(
        &self,
        principal: &Principal,
        filter: &TopicFilter,
        qos: Qos,
    ) -> Option<(usize, &Rule)> {
        let person = Person::of(principal);
        let decides = |(_, rule): &(usize, &Rule)| {
            rule.acts.subscribe
                && rule.is_about_any(filter, qos, person)
                && rule.who.includes(principal, rule.effect)
        };
        self.rules.iter().enumerate().find(decides)
    }
}

impl Rule {
    fn is_about(&self, act: &Act<'_>, person: Person<'_>) -> bool {
        self.topics.iter().any(|topics| match (act, self.effect) {
            (Act::Publish { topic, .. } | Act::Receive { topic, .. }, Effect::Allow) => {
                topics.allows(topic, person)
            }
            (Act::Publish { topic, .. } | Act::Receive { topic, .. }, Effect::Deny) => {
                topics.bans(topic, person)
            }
            (Act::Subscribe { filter, .. }, Effect::Allow) => {
                topics.covers(filter.matched(), person)
            }
            (Act::Subscribe { filter, .. }, Effect::Deny) => topics.meets(filter.matched(), person),
        })
    }

    fn is_about_any(&self, filter: &TopicFilter, qos: Qos, person: Person<'_>) -> bool {
        let filter = filter.matched();
        let mut delivered = self.acts.qos.iter().take(usize::from(qos.get()) + 1);
        match self.effect {
            Effect::Allow => {
                delivered.any(|included| *included)
                    && self.topics.iter().any(|topics| topics.allows_any(filter, person))
            }
            Effect::Deny => {
                delivered.all(|included| *included)
                    && self.topics.iter().any(|topics| topics.bans_all(filter, person))
            }
        }
    }
}

impl Who {
    /// A client of which nobody knows where it came from is in every network that is denied something, and
    /// has every attribute.
    fn includes(&self, principal: &Principal, effect: Effect) -> bool {
        fn any(list: &[Wildcard], text: Option<&str>) -> bool {
            list.is_empty() || text.is_some_and(|text| list.iter().any(|it| it.matches(text)))
        }
        self.is_of(principal)
            && any(&self.users, principal.user_name.as_deref())
            && any(&self.clients, Some(principal.client_id.as_str()))
            && any(&self.listeners, Some(&principal.listener))
            && self.attributes.iter().all(|(name, wanted)| {
                let rights = principal.rights.as_deref();
                let value = rights.and_then(|rights| rights.attributes.get(name));
                let unknown = principal.is_unplaced && effect == Effect::Deny;
                value.map_or(unknown, |value| wanted.matches(value))
            })
            && (self.comes_from(principal.peer) || principal.is_unplaced && effect == Effect::Deny)
    }

    fn is_of(&self, principal: &Principal) -> bool {
        match &self.whose {
            Whose::Anybodys => true,
            Whose::Tenants(tenant) => *tenant == principal.tenant,
        }
    }

    fn comes_from(&self, peer: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || peer.is_some_and(|peer| self.networks.iter().any(|network| network.contains(peer)))
    }
}

#[cfg(test)]
pub(crate) mod tests;
