//! What reaches others than this machine's files, as far as the program was built with it.

use std::{path::Path, sync::Arc};

use plexus_admission::{Authenticator, Fetch};
use plexus_config::{BackEnds, Secrets, Unfit, settings::BackEnd};
use plexus_runtime::Handle;

#[cfg(feature = "http")]
mod http;

/// Those that the program was built with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built;

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
            #[cfg(not(feature = "http"))]
            BackEnd::Http(_) => missing(back_end),
        }
    }
}

#[cfg(not(feature = "http"))]
fn missing(back_end: BackEnd<'_>) -> Result<Arc<dyn Authenticator>, Unfit> {
    let problem = format!("cannot be asked: this program was built without {}", back_end.kind());
    Err(Unfit { key: "name", problem })
}
