//! *What it is.* A whole store as lines of JSON, and a store from such lines: for backups, for moving
//! to another machine, and for programs that read or write what a node keeps (`docs/export.md`).
//!
//! *What it never does.* No clock, no randomness, nothing about a running node: a store is read as a
//! start would read it, and written as a start will read it.
//!
//! *Entry points.* [`export()`], [`import()`], [`import_into`]; [`living()`].
//!
//! *Reading order.* `docs/export.md` for the lines, then `line`, `message`, `session`, `export`,
//! `import`.
//!
//! *Tests.* Beside the code: every store comes back from its export, and hostile lines are refused with
//! their numbers; `plexus/tests/it/store.rs` does both with the program.

mod error;
mod export;
mod folder;
mod import;
mod line;
mod living;
mod message;
mod session;
#[cfg(test)]
mod tests;

pub use error::{ExportError, Fault, FolderError, ImportError};
pub use export::export;
pub use folder::import_into;
pub use import::{Imported, NewStore, import};
pub use line::{Counts, FORMAT, Properties, VERSION};
pub use living::{Living, living};
