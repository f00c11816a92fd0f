use std::{sync::Arc, time::Duration};

use plexus_admission::Fetch;
use plexus_net::TlsClientOptions;
use plexus_runtime::Handle;
use reqwest::{StatusCode, Url};

use crate::{
    client::{self, Redirects, body, said},
    target::check_scheme,
};

/// A hundred keys with their certificates have less.
const DOCUMENT_SIZE_MAX: usize = 1_024 * 1_024;
/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gets what is published at that address, each time it is called. The error says what is wrong with the
/// address or the files.
pub fn document(url: &str, tls: &TlsClientOptions, runtime: &Handle) -> Result<Fetch, String> {
    let url = Url::parse(url).map_err(|error| format!("is no address: {error}"))?;
    check_scheme(&url, false)?;
    let client = client::new(tls, Redirects::SameHost, runtime)?;
    Ok(Arc::new(move || {
        let request = client.get(url.clone()).timeout(PATIENCE);
        Box::pin(async move {
            let response = request.send().await.map_err(|error| said(&error))?;
            match response.status() {
                StatusCode::OK => {
                    let document = body(response, DOCUMENT_SIZE_MAX).await;
                    document.map_err(|trouble| trouble.to_string())
                }
                status => Err(format!("HTTP {status}")),
            }
        })
    }))
}
