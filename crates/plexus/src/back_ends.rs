//! What reaches others than this machine's files, as far as the program was built with it.

use std::{path::Path, sync::Arc};

use plexus_admission::{Authenticator, Fetch};
use plexus_config::{
    BackEnds, Secrets, Unfit,
    settings::{BackEnd, TelemetrySettings, Terms},
};
use plexus_net::TlsClientOptions;
use plexus_otlp::Collector;
use plexus_runtime::Handle;
#[cfg(any(feature = "ldap", feature = "mysql", feature = "postgres", feature = "redis"))]
use {
    plexus_access::{PasswordScheme, SchemeError},
    plexus_net::TlsClient,
    plexus_runtime::Line,
};
#[cfg(any(feature = "mysql", feature = "postgres"))]
use {
    plexus_admission::{Marks, Query, TableOptions},
    plexus_config::value::Placed,
};

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "ldap")]
mod ldap;
#[cfg(feature = "mysql")]
mod mysql;
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
            #[cfg(feature = "mysql")]
            BackEnd::Mysql(settings) => mysql::authenticator(settings, secrets, runtime),
            #[cfg(not(feature = "mysql"))]
            BackEnd::Mysql(_) => missing(back_end),
            #[cfg(feature = "ldap")]
            BackEnd::Ldap(settings) => ldap::authenticator(settings, secrets, runtime),
            #[cfg(not(feature = "ldap"))]
            BackEnd::Ldap(_) => missing(back_end),
            #[cfg(not(feature = "http"))]
            BackEnd::Http(_) => missing(back_end),
        }
    }

    #[cfg(feature = "http")]
    fn collector(
        &self,
        settings: &TelemetrySettings,
        headers: &Secrets,
        runtime: &Handle,
    ) -> Result<Arc<dyn Collector>, Unfit> {
        http::collector(settings, headers, runtime)
    }

    #[cfg(not(feature = "http"))]
    fn collector(
        &self,
        _: &TelemetrySettings,
        _: &Secrets,
        _: &Handle,
    ) -> Result<Arc<dyn Collector>, Unfit> {
        let problem = "cannot be spoken to: this program was built without an HTTP client";
        Err(Unfit { key: "endpoint", problem: problem.to_owned() })
    }
}

#[cfg(not(all(
    feature = "http",
    feature = "redis",
    feature = "postgres",
    feature = "mysql",
    feature = "ldap"
)))]
fn missing(back_end: BackEnd<'_>) -> Result<Arc<dyn Authenticator>, Unfit> {
    let problem = format!("cannot be asked: this program was built without {}", back_end.kind());
    Err(Unfit { key: "name", problem })
}

/// What is shown to a back end, and who may vouch for it.
fn tls(terms: &Terms<'_>) -> TlsClientOptions {
    TlsClientOptions {
        ca_file: terms.ca_file.map(Path::to_owned),
        cert_file: terms.cert_file.map(Path::to_owned),
        key_file: terms.key_file.map(Path::to_owned),
        ..TlsClientOptions::default()
    }
}

/// How a server is reached that names no other port: by TLS, unless it is spoken to in clear text.
#[cfg(any(feature = "ldap", feature = "mysql", feature = "postgres", feature = "redis"))]
fn line(
    (server, port): (&str, u16),
    cleartext: bool,
    terms: &Terms<'_>,
    runtime: &Handle,
) -> Result<Line, Unfit> {
    let wrong = |key, problem: String| Unfit { key, problem };
    let tls = (!cleartext).then(|| TlsClient::new(&tls(terms))).transpose();
    let tls = tls.map_err(|error| wrong("ca_file", format!("cannot be used: {error}")))?;
    let line = Line::new(server, port, tls.map(|tls| tls.config()), runtime.clone());
    line.map_err(|error| wrong("server", error.to_string()))
}

/// How passwords are stored.
#[cfg(any(feature = "ldap", feature = "mysql", feature = "postgres", feature = "redis"))]
fn scheme(text: &str) -> Result<PasswordScheme, Unfit> {
    let wrong = |error: SchemeError| Unfit { key: "passwords", problem: error.to_string() };
    text.parse().map_err(wrong)
}

/// What a database is asked for.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn tables(
    (user, rules): (&Placed, Option<&Placed>),
    marks: Marks,
    passwords: &str,
) -> Result<TableOptions, Unfit> {
    let query = |key, placed: &Placed| {
        Query::new(placed.get(), marks).map_err(|error| Unfit { key, problem: error.to_string() })
    };
    Ok(TableOptions {
        query: query("query", user)?,
        rules: rules.map(|rules| query("rules_query", rules)).transpose()?,
        scheme: scheme(passwords)?,
    })
}
