//! *What it is.* What the tests of several crates share: short constructors, the table of packets
//! with their bytes and their faults, strategies that draw packets, and services and servers that a node asks.
//!
//! *What it never does.* No program depends on it; it is for `dev-dependencies` and fuzzing.
//!
//! *Entry points.* [`packet_table()`], [`any_packet`], the constructors of [`build`], [`HttpService`], [`Foreign`],
//! [`Relay`]; with the feature `servers` also `Door`, and a `Redis`, a `Postgres` and others.
//!
//! *Reading order.* `build`, `packet_table`, `packet_table/*`, `strategy`, `http_service`, `foreign`, `relay`, then
//! `door`, `servers`, `authority`.
//!
//! *Tests.* The crates that use it; `wire` plays the whole table both ways.

#[cfg(feature = "servers")]
mod authority;
pub mod build;
#[cfg(feature = "servers")]
mod door;
mod foreign;
mod http_service;
mod packet_table;
mod relay;
#[cfg(feature = "servers")]
mod servers;
mod strategy;

#[cfg(feature = "servers")]
pub use authority::Authority;
#[cfg(feature = "servers")]
pub use door::{Door, PATIENCE, SHORT, bears_trouble, credentials};
pub use foreign::{Folder, Foreign, free_port, program};
pub use http_service::{Dead, Heard, HttpService, Manner};
pub use packet_table::{Outcome, Row, Sender, bytes_of, packet_table};
pub use relay::{Conduct, Relay};
#[cfg(feature = "servers")]
pub use servers::{HASH, MariaDb, NODE_PASSWORD, Postgres, Redis, Slapd};
pub use strategy::{any_packet, any_text, any_topic};
