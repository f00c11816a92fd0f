//! *What it is.* The command line of the management API: `plexus ctl …`, which asks one operation after the other, the live
//! view `plexus top`, and what is made from the command line itself: completions of shells and manual pages.
//!
//! *What it never does.* It holds nothing of a node and decides nothing: what may be asked, and what comes back, is the
//! table of `plexus-api-model`. It writes nothing that others have written to a terminal as it is.
//!
//! *Entry points.* [`ctl`], [`top()`], [`completions`], [`man`].
//!
//! *Reading order.* `address`, `client`, `connection`, `caller`, then `commands`; `out` and `table` for how it looks; `top`.
//!
//! *Tests.* Beside the code, and in `tests`, against a server that answers from a script.

mod address;
mod caller;
mod client;
mod commands;
mod connection;
mod events;
mod files;
mod generate;
mod logins;
mod out;
mod secrets;
mod shown;
mod table;
#[cfg(test)]
mod tests;
mod top;
mod units;

pub use address::{Address, AddressError};
pub use connection::ConnectionArgs;
pub use generate::{CompletionsArgs, ManArgs, completions, man};
pub use out::OutputArgs;
pub use top::{TopArgs, top};

use clap::Args;
use plexus_terminal::Failure;

use crate::{commands::Command, connection::Surroundings, out::Out};

/// Asks the management API of a node.
#[derive(Debug, Args)]
pub struct CtlArgs {
    #[command(flatten)]
    connection: ConnectionArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(subcommand)]
    command: Command,
}

/// Carries out `plexus ctl`.
pub fn ctl(args: CtlArgs) -> Result<(), Failure> {
    let CtlArgs { connection, output, command } = args;
    commands::run(command, &connection, &Surroundings::of_process(), Out::stdout(output))
}
