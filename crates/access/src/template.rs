use std::{borrow::Cow, fmt};

use crate::Credentials;

/// A text in which what a client shows has its place, such as `https://who/?name=${username}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    text: Box<str>,
    parts: Box<[TemplatePart]>,
}

/// A part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// It stands there as it is written.
    Text(Box<str>),
    /// What the client shows.
    Shown(Shown),
}

/// What a client shows and may stand in a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shown {
    /// `${clientid}`: the client identifier.
    ClientId,
    /// `${username}`: the user name.
    UserName,
    /// `${password}`: the password, where it is UTF-8.
    Password,
    /// `${peerhost}`: the address that it comes from.
    Peer,
    /// `${listener}`: the name of the listener that it came through.
    Listener,
    /// `${tenant}`: the tenant that it comes in as, where a listener or a server name says so.
    Tenant,
    /// `${cert_common_name}`: the common name of its certificate.
    CommonName,
    /// `${cert_subject}`: the whole subject of its certificate (RFC 4514).
    Subject,
    /// `${topic}`: the topic that it wants to publish to, or the filter that it wants to subscribe to.
    Topic,
    /// `${action}`: `publish` or `subscribe`.
    Action,
    /// `${qos}`: the quality of service of the message, or the highest that the subscription asks for.
    Qos,
    /// `${retain}`: whether the message is to be retained, `true` or `false`; `false` for a subscription.
    Retain,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `${` without `}`.
    #[error("has `${{` without `}}`")]
    Open,
    /// A place that nobody can fill.
    #[error("has `${{{0}}}`; known are {known}", known = Shown::names())]
    Unknown(String),
}

impl Shown {
    const ALL: [(&str, Self); 12] = [
        ("clientid", Self::ClientId),
        ("username", Self::UserName),
        ("password", Self::Password),
        ("peerhost", Self::Peer),
        ("listener", Self::Listener),
        ("tenant", Self::Tenant),
        ("cert_common_name", Self::CommonName),
        ("cert_subject", Self::Subject),
        ("topic", Self::Topic),
        ("action", Self::Action),
        ("qos", Self::Qos),
        ("retain", Self::Retain),
    ];

    /// Whether it is of an act, which nobody has done who is not in yet.
    pub const fn is_of_act(self) -> bool {
        matches!(self, Self::Topic | Self::Action | Self::Qos | Self::Retain)
    }

    fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|(name, _)| format!("`${{{name}}}`")).collect();
        names.join(", ")
    }

    /// What these credentials show there, if they do.
    pub fn of(self, credentials: &Credentials) -> Option<Cow<'_, str>> {
        let certificate = credentials.certificate.as_deref();
        let wanted = credentials.wanted.as_ref();
        match self {
            Self::ClientId => Some(credentials.client_id.as_str().into()),
            Self::UserName => credentials.user_name.as_deref().map(Cow::from),
            Self::Password => {
                let password = credentials.password.as_deref()?;
                std::str::from_utf8(password).ok().map(Cow::from)
            }
            Self::Peer => Some(credentials.peer?.to_string().into()),
            Self::Listener => Some((&*credentials.listener).into()),
            Self::Tenant => Some(credentials.tenant.as_ref()?.as_str().into()),
            Self::CommonName => certificate?.common_name.as_deref().map(Cow::from),
            Self::Subject => Some(certificate?.subject.as_str().into()),
            Self::Topic => Some(wanted?.topic.as_str().into()),
            Self::Action => Some((if wanted?.publish { "publish" } else { "subscribe" }).into()),
            Self::Qos => Some(wanted?.qos.get().to_string().into()),
            Self::Retain => Some((if wanted?.retain { "true" } else { "false" }).into()),
        }
    }
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            let known = Shown::ALL.iter().find(|(known, _)| *known == name);
            let (_, shown) = known.ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
            if !before.is_empty() {
                parts.push(TemplatePart::Text(before.into()));
            }
            parts.push(TemplatePart::Shown(*shown));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(TemplatePart::Text(rest.into()));
        }
        Ok(Self { text: text.into(), parts: parts.into() })
    }

    /// Its parts, for whoever must not mix what a client says with what the operator wrote: as the
    /// parameters of a query.
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// Whether that has a place in it.
    pub fn has(&self, shown: Shown) -> bool {
        self.parts.contains(&TemplatePart::Shown(shown))
    }

    /// The text for these credentials, each place through `quote`; none if something is not shown.
    pub fn fill(
        &self,
        credentials: &Credentials,
        mut quote: impl FnMut(&str, &mut String),
    ) -> Option<String> {
        let mut filled = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                TemplatePart::Text(text) => filled.push_str(text),
                TemplatePart::Shown(shown) => quote(&shown.of(credentials)?, &mut filled),
            }
        }
        Some(filled)
    }
}

/// The text that it was read from.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template({})", self.text)
    }
}

#[cfg(test)]
mod tests;
