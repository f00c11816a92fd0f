//! What one measurement says.

use hdrhistogram::Histogram;

use crate::{traffic::Faults, usage::Cpu};

/// The figures of one run of one scenario against one broker.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Outcome {
    /// Deliveries (or connects, or idle connections) in the measured part.
    pub units: u64,
    /// Length of the measured part in seconds.
    pub seconds: f64,
    /// Processor time of the broker for each unit, user and system, in microseconds.
    pub cpu_micros: Option<f64>,
    /// The user part of it.
    pub user_micros: Option<f64>,
    /// Private memory of the broker for each idle connection or stored message, in bytes.
    pub bytes_each: Option<f64>,
    /// Time from due to delivered.
    pub latency: Quantiles,
    /// Time from due to sent: how late the generator itself was. Zero in window mode.
    pub lag: Quantiles,
    /// Published over the whole run.
    pub published: u64,
    /// What went wrong over the whole run.
    pub faults: Faults,
    /// The second part of a run with sessions that were away: how they got what had been stored.
    pub drained: Option<Box<Self>>,
}

impl Outcome {
    /// Adds the processor time between two readings.
    #[must_use]
    pub fn with_cpu(mut self, before: Option<Cpu>, after: Option<Cpu>) -> Self {
        let units = self.units.max(1) as f64;
        let pair = before.zip(after);
        self.cpu_micros = pair.map(|(before, after)| after.micros_since(before) as f64 / units);
        self.user_micros =
            pair.map(|(before, after)| after.user_micros_since(before) as f64 / units);
        self
    }

    /// Units a second.
    pub fn per_second(&self) -> f64 {
        if self.seconds > 0.0 { self.units as f64 / self.seconds } else { 0.0 }
    }

    /// Whether every message came exactly once and in order.
    pub fn is_clean(&self) -> bool {
        self.faults == Faults::default()
    }
}

/// A distribution in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
pub struct Quantiles {
    /// Median.
    pub p50: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// 999 of 1000 are below.
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

impl Quantiles {
    /// Of a histogram in nanoseconds.
    pub fn of(nanos: &Histogram<u64>) -> Self {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1000.0;
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: nanos.max() as f64 / 1000.0 }
    }
}
