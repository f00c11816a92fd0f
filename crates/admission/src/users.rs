use std::{collections::BTreeMap, sync::Arc};

use arc_swap::ArcSwap;
use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_access::{
    Challenge, ClientFirst, Credentials, Enhanced, Exchange, Gate, Login, PasswordDigest, Rights,
    ScramError, Users,
};
use plexus_runtime::Handle;
use plexus_types::{ClientId, ReasonCode, TenantName, Text};

use crate::{Answer, Asking, Authenticator, Roster, Trouble};

/// Random bytes of the server in an exchange of SCRAM.
const NONCE_LENGTH: usize = 18;

/// What users are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UsersBy {
    /// User Name.
    #[default]
    UserName,
    /// The client identifier.
    ClientId,
}

/// Users of the node and of its tenants. Those of one tenant are unknown to all others.
#[derive(Debug)]
pub struct UserBook {
    /// Those of no tenant.
    pub own: Users,
    /// Those of each tenant that has any.
    pub tenants: BTreeMap<TenantName, Users>,
}

impl UserBook {
    /// Those of a tenant, or of none.
    pub(crate) fn of(&self, tenant: Option<&TenantName>) -> Option<&Users> {
        tenant.map_or(Some(&self.own), |tenant| self.tenants.get(tenant))
    }

