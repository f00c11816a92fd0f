//! *What it is.* Redis, asked for the users and rules that a hash holds for each of them.
//!
//! *What it never does.* What a client says becomes one argument of a command, and never a command.
//!
//! *Entry points.* [`RedisAuthenticator`].
//!
//! *Reading order.* `command`, `authenticator`.
//!
//! *Tests.* `tests/it`, with a real server that is right, slow, dead and back again, and with one that lies.

mod authenticator;
mod command;

pub use authenticator::{RedisAuthenticator, RedisOptions};
pub use command::{Command, CommandError};
