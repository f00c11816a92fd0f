use std::sync::Arc;

use bytes::Bytes;
use plexus_access::{Credentials, Exchange, Outcome, Reply, Rights, Verdict};
use plexus_runtime::{Handle, unix_now};
use plexus_types::ReasonCode;

use crate::{Answer, Derived, OnTrouble, Step, Trouble};

/// What is made of clients that show nothing: no user name, no password, no method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// They are refused, unless an authenticator knows them by something else.
    Refuse,
    /// They are let in.
    Admit,
}

/// The authenticators of a listener, in the order in which they are asked: the first that allows or
/// denies decides. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Chain {
    steps: Arc<[Arc<Step>]>,
    strangers: Strangers,
    /// What is made of what is known of whom it lets in.
    derived: Arc<Derived>,
    runtime: Handle,
}

/// An exchange that one of the steps has begun: that one goes on with it, also when others have taken its
/// place meanwhile.
struct Begun {
    step: Arc<Step>,
    exchange: Exchange,
}

impl Chain {
    /// These steps, asked on that runtime.
    pub fn new(steps: Vec<Arc<Step>>, strangers: Strangers, runtime: Handle) -> Self {
        Self { steps: steps.into(), strangers, derived: Arc::default(), runtime }
    }

    /// The same, which adds that to what is known of whom it lets in.
    #[must_use]
    pub fn with(self, derived: Arc<Derived>) -> Self {
        Self { derived, ..self }
    }

    /// Whether one of them may bring rules or attributes of a client.
    pub fn gives_rights(&self) -> bool {
        !self.derived.is_empty() || self.steps.iter().any(|step| step.gives_rights())
    }

    /// What can be said without asking anybody.
    pub fn at_once(&self, credentials: &Credentials) -> Verdict {
        let stranger = self.strangers == Strangers::Admit && shows_nothing(credentials);
        // By its certificate it may be somebody.
        let nobody = stranger && credentials.certificate.is_none();
        if !nobody && self.steps.iter().any(|step| step.concerns(credentials)) {
            return Verdict::Later;
        }
        match nobody_knows(credentials, self.strangers) {
            Ok(()) if self.derived.is_empty() => Verdict::Allow,
            Ok(()) => Verdict::Later,
            Err(reason) => Verdict::Deny(reason),
        }
    }

    /// Asks one after the other, on the runtime.
    pub fn ask(&self, credentials: Credentials, reply: Reply) {
        let (steps, strangers, derived) =
            (Arc::clone(&self.steps), self.strangers, Arc::clone(&self.derived));
        // As many as the shards have under way at most.
        self.runtime.spawn(async move {
            reply.send(walk(&steps, credentials, (strangers, &derived)).await);
        });
    }
}

async fn walk(
    steps: &[Arc<Step>],
    mut credentials: Credentials,
    (strangers, derived): (Strangers, &Derived),
) -> Outcome {
    let begun = credentials.enhanced.as_mut().and_then(|step| step.exchange.take());
    let begun = begun.and_then(Exchange::take::<Begun>);
    let mut alone = None;
    if let (Some(enhanced), Some(begun)) = (&mut credentials.enhanced, begun) {
        enhanced.exchange = Some(begun.exchange);
        alone = Some([begun.step]);
    }
    for step in alone.as_ref().map_or(steps, |step| step.as_slice()) {
        if !step.concerns(&credentials) || !step.holds(&credentials) {
            continue;
        }
        let outcome = match step.ask(&mut credentials).await {
            Ok(Answer::Ignore) => continue,
            Ok(Answer::Deny(reason)) | Err(Trouble::Fenced(reason)) => Outcome::Deny(reason),
            // A client could bring either about to get past whoever would deny it.
            Err(Trouble::Busy) => Outcome::Deny(ReasonCode::ServerBusy),
            Err(Trouble::Nonsense(_)) => Outcome::Deny(ReasonCode::ServerUnavailable),
            Err(_) if step.on_trouble() == OnTrouble::Ignore => continue,
            Err(_) => Outcome::Deny(ReasonCode::ServerUnavailable),
            Ok(Answer::Continue(data, exchange)) => {
                Outcome::Continue(data, Exchange::new(Begun { step: Arc::clone(step), exchange }))
            }
            Ok(Answer::Allow(rights, _)) if rights.expires.is_some_and(|at| at <= unix_now()) => {
                Outcome::Deny(ReasonCode::NotAuthorized)
            }
            Ok(Answer::Allow(rights, data)) => let_in(rights, data, &credentials, derived),
        };
        if let Outcome::Deny(reason) = &outcome {
            let (client, user) = (credentials.client_id.as_str(), credentials.user_name.as_deref());
            tracing::info!(authenticator = step.name(), client, user, %reason, "not let in");
        }
        return outcome;
    }
    match nobody_knows(&credentials, strangers) {
        Ok(()) => let_in(Box::default(), None, &credentials, derived),
        Err(reason) => Outcome::Deny(reason),
    }
}

/// With what is made of what is known of it.
fn let_in(
    mut rights: Box<Rights>,
    data: Option<Bytes>,
    credentials: &Credentials,
    derived: &Derived,
) -> Outcome {
    match derived.add(credentials, &mut rights) {
        Ok(()) => Outcome::Allow(rights, data),
        Err(reason) => Outcome::Deny(reason),
    }
}

fn shows_nothing(credentials: &Credentials) -> bool {
    credentials.user_name.is_none()
        && credentials.password.is_none()
        && credentials.enhanced.is_none()
}

/// What is made of somebody of whom no authenticator knows anything.
fn nobody_knows(credentials: &Credentials, strangers: Strangers) -> Result<(), ReasonCode> {
    match (shows_nothing(credentials), strangers) {
        (true, Strangers::Admit) => Ok(()),
        (true, Strangers::Refuse) => Err(ReasonCode::NotAuthorized),
        (false, _) if credentials.enhanced.is_some() => {
            Err(ReasonCode::BadAuthenticationMethod) // [MQTT-4.12.0-1]
        }
        (false, _) => Err(ReasonCode::BadUserNameOrPassword),
    }
}

#[cfg(test)]
mod tests;
