//! *What it is.* The clients of the command line: `plexus pub`, `plexus sub`, and the connection that
//! `plexus bench` tries first.
//!
//! *What it never does.* It holds no rule of MQTT: that is `session` in the client's part. It reads
//! no configuration of a node.
//!
//! *Entry points.* [`publish`], [`subscribe`]; [`client`] is what they share.
//!
//! *Reading order.* `client/driver`, `client/session`, `publish`, `subscribe`; `client/trouble` is what
//! goes wrong, in words.
//!
//! *Tests.* Beside the code; `crates/plexus/tests/it` runs the commands themselves.

pub mod client;
pub mod publish;
pub mod subscribe;
