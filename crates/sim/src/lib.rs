//! *What it is.* A whole node in one thread: shards of the broker, clients and the bytes between
//! them, with a clock, a network and if wanted a log on a disk of its own, all from one seed. First
//! everything goes wrong that can, crashes of the node included, then nothing does and everything
//! must settle, then all leave and nothing may stay.
//!
//! *What it never does.* It opens no socket, reads no clock and draws no randomness: a seed that
//! fails once fails always.
//!
//! *Entry points.* [`run`], [`Plan`], [`Story`]; the program `sim`.
//!
//! *Reading order.* `plan`, `world` and its parts, `seen`, `history`, then `invariants`, one file
//! each.
//!
//! *Tests.* `tests/it`: seeds pass, a seed repeats itself, planted bugs are found.

mod agenda;
mod dice;
mod dock;
mod history;
mod invariants;
mod link;
mod plan;
mod seen;
mod story;
mod world;

pub use history::MessageNo;
pub use invariants::Violation;
pub use plan::{Kind, Plan, Storage};
pub use story::Story;
pub use world::{Outcome, run};

/// A bug to plant.
pub use plexus_broker::shard::Canary;
/// A bug of the log to plant.
pub use plexus_store::testing::Plant;
