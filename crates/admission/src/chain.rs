use std::sync::Arc;

use bytes::Bytes;
use plexus_access::{Credentials, Effect, Exchange, Gate, Outcome, Reply, Rights, Rules, Verdict};
use plexus_runtime::{Handle, unix_now};
use plexus_types::ReasonCode;

use crate::{Answer, Derived, OnTrouble, Step, Trouble, step::Subject};

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
    /// Who is asked for rules of those that are let in.
    sources: Arc<[Arc<Step>]>,
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
        let (sources, derived) = (Arc::default(), Arc::default());
        Self { steps: steps.into(), sources, strangers, derived, runtime }
    }

    /// Has rules of everybody who is let in drawn from there, in that order.
    #[must_use]
    pub fn with_rules_from(self, sources: Vec<Arc<Step>>) -> Self {
        Self { sources: sources.into(), ..self }
    }

    /// The same, which adds that to what is known of whom it lets in.
    #[must_use]
    pub fn with(self, derived: Arc<Derived>) -> Self {
        Self { derived, ..self }
    }

    /// Whether one of them may bring rules or attributes of a client.
    pub fn gives_rights(&self) -> bool {
        self.adds_rights() || self.steps.iter().any(|step| step.gives_rights())
    }

    /// Whether something is found out about everybody whom it lets in.
    fn adds_rights(&self) -> bool {
        !self.sources.is_empty() || !self.derived.is_empty()
    }

    /// What can be said without asking anybody.
    pub fn at_once(&self, credentials: &Credentials) -> Verdict {
        let nobody = self.is_nobody(credentials);
        if !nobody && self.steps.iter().any(|step| step.concerns(credentials)) {
            return Verdict::Later;
        }
        match nobody_knows(credentials, self.strangers) {
            // What it may do, and what it is, is asked first.
            Ok(()) if self.adds_rights() => Verdict::Later,
            Ok(()) => Verdict::Allow,
            Err(reason) => Verdict::Deny(reason),
        }
    }

    /// Asks one after the other, on the runtime.
    pub fn ask(&self, credentials: Credentials, reply: Reply) {
        let chain = self.clone();
        // As many as the shards have under way at most.
        self.runtime.spawn(async move { reply.send(chain.admit(credentials).await) });
    }

    /// Whether it is let in without anybody being asked who it is: by its certificate it would be somebody.
    fn is_nobody(&self, credentials: &Credentials) -> bool {
        let is_stranger = self.strangers == Strangers::Admit && shows_nothing(credentials);
        is_stranger && credentials.certificate.is_none()
    }

    async fn admit(&self, credentials: Credentials) -> Outcome {
        let client = seen_by_sources(&credentials);
        let (outcome, by) = if self.is_nobody(&credentials) {
            (let_in(Box::default(), None, &credentials, &self.derived), None)
        } else {
            walk(&self.steps, credentials, (self.strangers, &self.derived)).await
        };
        match outcome {
            // No rule holds for a superuser.
            Outcome::Allow(rights, data) if !self.sources.is_empty() && !rights.is_superuser => {
                match draw(&self.sources, by, client, *rights).await {
                    Ok(rights) => Outcome::Allow(Box::new(rights), data),
                    Err(reason) => Outcome::Deny(reason),
                }
            }
            outcome => outcome,
        }
    }
}

/// What of a client is shown to those who are asked for its rules: nothing by which it could get in.
fn seen_by_sources(credentials: &Credentials) -> Credentials {
    Credentials {
        client_id: credentials.client_id.clone(),
        user_name: credentials.user_name.clone(),
        password: None,
        peer: credentials.peer,
        listener: Arc::clone(&credentials.listener),
        tenant: credentials.tenant.clone(),
        certificate: credentials.certificate.clone(),
        enhanced: None,
        wanted: None,
        gate: Gate::default(),
    }
}

/// The rights of a client that was let in by that step, with its own rules and behind them those of the sources.
/// What none of them speaks of is decided by the configuration: where they have none, it has rules nevertheless.
async fn draw(
    sources: &[Arc<Step>],
    by: Option<Arc<Step>>,
    mut client: Credentials,
    mut rights: Rights,
) -> Result<Rights, ReasonCode> {
    if let Some(proved) = &rights.user_name {
        client.user_name = Some(proved.clone());
    } else if rights.is_name_unproved {
        client.user_name = None;
    }
    if let Some(tenant) = &rights.tenant {
        client.tenant = Some(tenant.clone());
    }
    let brought = rights.rules.take();
    // What has let it in has been asked for its rules already.
    let is_asked = |source: &&Arc<Step>| {
        let again = brought.is_some() && by.as_ref().is_some_and(|step| Arc::ptr_eq(step, source));
        !again && source.may_have_rules(&client)
    };
    let asked: Vec<_> = sources.iter().filter(is_asked).collect();
    let mut rules = brought.unwrap_or_else(|| Rules::new(Vec::new(), Effect::Deny));
    for source in asked {
        let refused = match source.ask(Subject::Rules, &mut client).await {
            Ok(Answer::Allow(drawn, _)) => {
                if let Some(drawn) = &drawn.rules {
                    rules = rules.followed_by(drawn);
                }
                continue;
            }
            Ok(Answer::Ignore) => continue,
            Ok(Answer::Deny(reason)) => reason,
            // Nothing goes on here.
            Ok(Answer::Continue(..)) => ReasonCode::ServerUnavailable,
            Err(trouble) => match refusal(&trouble, source.on_trouble()) {
                Some(reason) => reason,
                None => continue,
            },
        };
        let (client, user) = (client.client_id.as_str(), client.user_name.as_deref());
        let source = source.name();
        tracing::info!(source, client, user, reason = %refused, "no rules, so not let in");
        return Err(refused);
    }
    rights.rules = Some(rules);
    Ok(rights)
}

/// What is made of a client when there is no answer; none where the next one is asked.
pub(crate) fn refusal(trouble: &Trouble, on_trouble: OnTrouble) -> Option<ReasonCode> {
    match trouble {
        Trouble::Fenced(reason) => Some(*reason),
        // A client could bring either about to get past whoever would deny it.
        Trouble::Busy => Some(ReasonCode::ServerBusy),
        Trouble::Nonsense(_) => Some(ReasonCode::ServerUnavailable),
        Trouble::TimedOut | Trouble::Resting | Trouble::Failed(_) => match on_trouble {
            OnTrouble::Ignore => None,
            OnTrouble::Refuse => Some(ReasonCode::ServerUnavailable),
        },
    }
}

/// What comes of it, and who has decided that.
async fn walk(
    steps: &[Arc<Step>],
    mut credentials: Credentials,
    (strangers, derived): (Strangers, &Derived),
) -> (Outcome, Option<Arc<Step>>) {
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
        let outcome = match step.ask(Subject::Client, &mut credentials).await {
            Ok(Answer::Ignore) => continue,
            Ok(Answer::Deny(reason)) => Outcome::Deny(reason),
            Err(trouble) => match refusal(&trouble, step.on_trouble()) {
                Some(reason) => Outcome::Deny(reason),
                None => continue,
            },
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
        return (outcome, Some(Arc::clone(step)));
    }
    match nobody_knows(&credentials, strangers) {
        Ok(()) => (let_in(Box::default(), None, &credentials, derived), None),
        Err(reason) => (Outcome::Deny(reason), None),
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
pub(crate) mod tests;
