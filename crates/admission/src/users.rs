use std::sync::Arc;

use arc_swap::ArcSwap;
use plexus_access::{Credentials, Login, Rights, Users};
use plexus_runtime::Handle;
use plexus_types::{ReasonCode, Text};

use crate::{Answer, Asking, Authenticator, Trouble};

/// What users are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsersBy {
    /// User Name.
    #[default]
    UserName,
    /// The client identifier.
    ClientId,
}

/// The users that the node itself knows. What replaces them holds for connections from then on;
/// whoever is connected stays.
#[derive(Debug, Clone)]
pub struct UserTable {
    users: Arc<ArcSwap<Users>>,
    by: UsersBy,
    runtime: Handle,
}

impl UserTable {
    /// These users, until others replace them. Their passwords are checked on that runtime.
    pub fn new(users: Users, by: UsersBy, runtime: Handle) -> Self {
        Self { users: Arc::new(ArcSwap::from_pointee(users)), by, runtime }
    }

    /// Puts other users in their place.
    pub fn replace(&self, users: Users) {
        self.users.store(Arc::new(users));
    }

    /// The users of now.
    pub fn users(&self) -> Arc<Users> {
        self.users.load_full()
    }

    /// The name by which a client is known here.
    fn name_of(&self, credentials: &Credentials) -> Option<Text> {
        match self.by {
            UsersBy::UserName => credentials.user_name.clone(),
            UsersBy::ClientId => Text::try_from(credentials.client_id.as_str()).ok(),
        }
    }
}

impl Authenticator for UserTable {
    fn concerns(&self, credentials: &Credentials) -> bool {
        // Every client has an identifier: one that shows nothing else is none of these users.
        let shows_password = self.by == UsersBy::ClientId && credentials.password.is_some();
        credentials.enhanced.is_none() && (credentials.user_name.is_some() || shows_password)
    }

    /// A superuser has more rights than the configuration gives, never fewer: a client that is not back
    /// yet after a restart need not be held to be banned.
    fn gives_rights(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        Box::pin(async move {
            let Some(name) = self.name_of(credentials) else { return Ok(Answer::Ignore) };
            let users = self.users();
            // An absent password equals no stored one, not even that of an empty password.
            let Some(password) = credentials.password.clone() else {
                let known = users.contains(&name);
                let refused = Answer::Deny(ReasonCode::BadUserNameOrPassword);
                return Ok(if known { refused } else { Answer::Ignore });
            };
            let check = move || users.check(&name, &password);
            let broken = || Trouble::Failed("checking the password broke off".to_owned());
            Ok(match self.runtime.compute(check).await.ok_or_else(broken)? {
                Login::Right { is_superuser } => {
                    let rights = Rights { is_superuser, ..Rights::default() };
                    Answer::Allow(Box::new(rights), None)
                }
                Login::Wrong => Answer::Deny(ReasonCode::BadUserNameOrPassword),
                Login::Unknown => Answer::Ignore,
            })
        })
    }
}
