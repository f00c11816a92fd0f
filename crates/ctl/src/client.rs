//! Asks one operation after the other.

use std::{io::Read, time::Duration};

use plexus_api_model::{Need, Operation, Outline};
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_terminal::{Failure, chain};
use reqwest::{
    Method, StatusCode,
    blocking::{Client as Http, RequestBuilder, Response},
    header::{CONTENT_TYPE, LOCATION},
    redirect::Policy,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    address::{Address, PathError},
    events::Events,
    shown,
};

/// A host that takes longer to greet is away.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// Bytes of an answer at most: ten thousand clients with all that is known of them are less.
pub(crate) const ANSWER_MAX: u64 = 64 * 1024 * 1024;

/// A node says something in a stream every 15 seconds; one that is silent for so long is gone.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// What shows who asks.
#[derive(Clone)]
pub(crate) enum Credentials {
    /// The token of a log-in.
    Token(String),
    /// An API key and its secret.
    Key(String, String),
}

/// Shows no secret.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(…)",
            Self::Key(..) => "Key(…)",
        })
    }
}

/// Whoever asks an API.
#[derive(Debug)]
pub(crate) struct Client {
    http: Http,
    address: Address,
    credentials: Option<Credentials>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer<A> {
    /// What it says.
    pub(crate) value: A,
    /// How that was written.
    pub(crate) text: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error(
        "nobody answers at {address}: {cause}\nis the node running, and does its `api.address` say \
         that? --url or PLEXUS_API_URL names another place"
    )]
    Unreachable { address: Address, cause: String },
    #[error("{address} gave no answer in time; --timeout waits longer")]
    Late { address: Address },
    #[error("{address}: the connection broke off: {cause}")]
    Broken { address: Address, cause: String },
    #[error("{address} answers with more than {} MiB", ANSWER_MAX / 1024 / 1024)]
    TooLong { address: Address },
    #[error("{address} sends elsewhere, to {to}; nobody is followed with credentials: give --url")]
    Elsewhere { address: Address, to: String },
    #[error(
        "{address} gives an answer to `{operation}` that is none: {cause}\nis that a node's API, and of \
         this version?"
    )]
    Nonsense { address: Address, operation: &'static str, cause: String },
    #[error("{}", refused(*.status, .code, .message, .address))]
    Refused { address: Address, status: u16, code: String, message: String },
    #[error("`{operation}` cannot be asked for by that name: {cause}")]
    Name { operation: &'static str, cause: PathError },
    #[error(
        "nobody is logged in at {address}: `plexus ctl login --url {address}` does that; a program \
         gives an API key, with --key and --secret-file or PLEXUS_API_KEY and PLEXUS_API_SECRET"
    )]
    Unknown { address: Address },
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        // What a server says may be meant for the terminal; the line breaks between are ours.
        let lines: Vec<_> = error.to_string().split('\n').map(shown::plain).collect();
        Self::Failed(lines.join("\n"))
    }
}

fn refused(status: u16, code: &str, message: &str, address: &Address) -> String {
    let mend = match code {
        "BAD_TOKEN" | "TOKEN_TIME_OUT" => {
            format!("\nlog in again: `plexus ctl login --url {address}`")
        }
        "BAD_API_KEY_OR_SECRET" => {
            "\nsomebody with the role administrator sees with `plexus ctl keys list` whether the key \
             may be used"
                .to_owned()
        }
        _ => String::new(),
    };
    let told = format!("{address} says no: {message} ({status} {code})");
    [shown::plain(&told), mend].concat()
}

/// Nothing can be read as this.
#[derive(Debug, Deserialize)]
enum Never {}

/// An error as the API writes it, of whatever version.
#[derive(Deserialize)]
struct Refusal {
    code: String,
    message: String,
}

