use std::sync::{Arc, PoisonError, RwLock};

use plexus_access::{AllowAll, Credentials, Policy, Principal, Users, Verdict};
use plexus_types::{Qos, ReasonCode, TopicFilter, TopicName};

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
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = users;
    }

    /// The users of now. The copy shares them, so that nothing slow happens under the lock.
    fn now(&self) -> Users {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A door that knows the users.
#[derive(Debug)]
pub(crate) struct UsersDoor {
    pub(crate) users: LiveUsers,
    /// Whether clients without user name are let in.
    pub(crate) anonymous: bool,
}

impl Policy for UsersDoor {
    fn authenticate(&self, credentials: &Credentials) -> Verdict {
        self.users.now().with_anonymous(self.anonymous).authenticate(credentials)
    }

    fn verify(&self, credentials: &Credentials) -> Result<(), ReasonCode> {
        self.users.now().verify(credentials)
    }

    // Users differ in whether they come in, not in what they may do: no lock stands in the path of
    // a message.
    fn publish(
        &self,
        principal: &Principal,
        topic: &TopicName,
        qos: Qos,
        retain: bool,
    ) -> Result<(), ReasonCode> {
        AllowAll.publish(principal, topic, qos, retain)
    }

    fn subscribe(
        &self,
        principal: &Principal,
        filter: &TopicFilter,
        qos: Qos,
    ) -> Result<(), ReasonCode> {
        AllowAll.subscribe(principal, filter, qos)
    }
}
