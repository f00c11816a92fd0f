//! *What it is.* The thread before the shards: it accepts connections and owns each of them until its
//! CONNECT is read, then hands it over to the home of its client. Beside it, what the porch and the shards
//! share of a node: the fences, the tenants, checks of credentials that are under way, what is counted and shown to those who watch,
//! the clock and the gauge of memory.
//!
//! *What it never does.* It knows no shards (they are [`Homes`]), checks no credentials and holds no session.
//!
//! *Entry points.* [`Porch`], [`Homes`], [`Arrival`], [`Fences`], [`Clock`].
//!
//! *Reading order.* `homes`, `options`, `porch` and its parts, `fences`, `meter`, `tenants`, `counters`, `histogram`, `metrics`,
//! `watch`, `checks`, then `gauge`, `memory`, `clock`.
//!
//! *Tests.* Beside `fences` and `meter`; the porch from outside, in `plexus` and `conformance`.

mod alarm;
mod certificate;
mod checks;
mod clock;
pub mod counters;
mod error;
mod fences;
mod gauge;
mod histogram;
mod homes;
mod memory;
mod meter;
mod metrics;
mod options;
mod porch;
mod tenants;
mod watch;

pub use alarm::{Alarm, Alarms, EndedAlarm};
pub use checks::{Checks, ClientRef, ConnId, Query, Ticket};
pub use clock::Clock;
pub use error::OpenError;
pub use fences::{BansFrom, Fence, FenceOptions, Fences, Seat, Seats, Who, is_banned};
pub use gauge::{Gauge, Pressure};
pub use histogram::{Histogram, HistogramView, Measure, Timings};
pub use homes::{Arrival, Door, Homes, Incoming};
pub use memory::{Memory, MemoryOptions, watch_memory};
pub use meter::{Meter, MeterOptions, Pace, Pool, Quota};
pub use metrics::{Metric, MetricValue, metrics, totals};
pub use options::{Limits, ListenerLimits, ListenerOptions, PorchOptions};
pub use porch::{Command, Guard, Parts, Porch, WAKER};
pub use tenants::{Tenant, TenantOptions, Tenants};
pub use watch::{Sight, Watcher, Watchers};