impl Client {
    /// Somebody who asks there. `patience` is how long an answer may take.
    pub(crate) fn new(
        address: Address,
        credentials: Option<Credentials>,
        tls: &TlsClientOptions,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let tls = TlsClient::new(tls).map_err(|error| Failure::because("TLS", &error))?;
        // A proxy of the environment would read passwords, and a redirect would carry them away.
        let http = Http::builder()
            .no_proxy()
            .redirect(Policy::none())
            .user_agent(concat!("plexus-ctl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_PATIENCE)
            .timeout(patience)
            .tls_backend_preconfigured(tls.config())
            .build()
            .map_err(|error| Failure::because("cannot make a client of HTTP", &error))?;
        Ok(Self { http, address, credentials })
    }

    /// Where it asks.
    pub(crate) const fn address(&self) -> &Address {
        &self.address
    }

    /// Asks for an operation with what stands in its path, its query and its body.
    pub(crate) fn call<P, Q, B, A>(
        &self,
        operation: &Operation<P, Q, B, A>,
        path: &P,
        query: &Q,
        body: &B,
    ) -> Result<Answer<A>, CallError>
    where
        P: Serialize,
        Q: Serialize,
        B: Serialize,
        A: DeserializeOwned,
    {
        let outline = operation.outline();
        let request = self.request(outline, path, query, body)?;
        self.answer(outline, request.send().map_err(|error| self.broken(&error))?)
    }

    /// Asks for an operation whose answer is a stream of events.
    pub(crate) fn watch<P, Q, A>(
        &self,
        operation: &Operation<P, Q, (), A>,
        path: &P,
        query: &Q,
    ) -> Result<Events<A>, CallError>
    where
        P: Serialize,
        Q: Serialize,
        A: DeserializeOwned,
    {
        let outline = operation.outline();
        let request = self.request(outline, path, query, &())?.timeout(SILENCE_MAX);
        let response = request.send().map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok(Events::new(self.address.clone(), outline.id, response));
        }
        // What is no stream is a refusal; an answer to it there is not.
        match self.answer::<Never>(outline, response) {
            Ok(_) => Err(self.nonsense(outline, "it is no stream")),
            Err(error) => Err(error),
        }
    }

    fn request<P: Serialize, Q: Serialize, B: Serialize>(
        &self,
        outline: &Outline,
        path: &P,
        query: &Q,
        body: &B,
    ) -> Result<RequestBuilder, CallError> {
        let written = |value: Result<Value, serde_json::Error>| {
            value.map_err(|error| self.nonsense(outline, &error.to_string()))
        };
        let names = written(serde_json::to_value(path))?;
        let mut url = self
            .address
            .operation(outline.path, &names)
            .map_err(|cause| CallError::Name { operation: outline.id, cause })?;
        if !written(serde_json::to_value(query))?.is_null() {
            let query = serde_html_form::to_string(query)
                .map_err(|error| self.nonsense(outline, &error.to_string()))?;
            url.set_query(Some(&query).filter(|query| !query.is_empty()).map(String::as_str));
        }
        let method = Method::from_bytes(outline.method.name().as_bytes()).unwrap_or(Method::GET);
        let mut request = self.shown(self.http.request(method, url), outline.need)?;
        let body = written(serde_json::to_value(body))?;
        if !body.is_null() {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Ok(request)
    }

    fn shown(&self, request: RequestBuilder, need: Need) -> Result<RequestBuilder, CallError> {
        if need == Need::Nobody {
            return Ok(request);
        }
        match &self.credentials {
            Some(Credentials::Token(token)) => Ok(request.bearer_auth(token)),
            Some(Credentials::Key(key, secret)) => Ok(request.basic_auth(key, Some(secret))),
            None => Err(CallError::Unknown { address: self.address.clone() }),
        }
    }

    fn answer<A: DeserializeOwned>(
        &self,
        outline: &Outline,
        response: Response,
    ) -> Result<Answer<A>, CallError> {
        let status = response.status();
        if status.is_redirection() {
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let to = to.unwrap_or("nowhere").to_owned();
            return Err(CallError::Elsewhere { address: self.address.clone(), to });
        }
        let text = self.text(outline, response)?;
        let is_json = outline.gives == "application/json";
        let nonsense = |error: serde_json::Error| self.nonsense(outline, &error.to_string());
        if status.is_success() {
            let value = match (text.as_str(), is_json) {
                ("", true) => serde_json::from_value(Value::Null).map_err(nonsense)?,
                (_, true) => serde_json::from_str(&text).map_err(nonsense)?,
                (_, false) => {
                    serde_json::from_value(Value::String(text.clone())).map_err(nonsense)?
                }
            };
            return Ok(Answer { value, text });
        }
        if let Ok(Refusal { code, message }) = serde_json::from_str(&text) {
            let (address, status) = (self.address.clone(), status.as_u16());
            return Err(CallError::Refused { address, status, code, message });
        }
        // Of several things each has its own answer, and the status is that of the worst.
        match serde_json::from_str(&text) {
            Ok(value) if status == StatusCode::SERVICE_UNAVAILABLE => Ok(Answer { value, text }),
            Ok(_) | Err(_) => Err(self.nonsense(outline, &format!("status {status}"))),
        }
    }

    fn text(&self, outline: &Outline, response: Response) -> Result<String, CallError> {
        let mut bytes = Vec::new();
        let read = response.take(ANSWER_MAX + 1).read_to_end(&mut bytes);
        read.map_err(|error| ended(&self.address, &error))?;
        if bytes.len() as u64 > ANSWER_MAX {
            return Err(CallError::TooLong { address: self.address.clone() });
        }
        String::from_utf8(bytes).map_err(|error| self.nonsense(outline, &error.to_string()))
    }

    fn nonsense(&self, outline: &Outline, cause: &str) -> CallError {
        let cause = shown::plain(cause);
        CallError::Nonsense { address: self.address.clone(), operation: outline.id, cause }
    }

    fn broken(&self, error: &reqwest::Error) -> CallError {
        let address = self.address.clone();
        if error.is_connect() {
            return CallError::Unreachable { address, cause: causes(error) };
        }
        if error.is_timeout() {
            return CallError::Late { address };
        }
        CallError::Broken { address, cause: causes(error) }
    }
}

/// What led to an error; its own words only say what was asked.
fn causes(error: &reqwest::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), chain)
}

/// Why nothing more could be read.
pub(crate) fn ended(address: &Address, error: &std::io::Error) -> CallError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>());
    let is_late = error.kind() == std::io::ErrorKind::TimedOut
        || inner.is_some_and(reqwest::Error::is_timeout);
    let address = address.clone();
    if is_late {
        return CallError::Late { address };
    }
    CallError::Broken { address, cause: shown::plain(&chain(error)) }
}
