use std::{any::Any, fmt, sync::Arc};

use bytes::Bytes;
use plexus_types::{Instant, ReasonCode, TenantName, Text};

use crate::Rules;

/// What was found out about a client when it was let in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The user name that it has proved, where that is another than it gave.
    pub user_name: Option<Text>,
    /// The tenant whose client it is, as far as it was found out here.
    pub tenant: Option<TenantName>,
    /// Whether nobody has asked for a proof of the user name that it gave: it has none from then on.
    pub is_name_unproved: bool,
    /// Facts about it by their names: rules write them as `${attribute.name}`.
    pub attributes: Attributes,
    /// Rules of its own, which are asked before those of the configuration.
    pub rules: Option<Rules>,
    /// When its connection has to end, in the time of the node: what it showed holds no longer.
    pub expires: Option<Instant>,
    /// Whether no rule holds for it.
    pub is_superuser: bool,
}

impl Rights {
    /// Whether nothing was found out: only the configuration speaks.
    pub fn is_empty(&self) -> bool {
        let Self { user_name, is_name_unproved, tenant, attributes, rules, expires, is_superuser } =
            self;
        let has_more = rules.is_some() || expires.is_some() || *is_superuser || *is_name_unproved;
        user_name.is_none() && tenant.is_none() && attributes.is_empty() && !has_more
    }
}

/// Facts about a client by their names, in the order of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes(Option<Arc<[Fact]>>);

/// A name and what goes by it.
type Fact = (Box<str>, Box<str>);

/// Facts of one client, at most; further ones are left out by whoever gathers them.
pub const ATTRIBUTES_MAX: usize = 32;
/// Bytes of the name and of the value of one.
pub const ATTRIBUTE_LENGTH_MAX: usize = 1_024;

impl Attributes {
    /// These facts; of two with one name the first counts. What is beyond the limits is left out.
    pub fn new(facts: impl IntoIterator<Item = (String, String)>) -> Self {
        let fits = |text: &String| text.len() <= ATTRIBUTE_LENGTH_MAX;
        let mut facts: Vec<Fact> = facts
            .into_iter()
            .filter(|(name, value)| !name.is_empty() && fits(name) && fits(value))
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        facts.sort_by(|(one, _), (other, _)| one.cmp(other));
        facts.dedup_by(|(one, _), (other, _)| one == other);
        facts.truncate(ATTRIBUTES_MAX);
        Self((!facts.is_empty()).then(|| facts.into()))
    }

    /// The fact of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let facts = self.0.as_deref()?;
        let at = facts.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        facts.get(at).map(|(_, value)| &**value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|facts| &**facts).map(|(name, value)| (&**name, &**value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// What came of a slow check.
#[derive(Debug)]
pub enum Outcome {
    /// The client is let in, with the last Authentication Data of an enhanced authentication.
    Allow(Box<Rights>, Option<Bytes>),
    /// The enhanced authentication goes on: Authentication Data for the client, and where it stands.
    Continue(Bytes, Exchange),
    /// The client is refused for this reason.
    Deny(ReasonCode),
}

impl Outcome {
    /// Let in, with no more than the configuration gives.
    pub fn allow() -> Self {
        Self::Allow(Box::default(), None)
    }
}

/// Where an enhanced authentication stands between two packets of the client. Only who made it knows
/// what is in it.
pub struct Exchange(Box<dyn Any + Send>);

impl Exchange {
    /// Where it stands.
    pub fn new<T: Any + Send>(state: T) -> Self {
        Self(Box::new(state))
    }

    /// What was put in, if it is of that type.
    pub fn take<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|state| *state)
    }
}

/// Shows nothing: secrets may be in it.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange(…)")
    }
}

/// The way back of a slow check. It takes exactly one outcome: one that is dropped refuses, so that
/// no client waits for an answer that got lost.
pub struct Reply(Option<Box<dyn FnOnce(Outcome) + Send>>);

impl Reply {
    /// A reply that is given to `deliver`, which must not block.
    pub fn new(deliver: impl FnOnce(Outcome) + Send + 'static) -> Self {
        Self(Some(Box::new(deliver)))
    }

    /// The answer.
    pub fn send(mut self, outcome: Outcome) {
        if let Some(deliver) = self.0.take() {
            deliver(outcome);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(deliver) = self.0.take() {
            deliver(Outcome::Deny(ReasonCode::ServerUnavailable));
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply(…)")
    }
}

#[cfg(test)]
mod tests;
