//! *What it is.* What the tests of several crates share: short constructors, the table of packets
//! with their bytes and their faults, strategies that draw packets, and services that a node asks.
//!
//! *What it never does.* No program depends on it; it is for `dev-dependencies` and fuzzing.
//!
//! *Entry points.* [`packet_table()`], [`any_packet`], the constructors of [`build`], [`HttpService`], [`Foreign`].
//!
//! *Reading order.* `build`, `packet_table`, `packet_table/*`, `strategy`, `http_service`, `foreign`.
//!
//! *Tests.* The crates that use it; `wire` plays the whole table both ways.

pub mod build;
mod foreign;
mod http_service;
mod packet_table;
mod strategy;

pub use foreign::{Folder, Foreign, free_port, program};
pub use http_service::{Dead, Heard, HttpService, Manner};
pub use packet_table::{Outcome, Row, Sender, bytes_of, packet_table};
pub use strategy::{any_packet, any_text, any_topic};
