//! *What it is.* PostgreSQL, asked for the users and rules that its tables hold.
//!
//! *What it never does.* What a client says becomes a parameter of a statement, and never a part of its text.
//!
//! *Entry points.* [`PostgresAuthenticator`].
//!
//! *Reading order.* `query`, `session`, `authenticator`.
//!
//! *Tests.* `tests/it`, with a real server that is right, slow, dead and back again, and with one that lies.

mod authenticator;
mod query;
mod session;

pub use authenticator::{PostgresAuthenticator, PostgresOptions};
pub use query::{Query, QueryError};
