//! *What it is.* The load generator behind `plexus bench`: any number of MQTT clients in one process,
//! as fast as a window allows or at a fixed rate; and `plexus-load`, the comparison of two brokers by
//! processor time for each delivery, which still has clients of its own.
//!
//! *What it never does.* It links no part of the broker: it sees a broker from outside, by its
//! socket and by what the operating system says of its process. It has no rules of MQTT: those are
//! `session`'s.
//!
//! *Entry points.* [`recipe::Recipe`] and [`mixed::mixed`] make a [`plan::Workload`], a
//! [`Director`] leads it, a [`summary::Summary`] comes out. [`Comparison`] for two brokers.
//!
//! *Reading order.* `pattern`, `stamp`, `plan`, `recipe`, `counts`, `engine` (`conn`, `publisher`,
//! `subscriber`, `desk`, `worker`), `director`, `summary`, `view`. For the comparison: `scenario`,
//! `traffic`, `client`, `fleet`, `run`, `report`.
//!
//! *Tests.* Beside the pure parts, without sockets; the engine against brokers in `plexus`, `tests/it`.

pub mod addresses;
pub mod amount;
pub mod bounds;
mod broker;
mod client;
mod clock;
mod compare;
pub mod counts;
mod director;
mod engine;
mod error;
mod fleet;
mod ledger;
pub mod limits;
pub mod meter;
pub mod mixed;
mod outcome;
mod pacer;
pub mod pattern;
mod payload;
pub mod plan;
pub mod prometheus;
pub mod recipe;
mod report;
mod run;
mod scenario;
mod seen;
pub mod stamp;
pub mod summary;
mod traffic;
mod usage;
pub mod view;

pub use broker::{Broker, Program};
pub use compare::Comparison;
pub use director::{Director, Progress, Watch};
pub use error::LoadError;
pub use outcome::{Outcome, Quantiles};
pub use report::{Record, Report, Spread};
pub use run::{Plan, Target, run};
pub use scenario::{Pace, Scenario, Shape};
pub use traffic::Faults;
pub use usage::Cpu;
