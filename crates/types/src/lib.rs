//! *What it is.* The validated vocabulary of Plexus: identifiers, topics, quality of service, reason
//! codes, time, the Application Message. A value of these types is already checked.
//!
//! *What it never does.* No I/O, no clock, no packet encoding (that is `wire`).
//!
//! *Entry points.* [`Message`], [`TopicName`], [`TopicFilter`], [`ReasonCode`], [`Instant`].
//!
//! *Reading order.* `text`, `topic`, `client_id`, `qos`, `durability`, `reason`, `time`, `message`,
//! `tenant`.
//!
//! *Tests.* `*/tests.rs` beside each file.

mod client_id;
mod durability;
mod message;
mod message_id;
mod packet_id;
mod qos;
mod reason;
mod tenant;
mod text;
mod time;
mod topic;
mod version;

pub use client_id::ClientId;
pub use durability::Durability;
pub use message::{Message, MessageProperties};
pub use message_id::MessageId;
pub use packet_id::PacketId;
pub use qos::Qos;
pub use reason::ReasonCode;
pub use tenant::{TenantName, TenantNameError};
pub use text::{Text, TextError};
pub use time::Instant;
pub use topic::{SharedFilter, TopicError, TopicFilter, TopicName, filter_matches};
pub use version::ProtocolVersion;
