//! Why something is as it is.

use std::net::IpAddr;

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    AccessAnswer, AccessQuestion, Act, ClientEvent, ClientPath, Fate, PublishQuestion, Receiver,
    Ruling, Somebody, TenantQuery, operations,
};
use plexus_terminal::Failure;

use crate::{
    caller::Caller,
    table::{Column, Row, Table, numbers, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ExplainCommand {
    /// Who would receive a message, who would not, and why; nothing is published
    Publish(PublishArgs),
    /// Whether somebody may do something, and which rule says so
    ///
    /// The exit code is 0 where it is allowed, and 1 where it is not.
    Access(AccessArgs),
    /// Why a client is not there: its last events
    Client(ClientArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SomebodyArgs {
    /// The identifier of a client; one that is there is taken as it is
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Its user name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// Where it comes from
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,

    /// The listener that it comes through
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,

    /// Its tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// Where to
    topic: String,

    /// Quality of service
    #[arg(long, short, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// It is to be retained
    #[arg(long, short)]
    retain: bool,

    /// Receivers that are named at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000))]
    limit: u64,

    #[command(flatten)]
    somebody: SomebodyArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Publish a message
    Publish,
    /// Subscribe to a filter
    Subscribe,
    /// Get a message, where each delivery is asked about
    Receive,
}

#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// What somebody wants to do
    action: Action,

    /// The topic, or the filter of a subscription
    topic: String,

    /// Quality of service
    #[arg(long, short, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// It is to be retained
    #[arg(long, short)]
    retain: bool,

    #[command(flatten)]
    somebody: SomebodyArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ClientArgs {
    /// The identifier of the client
    #[arg(value_name = "ID")]
    client_id: String,

    /// The tenant of the client
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

impl From<SomebodyArgs> for Somebody {
    fn from(args: SomebodyArgs) -> Self {
        Self {
            clientid: args.client_id,
            username: args.user,
            ip_address: args.ip,
            listener: args.listener,
            tenant: args.tenant,
        }
    }
}

impl Row for Receiver {
    const COLUMNS: &'static [Column<Self>] = &[
        words("RECEIVER", |receiver| receiver.clientid.clone()),
        words("FATE", |receiver| fate(receiver.fate).to_owned()),
        numbers("QOS", |receiver| receiver.qos.to_string()),
        words("FILTERS", |receiver| receiver.filters.join(", ")),
        words("BECAUSE", |receiver| units::maybe(receiver.because.as_ref())),
        words("TENANT", |receiver| units::maybe(receiver.tenant.as_ref())),
    ];
}

impl Row for ClientEvent {
    const COLUMNS: &'static [Column<Self>] = &[
        words("WHEN", |event| units::moment(Some(event.at))),
        words("EVENT", |event| event.event.clone()),
        words("OUTCOME", |event| event.outcome.clone()),
        words("TARGET", |event| units::maybe(event.target.as_ref())),
        words("ADDRESS", |event| units::maybe(event.ip_address.as_ref())),
        words("BECAUSE", |event| units::maybe(event.because.as_ref())),
    ];
}

const fn fate(fate: Fate) -> &'static str {
    match fate {
        Fate::Sent => "sent",
        Fate::Queued => "queued",
        Fate::QueueFull => "queue full",
        Fate::Offline => "away",
        Fate::NoLocal => "its own",
        Fate::Refused => "refused",
    }
}

const fn ruling(ruling: Ruling) -> &'static str {
    match ruling {
        Ruling::Allowed => "allowed",
        Ruling::Refused => "refused",
        Ruling::Asked => "a service is asked",
    }
}

pub(crate) fn run(caller: &mut Caller<'_>, command: ExplainCommand) -> Result<(), Failure> {
    match command {
        ExplainCommand::Publish(args) => publish(caller, args),
        ExplainCommand::Access(args) => access(caller, args),
        ExplainCommand::Client(args) => client(caller, args),
    }
}

fn publish(caller: &mut Caller<'_>, args: PublishArgs) -> Result<(), Failure> {
    let somebody = Somebody::from(args.somebody);
    let question = PublishQuestion {
        client: (somebody != Somebody::default()).then_some(somebody),
        topic: args.topic,
        qos: args.qos,
        retain: args.retain,
        limit: Some(args.limit),
    };
    let answer = caller.client.call(&operations::EXPLAIN_PUBLISH, &(), &(), &question)?;
    if caller.out.is_json() {
        return caller.document(&answer.text);
    }
    let answer = answer.value;
    told(caller, &answer.publisher)?;
    if let Some(retained) = &answer.retained {
        caller.out.done(format_args!("retained: {retained}"))?;
    }
    if answer.receivers.is_empty() && answer.groups.is_empty() {
        return caller.out.done(format_args!("nobody is subscribed to it"));
    }
    if !answer.receivers.is_empty() {
        caller.out.write("\n")?;
        Table::default().write(&answer.receivers, &mut caller.out)?;
    }
    for group in &answer.groups {
        caller.out.write("\n")?;
        caller.out.done(format_args!("one of {}:", group.filter))?;
        Table::default().write(&group.members, &mut caller.out)?;
    }
    if answer.has_more {
        caller.out.note(format_args!("there are more receivers: --limit shows up to 1,000"));
    }
    Ok(())
}

fn told(caller: &mut Caller<'_>, answer: &AccessAnswer) -> Result<(), Failure> {
    caller.out.done(format_args!("{}: {}", ruling(answer.ruling), answer.because))
}

fn access(caller: &mut Caller<'_>, args: AccessArgs) -> Result<(), Failure> {
    let question = AccessQuestion {
        client: args.somebody.into(),
        action: match args.action {
            Action::Publish => Act::Publish,
            Action::Subscribe => Act::Subscribe,
            Action::Receive => Act::Receive,
        },
        topic: args.topic,
        qos: args.qos,
        retain: args.retain,
    };
    let answer = caller.client.call(&operations::EXPLAIN_ACCESS, &(), &(), &question)?;
    if caller.out.is_json() {
        caller.document(&answer.text)?;
    } else {
        told(caller, &answer.value)?;
    }
    match answer.value.ruling {
        Ruling::Allowed => Ok(()),
        Ruling::Refused | Ruling::Asked => Err(Failure::No),
    }
}

fn client(caller: &mut Caller<'_>, args: ClientArgs) -> Result<(), Failure> {
    let path = ClientPath { clientid: args.client_id };
    let query = TenantQuery { tenant: args.tenant };
    let answer = caller.client.call(&operations::EXPLAIN_CLIENT, &path, &query, &())?;
    if caller.out.is_json() {
        return caller.document(&answer.text);
    }
    caller.out.done(format_args!("{}", answer.value.told))?;
    if answer.value.events.is_empty() {
        return Ok(());
    }
    caller.out.write("\n")?;
    Table::default().write(&answer.value.events, &mut caller.out)
}
