//! *What it is.* What keeps harm from a node before and beside the rules of `access`: bans, the lock-out
//! after failed log-ins, flapping, rates, and who of those who have not yet said CONNECT has to go when
//! there are too many.
//!
//! *What it never does.* No I/O, clock, lock or randomness: time and seed come in. It says nothing about
//! topics. Rules have no memory and these have; that is why they are not in `access`.
//!
//! *Entry points.* [`Bans`], [`Lockout`], [`Flapping`], [`Rate`], [`Bucket`], [`Comings`], [`Handshakes`].
//!
//! *Reading order.* `place`, `rates`, `ledger`, `bans`, `lockout`, `flapping`, `comings`,
//! `handshakes`.
//!
//! *Tests.* `*/tests.rs` beside each file.

mod bans;
mod comings;
mod flapping;
mod handshakes;
mod ledger;
mod lockout;
mod place;
mod rates;

pub use bans::{Ban, Bans, Subject};
pub use comings::Comings;
pub use flapping::{Flapping, FlappingOptions};
pub use handshakes::{Entry, Handshakes, Stand};
pub use lockout::{Lockout, LockoutOptions};
pub use place::Place;
pub use rates::{Bucket, Rate};
