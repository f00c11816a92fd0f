//! *What it is.* MySQL and MariaDB, asked for the users and rules that their tables hold. What is spoken of their
//! protocol is the part that reads records by prepared statements.
//!
//! *What it never does.* What a client says becomes a parameter of a statement, and never a part of its text. It
//! sends the server no file, and its own password by TLS or encrypted only.
//!
//! *Entry points.* [`Mysql`], which is asked by [`Tables`](plexus_admission::Tables).
//!
//! *Reading order.* `server`, `session`, `login`, `plugin`, `record`, `channel`.
//!
//! *Tests.* `tests/it`, with a real MariaDB that is right, slow, dead and back again, with one that lies, and with
//! the log-in of MySQL 8 played by the test.

mod channel;
mod login;
mod plugin;
mod record;
mod server;
mod session;

pub use server::{Mysql, MysqlOptions};
pub use session::Session;
