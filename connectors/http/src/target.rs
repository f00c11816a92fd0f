//! Where a question goes. What a client says may stand in the path and in the query, and can change nothing
//! else.

use std::{fmt::Write, net::IpAddr};

use plexus_access::{Credentials, Template, TemplatePart};
use reqwest::Url;

/// What cannot be meant: the key that it stands under, and the problem with its mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The key of the configuration.
    pub key: &'static str,
    /// What is wrong.
    pub problem: String,
}

impl Misfit {
    pub(crate) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, problem: problem.into() }
    }
}

/// An address with places.
#[derive(Debug, Clone)]
pub(crate) struct Target(Template);

impl Target {
    /// An address in which only path and query have places. In clear text only where that is asked for, or
    /// to this machine itself.
    pub(crate) fn new(template: Template, cleartext: bool) -> Result<Self, Misfit> {
        let wrong = |problem: &str| Err(Misfit::new("url", problem));
        let first = match template.parts().first() {
            Some(TemplatePart::Text(text)) => &**text,
            _ => "",
        };
        let Some((_, behind)) = first.split_once("://") else {
            return wrong("begins with neither `https://` nor `http://`");
        };
        if template.parts().len() > 1 && !behind.contains(['/', '?']) {
            return wrong("has a place in its host; a client must not choose whom the node asks");
        }
        let target = Self(template);
        let (url, path) = target.sample()?;
        check_scheme(&url, cleartext).map_err(|problem| Misfit::new("url", problem))?;
        if url.path() != path {
            let written = url.path();
            return wrong(&format!("has a path that is written another way; write `{written}`"));
        }
        if url.fragment().is_some() {
            return wrong("has a `#`, which is never sent");
        }
        Ok(target)
    }

    pub(crate) fn template(&self) -> &Template {
        &self.0
    }

    /// The address for these credentials; none where they would make another path of it (`..`).
    pub(crate) fn of(&self, credentials: &Credentials) -> Option<Url> {
        let text = self.0.fill(credentials, percent)?;
        let url = Url::parse(&text).ok()?;
        (url.path() == path_of(&text)).then_some(url)
    }

    /// As it looks like for a client that shows a letter everywhere.
    fn sample(&self) -> Result<(Url, String), Misfit> {
        let text: String = self.0.parts().iter().map(sample).collect();
        let url = Url::parse(&text).map_err(|error| Misfit::new("url", error.to_string()))?;
        Ok((url, path_of(&text).to_owned()))
    }
}

/// Whether what is sent there is hidden from others, or that is not asked for.
pub(crate) fn check_scheme(url: &Url, cleartext: bool) -> Result<(), String> {
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("has no host")?;
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || literal.parse().is_ok_and(|it: IpAddr| it.is_loopback());
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback || cleartext => Ok(()),
        "http" => Err("would be asked in clear text; use `https://`".to_owned()),
        _ => Err("begins with neither `https://` nor `http://`".to_owned()),
    }
}

pub(crate) fn sample(part: &TemplatePart) -> &str {
    match part {
        TemplatePart::Text(text) => text,
        TemplatePart::Shown(_) => "x",
    }
}

/// The path as it is written; the parser of addresses would go up at `..`.
fn path_of(text: &str) -> &str {
    let behind = text.split_once("://").map_or(text, |(_, behind)| behind);
    let begin = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    let path = behind.get(begin..).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() { "/" } else { path }
}

/// Everything but the unreserved characters (RFC 3986, section 2.3) is encoded.
pub(crate) fn percent(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            write!(to, "%{byte:02X}").expect("invariant: writing to a string");
        }
    }
}

#[cfg(test)]
mod tests;
