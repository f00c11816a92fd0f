//! *What it is.* From the records of the log to what each shard starts with: everything is read once, on several
//! threads, drawn up by group and dealt out.
//!
//! *What it never does.* It opens no file and runs no shard.
//!
//! *Entry points.* [`Recovery`], [`Crew`], [`Restored`].
//!
//! *Reading order.* `restored`, `recovery`, `drafts`, `crew`.
//!
//! *Tests.* Beside `recovery`; `sim` starts nodes again and again.

#[cfg(feature = "canary")]
mod canary;
mod crew;
mod drafts;
mod recovery;
mod restored;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

#[cfg(feature = "canary")]
pub use canary::Canary;
pub use crew::Crew;
pub use recovery::Recovery;
pub use restored::{Doors, OpenMessage, Opened, Restored, RestoredRetained, RestoredSession};
