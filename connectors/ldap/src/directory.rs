use std::fmt;

use bytes::Bytes;
use ldap_client_proto::{LdapResult, ResultCode, SearchResultEntry};
use plexus_admission::{Server, Trouble};
use plexus_runtime::Line;

use crate::{
    place::Search,
    session::{Session, refused},
};

/// How a directory is reached.
#[derive(Debug, Clone)]
pub struct LdapServer {
    /// Where it is.
    pub line: Line,
    /// Whether TLS begins on a connection in clear text, in place of with it.
    pub start_tls: bool,
}

/// Who the node is there.
#[derive(Clone)]
pub struct Login {
    /// Its distinguished name.
    pub name: String,
    /// Its password.
    pub password: String,
}

/// Shows no password.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The entries, read as the node.
#[derive(Debug)]
pub(crate) struct Entries {
    pub(crate) server: LdapServer,
    pub(crate) login: Option<Login>,
    /// The attributes that are read.
    pub(crate) attributes: Vec<String>,
}

impl Server for Entries {
    type Session = Session;
    type Question = Search;
    type Found = Option<SearchResultEntry>;

    async fn open(&self) -> Result<Session, Trouble> {
        let mut session = Session::open(&self.server).await?;
        if let Some(login) = &self.login {
            let result = session.bind(&login.name, login.password.as_bytes()).await?;
            if result.code != ResultCode::Success {
                return Err(refused(&result));
            }
        }
        Ok(session)
    }

    fn is_over(session: &Session) -> bool {
        session.is_over()
    }

    async fn ask(
        &self,
        session: &mut Session,
        question: &Search,
    ) -> Result<Option<SearchResultEntry>, Trouble> {
        let (entries, result) = session.search(question, &self.attributes).await?;
        let is_of_client = question.scope == ldap_client_proto::SearchScope::BaseObject;
        match (result.code, <[_; 1]>::try_from(entries)) {
            (ResultCode::Success, Ok([entry])) => Ok(Some(entry)),
            (ResultCode::Success, Err(none)) if none.is_empty() => Ok(None),
            // A name that the client has a part in.
            (ResultCode::NoSuchObject | ResultCode::InvalidDnSyntax, _) if is_of_client => Ok(None),
            (ResultCode::Success | ResultCode::SizeLimitExceeded, _) => {
                Err(Trouble::Nonsense("several entries are found".to_owned()))
            }
            (ResultCode::Referral, _) => {
                Err(Trouble::Failed("it refers to another server, which is not asked".to_owned()))
            }
            _ => Err(refused(&result)),
        }
    }
}

/// The door of the directory, at which clients show their passwords. On these connections nothing else is asked.
#[derive(Debug)]
pub(crate) struct Entrance(pub(crate) LdapServer);

/// A name and the password that a client shows for it.
pub(crate) struct Shown {
    pub(crate) name: String,
    pub(crate) password: Bytes,
}

/// What the directory says to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admittance {
    Right,
    Wrong,
    /// There is no such entry, as far as it tells.
    Unknown,
}

impl Server for Entrance {
    type Session = Session;
    type Question = Shown;
    type Found = Admittance;

    async fn open(&self) -> Result<Session, Trouble> {
        Session::open(&self.0).await
    }

    fn is_over(session: &Session) -> bool {
        session.is_over()
    }

    async fn ask(&self, session: &mut Session, shown: &Shown) -> Result<Admittance, Trouble> {
        let result = session.bind(&shown.name, &shown.password).await?;
        admittance(&result)
    }
}

/// Among other things of an entry that has no password.
const INAPPROPRIATE_AUTHENTICATION: i32 = 48;

fn admittance(result: &LdapResult) -> Result<Admittance, Trouble> {
    match result.code {
        ResultCode::Success => Ok(Admittance::Right),
        // The last three are of users that are locked, have no password or may not come in by it.
        ResultCode::InvalidCredentials
        | ResultCode::Unknown(INAPPROPRIATE_AUTHENTICATION)
        | ResultCode::InsufficientAccessRights
        | ResultCode::ConstraintViolation
        | ResultCode::UnwillingToPerform => Ok(Admittance::Wrong),
        ResultCode::NoSuchObject | ResultCode::InvalidDnSyntax => Ok(Admittance::Unknown),
        _ => Err(refused(result)),
    }
}
