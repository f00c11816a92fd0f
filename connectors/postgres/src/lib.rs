//! *What it is.* PostgreSQL, asked for the users and rules that its tables hold.
//!
//! *What it never does.* What a client says becomes a parameter of a statement, and never a part of its text.
//!
//! *Entry points.* [`Postgres`], which is asked by [`Tables`](plexus_admission::Tables).
//!
//! *Reading order.* `server`, `session`.
//!
//! *Tests.* `tests/it`, with a real server that is right, slow, dead and back again, and with one that lies.

mod server;
mod session;

pub use server::{Postgres, PostgresOptions};
pub use session::Session;
