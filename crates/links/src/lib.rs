//! *What it is.* How the shards of a node talk: bounded rings between each two of them, the bells that
//! wake their threads, and the book of who waits for what another has kept.
//!
//! *What it never does.* It knows no clients and no topics: what is said is the shards' affair, but for
//! two questions ([`Word`]).
//!
//! *Entry points.* [`Links`], [`Bell`], [`Barriers`].
//!
//! *Reading order.* `rings`, `barrier`.
//!
//! *Tests.* Beside the code; `barrier` against a naive book.

mod barrier;
mod rings;

pub use barrier::{Barriers, Class, Confirmed};
pub use rings::{Bell, Intake, Links, Word};
