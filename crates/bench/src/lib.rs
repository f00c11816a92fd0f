//! *What it is.* The load generator: thousands of MQTT clients in one process, as fast as a window
//! allows or at a fixed rate, and the comparison of two brokers by processor time for each delivery.
//!
//! *What it never does.* It links no part of the broker: it sees a broker from outside, by its
//! socket and by what the operating system says of its process.
//!
//! *Entry points.* [`run()`], [`Comparison`], [`Scenario`].
//!
//! *Reading order.* `scenario`, `payload`, `ledger`, `traffic`, `client`, `fleet`, `run`, `report`.
//!
//! *Tests.* Beside the pure parts (`ledger`, `traffic`, `client`, `report`), without sockets.

mod broker;
mod client;
mod clock;
mod compare;
mod error;
mod fleet;
mod ledger;
mod outcome;
mod pacer;
mod payload;
mod report;
mod run;
mod scenario;
mod traffic;
mod usage;

pub use broker::{Broker, Program};
pub use compare::Comparison;
pub use error::LoadError;
pub use outcome::{Outcome, Quantiles};
pub use report::{Record, Report, Spread};
pub use run::{Plan, Target, run};
pub use scenario::{Pace, Scenario, Shape};
pub use traffic::Faults;
pub use usage::Cpu;
