//! *What it is.* What every command says to whoever started it: its answer on stdout, why it failed
//! on stderr, and its exit code.
//!
//! *What it never does.* It lets nothing that came from elsewhere steer a terminal, and it takes a
//! reader that has read enough for no failure.
//!
//! *Entry points.* [`Failure`], [`print()`], [`on_one_line`], [`EXIT_CODES`].
//!
//! *Tests.* Those of the commands; `crates/plexus/tests/it` reads what they say.

mod failure;

pub use failure::{EXIT_CODES, Failure, chain, of_config, print};
pub use plexus_config::on_one_line;
