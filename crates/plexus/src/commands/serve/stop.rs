//! Signals: when a node is to stop, and when it is to read something anew.

use std::time::{Duration, Instant};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::failure::Failure;

/// The signals that a node listens to. From now on they do not end the process by themselves.
pub(super) fn signals() -> Result<Signals, Failure> {
    Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::because("cannot listen to signals", &error))
}

/// A second signal within this time is the same order once more: some supervisors tell a process
/// and then its whole group.
const ONE_ORDER: Duration = Duration::from_secs(1);

/// Returns when the node is told to stop. SIGHUP is the order to read anew.
pub(super) fn wait(mut signals: Signals, mut reload: impl FnMut()) -> Result<(), Failure> {
    for signal in signals.forever() {
        if signal == SIGHUP {
            reload();
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
