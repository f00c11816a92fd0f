use std::{fmt, sync::Arc};

use plexus_access::{Credentials, Effect, Outcome, Reply, Rights};
use plexus_runtime::Handle;
use plexus_types::ReasonCode;

use crate::{Answer, Step, chain::refusal, step::Subject};

/// Those who are asked about acts of which the rules say nothing, in the order in which they are asked: the first
/// that allows or denies decides. Cheap to clone.
#[derive(Clone)]
pub struct Advisers {
    steps: Arc<[Arc<Step>]>,
    runtime: Handle,
}

impl Advisers {
    /// These, asked on that runtime.
    pub fn new(steps: Vec<Arc<Step>>, runtime: Handle) -> Self {
        Self { steps: steps.into(), runtime }
    }

    /// Asks one after the other, on the runtime, about the act that stands in the credentials. Where none of
    /// them says anything, `otherwise` holds; no answer refuses.
    pub fn ask(&self, credentials: Credentials, otherwise: Effect, reply: Reply) {
        let steps = Arc::clone(&self.steps);
        // As many as the shards have under way at most.
        self.runtime.spawn(async move { reply.send(walk(&steps, credentials, otherwise).await) });
    }
}

impl fmt::Debug for Advisers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Advisers").field("steps", &self.steps).finish_non_exhaustive()
    }
}

async fn walk(steps: &[Arc<Step>], mut credentials: Credentials, otherwise: Effect) -> Outcome {
    for step in steps.iter().filter(|step| step.concerns(&credentials)).collect::<Vec<_>>() {
        return match step.ask(Subject::Client, &mut credentials).await {
            Ok(Answer::Ignore) => continue,
            // It is asked about an act: what else it says of the client is not for this moment.
            Ok(Answer::Allow(rights, _)) => {
                let rights = Rights { expires: rights.expires, ..Rights::default() };
                Outcome::Allow(Box::new(rights), None)
            }
            Ok(Answer::Deny(_)) => Outcome::Deny(ReasonCode::NotAuthorized),
            Ok(Answer::Continue(..)) => Outcome::Deny(ReasonCode::ServerUnavailable),
            Err(trouble) => match refusal(&trouble, step.on_trouble()) {
                Some(reason) => Outcome::Deny(reason),
                None => continue,
            },
        };
    }
    match otherwise {
        Effect::Allow => Outcome::allow(),
        Effect::Deny => Outcome::Deny(ReasonCode::NotAuthorized),
    }
}

#[cfg(test)]
mod tests;
