use std::{path::Path, sync::Arc, time::Duration};

use plexus_admission::{Authenticator, Fetch};
use plexus_config::{
    Secrets, Unfit,
    settings::{HttpMethod, HttpSettings},
};
use plexus_connector_http::{
    self as connector, DocumentOptions, HttpAuthenticator, HttpOptions, Method, Misfit,
};
use plexus_net::{CRL_SIZE_MAX, TlsClientOptions};
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
        headers: secrets.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        body: settings.body.as_ref().map(|body| body.get().clone()),
        cleartext: settings.cleartext,
        tls: tls(&settings.terms()),
    };
    let made = HttpAuthenticator::new(options, runtime);
    let made = made.map_err(|Misfit { key, problem }| Unfit { key, problem })?;
    Ok(Arc::new(made))
}
