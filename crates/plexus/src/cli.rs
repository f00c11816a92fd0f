use clap::{Parser, Subcommand};
use plexus_ctl::{CompletionsArgs, CtlArgs, ManArgs, TopArgs};
use plexus_pubsub::{publish::PubArgs, subscribe::SubArgs};
use plexus_terminal::EXIT_CODES;

use crate::commands::{
    acl::AclCommand, audit::AuditCommand, bench::BenchCommand, cert::CertCommand,
    config::ConfigCommand, passwd::PasswdArgs, serve::ServeArgs, store::StoreCommand,
};

const PASSWD_USAGE: &str = "\
plexus passwd <FILE> <USER>
       plexus passwd --delete <FILE> <USER>
       plexus passwd --print";

const PASSWD_EXAMPLES: &str = "\
Examples:
  plexus passwd users.txt robot-7           add robot-7, or change its password
  plexus passwd --delete users.txt robot-7  remove it
  plexus passwd --print                     print a hash for [access.users]";

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
    /// signal, a tenth of a second later or more, ends it at once. SIGHUP reads certificates, users, rules
    /// and the log level anew; certificates also by themselves when their files have changed.
    Serve(ServeArgs),
    /// Publish messages
    ///
    /// With QoS 1 and 2 it ends when the broker has acknowledged everything; over a lost connection
    /// it connects again and goes on where it was. With QoS 0 it ends when the broker has answered a
    /// ping behind the last message; what a lost connection takes with it is not sent again.
    Pub(Box<PubArgs>),
    /// Subscribe and print what comes
    ///
    /// Each message is a line with its payload. A message is acknowledged when it has been printed;
    /// over a lost connection it connects again.
    Sub(Box<SubArgs>),
    /// Load a broker with clients and measure how it does
    ///
    /// Exit code 1 when connections failed, or messages were lost, came again or came out of order
    /// where their quality of service forbids that.
    #[command(subcommand)]
    Bench(Box<BenchCommand>),
    /// Look after what a node has stored in its data directory
    #[command(subcommand)]
    Store(StoreCommand),
    /// Ask the rules who may publish and subscribe what
    #[command(subcommand)]
    Acl(AclCommand),
    /// Make certificates to develop and try with
    #[command(subcommand)]
    Cert(CertCommand),
    /// Verify and show the record of who was refused what, and of what was changed
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Check, show or describe the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask the management API of a node: clients, subscriptions, topics, messages, users, bans
    ///
    /// `plexus ctl login` asks for the password once and keeps the log-in; a program gives an API key. What is
    /// printed is a table, or with --json what the API says.
    Ctl(Box<CtlArgs>),
    /// Watch a node on the terminal: rates, queues, memory, alarms, clients
    Top(Box<TopArgs>),
    /// Print the script by which a shell completes the words of plexus
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write those of all
    Man(ManArgs),
    /// Add a user to a user file, change a password, or remove a user
    ///
    /// The file is made when it is missing; one that holds anything but users and comments is left
    /// alone. A user who is in it gets a new password, others are
    /// added; --delete removes one. The password is asked for on a terminal, and read from the first
    /// line of stdin elsewhere; it is never an argument, because every user of the machine can see
    /// those. The file holds only hashes, one line a user that begins with the name.
    ///
    /// A running node reads the file at its start and at SIGHUP (`systemctl reload plexus`, or `kill
    /// -HUP <pid>`). Changes hold for new connections; whoever is connected stays.
    #[command(override_usage = PASSWD_USAGE, after_help = PASSWD_EXAMPLES)]
    Passwd(PasswdArgs),
}
