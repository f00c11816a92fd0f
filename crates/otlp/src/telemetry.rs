use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use plexus_porch::{Clock, Metric, MetricValue, Watcher};
use plexus_runtime::{Handle, Task, unix_now};
use plexus_stdx::Seed;
use prost::Message;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    collector::{Collector, Signal},
    ids::Ids,
    options::Options,
    outlet::{Outlet, Stop, run, run_each},
    points::{Period, metric},
    proto::{
        ExportLogsRequest, ExportMetricsRequest, ExportTraceRequest, InstrumentationScope,
        KeyValue, Resource, ResourceLogs, ResourceMetrics, ResourceSpans, ScopeLogs, ScopeMetrics,
        ScopeSpans,
    },
    records::{LogLayer, Noted},
    sampler::Sampler,
    spans::Spans,
    tally::Tally,
    tracer::{Seen, Tracer},
    trouble::Trouble,
};

/// What waits to be sent, and what one request holds.
const SPANS_MAX: usize = 8_192;
const SPANS_BATCH: usize = 512;
const RECORDS_MAX: usize = 1_024;
const RECORDS_BATCH: usize = 256;
/// How long spans and records wait for a collector that does not take them.
const PATIENCE: Duration = Duration::from_mins(1);

/// Reads everything that is measured.
pub type MetricSource = Arc<dyn Fn() -> Vec<Metric> + Send + Sync>;

/// What a node tells a collector. Dropping it ends that.
pub struct Telemetry {
    options: Options,
    collector: Arc<dyn Collector>,
    runtime: Handle,
    log: Option<LogLayer>,
    tallies: Tallies,
    trouble: Arc<Trouble>,
    stop: watch::Sender<bool>,
    is_over: Arc<AtomicBool>,
    tasks: Vec<Task>,
    /// Held by everything that runs; what waits for the end hears when nobody holds it any more.
    alive: mpsc::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What became of what was to be sent.
#[derive(Debug, Clone, Default)]
pub struct Tallies([Arc<Tally>; 3]);

impl Tallies {
    fn of(&self, signal: Signal) -> Arc<Tally> {
        let [traces, metrics, logs] = &self.0;
        Arc::clone(match signal {
            Signal::Traces => traces,
            Signal::Metrics => metrics,
            Signal::Logs => logs,
        })
    }

    /// The same as metrics of the node.
    pub fn metrics(&self) -> Vec<Metric> {
        const NAMES: [[&str; 3]; 3] = [
            ["telemetry.spans.sent", "telemetry.spans.lost", "telemetry.spans.refused"],
            ["telemetry.points.sent", "telemetry.points.lost", "telemetry.points.refused"],
            ["telemetry.records.sent", "telemetry.records.lost", "telemetry.records.refused"],
        ];
        const HELP: [&str; 3] = [
            "What the collector has taken.",
            "What found no room, or was not taken in time.",
            "What the collector would not have.",
        ];
        let all = NAMES.iter().zip(&self.0).flat_map(|(names, tally)| {
            let named = names.iter().zip(HELP).zip(tally.read());
            named.map(|((name, help), value)| Metric {
                name: (*name).into(),
                help: help.into(),
                value: MetricValue::Counter(value),
            })
        });
        all.collect()
    }
}

impl Telemetry {
    /// Begins with the log, which is there before the node.
    pub fn start(options: Options, collector: Arc<dyn Collector>, runtime: Handle) -> Self {
        let (stop, _) = watch::channel(false);
        let (alive, ended) = mpsc::channel(1);
        let mut telemetry = Self {
            options,
            collector,
            runtime,
            log: None,
            tallies: Tallies::default(),
            trouble: Arc::default(),
            stop,
            is_over: Arc::default(),
            tasks: Vec::new(),
            alive,
            ended,
        };
        if telemetry.options.logs {
            let (records, next) = mpsc::channel(RECORDS_MAX);
            telemetry.log = Some(LogLayer::new(records, telemetry.tallies.of(Signal::Logs)));
            let resource = telemetry.resource();
            // Nothing has to be unlike others' here but the waits.
            let outlet = telemetry.outlet(Signal::Logs, PATIENCE, Seed::new(0));
            let request = move |batch| logs(&resource, batch);
            telemetry.run(run(outlet, next, RECORDS_BATCH, request));
        }
        telemetry
    }

    /// What the log has to hand its records to, if it is sent.
    pub fn log_layer(&self) -> Option<LogLayer> {
        self.log.clone()
    }

