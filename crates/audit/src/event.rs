//! What is reported: an act, by whom, on what, and how it ended.

use std::{fmt, net::IpAddr, str::FromStr};

/// What an act concerns; `plexus audit show --kind` chooses by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The audit log itself: its files, and what it had to leave out.
    Audit,
    /// The node: its start and its end.
    Node,
    /// A client came in, or was refused.
    Login,
    /// A client was refused something that it wanted to publish or subscribe.
    Access,
    /// A connection or a session has ended.
    Session,
    /// Users, rules, certificates or settings were read anew.
    Change,
    /// Somebody met a ban or a lock-out.
    Ban,
    /// An act of an operator through the management interface.
    Admin,
}

const KINDS: [(Kind, &str); 8] = [
    (Kind::Audit, "audit"),
    (Kind::Node, "node"),
    (Kind::Login, "login"),
    (Kind::Access, "access"),
    (Kind::Session, "session"),
    (Kind::Change, "change"),
    (Kind::Ban, "ban"),
    (Kind::Admin, "admin"),
];

impl Kind {
    /// The word in the record.
    pub fn word(self) -> &'static str {
        let found = KINDS.iter().find(|(kind, _)| *kind == self);
        found.map(|(_, word)| *word).expect("invariant: KINDS has every kind")
    }
}

/// A word that is no kind of record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no kind of record; there are audit, node, login, access, session, change, ban and admin"
)]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        KINDS.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind).ok_or(UnknownKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Refused,
    /// It was tried and could not be done.
    Failed,
}

impl Outcome {
    /// The word in the record.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// By whom, as far as it is known. A text is at most 1,024 bytes in the record, the rest is cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Who {
    /// The client identifier.
    pub client: Option<String>,
    /// The user name.
    pub user: Option<String>,
    /// The address, behind a proxy the real one.
    pub peer: Option<IpAddr>,
    /// The name of the listener.
    pub listener: Option<String>,
    /// The tenant.
    pub tenant: Option<String>,
}

/// One thing that happened. Texts are cut as those of [`Who`] are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it concerns.
    pub kind: Kind,
    /// What was done or wanted: one word of our own, as `publish` or `rules`.
    pub act: &'static str,
    /// By whom; nobody is the node itself.
    pub who: Who,
    /// On what: a topic, a filter, a file.
    pub target: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Why: the rule, the reason, the mistake, or how many.
    pub because: Option<String>,
}

impl Event {
    /// An act of the node itself that was done.
    pub fn done(kind: Kind, act: &'static str) -> Self {
        let (who, outcome) = (Who::default(), Outcome::Done);
        Self { kind, act, who, target: None, outcome, because: None }
    }

    /// The same that could not be done.
    pub fn failed(kind: Kind, act: &'static str, because: impl Into<String>) -> Self {
        Self { outcome: Outcome::Failed, ..Self::done(kind, act).because(because) }
    }

    /// Somebody was refused what it wanted.
    pub fn refused(kind: Kind, act: &'static str, who: Who, because: impl Into<String>) -> Self {
        Self { who, outcome: Outcome::Refused, ..Self::done(kind, act).because(because) }
    }

    /// A client came in: for whoever lets it in.
    pub fn logged_in(who: Who) -> Self {
        Self::done(Kind::Login, "connect").by(who)
    }

    /// A client was not let in: for whoever turns it away, with the reason that it is told.
    pub fn login_refused(who: Who, reason: impl Into<String>) -> Self {
        Self::refused(Kind::Login, "connect", who, reason)
    }

    /// A client that is in has authenticated itself anew.
    pub fn renewed(who: Who) -> Self {
        Self::done(Kind::Login, "reauthenticate").by(who)
    }

    /// It has tried that in vain.
    pub fn renewal_refused(who: Who, reason: impl Into<String>) -> Self {
        Self::refused(Kind::Login, "reauthenticate", who, reason)
    }

    /// Somebody met a ban, or waits for failed log-ins: its credentials were not looked at.
    pub fn kept_out(fence: &'static str, who: Who, because: impl Into<String>) -> Self {
        Self::refused(Kind::Ban, fence, who, because)
    }

    /// A connection of a client that was in has ended.
    pub fn disconnected(who: Who, because: impl Into<String>) -> Self {
        Self::done(Kind::Session, "disconnect").by(who).because(because)
    }

    /// A session ended while its client was away, or by the node: for whoever ends it.
    pub fn session_ended(who: Who, because: impl Into<String>) -> Self {
        Self::done(Kind::Session, "end").by(who).because(because)
    }

    /// On what it was.
    #[must_use]
    pub fn on(self, target: impl Into<String>) -> Self {
        Self { target: Some(target.into()), ..self }
    }

    /// Why it was.
    #[must_use]
    pub fn because(self, because: impl Into<String>) -> Self {
        Self { because: Some(because.into()), ..self }
    }

    /// Who did it.
    #[must_use]
    pub fn by(self, who: Who) -> Self {
        Self { who, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_word() {
        for (kind, word) in KINDS {
            assert_eq!((kind.word(), word.parse()), (word, Ok(kind)));
        }
        assert_eq!("nothing".parse::<Kind>(), Err(UnknownKind));
    }

    #[test]
    fn log_ins_and_ends_of_sessions_say_who_and_why() {
        let who = Who { client: Some("robot".to_owned()), ..Who::default() };
        let refused = Event::login_refused(who.clone(), "Bad user name or password");
        assert_eq!((refused.kind, refused.outcome), (Kind::Login, Outcome::Refused));
        assert_eq!(refused.because.as_deref(), Some("Bad user name or password"));
        assert_eq!(Event::logged_in(who.clone()).outcome, Outcome::Done);
        let ended = Event::session_ended(who.clone(), "the rules have changed");
        assert_eq!((ended.kind, ended.who), (Kind::Session, who));
    }
}
