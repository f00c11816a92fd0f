use std::sync::Arc;

use arc_swap::ArcSwap;
use plexus_access::{Credentials, Users};
use plexus_runtime::Handle;
use plexus_types::ReasonCode;

use crate::{Answer, Asking, Authenticator, Trouble};

/// The users that the node itself knows. What replaces them holds for connections from then on;
/// whoever is connected stays.
#[derive(Debug, Clone)]
pub struct UserTable {
    users: Arc<ArcSwap<Users>>,
    runtime: Handle,
}

impl UserTable {
    /// These users, until others replace them. Their passwords are checked on that runtime.
    pub fn new(users: Users, runtime: Handle) -> Self {
        Self { users: Arc::new(ArcSwap::from_pointee(users)), runtime }
    }

    /// Puts other users in their place.
    pub fn replace(&self, users: Users) {
        self.users.store(Arc::new(users));
    }
}

impl Authenticator for UserTable {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none() && credentials.user_name.is_some()
    }

    fn gives_rights(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        Box::pin(async move {
            let Some(name) = credentials.user_name.clone() else { return Ok(Answer::Ignore) };
            let users = self.users.load_full();
            // An absent password equals no stored one, not even that of an empty password.
            let Some(password) = credentials.password.clone() else {
                let known = users.contains(&name);
                let refused = Answer::Deny(ReasonCode::BadUserNameOrPassword);
                return Ok(if known { refused } else { Answer::Ignore });
            };
            let check = move || users.check(&name, &password);
            let broken = || Trouble::Failed("checking the password broke off".to_owned());
            Ok(match self.runtime.compute(check).await.ok_or_else(broken)? {
                Some(true) => Answer::allow(),
                Some(false) => Answer::Deny(ReasonCode::BadUserNameOrPassword),
                None => Answer::Ignore,
            })
        })
    }
}
