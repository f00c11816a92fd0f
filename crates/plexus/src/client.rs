//! What `plexus pub` and `plexus sub` share: one connection, driven by one loop.

pub(crate) mod args;
mod backoff;
mod clock;
pub(crate) mod down;
pub(crate) mod driver;
mod endpoint;
mod interrupt;
pub(crate) mod json;
pub(crate) mod property;
pub(crate) mod session;
pub(crate) mod topics;
pub(crate) mod trouble;
mod url;
