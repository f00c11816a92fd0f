use clap::{Parser, Subcommand};

use crate::commands::{
    config::ConfigCommand, passwd::PasswdArgs, publish::PubArgs, serve::ServeArgs,
    subscribe::SubArgs,
};

pub(crate) const EXIT_CODES: &str = "\
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
    ///
    /// Without any configuration it listens on loopback only and asks for no password. SIGTERM and
    /// SIGINT stop it: connections are told and get a moment to take what is on its way; a second
    /// signal stops it at once. SIGHUP reads certificates and the log level anew.
    Serve(ServeArgs),
    /// Publish messages
    ///
    /// With QoS 1 and 2 it ends when the broker has acknowledged everything; over a lost connection
    /// it connects again and goes on where it was.
    Pub(Box<PubArgs>),
    /// Subscribe and print what comes
    ///
    /// Each message is a line with its payload. A message is acknowledged when it has been printed;
    /// over a lost connection it connects again.
    Sub(Box<SubArgs>),
    /// Check, show or describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Add, change or remove a user in a user file
    ///
    /// The password is asked for on a terminal, and read from the first line of stdin elsewhere; it
    /// is never an argument, because every user of the machine can see those. The file holds only
    /// hashes.
    Passwd(PasswdArgs),
}
