//! A collector of OpenTelemetry, spoken to by OTLP over HTTP.

use std::time::Duration;

use bytes::Bytes;
use plexus_net::TlsClientOptions;
use plexus_otlp::{Answer, Collector, Posting, Signal};
use plexus_runtime::Handle;
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};

use crate::{
    client::{self, Redirects, body, said},
    target::{Misfit, check_scheme},
};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
/// Bytes of an answer, which says at most how much was not taken and why.
const ANSWER_SIZE_MAX: usize = 64 * 1_024;

/// How a collector is reached.
pub struct CollectorOptions {
    /// Its address; the paths of OTLP are below it.
    pub endpoint: String,
    /// Header fields with their values, which may be secret.
    pub headers: Vec<(String, String)>,
    /// Whether it may be spoken to in clear text over the network.
    pub cleartext: bool,
    /// Who may vouch for it, and what it is shown.
    pub tls: TlsClientOptions,
}

/// Shows no header: secrets may stand in them.
impl std::fmt::Debug for CollectorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CollectorOptions").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A collector.
#[derive(Debug)]
pub struct HttpCollector {
    client: Client,
    endpoint: Url,
    headers: HeaderMap,
}

impl HttpCollector {
    /// The collector at that address. Nothing is sent yet.
    pub fn new(options: CollectorOptions, runtime: &Handle) -> Result<Self, Misfit> {
        let CollectorOptions { endpoint, headers, cleartext, tls } = options;
        let endpoint = checked(&endpoint, cleartext)?;
        let client = client::new(&tls, Redirects::None, runtime);
        let client = client.map_err(|problem| Misfit::new("ca_file", problem))?;
        let mut all = HeaderMap::new();
        for (name, value) in &headers {
            all.append(name_of(name)?, value_of(name, value)?);
        }
        all.insert(CONTENT_TYPE, PROTOBUF);
        Ok(Self { client, endpoint, headers: all })
    }

    fn request(&self, signal: Signal, body: Bytes) -> RequestBuilder {
        let mut url = self.endpoint.clone();
        let path = format!("{}{}", url.path().trim_end_matches('/'), signal.path());
        url.set_path(&path);
        self.client.post(url).headers(self.headers.clone()).body(body)
    }
}

impl Collector for HttpCollector {
    fn post(&self, signal: Signal, body: Bytes) -> Posting<'_> {
        let request = self.request(signal, body);
        Box::pin(async move {
            match request.send().await {
                Ok(response) => answer(response).await,
                Err(error) if error.is_builder() => Answer::Refused(said(&error)),
                Err(error) => Answer::Later(said(&error), None),
            }
        })
    }
}

/// What it makes of a request, by the rules of OTLP.
async fn answer(response: Response) -> Answer {
    let status = response.status();
    let why = format!("HTTP {status}");
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Answer::Later(why, retry_after(&response)),
        // It has taken it, whether or not it can say more.
        _ if status.is_success() => {
            Answer::Taken(body(response, ANSWER_SIZE_MAX).await.unwrap_or_default())
        }
        _ => Answer::Refused(why),
    }
}

/// As a number of seconds; a date is as good as nothing: clocks differ.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

fn checked(text: &str, cleartext: bool) -> Result<Url, Misfit> {
    let wrong = |problem: &str| Err(Misfit::new("endpoint", problem));
    let url = Url::parse(text);
    let url = url.map_err(|error| Misfit::new("endpoint", format!("is no address: {error}")))?;
    check_scheme(&url, cleartext).map_err(|problem| Misfit::new("endpoint", problem))?;
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("holds a user name or a password; use telemetry.headers");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("has a `?` or a `#`; the paths of OTLP are put behind it");
    }
    if url.path().trim_end_matches('/').rsplit('/').nth(1) == Some("v1") {
        return wrong("names a path of OTLP; leave `/v1/…` out, which is put behind it");
    }
    Ok(url)
}

fn name_of(name: &str) -> Result<HeaderName, Misfit> {
    let wrong = |problem| Misfit::new("headers", format!("`{name}` {problem}"));
    match name.parse::<HeaderName>() {
        Ok(header) if header == CONTENT_TYPE => Err(wrong("is always that of protobuf")),
        Ok(header) => Ok(header),
        Err(_) => Err(wrong("is no name of a header")),
    }
}

fn value_of(name: &str, value: &str) -> Result<HeaderValue, Misfit> {
    let value = HeaderValue::from_str(value);
    let mut value = value.map_err(|_| {
        Misfit::new("headers", format!("the value of `{name}` cannot stand in a header"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}
