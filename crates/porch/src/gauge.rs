use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// How short memory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pressure {
    /// Nothing is held back.
    None,
    /// Publishers are not read.
    High,
    /// New connections are refused too.
    Critical,
}

/// The newest judgement, written by who watches memory and read by all threads.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU8);

impl Gauge {
    /// How short memory is now.
    pub fn read(&self) -> Pressure {
        match self.0.load(Relaxed) {
            0 => Pressure::None,
            1 => Pressure::High,
            _ => Pressure::Critical,
        }
    }

    /// Says how short it is.
    pub fn set(&self, pressure: Pressure) {
        self.0.store(pressure as u8, Relaxed);
    }
}
