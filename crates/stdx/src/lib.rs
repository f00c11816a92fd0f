//! *What it is.* The few words that the standard library lacks: maps whose hashing is seeded from
//! outside, so that a whole node replays from one seed, values in pages under small numbers, numbers
//! in as few bytes as they need, and moments as people write them.
//!
//! *What it never does.* No I/O, no clock, no randomness of its own, nothing about MQTT.
//!
//! *Entry points.* [`Seed`], [`HashMap`], [`HashSet`], [`Arena`], [`Slots`], [`varint`], [`calendar`].
//!
//! *Tests.* Beside the code.

mod arena;
pub mod calendar;
mod hash;
mod slots;
pub mod varint;

pub use arena::Arena;
pub use hash::{HashMap, HashSet, Seed, SeededState};
pub use slots::Slots;
