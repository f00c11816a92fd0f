//! *What it is.* The broker of one node: shards that own clients, the publish path, retained
//! messages, shared groups, `$SYS`, and the threads that carry bytes to and from them. Who comes to them
//! is the affair of `porch`.
//!
//! *What it never does.* No MQTT rules (those are `session`'s), no topic matching (`topics`), no
//! configuration files. A [`shard::Shard`] itself touches no socket, clock or thread: the reactor
//! and the simulator drive the same code.
//!
//! *Entry points.* [`Node`], [`NodeHandle`], [`shard::Shard`], [`ports::Ports`].
//!
//! *Reading order.* `ports`, `envelope`, `shard` and its parts, then `reactor`, `node`.
//!
//! *Tests.* Beside the code; `hotpaths/examples/recovery_bench` starts nodes on full stores; `sim` drives
//! shards from a seed.

mod drivers;
pub mod envelope;
mod error;
mod homes;
mod logger;
mod node;
pub mod options;
pub mod ports;
mod reactor;
pub mod shard;
pub mod sys;

pub use error::StartError;
pub use logger::LogPlace;
pub use node::{Node, NodeHandle};
pub use options::{NodeOptions, RetainedOptions};
pub use plexus_porch::{
    Alarm, BansFrom, Clock, EndedAlarm, FenceOptions, Histogram, HistogramView, Limits,
    ListenerLimits, ListenerOptions, Measure, MemoryOptions, MeterOptions, Metric, MetricValue,
    OpenError, Pace, Pool, Quota, Sight, Tenant, TenantOptions, Timings, Watcher, counters,
    metrics, totals,
};
pub use plexus_topics::{Member, SubscriberId};
pub use shard::{
    ClientView, Granted, Look, Question, ReceiversPart, RetainedFrom, RetainedPart, Told,
    TopicLevel, Visit,
};
