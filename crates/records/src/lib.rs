//! *What it is.* What a node writes into its log, as data: the records of shards, the slots that they
//! belong to, and the whole of what a store keeps, taken from one log and written into another.
//!
//! *What it never does.* It opens no file and runs no shard: `store` has the files, `broker` makes the
//! records and starts from them, `archive` shows them.
//!
//! *Entry points.* [`Record`], [`kept::Kept`], [`kept::Writer`], [`slot_of`].
//!
//! *Reading order.* `record`, `slots`, `seen`, `kept`, `progress`.
//!
//! *Tests.* Beside each file, and those of `broker` and `archive`, which live on it.

pub mod kept;
mod progress;
mod record;
mod seen;
mod slots;

pub use progress::Progress;
pub use record::{Audience, Record};
pub use seen::{Lot, Seen};
pub use slots::{Places, SLOTS, slot_of};
