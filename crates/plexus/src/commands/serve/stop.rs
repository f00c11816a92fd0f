//! Signals: when a node is to stop, and when it reads something anew.

use std::time::{Duration, Instant};

use plexus_broker::NodeHandle;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::ServeArgs;
use crate::{failure::Failure, log::LogHandle};

/// The signals that a node listens to. From now on they do not end the process by themselves.
pub(super) fn signals() -> Result<Signals, Failure> {
    Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::because("cannot listen to signals", &error))
}

/// What SIGHUP reads anew.
pub(super) struct Reload<'a> {
    pub(super) args: &'a ServeArgs,
    pub(super) log: &'a LogHandle,
    pub(super) node: NodeHandle,
}

impl Reload<'_> {
    fn run(&self) {
        tracing::info!("reading certificates and log level anew");
        for (listener, error) in self.node.reload_tls() {
            tracing::error!(listener, error, "the old certificate stays");
        }
        match self.args.load() {
            Ok(config) => {
                if let Err(error) = self.log.change(&config.settings.log) {
                    tracing::error!(%error, "the old log level stays");
                }
            }
            Err(error) => tracing::error!(%error, "the old log level stays"),
        }
    }
}

/// A second signal within this time is the same order once more: some supervisors tell a process
/// and then its whole group.
const ONE_ORDER: Duration = Duration::from_secs(1);

/// Returns when the node is told to stop.
pub(super) fn wait(mut signals: Signals, reload: &Reload<'_>) -> Result<(), Failure> {
    for signal in signals.forever() {
        if signal == SIGHUP {
            reload.run();
        } else {
            break;
        }
    }
    let told = clock();
    // Whoever does not want to wait ends the process by telling it again.
    let impatience = move || {
        for signal in signals.forever() {
            if signal != SIGHUP && clock().saturating_duration_since(told) >= ONE_ORDER {
                drop(signal_hook::low_level::emulate_default_handler(signal));
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(impatience);
    thread.map(drop).map_err(|error| Failure::because("cannot start a thread", &error))
}

#[expect(clippy::disallowed_methods, reason = "signals come in real time")]
fn clock() -> Instant {
    Instant::now()
}
