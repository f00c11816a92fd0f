//! *What it is.* The audit log of a node: who was refused what, and what was changed by whom, one JSON
//! object a line in files of its own. Each record holds the hash of the one before it, so that nobody
//! takes out or changes one without being found.
//!
//! *What it never does.* It decides nothing and holds nobody up: what its queue has no room for is counted,
//! and a record says how many were left out. It knows nothing of MQTT.
//!
//! *Entry points.* [`AuditLog`] starts the writing thread, [`AuditPort`] is what others report to,
//! [`verify`] and [`read`] are for `plexus audit`.
//!
//! *Reading order.* `docs/audit.md` for the lines, then `event`, `chain`, `check` (no I/O, no clock), `book`
//! (files behind the trait `Disk`, no clock), `budget`, `log` (the thread).
//!
//! *Tests.* Beside the code: every byte that is changed, deleted or swapped is found; a disk that fails and
//! loses. `crates/plexus/tests/it/audit.rs` has the program.

mod book;
mod budget;
mod chain;
mod check;
mod event;
mod log;
mod shelf;

pub use book::{Book, BookOptions};
pub use chain::{Hash, Moment};
pub use check::{Break, Fault, Summary, Torn};
pub use event::{Event, Kind, Outcome, UnknownKind, Who};
pub use log::{AuditLog, AuditPort};
pub use shelf::{ReadError, read, verify};
