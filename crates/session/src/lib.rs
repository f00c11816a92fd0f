//! *What it is.* The protocol life of one client as a state machine without I/O: CONNECT rules, QoS
//! flows both ways, will, expiry, aliases, keep alive, flow control, for 3.1, 3.1.1 and 5.0 and for
//! both roles.
//!
//! *What it never does.* It reads no socket, clock or random source, knows no other session and no
//! topic index. What is to happen leaves as [`Output`], what has happened comes in by `handle_*`.
//!
//! *Entry points.* [`Connecting`] and [`Session`] for the server's role with their [`Outbox`],
//! [`Client`] for the client's.
//!
//! *Reading order.* `output` and `options`; the sub-machines `inbound`, `outbound`, `queue`,
//! `aliases`, `sieve`, `will`, `keepalive`, `timer`, `subscriptions`; then `phase`, `connecting`, `session`
//! and `client`, which put them together.
//!
//! *Tests.* Tables beside the sub-machines. In `tests/it` stories of effects of a session, pairs of
//! both roles over a pipe that breaks, and properties over losses and hostile peers.
//!
//! **Every `handle_*` is followed by a full drain of [`Outbox::poll`] before the next.**

mod aliases;
mod change;
mod client;
mod connack;
mod connecting;
mod inbound;
mod keepalive;
mod options;
mod outbound;
mod outbox;
mod output;
mod parcel;
mod pending;
mod phase;
mod queue;
mod record;
mod refusal;
mod session;
mod sieve;
mod subscriptions;
mod timer;
mod waiting;
mod will;

pub use change::{Change, Entry, Extras, Held, Image, WillImage};
pub use client::{
    Client, ClientClose, ClientOptions, ClientOutput, Incoming, PublishRequest, RequestError,
    Ticket,
};
pub use connecting::Connecting;
pub use options::{Options, QueuePolicy};
pub use outbox::{LogPosition, Outbox};
pub use output::{
    Action, Admitted, CloseReason, Credentials, Decision, Delivery, DropReason, Outgoing, Output,
    Publication, Routed, SubscribeItem, SubscribeRequest, Taken, UnsubscribeRequest,
};
pub use parcel::{Body, Sequence};
pub use record::{Given, RecordError};
pub use session::{QueuedMessage, Session, objection};
pub use sieve::Sieve;
pub use waiting::Waiting;
