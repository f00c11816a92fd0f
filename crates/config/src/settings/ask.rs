use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    HttpMethod, HttpSettings, OnFailure,
    back_ends::{five_seconds, queries},
};
use crate::value::{Placed, Secret, Span, SpanOrNever};

/// HTTP services that are asked whether a client may publish or subscribe something, where no rule of the client
/// or of the configuration says anything about it. They are asked in their order, and the client waits. A service
/// answers 200 with JSON such as `{"result": "allow"}`, `"deny"` or `"ignore"`, or 204, which allows; where all of
/// them ignore it, `access.no_match` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskSettings {
    /// What it is called in the log.
    pub name: String,
    /// How it is asked.
    #[serde(default)]
    pub method: HttpMethod,
    /// Where it is asked, with places such as `${topic}` in path and query, where they are percent-encoded.
    /// The host has none. Beside those of `access.http` there are `${topic}` (of a subscription the filter), `${action}`
    /// (`publish` or `subscribe`), `${qos}` and `${retain}`; there is no `${password}` and no certificate.
    pub url: Placed,
    /// Header fields with their values, which may have places; `"file:<path>"` for the first line of a file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// The body of a POST, JSON or, where the header `content-type` says so, a form
    /// (`application/x-www-form-urlencoded`). Places of JSON stand in quotes. `clientid`, `topic`, `action`, `qos` and
    /// `retain` when it is left out. A client that does not show what has a place is not asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Placed>,
    /// Whether it may be asked in clear text (`http://`) at another machine than this one.
    #[serde(default)]
    pub cleartext: bool,
    /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the node shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How long an answer may take, waiting for a turn included.
    #[serde(default = "five_seconds")]
    pub timeout: Span,
    /// Questions under way at the same time; further ones wait for their turn.
    #[serde(default = "queries")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_queries: u16,
    /// What is made of an act about which there is no answer: `refuse` it, or `ignore` and ask the next.
    #[serde(default)]
    pub on_failure: OnFailure,
}

impl AskSettings {
    /// The service, as it is reached.
    pub fn service(&self) -> HttpSettings {
        let body = || {
            let text = r#"{"clientid":"${clientid}","topic":"${topic}","action":"${action}","qos":"${qos}","retain":"${retain}"}"#;
            text.parse().expect("invariant: a constant template")
        };
        HttpSettings {
            name: self.name.clone(),
            method: self.method,
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: match self.method {
                HttpMethod::Get => self.body.clone(),
                HttpMethod::Post => Some(self.body.clone().unwrap_or_else(body)),
            },
            cleartext: self.cleartext,
            ca_file: self.ca_file.clone(),
            cert_file: self.cert_file.clone(),
            key_file: self.key_file.clone(),
            timeout: self.timeout,
            max_queries: self.max_queries,
            on_failure: self.on_failure,
            // Answers are remembered where they are used.
            remember: SpanOrNever::Never,
        }
    }
}
