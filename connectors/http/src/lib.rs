//! *What it is.* HTTP services: one that is asked about clients, as others' brokers ask theirs, documents
//! that are published somewhere, as the keys that sign tokens, and a collector that is told how the node does.
//!
//! *What it never does.* It goes through no proxy, follows no way to another host, and sends no password in
//! clear text unless it is told to.
//!
//! *Entry points.* [`HttpAuthenticator`], [`document()`], [`HttpCollector`].
//!
//! *Reading order.* `target`, `request`, `answer`, `authenticator`, `document`, `collector`, `client`.
//!
//! *Tests.* `tests/it`, with a service that is right, slow, lying, dead and back again; the binary from outside
//! in `plexus`.

mod answer;
mod authenticator;
mod client;
mod collector;
mod document;
mod request;
mod target;

pub use authenticator::{HttpAuthenticator, HttpOptions};
pub use collector::{CollectorOptions, HttpCollector};
pub use document::{DocumentOptions, document};
pub use request::Method;
pub use target::Misfit;
