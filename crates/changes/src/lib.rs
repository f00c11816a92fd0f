//! *What it is.* What was changed of the configuration while a node ran: a layer between the file and the
//! environment, with a version, its history, and who changed what when ([RFD 9](../../../docs/rfd/0009-run-time-configuration.md)).
//!
//! *What it never does.* It decides not what is a good configuration: that is `config`. It changes no running
//! node, and it knows no clock: whoever changes says when.
//!
//! *Entry points.* [`Folder`], [`Layer`], [`Patch`], [`review`](fn@review).
//!
//! *Reading order.* `key`, `layer`, `text`, `patch`, `folder`, `review`.
//!
//! *Tests.* Beside each file; with a running node in `crates/plexus/tests/it/changes.rs`.

mod folder;
mod key;
mod layer;
mod limits;
mod patch;
mod review;
mod text;

pub use folder::{Folder, FolderError, Stored, VERSIONS_MAX};
pub use key::{BadKey, Key};
pub use layer::{Change, Layer, Stamp};
pub use limits::{is_taken_at_once, masked};
pub use patch::{Patch, PatchError};
pub use review::{Line, review};
