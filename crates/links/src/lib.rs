//! *What it is.* How the shards of a node talk: bounded rings between each two of them, the bells that
//! wake their threads, how many threads there is work for, and the book of who waits for what another has kept.
//!
//! *What it never does.* It knows no clients and no topics: what is said is the shards' affair, but for
//! two questions ([`Word`]).
//!
//! *Entry points.* [`Links`], [`Bell`], [`Barriers`], [`Pace`].
//!
//! *Reading order.* `rings`, `barrier`, `pace`.
//!
//! *Tests.* Beside the code; `barrier` against a naive book.

mod barrier;
mod pace;
mod rings;

pub use barrier::{Barriers, Class, Confirmed};
pub use pace::{Load, Pace};
pub use rings::{Bell, Intake, Links, Word};
