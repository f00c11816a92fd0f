//! What clients do and get, written down for a while.

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    Moment, NewTrace, Trace, TraceBy, TraceLogQuery, TracePath, TraceStatus, operations,
};
use plexus_terminal::Failure;

use super::moment;
use crate::{
    caller::{Caller, confirm},
    shown,
    table::{Column, Row, numbers, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum TraceCommand {
    /// What is, or was, written down
    List,
    /// Begin a trace
    #[command(after_help = EXAMPLES)]
    Add(AddArgs),
    /// Print what a trace has written so far, part by part
    Show(NameArgs),
    /// Print all that a trace has written, with a line before it that says what it is: up to 64 MiB
    Download(NameArgs),
    /// End a trace; what it has written stays
    Stop(NameArgs),
    /// End a trace, and delete what it has written
    Delete(DeleteArgs),
}

const EXAMPLES: &str = "\
Examples:
  plexus ctl trace add slow client robot-7
  plexus ctl trace add lamps topic 'plant/+/lamp' --until 2027-01-31T12:00:00Z
  plexus ctl trace show slow | jq -c 'select(.event == \"dropped\")'";

/// By what a trace chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// All that a client does and gets
    Client,
    /// What is published and delivered where a topic filter matches
    Topic,
    /// All that clients from an address do and get
    Address,
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// Its name: 1 to 64 letters, digits, _ and -
    name: String,

    /// By what it chooses
    by: By,

    /// The client, the topic filter or the address
    what: String,

    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// When it ends, such as 2027-01-31T00:00:00Z [default: in ten minutes]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,

    /// Bytes of each payload that are written down at most
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(..=65_536))]
    payload: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name
    name: String,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    name: NameArgs,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

impl Row for Trace {
    const COLUMNS: &'static [Column<Self>] = &[
        words("TRACE", |trace| trace.name.clone()),
        words("BY", |trace| match trace.r#type {
            TraceBy::Clientid => "client".to_owned(),
            TraceBy::Topic => "topic".to_owned(),
            TraceBy::IpAddress => "address".to_owned(),
        }),
        words("WHAT", |trace| {
            let given = match trace.r#type {
                TraceBy::Clientid => &trace.clientid,
                TraceBy::Topic => &trace.topic,
                TraceBy::IpAddress => &trace.ip_address,
            };
            units::maybe(given.as_ref())
        }),
        words("STATUS", |trace| match trace.status {
            TraceStatus::Running => "running".to_owned(),
            TraceStatus::Stopped => "stopped".to_owned(),
        }),
        words("FROM", |trace| units::moment(Some(trace.start_at))),
        words("UNTIL", |trace| units::moment(Some(trace.end_at))),
        numbers("SIZE", |trace| units::bytes(trace.log_size.values().sum())),
        words("TENANT", |trace| units::maybe(trace.tenant.as_ref())),
    ];
}

impl NameArgs {
    fn path(self) -> TracePath {
        TracePath { name: self.name }
    }
}

/// Bytes of a part of a trace.
const PART: u64 = 256 * 1024;

pub(crate) fn run(caller: &mut Caller<'_>, command: TraceCommand) -> Result<(), Failure> {
    match command {
        TraceCommand::List => caller.list(&operations::LIST_TRACES, &(), &()),
        TraceCommand::Add(args) => {
            let trace = new(args);
            let done = format_args!("writing down as {}", trace.name);
            caller.act(&operations::BEGIN_TRACE, (&(), &(), &trace), done)
        }
        TraceCommand::Show(args) => show(caller, &args.path()),
        TraceCommand::Download(args) => {
            let text =
                caller.client.call(&operations::DOWNLOAD_TRACE, &args.path(), &(), &())?.value;
            lines(caller, &text)
        }
        TraceCommand::Stop(args) => {
            let path = args.path();
            let done = format_args!("ended {}", path.name);
            caller.act(&operations::STOP_TRACE, (&path, &(), &()), done)
        }
        TraceCommand::Delete(args) => {
            let path = args.name.path();
            confirm(
                args.yes,
                format_args!("Delete the trace {} with what it has written", path.name),
            )?;
            let done = format_args!("deleted {}", path.name);
            caller.act(&operations::DELETE_TRACE, (&path, &(), &()), done)
        }
    }
}

fn new(args: AddArgs) -> NewTrace {
    let given = |by: By| (args.by == by).then(|| args.what.clone());
    NewTrace {
        r#type: match args.by {
            By::Client => TraceBy::Clientid,
            By::Topic => TraceBy::Topic,
            By::Address => TraceBy::IpAddress,
        },
        clientid: given(By::Client),
        topic: given(By::Topic),
        ip_address: given(By::Address),
        name: args.name,
        tenant: args.tenant,
        end_at: args.until,
        payload_max: args.payload.map(|bytes| bytes as usize),
    }
}

fn show(caller: &mut Caller<'_>, path: &TracePath) -> Result<(), Failure> {
    let mut position = 0;
    while !caller.out.is_gone() {
        let query = TraceLogQuery { position: Some(position), bytes: Some(PART) };
        let part = caller.client.call(&operations::TRACE_LOG, path, &query, &())?.value;
        lines(caller, &part.items)?;
        // What is at its end tells the same place again.
        if part.items.is_empty() || part.meta.position <= position {
            return Ok(());
        }
        position = part.meta.position;
    }
    Ok(())
}

/// Lines of JSON, as they are but for what would steer a terminal.
fn lines(caller: &mut Caller<'_>, text: &str) -> Result<(), Failure> {
    let shown: String = text.lines().map(|line| shown::harmless(line) + "\n").collect();
    caller.out.write(&shown)
}
