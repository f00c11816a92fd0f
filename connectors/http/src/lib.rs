//! *What it is.* HTTP services: one that is asked about clients, as others' brokers ask theirs, and documents
//! that are published somewhere, as the keys that sign tokens.
//!
//! *What it never does.* It goes through no proxy, follows no way to another host, and sends no password in
//! clear text unless it is told to.
//!
//! *Entry points.* [`HttpAuthenticator`], [`document()`].
//!
//! *Reading order.* `target`, `request`, `answer`, `authenticator`, `document`, `client`.
//!
//! *Tests.* `tests/it`, with a service that is right, slow, lying, dead and back again; the binary from outside
//! in `plexus`.

mod answer;
mod authenticator;
mod client;
mod document;
mod request;
mod target;

pub use authenticator::{HttpAuthenticator, HttpOptions};
pub use document::{DocumentOptions, document};
pub use request::Method;
pub use target::Misfit;
