use std::{
    fmt,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use plexus_runtime::unix_now;
use plexus_types::Instant;

use crate::Trouble;

/// A server that answers one question after the other on each connection.
pub trait Server: Send + Sync + fmt::Debug + 'static {
    /// A connection.
    type Session: Send;
    /// What is asked.
    type Question: Sync;
    /// What is found.
    type Found: Send;

    /// A connection on which nothing is under way.
    fn open(&self) -> impl Future<Output = Result<Self::Session, Trouble>> + Send;

    /// Whether nothing more can be asked on it.
    fn is_over(session: &Self::Session) -> bool;

    /// The answer.
    fn ask(
        &self,
        session: &mut Self::Session,
        question: &Self::Question,
    ) -> impl Future<Output = Result<Self::Found, Trouble>> + Send;
}

/// As many connections to a server as questions are under way at the same time, which whoever asks bounds. One
/// on which a question is given up is closed.
pub struct Pool<S: Server> {
    server: S,
    idle: Idle<S::Session>,
}

/// Connections on which nothing is under way, with when that began; one that is given up in the middle does not come
/// back.
struct Idle<T>(Mutex<Vec<(Instant, T)>>);

/// What lies between may have forgotten a connection that was idle for longer, and says nothing of it.
const IDLE_TIME_MAX: Duration = Duration::from_mins(1);

impl<S: Server> Pool<S> {
    /// To that server. It is connected to when the first question comes.
    pub fn new(server: S) -> Self {
        Self { server, idle: Idle(Mutex::default()) }
    }

    /// The answer.
    pub async fn ask(&self, question: &S::Question) -> Result<S::Found, Trouble> {
        if let Some(session) = self.kept() {
            match self.ask_on(session, question).await {
                // What broke while nobody used it says nothing of the server.
                Err(Trouble::Failed(_)) => {}
                answered => return answered,
            }
        }
        let session = self.server.open().await?;
        self.ask_on(session, question).await
    }

    fn kept(&self) -> Option<S::Session> {
        let (mut idle, now) = (self.idle.lock(), unix_now());
        let is_fresh = |since: &Instant| now.saturating_since(*since) < IDLE_TIME_MAX;
        idle.retain(|(since, session)| is_fresh(since) && !S::is_over(session));
        idle.pop().map(|(_, session)| session)
    }

    async fn ask_on(
        &self,
        mut session: S::Session,
        question: &S::Question,
    ) -> Result<S::Found, Trouble> {
        let answered = self.server.ask(&mut session, question).await;
        if !matches!(answered, Err(Trouble::Failed(_))) && !S::is_over(&session) {
            self.idle.lock().push((unix_now(), session));
        }
        answered
    }
}

impl<S: Server> fmt::Debug for Pool<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("server", &self.server).finish_non_exhaustive()
    }
}

impl<T> Idle<T> {
    /// What is under it is whole at every moment, also when somebody panicked.
    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
