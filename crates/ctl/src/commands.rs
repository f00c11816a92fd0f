//! The commands, a file for each kind of thing. Which operations they ask for, `tests` compares with the table of all.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod bans;
pub(crate) mod clients;
pub(crate) mod configs;
pub(crate) mod explain;
pub(crate) mod keys;
pub(crate) mod live;
pub(crate) mod login;
pub(crate) mod measures;
pub(crate) mod node;
pub(crate) mod publish;
pub(crate) mod role;
pub(crate) mod rules;
pub(crate) mod subscriptions;
pub(crate) mod topics;
pub(crate) mod traces;
pub(crate) mod users;

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Subcommand;
use plexus_api_model::{Encoding, Moment};
use plexus_terminal::Failure;

use crate::{
    caller::Caller,
    connection::{ConnectionArgs, Surroundings},
    out::Out,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in, so that further commands need no password
    ///
    /// The password is asked for on a terminal, and read from --password-file or the first line of stdin
    /// elsewhere. The token is kept in $XDG_STATE_HOME/plexus/logins (~/.local/state/plexus/logins),
    /// readable for you alone, until `logout` or until it is over: an hour after it was last used.
    Login(login::LoginArgs),
    /// End the log-in
    Logout,
    /// Whether the node serves
    Status,
    /// The nodes, with version, uptime, memory and connections
    Nodes,
    /// How much there is of each thing now
    Stats(node::NamesArgs),
    /// How often each thing has happened since the start
    Metrics(node::MetricsArgs),
    /// How much there is, and how fast messages come and go
    Rates,
    /// How it was, every ten seconds, for a day at most and since the start
    History(node::HistoryArgs),
    /// Where the node listens
    Listeners,
    /// What somebody should look at now
    Alarms(node::AlarmsArgs),
    /// See clients, and send them away
    #[command(subcommand)]
    Clients(clients::ClientsCommand),
    /// What all clients are subscribed to
    Subscriptions(subscriptions::SubscriptionsArgs),
    /// Publish a message, or several
    ///
    /// It ends when the node has kept the message as `store.commit` says. Messages enter without
    /// the rules of clients being asked: the role of the user or the key is the right.
    Publish(Box<publish::PublishArgs>),
    /// Disconnect clients, and end their sessions: `clients kick`
    Kick(clients::KickArgs),
    /// Topics that anybody is subscribed to, and the tree of retained ones
    #[command(subcommand)]
    Topics(topics::TopicsCommand),
    /// Retained messages
    #[command(subcommand)]
    Retained(topics::RetainedCommand),
    /// Messages of single topics, counted
    #[command(subcommand)]
    Counts(measures::CountsCommand),
    /// Clients for which messages take long
    #[command(subcommand)]
    Slow(measures::SlowCommand),
    /// Users whom clients log in as
    #[command(subcommand)]
    Accounts(accounts::AccountsCommand),
    /// What single users and clients, and everybody, may publish and subscribe
    #[command(subcommand)]
    Rules(rules::RulesCommand),
    /// Who is not let in
    #[command(subcommand)]
    Ban(bans::BanCommand),
    /// Why something is as it is
    #[command(subcommand)]
    Explain(explain::ExplainCommand),
    /// What goes on, as it happens
    #[command(subcommand)]
    Live(live::LiveCommand),
    /// Write down what a client, a topic or an address does and gets, for a while
    #[command(subcommand)]
    Trace(traces::TraceCommand),
    /// Records of the audit log, the newest first
    Audit(audit::AuditArgs),
    /// The configuration of a node that runs
    #[command(subcommand)]
    Config(configs::ConfigCommand),
    /// Write down what was made by the API: users, rules, bans, changes of the configuration
    Export(backup::ExportArgs),
    /// Bring back what was exported
    Import(backup::ImportArgs),
    /// Users of the API
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// API keys: who programs are
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// Carries out a command.
pub(crate) fn run(
    command: Command,
    connection: &ConnectionArgs,
    around: &Surroundings,
    out: Out<'_>,
) -> Result<(), Failure> {
    match command {
        Command::Login(args) => return login::login(&args, connection, around, out),
        Command::Logout => return login::logout(connection, around, out),
        _ => {}
    }
    let client = connection.client(around, connection.patience())?;
    let mut caller = Caller { client, out };
    match command {
        Command::Login(_) | Command::Logout => Ok(()),
        Command::Status => node::status(&mut caller),
        Command::Nodes => node::nodes(&mut caller),
        Command::Stats(args) => node::stats(&mut caller, &args),
        Command::Metrics(args) => node::metrics(&mut caller, &args),
        Command::Rates => node::rates(&mut caller),
        Command::History(args) => node::history(&mut caller, args),
        Command::Listeners => node::listeners(&mut caller),
        Command::Alarms(args) => node::alarms(&mut caller, args),
        Command::Clients(command) => clients::run(&mut caller, command),
        Command::Subscriptions(args) => subscriptions::run(&mut caller, args),
        Command::Publish(args) => publish::run(&mut caller, *args),
        Command::Kick(args) => clients::kick(&mut caller, args),
        Command::Topics(command) => topics::topics(&mut caller, command),
        Command::Retained(command) => topics::retained(&mut caller, command),
        Command::Counts(command) => measures::counts(&mut caller, command),
        Command::Slow(command) => measures::slow(&mut caller, command),
        Command::Accounts(command) => accounts::run(&mut caller, command),
        Command::Rules(command) => rules::run(&mut caller, command),
        Command::Ban(command) => bans::run(&mut caller, command),
        Command::Explain(command) => explain::run(&mut caller, command),
        Command::Live(command) => live::run(&mut caller, command),
        Command::Trace(command) => traces::run(&mut caller, command),
        Command::Audit(args) => audit::run(&mut caller, args),
        Command::Config(command) => configs::run(&mut caller, command),
        Command::Export(args) => backup::export(&mut caller, &args),
        Command::Import(args) => backup::import(&mut caller, &args),
        Command::Users(command) => users::run(&mut caller, command),
        Command::Keys(command) => keys::run(&mut caller, command),
    }
}

/// Reads a moment such as 2027-01-31T00:00:00Z.
fn moment(text: &str) -> Result<Moment, String> {
    let moment = serde_json::from_value(serde_json::Value::String(text.to_owned()));
    moment.map_err(|error| error.to_string())
}

/// A payload for a person: text as it is, other bytes in base64.
fn payload(payload: &str, encoding: Encoding) -> String {
    let text = match encoding {
        Encoding::Plain => return payload.to_owned(),
        Encoding::Base64 => STANDARD.decode(payload).ok().map(String::from_utf8),
    };
    match text {
        Some(Ok(text)) => text,
        Some(Err(_)) | None => format!("base64:{payload}"),
    }
}
