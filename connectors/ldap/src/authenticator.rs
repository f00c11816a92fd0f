use bytes::Bytes;
use ldap_client_proto::SearchResultEntry;
use plexus_access::{Credentials, PasswordScheme, Rights};
use plexus_admission::{Answer, Asking, Authenticator, PasswordCheck, Pool, StoredUser, Trouble};
use plexus_runtime::Handle;
use plexus_types::{ReasonCode, Text};

use crate::{
    Attributes, LdapServer, Login, Place,
    directory::{Admittance, Entrance, Entries, Shown},
    entry::spelled,
    place::Search,
};

/// How it is found out whether a password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The directory lets the user in by it.
    Bind,
    /// It is compared with what the entry has stored, in that scheme.
    Stored(PasswordScheme),
}

/// How a directory is asked.
#[derive(Debug)]
pub struct LdapOptions {
    /// Where it is.
    pub server: LdapServer,
    /// Who the node is there; nobody if it is left out.
    pub login: Option<Login>,
    /// Where the entry of a client is.
    pub place: Place,
    /// What is read there.
    pub attributes: Attributes,
    /// How a password is proved.
    pub proof: Proof,
}

/// A directory that is asked about each client, by as many connections as are needed at the same time.
#[derive(Debug)]
pub struct LdapAuthenticator {
    place: Place,
    attributes: Attributes,
    /// The attributes in which the name of a user stands.
    user_names: Vec<String>,
    entries: Pool<Entries>,
    entrance: Pool<Entrance>,
    /// None where the directory itself says whether a password is right.
    check: Option<PasswordCheck>,
}

impl LdapAuthenticator {
    /// A directory that is asked so. It is connected to when the first client comes.
    pub fn new(options: LdapOptions, runtime: &Handle) -> Self {
        let LdapOptions { server, login, place, attributes, proof } = options;
        let user_names = place.of_user_name();
        let read = attributes.names(&user_names);
        let check = match proof {
            Proof::Bind => None,
            Proof::Stored(scheme) => Some(PasswordCheck::new(scheme, runtime.clone())),
        };
        Self {
            place,
            attributes,
            user_names,
            entries: Pool::new(Entries { server: server.clone(), login, attributes: read }),
            entrance: Pool::new(Entrance(server)),
            check,
        }
    }

    /// The name that the client gives, as its entry has it.
    fn spelled(
        &self,
        entry: &SearchResultEntry,
        given: Option<&str>,
    ) -> Result<Option<Text>, Trouble> {
        given.map_or(Ok(None), |given| spelled(entry, &self.user_names, given))
    }

    /// Whose password is compared here.
    async fn stored(
        &self,
        check: &PasswordCheck,
        search: &Search,
        given: Option<&str>,
        password: Bytes,
    ) -> Result<Answer, Trouble> {
        let user = match self.entries.ask(search).await? {
            None => None,
            Some(entry) => {
                let rules = self.attributes.rules(&entry)?;
                let user = StoredUser::of_fields(self.attributes.fields(&entry)?, rules);
                let user =
                    user.ok_or_else(|| Trouble::Nonsense("it has no password".to_owned()))?;
                Some(StoredUser { user_name: self.spelled(&entry, given)?, ..user })
            }
        };
        check.judge(user, password).await
    }

    /// Whose password the directory knows.
    async fn bound(
        &self,
        name: Option<String>,
        search: &Search,
        given: Option<&str>,
        password: Bytes,
    ) -> Result<Answer, Trouble> {
        let entry = match &name {
            Some(_) if !self.attributes.give_rights() => None,
            _ => match self.entries.ask(search).await? {
                None => return Ok(Answer::Ignore),
                entry => entry,
            },
        };
        let name = name.or_else(|| entry.as_ref().map(|entry| entry.dn.clone()));
        let name = name.unwrap_or_default();
        match self.entrance.ask(&Shown { name, password }).await? {
            Admittance::Unknown => return Ok(Answer::Ignore),
            Admittance::Wrong => return Ok(Answer::Deny(ReasonCode::BadUserNameOrPassword)),
            Admittance::Right => {}
        }
        let rights = match entry {
            Some(entry) => Rights {
                user_name: self.spelled(&entry, given)?,
                rules: self.attributes.rules(&entry)?,
                is_superuser: StoredUser::is_superuser(&self.attributes.fields(&entry)?),
                ..Rights::default()
            },
            None => Rights::default(),
        };
        Ok(Answer::Allow(Box::new(rights), None))
    }
}

impl Authenticator for LdapAuthenticator {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none()
            && credentials.password.is_some()
            && self.place.concerns(credentials)
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let (name, search) = (self.place.name(credentials), self.place.search(credentials));
        let (password, given) = (credentials.password.clone(), credentials.user_name.as_deref());
        Box::pin(async move {
            let (Some(search), Some(password)) = (search, password) else {
                return Ok(Answer::Ignore);
            };
            // A directory lets everybody in who shows none (RFC 4513, section 5.1.2).
            if password.is_empty() {
                return Ok(Answer::Deny(ReasonCode::BadUserNameOrPassword));
            }
            match &self.check {
                Some(check) => self.stored(check, &search, given, password).await,
                None => self.bound(name, &search, given, password).await,
            }
        })
    }

    fn may_have_rules(&self, credentials: &Credentials) -> bool {
        self.attributes.have_rules() && self.place.concerns(credentials)
    }

    fn rules<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let search = self.place.search(credentials);
        Box::pin(async move {
            let Some(search) = search else { return Ok(Answer::Ignore) };
            let Some(entry) = self.entries.ask(&search).await? else { return Ok(Answer::Ignore) };
            Ok(self.attributes.rules(&entry)?.map_or(Answer::Ignore, Answer::of_rules))
        })
    }
}
