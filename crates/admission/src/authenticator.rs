use std::{fmt, pin::Pin};

use bytes::Bytes;
use plexus_access::{Credentials, Exchange, Rights, Rules};
use plexus_types::ReasonCode;

/// What an authenticator says of a client.
#[derive(Debug)]
pub enum Answer {
    /// It is who it says; the data is the last of an enhanced authentication.
    Allow(Box<Rights>, Option<Bytes>),
    /// The enhanced authentication goes on.
    Continue(Bytes, Exchange),
    /// It is not let in, for this reason.
    Deny(ReasonCode),
    /// Nothing is known of it here: the next one is asked.
    Ignore,
}

impl Answer {
    /// Let in, with no more than the configuration gives.
    pub fn allow() -> Self {
        Self::Allow(Box::default(), None)
    }

    /// Of somebody who is let in, those rules.
    pub fn of_rules(rules: Rules) -> Self {
        Self::Allow(Box::new(Rights { rules: Some(rules), ..Rights::default() }), None)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Too many wait for it already.
    #[error("too many wait for it already")]
    Busy,
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// It failed a moment ago and is not asked for a while.
    #[error("not asked: it failed a moment ago")]
    Resting,
    /// It is not worth while any more: the client is told that.
    #[error("not asked: {0}")]
    Fenced(ReasonCode),
    /// It could not be reached, or broke off.
    #[error("{0}")]
    Failed(String),
    /// It answered something that cannot be understood.
    #[error("its answer makes no sense: {0}")]
    Nonsense(String),
}

/// An answer that is on its way.
pub type Asking<'a> = Pin<Box<dyn Future<Output = Result<Answer, Trouble>> + Send + 'a>>;

/// What has to come before an answer.
pub type Preparing<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// One who may know a client. Asked on the control plane, by several at the same time.
pub trait Authenticator: Send + Sync + fmt::Debug {
    /// Whether it can say anything about such credentials at all. Asked on the shard: cheap, and it
    /// never waits.
    fn concerns(&self, credentials: &Credentials) -> bool;

    /// Whether it may bring rules or attributes of a client.
    fn gives_rights(&self) -> bool {
        true
    }

    /// Waits, a short while, for what all clients may have to wait for together. Nobody's turn is held by it.
    fn prepare<'a>(&'a self, credentials: &Credentials) -> Preparing<'a> {
        let _ = credentials;
        Box::pin(std::future::ready(()))
    }

    /// What it says. Who asks gives up after a while.
    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a>;

    /// Whether it may have rules of such a client, whoever has let it in. As cheap as [`concerns`](Self::concerns).
    fn may_have_rules(&self, _: &Credentials) -> bool {
        false
    }

    /// The rules of a client that another has let in, whose password is not shown here. Of the rights in its answer the
    /// rules alone count.
    fn rules<'a>(&'a self, _: &'a mut Credentials) -> Asking<'a> {
        Box::pin(std::future::ready(Ok(Answer::Ignore)))
    }
}
