use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use plexus_access::Credentials;
use plexus_runtime::unix_now;
use plexus_stdx::Seed;
use plexus_types::Instant;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{
    Answer, Authenticator, Expression, Trouble, breaker::Breaker, cache::Cache, expression::Facts,
};

/// What is made of a client when its authenticator gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTrouble {
    /// It is refused.
    #[default]
    Refuse,
    /// The next authenticator is asked.
    Ignore,
}

/// The bounds within which an authenticator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepOptions {
    /// How long an answer may take, waiting for a turn included; none where it comes for certain.
    pub timeout: Option<Duration>,
    /// Questions under way at the same time.
    pub at_once_max: usize,
    /// Questions that wait for their turn; further ones are trouble at once.
    pub waiting_max: usize,
    /// What no answer means.
    pub on_trouble: OnTrouble,
    /// How long answers are remembered, if at all.
    pub remember: Option<Duration>,
    /// Whether whoever it lets in has the user name that was given, where it names no other.
    pub proves_user_names: bool,
}

impl StepOptions {
    /// For what the node computes itself: it takes its time under load, and does not fail.
    pub const OWN: Self = Self {
        timeout: None,
        // No more than compute at the same time.
        at_once_max: 4,
        waiting_max: 1_024,
        on_trouble: OnTrouble::Refuse,
        remember: None,
        proves_user_names: true,
    };

    /// For a back end.
    pub const BACK_END: Self = Self {
        timeout: Some(Duration::from_secs(5)),
        at_once_max: 32,
        waiting_max: 1_000,
        on_trouble: OnTrouble::Refuse,
        remember: None,
        proves_user_names: true,
    };
}

/// What an authenticator is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Who a client is.
    Client,
    /// What rules somebody has who is in.
    Rules,
}

/// An authenticator in its place: one that is slow or dead costs its own clients a refusal and nobody
/// anything else.
pub struct Step {
    name: Box<str>,
    authenticator: Arc<dyn Authenticator>,
    options: StepOptions,
    /// One for each question that waits or is under way.
    places: Semaphore,
    /// One for each question under way.
    turns: Semaphore,
    breaker: Mutex<Breaker>,
    cache: Option<Mutex<Cache>>,
    /// Apart from the other: what lets nobody in must not be taken for what does.
    rules_cache: Option<Mutex<Cache>>,
    /// Of whom it is asked; of everybody where nothing is said.
    when: Option<Expression>,
}

impl Step {
    /// An authenticator of that name. The secret is of this process alone.
    pub fn new(
        name: &str,
        authenticator: Arc<dyn Authenticator>,
        options: StepOptions,
        secret: &[u8; 32],
        seed: Seed,
    ) -> Self {
        let remember = options.remember.filter(|time| !time.is_zero());
        let cache = || remember.map(|time| Mutex::new(Cache::new(time, secret, seed)));
        Self {
            name: name.into(),
            authenticator,
            options,
            places: Semaphore::new(options.waiting_max + options.at_once_max),
            turns: Semaphore::new(options.at_once_max),
            breaker: Mutex::default(),
            cache: cache(),
            rules_cache: cache(),
            when: None,
        }
    }

    /// The same, asked only about clients of whom that is true.
    #[must_use]
    pub fn when(self, condition: Option<Expression>) -> Self {
        Self { when: condition, ..self }
    }

    /// What it is called in the configuration and in the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What no answer means.
    pub(crate) fn on_trouble(&self) -> OnTrouble {
        self.options.on_trouble
    }

    /// Whether it can say anything about such credentials.
    pub(crate) fn concerns(&self, credentials: &Credentials) -> bool {
        self.authenticator.concerns(credentials)
    }

