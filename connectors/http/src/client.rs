//! The client of HTTP as this node wants it.

use std::{error::Error, time::Duration};

use bytes::{Bytes, BytesMut};
use plexus_admission::Trouble;
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_runtime::Handle;
use reqwest::{
    Client, ClientBuilder, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::{Attempt, Policy},
};

/// A host that takes longer to greet is away.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Connections of which nobody has made use for so long are closed.
const IDLE: Duration = Duration::from_mins(1);
const REDIRECTS_MAX: usize = 3;

/// Where an answer may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// Nowhere.
    None,
    /// Elsewhere at the same host.
    SameHost,
}

pub(crate) fn new(
    tls: &TlsClientOptions,
    redirects: Redirects,
    runtime: &Handle,
) -> Result<Client, String> {
    let tls = TlsClient::new(tls).map_err(|error| causes(&error))?;
    let policy = match redirects {
        Redirects::None => Policy::none(),
        Redirects::SameHost => {
            Policy::custom(
                |attempt| {
                    if stays(&attempt) { attempt.follow() } else { attempt.stop() }
                },
            )
        }
    };
    builder(policy)
        .tls_backend_preconfigured(tls.config())
        .dns_resolver(Names(runtime.clone()))
        .build()
        .map_err(|error| said(&error))
}

fn builder(policy: Policy) -> ClientBuilder {
    // A proxy of the environment would read passwords.
    Client::builder()
        .no_proxy()
        .redirect(policy)
        .user_agent("plexus")
        .connect_timeout(CONNECT_PATIENCE)
        .pool_idle_timeout(IDLE)
}

/// Reaches nobody over TLS.
#[cfg(test)]
pub(crate) fn bare() -> Client {
    let tls = TlsClient::new(&TlsClientOptions::default()).unwrap();
    builder(Policy::none()).tls_backend_preconfigured(tls.config()).build().unwrap()
}

fn stays(attempt: &Attempt<'_>) -> bool {
    let origin = |url: &Url| {
        (url.scheme().to_owned(), url.host_str().map(str::to_owned), url.port_or_known_default())
    };
    let asked = attempt.previous();
    asked.len() <= REDIRECTS_MAX && asked.iter().all(|url| origin(url) == origin(attempt.url()))
}

/// Finds hosts without holding up what computes.
struct Names(Handle);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let runtime = self.0.clone();
        Box::pin(async move {
            // The port is the caller's to fill in.
            let found = runtime.look_up(name.as_str(), 0).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The body, if it is no longer than that.
pub(crate) async fn body(mut response: Response, size_max: usize) -> Result<Bytes, Trouble> {
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(|error| Trouble::Failed(said(&error)))? {
        if body.len() + part.len() > size_max {
            return Err(Trouble::Nonsense(format!("it is longer than {size_max} bytes")));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

/// What went wrong, down to its cause, without the address: secrets may stand in it.
pub(crate) fn said(error: &reqwest::Error) -> String {
    let own = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke off"
    };
    match error.source() {
        Some(source) => format!("{own}: {}", causes(source)),
        None => own.to_owned(),
    }
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