    /// What became of what was to be sent.
    pub fn tallies(&self) -> Tallies {
        self.tallies.clone()
    }

    /// Goes on with what a node shows and measures, which has that clock and hashes with that seed. Gives whoever has
    /// to watch it, if messages are traced.
    pub fn observe(
        &mut self,
        clock: Clock,
        seed: Seed,
        metrics: MetricSource,
    ) -> Option<Arc<dyn Watcher>> {
        if let Some(interval) = self.options.metrics {
            let (resource, start) = (self.resource(), unix_now());
            let outlet = self.outlet(Signal::Metrics, interval, seed.derive(1));
            self.run(run_each(outlet, interval, move || points(&resource, start, &metrics())));
        }
        let traces = self.options.traces.take()?;
        let ids = Ids::new(seed);
        let (seen, next) = mpsc::channel(SPANS_MAX);
        let (resource, mut made) = (self.resource(), Spans::new(ids));
        let outlet = self.outlet(Signal::Traces, PATIENCE, seed.derive(2));
        self.run(run(outlet, next, SPANS_BATCH, move |batch| spans(&resource, &mut made, batch)));
        let sampler = Sampler::new(traces, ids);
        let tally = self.tallies.of(Signal::Traces);
        let tracer = Tracer::new((sampler, clock), seen, tally, Arc::clone(&self.is_over));
        Some(Arc::new(tracer))
    }

    /// Sends what waits, and comes to an end within that time. Says whether everything was sent or given up by then.
    pub fn shut_down(self, patience: Duration) -> bool {
        let Self { runtime, stop, is_over, tasks, alive, mut ended, .. } = self;
        is_over.store(true, Relaxed);
        stop.send_replace(true);
        drop(alive);
        let done = runtime.wait_for(async { timeout(patience, ended.recv()).await.is_ok() });
        drop(tasks);
        done
    }

    fn run(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        let alive = self.alive.clone();
        self.tasks.push(self.runtime.own(async move {
            work.await;
            drop(alive);
        }));
    }

    fn outlet(&self, signal: Signal, patience: Duration, draw: Seed) -> Outlet {
        Outlet {
            signal,
            collector: Arc::clone(&self.collector),
            timeout: self.options.timeout,
            patience,
            tally: self.tallies.of(signal),
            trouble: Arc::clone(&self.trouble),
            draw,
            stop: Stop(self.stop.subscribe()),
        }
    }

    fn resource(&self) -> Resource {
        let Options { service, instance, version, .. } = &self.options;
        Resource {
            attributes: vec![
                KeyValue::text("service.name", service),
                KeyValue::text("service.instance.id", instance),
                KeyValue::text("service.version", version),
            ],
        }
    }
}

fn scope(name: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn spans(resource: &Resource, made: &mut Spans, batch: Vec<Seen>) -> (Bytes, u64) {
    let spans: Vec<_> = batch.into_iter().filter_map(|seen| made.of(seen)).collect();
    let count = spans.len() as u64;
    let scope_spans = vec![ScopeSpans { scope: Some(scope("plexus")), spans }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource.clone()), scope_spans }];
    (ExportTraceRequest { resource_spans }.encode_to_vec().into(), count)
}

fn points(resource: &Resource, start: plexus_types::Instant, all: &[Metric]) -> (Bytes, u64) {
    let period = Period { start, now: unix_now() };
    let metrics = all.iter().map(|one| metric(one, period)).collect();
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope("plexus")), metrics }];
    let resource_metrics =
        vec![ResourceMetrics { resource: Some(resource.clone()), scope_metrics }];
    (ExportMetricsRequest { resource_metrics }.encode_to_vec().into(), all.len() as u64)
}

fn logs(resource: &Resource, batch: Vec<Noted>) -> (Bytes, u64) {
    let count = batch.len() as u64;
    let mut by_target = BTreeMap::<_, Vec<_>>::new();
    for Noted { target, record } in batch {
        by_target.entry(target).or_default().push(record);
    }
    let scope_logs = by_target
        .into_iter()
        .map(|(target, log_records)| ScopeLogs { scope: Some(scope(target)), log_records });
    let scope_logs = scope_logs.collect();
    let resource_logs = vec![ResourceLogs { resource: Some(resource.clone()), scope_logs }];
    (ExportLogsRequest { resource_logs }.encode_to_vec().into(), count)
}
