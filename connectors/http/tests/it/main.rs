//! Services that are right, slow, lying, dead and back again, asked as a node asks them.

mod documents;
mod secure;
mod services;

use std::{
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use bytes::Bytes;
use plexus_access::{Credentials, Outcome, Reply, Rights, Template, Verdict};
use plexus_admission::{Authenticator, Chain, OnTrouble, Step, StepOptions, Strangers};
use plexus_connector_http::{HttpAuthenticator, HttpOptions, Method};
use plexus_net::TlsClientOptions;
use plexus_runtime::Runtime;
use plexus_stdx::Seed;
use plexus_types::{ClientId, ReasonCode, Text};

/// How long a step may take before the test gives up on it: a bound of failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);
/// For services that never answer.
const SHORT: Duration = Duration::from_millis(200);

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
fn bob(password: &'static str) -> Credentials {
    Credentials {
        client_id: ClientId::try_from("r7").expect("an identifier"),
        user_name: Some(Text::from_static("bob")),
        password: Some(Bytes::from_static(password.as_bytes())),
        peer: None,
        listener: "tcp".into(),
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

/// A node's door with one authenticator.
struct Door {
    _runtime: Runtime,
    chain: Chain,
}

impl Door {
    fn new(options: HttpOptions) -> Self {
        Self::bounded(options, StepOptions { timeout: Some(PATIENCE), ..StepOptions::BACK_END })
    }

    fn bounded(options: HttpOptions, bounds: StepOptions) -> Self {
        let runtime = Runtime::start(2).expect("threads");
        let asked = HttpAuthenticator::new(options, &runtime.handle()).expect("it can be meant");
        Self::of(runtime, Arc::new(asked), bounds)
    }

    fn of(runtime: Runtime, asked: Arc<dyn Authenticator>, bounds: StepOptions) -> Self {
        let step = Step::new("service", asked, bounds, &[7; 32], Seed::new(1));
        let chain = Chain::new(vec![Arc::new(step)], Strangers::Refuse, runtime.handle());
        Self { _runtime: runtime, chain }
    }

    /// What is said of a client.
    fn asks(&self, credentials: Credentials) -> Result<Box<Rights>, ReasonCode> {
        assert_eq!(self.chain.at_once(&credentials), Verdict::Later, "it is asked about");
        let (reply, answer) = sync_channel(1);
        self.chain.ask(credentials, Reply::new(move |outcome| drop(reply.send(outcome))));
        match answer.recv_timeout(PATIENCE * 2).expect("each client gets an answer") {
            Outcome::Allow(rights, None) => Ok(rights),
            Outcome::Deny(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }
}

const IGNORES: StepOptions =
    StepOptions { timeout: Some(SHORT), on_trouble: OnTrouble::Ignore, ..StepOptions::BACK_END };
