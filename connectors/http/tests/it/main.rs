//! Services that are right, slow, lying, dead and back again, asked as a node asks them.

mod collectors;
mod documents;
mod secure;
mod services;

use plexus_access::{Credentials, Template};
use plexus_admission::{OnTrouble, StepOptions};
use plexus_connector_http::{HttpAuthenticator, HttpOptions, Method};
use plexus_net::TlsClientOptions;
use plexus_testkit::{Door, PATIENCE, SHORT, credentials};

fn options(url: &str) -> HttpOptions {
    HttpOptions {
        method: Method::Post,
        url: Template::parse(url).expect("a template"),
        headers: Vec::new(),
        body: None,
        cleartext: false,
        tls: TlsClientOptions::default(),
    }
}

/// Bob, with that password.
fn bob(password: &str) -> Credentials {
    credentials("bob", password)
}

fn open(options: HttpOptions) -> Door {
    bounded(options, StepOptions { timeout: Some(PATIENCE), ..StepOptions::BACK_END })
}

fn bounded(options: HttpOptions, bounds: StepOptions) -> Door {
    Door::bounded(bounds, |runtime| {
        HttpAuthenticator::new(options, runtime).expect("it can be meant")
    })
}

const IGNORES: StepOptions =
    StepOptions { timeout: Some(SHORT), on_trouble: OnTrouble::Ignore, ..StepOptions::BACK_END };
