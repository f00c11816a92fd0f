use std::{path::Path, sync::Arc, time::Duration};

use plexus_admission::{Authenticator, Fetch};
use plexus_config::{
    Secrets, Unfit,
    settings::{HttpMethod, HttpSettings, TelemetrySettings},
};
use plexus_connector_http::{
    self as connector, CollectorOptions, DocumentOptions, HttpAuthenticator, HttpCollector,
    HttpOptions, Method, Misfit,
};
use plexus_net::{CRL_SIZE_MAX, TlsClientOptions};
use plexus_otlp::Collector;
use plexus_runtime::Handle;

use super::tls;

pub(super) fn document(
    url: &str,
    authorities: Option<&Path>,
    runtime: &Handle,
) -> Result<Fetch, String> {
    let tls = TlsClientOptions {
        ca_file: authorities.map(Path::to_owned),
        ..TlsClientOptions::default()
    };
    connector::document(url, &tls, DocumentOptions::KEYS, runtime)
}

pub(super) fn revocation_list(url: &str, runtime: &Handle) -> Result<Fetch, String> {
    let options = DocumentOptions {
        cleartext: true,
        size_max: usize::try_from(CRL_SIZE_MAX).unwrap_or(usize::MAX),
        patience: Duration::from_secs(20),
    };
    connector::document(url, &TlsClientOptions::default(), options, runtime)
}

pub(super) fn authenticator(
    settings: &HttpSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let options = HttpOptions {
        method: match settings.method {
            HttpMethod::Get => Method::Get,
            HttpMethod::Post => Method::Post,
        },
        url: settings.url.get().clone(),
        headers: headers(secrets),
        body: settings.body.as_ref().map(|body| body.get().clone()),
        cleartext: settings.cleartext,
        tls: tls(&settings.terms()),
    };
    let made = HttpAuthenticator::new(options, runtime);
    let made = made.map_err(|Misfit { key, problem }| Unfit { key, problem })?;
    Ok(Arc::new(made))
}

pub(super) fn collector(
    settings: &TelemetrySettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Collector>, Unfit> {
    let options = CollectorOptions {
        endpoint: settings.endpoint.clone().unwrap_or_default(),
        headers: headers(secrets),
        cleartext: settings.cleartext,
        tls: TlsClientOptions {
            ca_file: settings.ca_file.clone(),
            cert_file: settings.cert_file.clone(),
            key_file: settings.key_file.clone(),
            ..TlsClientOptions::default()
        },
    };
    let made = HttpCollector::new(options, runtime);
    let made = made.map_err(|Misfit { key, problem }| Unfit { key, problem })?;
    Ok(Arc::new(made))
}

/// The header fields, which are the secrets.
fn headers(secrets: &Secrets) -> Vec<(String, String)> {
    secrets.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