    fn all(&self) -> impl Iterator<Item = &Users> {
        std::iter::once(&self.own).chain(self.tenants.values())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all().map(Users::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no rule holds for the user of that tenant.
    pub fn is_superuser(&self, tenant: Option<&TenantName>, name: &str) -> bool {
        self.of(tenant).is_some_and(|users| users.is_superuser(name))
    }

    /// How many have a weak stored password.
    pub fn weak(&self) -> usize {
        self.all().map(Users::weak).sum()
    }
}

impl From<Users> for UserBook {
    fn from(own: Users) -> Self {
        Self { own, tenants: BTreeMap::new() }
    }
}

/// The users that the node itself knows. What replaces them holds for connections from then on;
/// whoever is connected stays.
#[derive(Debug, Clone)]
pub struct UserTable {
    users: Arc<ArcSwap<UserBook>>,
    by: UsersBy,
    /// Those who are asked for beside them.
    roster: Option<Roster>,
    runtime: Handle,
}

impl UserTable {
    /// These users, until others replace them. Their passwords are checked on that runtime.
    pub fn new(users: impl Into<UserBook>, by: UsersBy, runtime: Handle) -> Self {
        Self { users: Arc::new(ArcSwap::from_pointee(users.into())), by, roster: None, runtime }
    }

    /// The same with users beside them who come and go one by one. A name that both have is that of these here.
    #[must_use]
    pub fn with(mut self, roster: &Roster) -> Self {
        self.roster = Some(roster.clone());
        self
    }

    /// From now on the roster, if there is one, stands behind these users, and behind no others.
    pub fn take_over(&self) {
        if let Some(roster) = &self.roster {
            roster.stand_behind(&self.users);
        }
    }

    /// Puts other users in their place.
    pub fn replace(&self, users: impl Into<UserBook>) {
        self.users.store(Arc::new(users.into()));
    }

    /// The users of now.
    pub fn users(&self) -> Arc<UserBook> {
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

/// Who wants to come in.
#[derive(Clone, Copy)]
struct Applicant<'a> {
    client_id: &'a ClientId,
    gate: &'a Gate,
    tenant: Option<&'a TenantName>,
}

/// An exchange of SCRAM that has begun.
struct Begun {
    challenge: Challenge,
    /// The user that the client says it is.
    name: Text,
    is_superuser: bool,
}

impl UserTable {
    /// The next step of an exchange of SCRAM.
    fn scram(
        &self,
        who: Applicant<'_>,
        enhanced: &mut Enhanced,
        digest: PasswordDigest,
    ) -> Result<Answer, Trouble> {
        let step = match enhanced.exchange.take().and_then(Exchange::take::<Begun>) {
            None => self.begin(who, &enhanced.data, digest)?,
            Some(begun) => {
                try_name(who.gate, &begun.name)?;
                self.end(begun, &enhanced.data)
            }
        };
        Ok(step.unwrap_or_else(|problem| {
            let client = who.client_id.as_str();
            tracing::info!(client, %problem, "SCRAM ends");
            // Also what DISCONNECT may say to a client that authenticates itself anew.
            Answer::Deny(ReasonCode::NotAuthorized)
        }))
    }

    fn begin(
        &self,
        who: Applicant<'_>,
        data: &[u8],
        digest: PasswordDigest,
    ) -> Result<Result<Answer, ScramError>, Trouble> {
        let mut nonce = [0; NONCE_LENGTH];
        rand::fill(&mut nonce)
            .map_err(|_| Trouble::Failed("the system gives no random numbers".to_owned()))?;
        let first = ClientFirst::parse(data);
        if let Ok(first) = &first
            && let Ok(name) = Text::try_from(first.name())
        {
            try_name(who.gate, &name)?;
        }
        Ok(first.and_then(|first| {
            let name = Text::try_from(first.name()).map_err(|_| ScramError::Form)?;
            // They may have been replaced since it was found that they know the method.
            let book = self.users();
            let found = book.of(who.tenant).and_then(|users| users.scram(&name, digest));
            let (keys, login) = found.ok_or(ScramError::Proof)?;
            // Known by its identifier, it may speak for itself only.
            let is_itself = self.by == UsersBy::UserName || who.client_id.as_str() == &*name;
            let is_superuser = login == Login::Right { is_superuser: true };
            let is_known = is_itself && login != Login::Unknown;
            let (message, challenge) = first.challenge(keys, is_known, &STANDARD.encode(nonce));
            let begun = Begun { challenge, name, is_superuser };
            Ok(Answer::Continue(message.into(), Exchange::new(begun)))
        }))
    }

    fn end(&self, begun: Begun, data: &[u8]) -> Result<Answer, ScramError> {
        let Begun { challenge, name, is_superuser } = begun;
        let last = challenge.answer(data)?;
        let user_name = (self.by == UsersBy::UserName).then_some(name);
        let rights = Rights { user_name, is_superuser, ..Rights::default() };
        Ok(Answer::Allow(Box::new(rights), Some(last.into())))
    }
}

/// Failures are counted by the name that is tried here, whatever name was given at CONNECT.
fn try_name(gate: &Gate, name: &Text) -> Result<(), Trouble> {
    gate.try_name(name);
    gate.ask().map_err(Trouble::Fenced)
}

impl Authenticator for UserTable {
    fn concerns(&self, credentials: &Credentials) -> bool {
        if let Some(enhanced) = &credentials.enhanced {
            let digest = PasswordDigest::of_scram(&enhanced.method);
            // An exchange that has begun is gone on with, whoever the users are by now.
            return digest.is_some_and(|digest| {
                let book = self.users.load();
                let users = book.of(credentials.tenant.as_ref());
                enhanced.exchange.is_some() || users.is_some_and(|it| it.offers_scram(digest))
            });
        }
        // Every client has an identifier: one that shows nothing else is none of these users.
        let shows_password = self.by == UsersBy::ClientId && credentials.password.is_some();
        credentials.user_name.is_some() || shows_password
    }

    /// A superuser has more rights than the configuration gives, never fewer: a client that is not back
    /// yet after a restart need not be held to be banned.
    fn gives_rights(&self) -> bool {
        false
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        Box::pin(async move {
            let Credentials { client_id, gate, enhanced, tenant, .. } = credentials;
            let who = Applicant { client_id, gate, tenant: tenant.as_ref() };
            if let Some(enhanced) = enhanced {
                let digest = PasswordDigest::of_scram(&enhanced.method);
                return match digest {
                    Some(digest) => self.scram(who, enhanced, digest),
                    None => Ok(Answer::Ignore),
                };
            }
            let Some(name) = self.name_of(credentials) else { return Ok(Answer::Ignore) };
            try_name(&credentials.gate, &name)?;
            let (book, tenant) = (self.users(), credentials.tenant.clone());
            let roster = self.roster.clone();
            // An absent password equals no stored one, not even that of an empty password.
            let Some(password) = credentials.password.clone() else {
                let tenant = tenant.as_ref();
                let known = book.of(tenant).is_some_and(|users| users.contains(&name))
                    || roster.is_some_and(|roster| roster.contains(tenant, &name));
                let refused = Answer::Deny(ReasonCode::BadUserNameOrPassword);
                return Ok(if known { refused } else { Answer::Ignore });
            };
            let check = move || {
                let tenant = tenant.as_ref();
                let user = roster.as_ref().and_then(|roster| roster.find(tenant, &name));
                let listed = book.of(tenant);
                match (user, listed) {
                    (Some(user), listed) if listed.is_none_or(|it| !it.contains(&name)) => {
                        user.check(&password)
                    }
                    (_, Some(users)) if !users.is_empty() => users.check(&name, &password),
                    // As long as for one who is there.
                    _ => roster.map_or(Login::Unknown, |it| it.check_nobody(&password)),
                }
            };
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

#[cfg(test)]
mod tests;
