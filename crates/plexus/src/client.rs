//! What `plexus pub`, `plexus sub` and `plexus bench` share: the options, one connection, driven by
//! one loop.

pub(crate) mod args;
mod backoff;
mod clock;
pub(crate) mod down;
pub(crate) mod driver;
pub(crate) mod endpoint;
pub(crate) mod interrupt;
pub(crate) mod json;
pub(crate) mod property;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod topics;
pub(crate) mod trouble;
pub(crate) mod url;
