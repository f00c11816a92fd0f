//! *What it is.* The load generator behind `plexus bench`: any number of MQTT clients in one process,
//! as fast as a window allows or at a fixed rate. `cargo xtask compare` puts its load on Plexus and on
//! other brokers.
//!
//! *What it never does.* It links no part of the broker: it sees a broker from outside, by its
//! socket and by what the operating system says of its process. It has no rules of MQTT: those are
//! `session`'s.
//!
//! *Entry points.* [`recipe::Recipe`] and [`mixed::mixed`] make a [`plan::Workload`], a
//! [`Director`] leads it, a [`summary::Summary`] comes out.
//!
//! *Reading order.* `pattern`, `stamp`, `plan`, `recipe`, `counts`, `engine` (`conn`, `publisher`,
//! `subscriber`, `desk`, `worker`), `director`, `record`, `summary`, `view`.
//!
//! *Tests.* Beside the pure parts, without sockets; the engine against brokers in `plexus`, `tests/it`.

pub mod addresses;
pub mod amount;
pub mod bounds;
mod clock;
pub mod counts;
mod director;
mod engine;
mod ledger;
pub mod limits;
pub mod meter;
pub mod mixed;
mod pacer;
pub mod pattern;
pub mod plan;
pub mod prometheus;
pub mod recipe;
pub mod record;
mod seen;
pub mod stamp;
pub mod summary;
mod usage;
pub mod view;

pub use director::{Director, Progress, Watch};
