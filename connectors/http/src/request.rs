//! What is asked, with the places filled.

use std::fmt::Write;

use plexus_access::{Credentials, Shown, Template, TemplatePart};
use reqwest::{
    Client, RequestBuilder,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};

use crate::target::{Misfit, Target, percent, sample};

/// What a service is sent where the configuration says nothing.
const BODY: &str =
    r#"{"clientid":"${clientid}","username":"${username}","password":"${password}"}"#;
/// The same about a client that another has let in: its password is not shown.
const RULES_BODY: &str = r#"{"clientid":"${clientid}","username":"${username}"}"#;
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// The method of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// GET, without a body.
    Get,
    /// POST.
    #[default]
    Post,
}

/// How a value stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoting {
    Json,
    Form,
}

/// What a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// Who a client is.
    Client,
    /// What rules it has, once another has let it in.
    Rules,
}

impl About {
    fn body(self) -> &'static str {
        match self {
            Self::Client => BODY,
            Self::Rules => RULES_BODY,
        }
    }
}

/// A question with places.
#[derive(Debug)]
pub(crate) struct Question {
    method: Method,
    target: Target,
    headers: Vec<(HeaderName, Template)>,
    body: Option<(Template, Quoting)>,
}

impl Question {
    pub(crate) fn new(
        method: Method,
        target: Target,
        headers: &[(String, String)],
        (about, body): (About, Option<Template>),
    ) -> Result<Self, Misfit> {
        let wrong = |problem: String| Misfit::new("headers", problem);
        let mut read = Vec::new();
        for (name, value) in headers {
            let template = Template::parse(value);
            let template = template.map_err(|error| wrong(format!("`{name}` {error}")))?;
            let header = name.parse::<HeaderName>();
            let header = header.map_err(|_| wrong(format!("`{name}` is no name of a header")))?;
            let text: String = template.parts().iter().map(sample).collect();
            if HeaderValue::from_str(&text).is_err() {
                return Err(wrong(format!("the value of `{name}` cannot stand in a header")));
            }
            read.push((header, template));
        }
        let body = match method {
            Method::Get if body.is_some() => {
                return Err(Misfit::new(
                    "body",
                    "a GET request has no body; use method = \"post\"",
                ));
            }
            Method::Get => None,
            Method::Post => {
                let body = body.map_or_else(|| Template::parse(about.body()), Ok);
                let body = body.map_err(|error| Misfit::new("body", error.to_string()))?;
                Some((check_body(&mut read, &body)?, body)).map(|(quoting, body)| (body, quoting))
            }
        };
        Ok(Self { method, target, headers: read, body })
    }

    /// Whether such credentials show all that it has a place for.
    pub(crate) fn concerns(&self, credentials: &Credentials) -> bool {
        self.templates().flat_map(Template::parts).all(|part| match part {
            TemplatePart::Text(_) => true,
            TemplatePart::Shown(shown) => shown.of(credentials).is_some(),
        })
    }

    /// Whether it has a place for the password.
    pub(crate) fn wants_password(&self) -> bool {
        self.templates().any(|template| template.has(Shown::Password))
    }

    fn templates(&self) -> impl Iterator<Item = &Template> {
        let bodies = self.body.iter().map(|(body, _)| body);
        let headers = self.headers.iter().map(|(_, header)| header);
        std::iter::once(self.target.template()).chain(bodies).chain(headers)
    }

    /// The request; none where something that they show cannot stand in its place.
    pub(crate) fn fill(
        &self,
        client: &Client,
        credentials: &Credentials,
    ) -> Option<RequestBuilder> {
        let url = self.target.of(credentials)?;
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let value = template.fill(credentials, |text, to| to.push_str(text))?;
            headers.append(name, HeaderValue::from_str(&value).ok()?);
        }
        let request = match self.method {
            Method::Get => client.get(url),
            Method::Post => client.post(url),
        };
        let request = request.headers(headers);
        let Some((template, quoting)) = &self.body else { return Some(request) };
        let quote = match quoting {
            Quoting::Json => json,
            Quoting::Form => percent,
        };
        Some(request.body(template.fill(credentials, quote)?))
    }
}

/// How values stand in the body, by its kind. Places of a JSON body have to be within its texts.
fn check_body(
    headers: &mut Vec<(HeaderName, Template)>,
    body: &Template,
) -> Result<Quoting, Misfit> {
    let kind = headers.iter().find(|(name, _)| *name == CONTENT_TYPE);
    let kind = kind.map(|(_, kind)| kind.to_string());
    let Some(kind) = kind else {
        let template = Template::parse(JSON).expect("invariant: a constant without places");
        headers.push((CONTENT_TYPE, template));
        return check_json(body);
    };
    match kind.split(';').next().unwrap_or_default().trim() {
        JSON => check_json(body),
        FORM => Ok(Quoting::Form),
        _ => {
            let problem = format!("`content-type` is neither `{JSON}` nor `{FORM}`");
            Err(Misfit::new("headers", problem))
        }
    }
}

fn check_json(body: &Template) -> Result<Quoting, Misfit> {
    let text: String = body.parts().iter().map(sample).collect();
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(_) => Ok(Quoting::Json),
        Err(error) => {
            let problem = format!("is no JSON, or has a place outside of quotes: {error}");
            Err(Misfit::new("body", problem))
        }
    }
}

/// As a part of a text of JSON (RFC 8259, section 7).
fn json(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '"' | '\\' => to.extend(['\\', c]),
            c if c.is_control() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(to, "\\u{unit:04x}").expect("invariant: writing to a string");
                }
            }
            c => to.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
