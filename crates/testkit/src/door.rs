//! A node's door with one back end.

use std::{
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use bytes::Bytes;
use plexus_access::{Credentials, Gate, Outcome, Reply, Rights};
use plexus_admission::{Authenticator, Chain, Step, StepOptions, Strangers};
use plexus_runtime::{Handle, Runtime, unix_now};
use plexus_stdx::Seed;
use plexus_types::{ClientId, ReasonCode, Text};

use crate::{Conduct, Relay};

/// How long a step may take before a test gives up on it: a bound of failure, not a measurement.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// For back ends that never answer.
pub const SHORT: Duration = Duration::from_millis(300);

/// A node's door with one back end.
#[derive(Debug)]
pub struct Door {
    chain: Chain,
    _runtime: Runtime,
}

/// The client `r7` with that name and password, at the listener `tcp`.
pub fn credentials(user: &str, password: &str) -> Credentials {
    Credentials {
        client_id: ClientId::try_from("r7").expect("an identifier"),
        user_name: Some(Text::try_from(user).expect("text")),
        password: Some(Bytes::copy_from_slice(password.as_bytes())),
        peer: None,
        listener: "tcp".into(),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: Gate::default(),
    }
}

impl Door {
    /// With a back end that may take so long.
    pub fn new<A: Authenticator + 'static>(
        timeout: Duration,
        make: impl FnOnce(&Handle) -> A,
    ) -> Self {
        Self::bounded(StepOptions { timeout: Some(timeout), ..StepOptions::BACK_END }, make)
    }

    /// With a back end within these bounds.
    pub fn bounded<A: Authenticator + 'static>(
        bounds: StepOptions,
        make: impl FnOnce(&Handle) -> A,
    ) -> Self {
        let runtime = Runtime::start(2).expect("threads");
        let asked = Arc::new(make(&runtime.handle()));
        let step = Arc::new(Step::new("back end", asked, bounds, &[7; 32], Seed::new(1)));
        let chain = Chain::new(vec![step], Strangers::Refuse, runtime.handle());
        Self { chain, _runtime: runtime }
    }

    /// Whom it asks.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What is said of a user with that password.
    pub fn asks(&self, user: &str, password: &str) -> Result<Box<Rights>, ReasonCode> {
        self.asks_about(credentials(user, password))
    }

    /// What is said of a client.
    pub fn asks_about(&self, credentials: Credentials) -> Result<Box<Rights>, ReasonCode> {
        let (reply, answer) = sync_channel(1);
        self.chain.ask(credentials, Reply::new(move |outcome| drop(reply.send(outcome))));
        match answer.recv_timeout(PATIENCE * 2).expect("each client gets an answer") {
            Outcome::Allow(rights, None) => Ok(rights),
            Outcome::Deny(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    /// Asks until the user is let in: a back end that failed is asked again after a rest.
    pub fn asks_until_it_answers(&self, user: &str, password: &str) {
        let deadline = unix_now() + PATIENCE;
        while self.asks(user, password).is_err() {
            assert!(unix_now() < deadline, "it is never asked again");
            thread::yield_now();
        }
    }
}

/// What a back end behind that relay costs its clients that breaks, is deaf, is dead and is there again: a refusal, and
/// nobody stays out. `restart` ends the server and starts it again; both doors have asked nothing yet, and `hasty` waits
/// for [`SHORT`] only.
pub fn bears_trouble(relay: &mut Relay, patient: &Door, hasty: &Door, restart: impl FnOnce()) {
    let refused = Err(ReasonCode::ServerUnavailable);
    assert!(patient.asks("bob", "right").is_ok());
    restart();
    assert!(patient.asks("bob", "right").is_ok(), "a connection that broke meanwhile is replaced");
    hasty.asks_until_it_answers("bob", "right");
    relay.set(Conduct::Deaf);
    assert_eq!(hasty.asks("bob", "right"), refused);
    relay.set(Conduct::Passes);
    hasty.asks_until_it_answers("bob", "right");
    relay.kill();
    for _ in 0..6 {
        assert_eq!(patient.asks("bob", "right"), refused);
    }
    relay.again();
    patient.asks_until_it_answers("bob", "right");
}
