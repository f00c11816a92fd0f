use clap::{Parser, Subcommand};

use crate::commands::{
    config::ConfigCommand, passwd::PasswdArgs, publish::PubArgs, serve::ServeArgs,
    subscribe::SubArgs,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed: the message says why
  2  the command line is wrong
  3  the configuration is wrong
  4  the broker refused it
  5  the time was over";

/// Plexus: an MQTT broker, and clients to try it with
#[derive(Debug, Parser)]
#[command(name = "plexus", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node until it is told to stop
    Serve(ServeArgs),
    /// Publish messages
    Pub(Box<PubArgs>),
    /// Subscribe and print what comes
    Sub(Box<SubArgs>),
    /// Check, show or describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Add, change or remove a user in a user file
    Passwd(PasswdArgs),
}
