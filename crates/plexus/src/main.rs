//! *What it is.* The program `plexus`: a node, and the commands around it.
//!
//! *What it never does.* It holds no logic of a node: it reads the command line, builds the parts
//! from the configuration and hands them to each other.
//!
//! *Entry points.* `commands`, one file a command.
//!
//! *Reading order.* `cli`, `commands`, `log`, `machine`.
//!
//! *Tests.* `tests/it` runs the program itself.

mod back_ends;
mod cli;
mod commands;
mod log;
mod machine;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
