//! Signals: when a node is to stop, and when it is to read something anew.

use std::time::{Duration, Instant};

use plexus_terminal::Failure;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// The signals that a node listens to. From now on they do not end the process by themselves.
pub(super) fn signals() -> Result<Signals, Failure> {
    Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::because("cannot listen to signals", &error))
}

/// A second signal within this time is the same order once more: some supervisors tell a process
/// and then its whole group, and a terminal tells all of them. No person is that fast.
const ONE_ORDER: Duration = Duration::from_millis(100);

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
            if signal != SIGHUP && is_another_order(clock().saturating_duration_since(told)) {
                tracing::warn!("a second signal: ended at once, what was on its way is lost");
                drop(signal_hook::low_level::emulate_default_handler(signal));
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(impatience);
    thread.map(drop).map_err(|error| Failure::because("cannot start a thread", &error))
}

fn is_another_order(since_the_first: Duration) -> bool {
    since_the_first >= ONE_ORDER
}

#[expect(clippy::disallowed_methods, reason = "signals come in real time")]
fn clock() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::is_another_order;

    #[test]
    fn a_person_is_obeyed_and_an_echo_is_not() {
        assert!(!is_another_order(Duration::from_millis(20)));
        assert!(is_another_order(Duration::from_millis(150)));
    }
}
