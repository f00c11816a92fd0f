//! What a node tells an OpenTelemetry collector, if there is one: from before its start to behind its end.

use std::{sync::Arc, time::Duration};

use plexus_broker::{NodeHandle, metrics};
use plexus_config::TelemetryPlan;
use plexus_otlp::{LogLayer, MetricSource, Tallies, Telemetry};
use plexus_runtime::Handle;

/// How long the end waits for the collector to take what is left.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is told, if anything is.
#[derive(Debug)]
pub(super) struct Told(Option<Telemetry>);

impl Told {
    /// Begins with the log.
    pub(super) fn start(plan: Option<TelemetryPlan>, runtime: &Handle) -> Self {
        let start = |TelemetryPlan { options, collector }| {
            Telemetry::start(options, collector, runtime.clone())
        };
        Self(plan.map(start))
    }

    /// Where the log has to go, too.
    pub(super) fn log_layer(&self) -> Option<LogLayer> {
        self.0.as_ref()?.log_layer()
    }

    /// Everything that is measured of a node.
    fn metrics(&self, node: NodeHandle) -> MetricSource {
        let tallies = self.0.as_ref().map(Telemetry::tallies);
        Arc::new(move || {
            let mut all = metrics(node.counters(), node.memory(), node.timings());
            all.extend(tallies.iter().flat_map(Tallies::metrics));
            all
        })
    }

    /// Goes on with what the node shows and measures. Gives everything that is measured.
    pub(super) fn observe(&mut self, node: &NodeHandle) -> MetricSource {
        let metrics = self.metrics(node.clone());
        let Some(telemetry) = &mut self.0 else { return metrics };
        if let Some(watcher) = telemetry.observe(node.clock(), node.seed(), Arc::clone(&metrics))
            && node.watch(&watcher).is_err()
        {
            tracing::error!("some messages are not traced: a shard has no room for the order");
        }
        metrics
    }

    /// Sends what is left.
    pub(super) fn close(self) {
        if self.0.is_some_and(|telemetry| !telemetry.shut_down(PATIENCE)) {
            tracing::warn!("the collector has not taken what was left in time");
        }
    }
}
