//! *What it is.* The durable log of a node: records of many groups in numbered segment files, each
//! message body once, written at one end and cleaned at the other (RFD 3).
//!
//! *What it never does.* No threads, no clock, no randomness, nothing about sessions or topics: what
//! an entry says is its owner's business. Files are touched through [`Disk`] alone.
//!
//! *Entry points.* [`Log`], [`Batch`], [`FileDisk`]; [`tools`] for a store that does not run.
//!
//! *Reading order.* `docs/store.md` for the bytes, then `disk`, `frame`, `record`, `batch`, `log`.
//!
//! *Tests.* Beside the code; `log/tests/model.rs` runs random lives of a log, with crashes and a failing disk,
//! against a map of what was acknowledged.

mod batch;
mod bodies;
mod disk;
mod error;
mod frame;
mod groups;
mod header;
mod log;
mod message;
mod record;
mod scan;
mod segment;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tools;

pub use batch::{Batch, Commit, Group};
pub use disk::{Disk, FileDisk};
pub use error::{LogError, MissingBodies, OpenError};
pub use header::Identity;
pub use log::{Committed, Cut, Log, LogOptions, Recovered, Replay, Shortage, SpareOrder, Stat};
pub use message::{ClockMap, StoredMessage};
pub use plexus_types::MessageId;
pub use record::Record;
pub use segment::SegmentNumber;
