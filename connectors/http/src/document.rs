use std::{sync::Arc, time::Duration};

use plexus_admission::Fetch;
use plexus_net::TlsClientOptions;
use plexus_runtime::Handle;
use reqwest::{StatusCode, Url};

use crate::{
    client::{self, Redirects, body, said},
    target::check_scheme,
};

/// What is expected of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocumentOptions {
    /// Whether it may come in clear text over the network: what is in it is signed.
    pub cleartext: bool,
    /// Bytes of it, at most.
    pub size_max: usize,
    /// What has not come by then does not come.
    pub patience: Duration,
}

impl DocumentOptions {
    /// A set of keys: a hundred with their certificates have less.
    pub const KEYS: Self =
        Self { cleartext: false, size_max: 1_024 * 1_024, patience: Duration::from_secs(10) };
}

/// Gets what is published at that address, each time it is called. The error says what is wrong with the
/// address or the files.
pub fn document(
    url: &str,
    tls: &TlsClientOptions,
    options: DocumentOptions,
    runtime: &Handle,
) -> Result<Fetch, String> {
    let url = Url::parse(url).map_err(|error| format!("is no address: {error}"))?;
    check_scheme(&url, options.cleartext)?;
    let client = client::new(tls, Redirects::SameHost, runtime)?;
    Ok(Arc::new(move || {
        let request = client.get(url.clone()).timeout(options.patience);
        Box::pin(async move {
            let response = request.send().await.map_err(|error| said(&error))?;
            match response.status() {
                StatusCode::OK => {
                    let document = body(response, options.size_max).await;
                    document.map_err(|trouble| trouble.to_string())
                }
                status => Err(format!("HTTP {status}")),
            }
        })
    }))
}
