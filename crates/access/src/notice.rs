use std::{fmt, net::IpAddr};

use crate::{Credentials, Principal};

/// Somebody of whom something is noted, as far as he is known.
#[derive(Debug, Clone, Copy)]
pub struct Visitor<'a> {
    /// The client identifier; none before CONNECT.
    pub client: Option<&'a str>,
    /// The user name that was proved, or that was given where none was.
    pub user: Option<&'a str>,
    /// The address, behind a proxy the real one; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The name of the listener.
    pub listener: &'a str,
    /// The name of its tenant.
    pub tenant: Option<&'a str>,
}

impl<'a> From<&'a Principal> for Visitor<'a> {
    fn from(principal: &'a Principal) -> Self {
        Self {
            client: Some(principal.client_id.as_str()),
            user: principal.user_name.as_deref(),
            peer: principal.peer,
            listener: &principal.listener,
            tenant: principal.tenant.as_ref().map(plexus_types::TenantName::as_str),
        }
    }
}

/// As it says itself.
impl<'a> From<&'a Credentials> for Visitor<'a> {
    fn from(credentials: &'a Credentials) -> Self {
        Self {
            client: Some(credentials.client_id.as_str()),
            user: credentials.user_name.as_deref(),
            peer: credentials.peer,
            listener: &credentials.listener,
            tenant: credentials.tenant.as_ref().map(plexus_types::TenantName::as_str),
        }
    }
}

/// What became of a visitor in the end. Nothing depends on it: it is for the record.
#[derive(Clone, Copy)]
pub enum Notice<'a> {
    /// It is in.
    LetIn,
    /// It is not let in.
    TurnedAway(&'a dyn fmt::Display),
    /// The fence of that name keeps it out: nobody has looked at its credentials.
    KeptOut(&'static str, &'a dyn fmt::Display),
    /// It has authenticated itself anew.
    Renewed,
    /// It has tried that in vain.
    NotRenewed(&'a dyn fmt::Display),
    /// Its connection has ended.
    Disconnected(&'a dyn fmt::Display),
    /// Its session has ended while it was away, or by the node.
    SessionEnded(&'a dyn fmt::Display),
}

impl fmt::Debug for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LetIn => f.write_str("LetIn"),
            Self::TurnedAway(because) => write!(f, "TurnedAway({because})"),
            Self::KeptOut(fence, because) => write!(f, "KeptOut({fence}, {because})"),
            Self::Renewed => f.write_str("Renewed"),
            Self::NotRenewed(because) => write!(f, "NotRenewed({because})"),
            Self::Disconnected(because) => write!(f, "Disconnected({because})"),
            Self::SessionEnded(because) => write!(f, "SessionEnded({because})"),
        }
    }
}
