//! What `plexus pub`, `plexus sub` and `plexus bench` share: the options, one connection, driven by
//! one loop.

pub mod args;
mod backoff;
mod clock;
pub mod down;
pub mod driver;
pub mod endpoint;
pub mod interrupt;
pub mod json;
pub(crate) mod property;
pub mod server;
pub(crate) mod session;
pub(crate) mod topics;
pub mod trouble;
pub mod url;