    /// Whether it is asked about that client. It may take a moment, on the control plane.
    pub(crate) fn holds(&self, credentials: &Credentials) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(&Facts::shown(credentials)))
    }

    /// Whether it may bring rules or attributes of a client.
    pub(crate) fn gives_rights(&self) -> bool {
        self.authenticator.gives_rights()
    }

    /// Whether it may have rules of such a client.
    pub(crate) fn may_have_rules(&self, credentials: &Credentials) -> bool {
        self.authenticator.may_have_rules(credentials)
    }

    /// What it says, remembered or asked for.
    pub(crate) async fn ask(
        &self,
        subject: Subject,
        credentials: &mut Credentials,
    ) -> Result<Answer, Trouble> {
        let cache = match subject {
            Subject::Client => &self.cache,
            Subject::Rules => &self.rules_cache,
        };
        let Some(cache) = cache else { return self.ask_anew(subject, credentials).await };
        let Some(print) = lock(cache).print(credentials) else {
            return self.ask_anew(subject, credentials).await;
        };
        if let Some(answer) = lock(cache).find(&print, unix_now()) {
            return Ok(answer);
        }
        let answer = self.ask_anew(subject, credentials).await?;
        lock(cache).remember(print, &answer, unix_now());
        Ok(answer)
    }

    async fn ask_anew(
        &self,
        subject: Subject,
        credentials: &mut Credentials,
    ) -> Result<Answer, Trouble> {
        let _place = self.places.try_acquire().map_err(|_| Trouble::Busy)?;
        self.authenticator.prepare(credentials).await;
        // Who waits in vain has found the others too many, not the authenticator dead.
        let turn = self.turns.acquire();
        let turn = match self.options.timeout {
            None => turn.await,
            Some(timeout) => {
                tokio::time::timeout(timeout, turn).await.map_err(|_| Trouble::Busy)?
            }
        };
        let _turn: SemaphorePermit<'_> = turn.map_err(|_| Trouble::Busy)?;
        let question = async {
            if subject == Subject::Client {
                // Guesses that came at once are judged one after the other.
                credentials.gate.ask().map_err(Trouble::Fenced)?;
            }
            // Whoever waited while it failed need not find out again.
            if !lock(&self.breaker).lets_through(unix_now()) {
                return Err(Trouble::Resting);
            }
            match subject {
                Subject::Client => self.authenticator.ask(credentials).await,
                Subject::Rules => self.authenticator.rules(credentials).await,
            }
        };
        let mut answer = match self.options.timeout {
            None => question.await,
            Some(timeout) => match tokio::time::timeout(timeout, question).await {
                Ok(answer) => answer,
                Err(_) => Err(Trouble::TimedOut),
            },
        };
        if let Ok(Answer::Allow(rights, _)) = &mut answer {
            rights.is_name_unproved = rights.user_name.is_none() && !self.options.proves_user_names;
        }
        self.note(&answer, unix_now());
        answer
    }

    fn note(&self, answer: &Result<Answer, Trouble>, now: Instant) {
        let name = &*self.name;
        match answer {
            Ok(_) => self.note_life(),
            Err(Trouble::Busy | Trouble::Resting | Trouble::Fenced(_)) => {}
            // It is there. What it says of one client must not close the door to the others.
            Err(trouble @ Trouble::Nonsense(_)) => {
                tracing::warn!(authenticator = name, %trouble, "no answer about a client");
                self.note_life();
            }
            Err(trouble @ (Trouble::TimedOut | Trouble::Failed(_))) => {
                tracing::warn!(authenticator = name, %trouble, "no answer about a client");
                if lock(&self.breaker).fail(now) {
                    tracing::error!(authenticator = name, "it is down: asked now and then only");
                }
            }
        }
    }

    fn note_life(&self) {
        if lock(&self.breaker).succeed() {
            tracing::info!(authenticator = &*self.name, "answers again");
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Step")
            .field("name", &self.name)
            .field("authenticator", &self.authenticator)
            .finish_non_exhaustive()
    }
}

/// What is under these locks is whole at every moment, also when somebody panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
