//! *What it is.* The thread before the shards: it accepts connections and owns each of them until its
//! CONNECT is read, then hands it over to the home of its client. Beside it, what the porch and the shards
//! share of a node: the fences, the tenants, the clock and the gauge of memory.
//!
//! *What it never does.* It knows no shards (they are [`Homes`]), checks no credentials and holds no session.
//!
//! *Entry points.* [`Porch`], [`Homes`], [`Arrival`], [`Fences`], [`Clock`].
//!
//! *Reading order.* `homes`, `options`, `porch` and its parts, `fences`, `meter`, `tenants`, `counters`, then `gauge`,
//! `clock`.
//!
//! *Tests.* Beside `fences` and `meter`; the porch from outside, in `plexus` and `conformance`.

mod alarm;
mod certificate;
mod clock;
pub mod counters;
mod error;
mod fences;
mod gauge;
mod homes;
mod meter;
mod options;
mod porch;
mod tenants;

pub use alarm::{Alarm, Alarms};
pub use clock::Clock;
pub use error::OpenError;
pub use fences::{BansFrom, Fence, FenceOptions, Fences, Seat, Seats, Who, is_banned};
pub use gauge::{Gauge, Pressure};
pub use homes::{Arrival, Door, Homes, Incoming};
pub use meter::{Meter, MeterOptions, Pace, Pool, Quota};
pub use options::{ListenerOptions, PorchOptions};
pub use porch::{Command, Guard, Parts, Porch, WAKER};
pub use tenants::{Tenant, TenantOptions, Tenants};
