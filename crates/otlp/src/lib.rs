//! *What it is.* What a node tells an OpenTelemetry collector: the traces of messages, what it measures, and its log,
//! as messages of OTLP.
//!
//! *What it never does.* It opens no connection: who speaks HTTP is a [`Collector`]. It makes nobody wait: what finds
//! no room is counted. It changes no message, and a shard does no more for it than to put down what it has seen.
//!
//! *Entry points.* [`Telemetry`], [`Options`], [`Collector`].
//!
//! *Reading order.* `options`, `context`, `ids`, `sampler`, `tracer`, `spans`; `points`; `records`; then `collector`,
//! `backoff`, `trouble`, `tally`, `outlet`, `telemetry`, and `proto`.
//!
//! *Tests.* Beside the code, with collectors that are slow, dead and lying; the binary with a collector from outside in
//! `plexus`.

mod backoff;
mod collector;
mod context;
mod ids;
mod options;
mod outlet;
mod points;
pub mod proto;
mod records;
mod sampler;
mod spans;
mod tally;
mod telemetry;
mod tracer;
mod trouble;

pub use self::{
    collector::{Answer, Collector, Posting, Signal},
    options::{Follow, Options, Ratio, TraceOptions},
    records::LogLayer,
    telemetry::{MetricSource, Tallies, Telemetry},
};
