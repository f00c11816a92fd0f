//! The session as its shells see it: stories of effects, and pairs of both roles.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too")]

mod client;
mod connect;
mod deliver;
mod durable;
mod hostile;
mod lifecycle;
mod losses;
mod pair;
mod publish;
mod queue;
mod shell;
mod subscribe;
mod withheld;
