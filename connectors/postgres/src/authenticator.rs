use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use plexus_access::{Credentials, PasswordScheme};
use plexus_admission::{
    Answer, Asking, Authenticator, PasswordCheck, StoredUser, Trouble, rules_of_records,
};
use plexus_runtime::{Handle, Line};

use crate::{Query, session::Session};

/// How a PostgreSQL is asked.
pub struct PostgresOptions {
    /// Where it is.
    pub line: Line,
    /// The database.
    pub database: String,
    /// The role of the node there.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
    /// What reads `password_hash`, `salt` and `is_superuser` of a user.
    pub query: Query,
    /// What reads `permission`, `action`, `topic`, `qos` and `retain` of its rules.
    pub rules: Option<Query>,
    /// How passwords are stored.
    pub scheme: PasswordScheme,
}

/// Shows no password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A PostgreSQL that is asked about each client, by as many connections as are needed at the same time.
pub struct PostgresAuthenticator {
    options: PostgresOptions,
    check: PasswordCheck,
    runtime: Handle,
    /// Connections on which nothing is under way; one that is given up in the middle does not come back.
    idle: Mutex<Vec<Session>>,
}

impl PostgresAuthenticator {
    /// A PostgreSQL that is asked so. It is connected to when the first client comes.
    pub fn new(options: PostgresOptions, runtime: &Handle) -> Self {
        let check = PasswordCheck::new(options.scheme, runtime.clone());
        Self { options, check, runtime: runtime.clone(), idle: Mutex::default() }
    }

    async fn asked(&self, question: Question) -> Result<Answer, Trouble> {
        let user = match self.kept() {
            // What broke while nobody used it says nothing of the server.
            Some(session) => match self.find(session, &question).await {
                Err(Trouble::Failed(_)) => self.find_anew(&question).await?,
                found => found?,
            },
            None => self.find_anew(&question).await?,
        };
        self.check.judge(user, question.password).await
    }

    fn kept(&self) -> Option<Session> {
        let mut idle = lock(&self.idle);
        idle.retain(|session| !session.is_closed());
        idle.pop()
    }

    async fn find_anew(&self, question: &Question) -> Result<Option<StoredUser>, Trouble> {
        let session = Session::open(&self.options, &self.runtime).await?;
        self.find(session, question).await
    }

    async fn find(
        &self,
        session: Session,
        question: &Question,
    ) -> Result<Option<StoredUser>, Trouble> {
        let found = async {
            let Some(fields) = session.user(&question.user).await? else { return Ok(None) };
            let rules = session.rules(&question.rules).await?.map(rules_of_records).transpose();
            let rules = rules.map_err(|error| Trouble::Nonsense(error.to_string()))?;
            let user = StoredUser::of_fields(fields, rules);
            user.map(Some).ok_or_else(|| Trouble::Nonsense("no `password_hash`".to_owned()))
        };
        let found = found.await;
        if !matches!(found, Err(Trouble::Failed(_))) {
            lock(&self.idle).push(session);
        }
        found
    }
}

/// What is asked of one client.
struct Question {
    user: Vec<String>,
    rules: Vec<String>,
    password: Bytes,
}

impl Question {
    fn of(options: &PostgresOptions, credentials: &Credentials) -> Option<Self> {
        Some(Self {
            user: options.query.fill(credentials)?,
            rules: match &options.rules {
                Some(rules) => rules.fill(credentials)?,
                None => Vec::new(),
            },
            password: credentials.password.clone()?,
        })
    }
}

impl Authenticator for PostgresAuthenticator {
    fn concerns(&self, credentials: &Credentials) -> bool {
        let places = self.options.rules.iter().flat_map(Query::places);
        credentials.enhanced.is_none()
            && credentials.password.is_some()
            && self
                .options
                .query
                .places()
                .iter()
                .chain(places)
                .all(|it| it.of(credentials).is_some())
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let question = Question::of(&self.options, credentials);
        Box::pin(async move {
            match question {
                Some(question) => self.asked(question).await,
                None => Ok(Answer::Ignore),
            }
        })
    }
}

impl fmt::Debug for PostgresAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAuthenticator")
            .field("line", &self.options.line)
            .finish_non_exhaustive()
    }
}

/// What is under it is whole at every moment, also when somebody panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
