//! *What it is.* What the tests of several crates share: short constructors, the table of packets
//! with their bytes and their faults, and strategies that draw packets.
//!
//! *What it never does.* No program depends on it; it is for `dev-dependencies` and fuzzing.
//!
//! *Entry points.* [`packet_table()`], [`any_packet`], the constructors of [`build`].
//!
//! *Reading order.* `build`, `packet_table`, `packet_table/*`, `strategy`.
//!
//! *Tests.* The crates that use it; `wire` plays the whole table both ways.

pub mod build;
mod packet_table;
mod strategy;

pub use packet_table::{Outcome, Row, Sender, bytes_of, packet_table};
pub use strategy::{any_packet, any_text, any_topic};
