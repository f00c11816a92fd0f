//! Both roles over real sockets: everything that the layers promise, on loopback and free ports.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod hostile;
mod listeners;
mod pair;
mod plain;
mod revocation;
mod source;
mod tls;
mod websocket;
mod world;
