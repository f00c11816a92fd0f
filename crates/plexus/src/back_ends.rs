//! What reaches others than this machine's files, as far as the program was built with it.

use std::{path::Path, sync::Arc};

use plexus_admission::{Authenticator, Fetch};
use plexus_config::{BackEnds, Secrets, Unfit, settings::BackEnd};
use plexus_runtime::Handle;
#[cfg(any(feature = "postgres", feature = "redis"))]
use {
    plexus_access::{PasswordScheme, SchemeError},
    plexus_net::{TlsClient, TlsClientOptions},
    plexus_runtime::Line,
};

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;

/// Those that the program was built with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built;

impl Built {
    /// Gets the revocation list that is published there; it is signed, and may come in clear text.
    #[cfg(feature = "http")]
    pub(crate) fn revocation_list(url: &str, runtime: &Handle) -> Result<Fetch, String> {
        let fetch = http::revocation_list(url, runtime);
        fetch.map_err(|error| format!("`{url}` {error}"))
    }

    #[cfg(not(feature = "http"))]
    pub(crate) fn revocation_list(url: &str, _: &Handle) -> Result<Fetch, String> {
        Err(format!("`{url}` cannot be asked: this program was built without an HTTP client"))
    }
}

impl BackEnds for Built {
    #[cfg(feature = "http")]
    fn document(
        &self,
        url: &str,
        authorities: Option<&Path>,
        runtime: &Handle,
    ) -> Result<Fetch, String> {
        http::document(url, authorities, runtime)
    }

    #[cfg(not(feature = "http"))]
    fn document(&self, _: &str, _: Option<&Path>, _: &Handle) -> Result<Fetch, String> {
        Err("this program was built without an HTTP client".to_owned())
    }

    fn authenticator(
        &self,
        back_end: BackEnd<'_>,
        secrets: &Secrets,
        runtime: &Handle,
    ) -> Result<Arc<dyn Authenticator>, Unfit> {
        match back_end {
            #[cfg(feature = "http")]
            BackEnd::Http(settings) => http::authenticator(settings, secrets, runtime),
            #[cfg(feature = "redis")]
            BackEnd::Redis(settings) => redis::authenticator(settings, secrets, runtime),
            #[cfg(not(feature = "redis"))]
            BackEnd::Redis(_) => missing(back_end),
            #[cfg(feature = "postgres")]
            BackEnd::Postgres(settings) => postgres::authenticator(settings, secrets, runtime),
            #[cfg(not(feature = "postgres"))]
            BackEnd::Postgres(_) => missing(back_end),
            #[cfg(not(feature = "http"))]
            BackEnd::Http(_) => missing(back_end),
        }
    }
}

#[cfg(not(all(feature = "http", feature = "redis", feature = "postgres")))]
fn missing(back_end: BackEnd<'_>) -> Result<Arc<dyn Authenticator>, Unfit> {
    let problem = format!("cannot be asked: this program was built without {}", back_end.kind());
    Err(Unfit { key: "name", problem })
}

/// How a server is reached: by TLS with those files, unless it is spoken to in clear text.
#[cfg(any(feature = "postgres", feature = "redis"))]
fn line(
    server: &str,
    port: u16,
    tls: Option<&TlsClientOptions>,
    runtime: &Handle,
) -> Result<Line, Unfit> {
    let wrong = |key, problem: String| Unfit { key, problem };
    let tls = tls.map(TlsClient::new).transpose();
    let tls = tls.map_err(|error| wrong("ca_file", format!("cannot be used: {error}")))?;
    let line = Line::new(server, port, tls.map(|tls| tls.config()), runtime.clone());
    line.map_err(|error| wrong("server", error.to_string()))
}

/// How passwords are stored.
#[cfg(any(feature = "postgres", feature = "redis"))]
fn scheme(text: &str) -> Result<PasswordScheme, Unfit> {
    let wrong = |error: SchemeError| Unfit { key: "passwords", problem: error.to_string() };
    text.parse().map_err(wrong)
}
