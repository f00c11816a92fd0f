//! Rules that are found by a name, however many names there are.

use std::{collections::BTreeMap, sync::Arc};

use plexus_stdx::{HashMap, Seed};
use plexus_types::TenantName;

use crate::{Principal, Rules};

/// Whose rules they are, among the clients of a tenant or of none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The client of that identifier.
    Client(Box<str>),
    /// The clients that have proved that user name.
    User(Box<str>),
    /// All clients.
    All,
}

/// Rules of single clients and users, and of everybody.
///
/// A client is asked about in this order: the rules of its identifier, those of its user name, those of everybody.
#[derive(Debug, Clone)]
pub struct NamedRules {
    seed: Seed,
    tenants: BTreeMap<Option<TenantName>, OfTenant>,
}

#[derive(Debug, Clone)]
struct OfTenant {
    // Shared names: all of it is copied when one of them changes.
    clients: HashMap<Arc<str>, Rules>,
    users: HashMap<Arc<str>, Rules>,
    all: Option<Rules>,
}

impl NamedRules {
    /// No rules yet.
    pub const fn new(seed: Seed) -> Self {
        Self { seed, tenants: BTreeMap::new() }
    }

    /// Puts these rules in the place of those that somebody has; without any, nothing is left of them.
    pub fn set(&mut self, tenant: Option<&TenantName>, subject: &Subject, rules: Option<Rules>) {
        let seed = self.seed;
        let none = || OfTenant { clients: seed.map(), users: seed.map(), all: None };
        let of = self.tenants.entry(tenant.cloned()).or_insert_with(none);
        let rules = rules.filter(|rules| !rules.is_empty());
        match (subject, rules) {
            (Subject::All, rules) => of.all = rules,
            (Subject::Client(name), rules) => put(&mut of.clients, name, rules),
            (Subject::User(name), rules) => put(&mut of.users, name, rules),
        }
        if of.is_empty() {
            self.tenants.remove(&tenant.cloned());
        }
    }

    /// Whether nobody has any.
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    /// The rules that a client is asked about, in their order.
    pub fn of(&self, principal: &Principal) -> impl Iterator<Item = &Rules> {
        let of = self.tenants.get(&principal.tenant);
        let client = of.and_then(|of| of.clients.get(principal.client_id.shown()));
        let name = principal.user_name.as_deref();
        let user = of.zip(name).and_then(|(of, name)| of.users.get(name));
        client.into_iter().chain(user).chain(of.and_then(|of| of.all.as_ref()))
    }
}

impl OfTenant {
    fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.users.is_empty() && self.all.is_none()
    }
}

fn put(map: &mut HashMap<Arc<str>, Rules>, name: &str, rules: Option<Rules>) {
    match rules {
        Some(rules) => map.insert(name.into(), rules),
        None => map.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use plexus_stdx::Seed;
    use plexus_types::{ClientId, TenantName, Text};

    use super::{NamedRules, Subject};
    use crate::{Acts, Effect, Pattern, Principal, Rule, Rules, Who};

    fn rules(name: &str) -> Rules {
        let topics = vec![Pattern::parse("#").unwrap()];
        let (effect, who, acts) = (Effect::Allow, Who::default(), Acts::ALL);
        Rules::new(vec![Rule { name: name.into(), effect, who, acts, topics }], Effect::Deny)
    }

    fn client(id: &str, user: Option<&str>, tenant: Option<&str>) -> Principal {
        let tenant = tenant.map(|name| TenantName::try_from(name).unwrap());
        let own = ClientId::try_from(id).unwrap();
        Principal {
            client_id: tenant.as_ref().map_or_else(|| own.clone(), |tenant| tenant.client(&own)),
            user_name: user.map(|name| Text::try_from(name).unwrap()),
            peer: None,
            listener: "l".into(),
            tenant,
            is_unplaced: false,
            rights: None,
        }
    }

    fn names(all: &NamedRules, who: &Principal) -> String {
        let rules = all.of(who).map(|rules| format!("{rules:?}"));
        let name = |text: String| text.split('"').nth(1).unwrap().to_owned();
        rules.map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_client_comes_first_then_the_user_then_everybody() {
        let mut all = NamedRules::new(Seed::new(1));
        let acme = TenantName::try_from("acme").unwrap();
        all.set(None, &Subject::All, Some(rules("everybody")));
        all.set(None, &Subject::User("ann".into()), Some(rules("ann")));
        all.set(None, &Subject::Client("robot".into()), Some(rules("robot")));
        all.set(Some(&acme), &Subject::Client("robot".into()), Some(rules("acme")));
        assert_eq!(names(&all, &client("robot", Some("ann"), None)), "robot ann everybody");
        assert_eq!(names(&all, &client("other", Some("bob"), None)), "everybody");
        assert_eq!(
            names(&all, &client("ann", None, None)),
            "everybody",
            "an identifier is no name"
        );
        assert_eq!(names(&all, &client("robot", Some("ann"), Some("acme"))), "acme");
        assert_eq!(names(&all, &client("robot", Some("ann"), Some("other"))), "");
    }

    #[test]
    fn what_is_taken_back_leaves_nothing() {
        let mut all = NamedRules::new(Seed::new(1));
        for subject in [Subject::All, Subject::User("a".into()), Subject::Client("a".into())] {
            all.set(None, &subject, Some(rules("x")));
            assert!(!all.is_empty());
            all.set(None, &subject, Some(Rules::new(Vec::new(), Effect::Deny)));
            assert!(all.is_empty(), "{subject:?}");
        }
    }
}
