//! Who wants a command to end: SIGINT and SIGTERM.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mio::Waker;
use plexus_terminal::Failure;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// Whether somebody wants the command to end.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// SIGINT and SIGTERM end the loop in order; a second one ends the program.
    pub fn listen(waker: Arc<Waker>) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::because("cannot listen to signals", &error);
        let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
        let wanted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&wanted);
        let watch = move || {
            for signal in signals.forever() {
                if flag.swap(true, Ordering::Relaxed) {
                    drop(signal_hook::low_level::emulate_default_handler(signal));
                }
                // The loop that cannot be woken sees the flag at its next event.
                drop(waker.wake());
            }
        };
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(watch);
        thread.map_err(failed)?;
        Ok(Self(wanted))
    }

    /// Whether somebody wants the command to end.
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
