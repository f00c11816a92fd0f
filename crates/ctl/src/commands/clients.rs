//! Clients: seen, and sent away.

use std::{
    io::{self, BufRead, Read},
    path::PathBuf,
};

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    Client, ClientMessage, ClientMessageQuery, ClientPath, ClientQuery, ConnectionState,
    NewSubscription, OldSubscription, TenantQuery, operations,
};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs, confirm},
    table::{Column, Row, Table, numbers, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Clients that are connected, or whose sessions wait for them
    #[command(after_help = LIST_EXAMPLES)]
    List(Box<ListArgs>),
    /// All that is known of a client
    Show(ClientArgs),
    /// What a client is subscribed to
    Subscriptions(ClientArgs),
    /// Subscribe a client, as its rules allow
    Subscribe(SubscribeArgs),
    /// Take subscriptions of a client back
    Unsubscribe(UnsubscribeArgs),
    /// What waits for a client, in order
    Queue(MessagesArgs),
    /// What is under way to a client and not acknowledged, in order
    Inflight(MessagesArgs),
    /// Disconnect clients, and end their sessions
    ///
    /// With what waits in them. A client that is named alone has to be there; of several, those that are
    /// not there are passed over.
    #[command(after_help = KICK_EXAMPLES)]
    Kick(KickArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  plexus ctl clients list --search robot
  plexus ctl clients list --state disconnected --all --json | jq -r '.[].clientid'";

const KICK_EXAMPLES: &str = "\
Examples:
  plexus ctl clients kick robot-7
  plexus ctl clients kick --file gone.txt --yes    one identifier a line";

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those with this in identifier, user name, address, listener, tenant or an attribute
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,

    /// Only this client; may be given several times
    #[arg(long, value_name = "ID")]
    client_id: Vec<String>,

    /// Only those with this user name; may be given several times
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,

    /// Only those with this in their identifier
    #[arg(long, value_name = "TEXT")]
    like_client_id: Option<String>,

    /// Only those with this in their user name
    #[arg(long, value_name = "TEXT")]
    like_user: Option<String>,

    /// Only those from this address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,

    /// Only those of this listener
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,

    /// Only those of this tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Only those of this node
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// Only those that are connected, or are not
    #[arg(long, value_name = "STATE")]
    state: Option<State>,

    /// Only those of this version of MQTT
    #[arg(long = "mqtt", value_name = "VERSION", value_parser = ["3.1", "3.1.1", "5.0"])]
    version: Option<String>,

    /// Only those whose session ends with their connection (true), or waits for them (false)
    #[arg(long, value_name = "BOOL")]
    clean_start: Option<bool>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    /// Those that are
    Connected,
    /// Those whose sessions wait for them
    Disconnected,
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

#[derive(Debug, Args)]
pub(crate) struct SubscribeArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Topic filters
    #[arg(value_name = "FILTER", required = true)]
    filters: Vec<String>,

    /// The highest quality of service of deliveries
    #[arg(long, short, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,

    /// It is not to get its own messages
    #[arg(long)]
    no_local: bool,

    /// Deliveries keep the mark that a message was retained
    #[arg(long)]
    retain_as_published: bool,

    /// When retained messages are sent: 0 always, 1 to a new subscription, 2 never
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=2))]
    retain_handling: u8,
}

#[derive(Debug, Args)]
pub(crate) struct UnsubscribeArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Topic filters
    #[arg(value_name = "FILTER", required = true)]
    filters: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MessagesArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Show so many bytes of each payload
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    payload: Option<u32>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct KickArgs {
    /// Identifiers of clients
    #[arg(value_name = "ID", required_unless_present = "file")]
    client_ids: Vec<String>,

    /// A file with further identifiers, one a line; - for stdin
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// The tenant of the clients
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Several are meant
    #[arg(long, short)]
    yes: bool,
}

impl Row for Client {
    const COLUMNS: &'static [Column<Self>] = &[
        words("CLIENT", |client| client.clientid.clone()),
        words("USER", |client| units::maybe(client.username.as_ref())),
        words("ADDRESS", |client| units::maybe(client.ip_address.as_ref())),
        words("CONNECTED", |client| units::yes(client.connected)),
        words("SINCE", |client| {
            units::moment(if client.connected {
                client.connected_at
            } else {
                client.disconnected_at
            })
        }),
        words("MQTT", |client| version(client.proto_ver)),
        numbers("SUBS", |client| units::number(client.subscriptions_cnt)),
        numbers("QUEUED", |client| units::number(client.mqueue_len)),
        numbers("INFLIGHT", |client| units::number(client.inflight_cnt)),
        words("TENANT", |client| units::maybe(client.tenant.as_ref())),
    ];
}

impl Row for ClientMessage {
    const COLUMNS: &'static [Column<Self>] = &[
        words("TOPIC", |message| units::maybe(message.topic.as_ref())),
        numbers("QOS", |message| message.qos.to_string()),
        words("SINCE", |message| units::moment(Some(message.inserted_at))),
        words("FROM", |message| units::maybe(message.from_clientid.as_ref())),
        numbers("SIZE", |message| units::number(message.size)),
        numbers("PACKET", |message| {
            message.packet_id.map(|packet| packet.to_string()).unwrap_or_default()
        }),
        words("PUBREC", |message| units::yes(message.received == Some(true))),
        words("PAYLOAD", |message| {
            let payload = message.payload.as_deref();
            payload.map(|text| super::payload(text, message.payload_encoding)).unwrap_or_default()
        }),
    ];
}

/// The versions of MQTT, and their numbers in CONNECT.
const VERSIONS: [(u8, &str); 3] = [(3, "3.1"), (4, "3.1.1"), (5, "5.0")];

fn version(number: u8) -> String {
    let known = VERSIONS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, word)| (*word).to_owned())
}

pub(crate) fn run(caller: &mut Caller<'_>, command: ClientsCommand) -> Result<(), Failure> {
    match command {
        ClientsCommand::List(args) => {
            let range = args.range;
            caller.pages(&operations::LIST_CLIENTS, &(), args.query(), range)
        }
        ClientsCommand::Show(args) => {
            let (path, query) = args.parts();
            caller.record(&operations::GET_CLIENT, &path, &query, &())
        }
        ClientsCommand::Subscriptions(args) => {
            let (path, query) = args.parts();
            caller.list(&operations::CLIENT_SUBSCRIPTIONS, &path, &query)
        }
        ClientsCommand::Subscribe(args) => subscribe(caller, args),
        ClientsCommand::Unsubscribe(args) => unsubscribe(caller, args),
        ClientsCommand::Queue(args) => {
            let (path, query, range) = args.parts();
            caller.pages(&operations::CLIENT_QUEUE, &path, query, range)
        }
        ClientsCommand::Inflight(args) => {
            let (path, query, range) = args.parts();
            caller.pages(&operations::CLIENT_INFLIGHT, &path, query, range)
        }
        ClientsCommand::Kick(args) => kick(caller, args),
    }
}

impl ListArgs {
    fn query(self) -> ClientQuery {
        let number = |word: &String| {
            VERSIONS.iter().find(|(_, known)| known == word).map(|(number, _)| *number)
        };
        ClientQuery {
            proto_ver: self.version.as_ref().and_then(number),
            clientid: self.client_id,
            username: self.user,
            like_clientid: self.like_client_id,
            like_username: self.like_user,
            search: self.search,
            ip_address: self.ip,
            listener: self.listener,
            tenant: self.tenant,
            node: self.node,
            conn_state: self.state.map(|state| match state {
                State::Connected => ConnectionState::Connected,
                State::Disconnected => ConnectionState::Disconnected,
            }),
            clean_start: self.clean_start,
            ..ClientQuery::default()
        }
    }
}

impl ClientArgs {
    fn parts(self) -> (ClientPath, TenantQuery) {
        (ClientPath { clientid: self.client_id }, TenantQuery { tenant: self.tenant })
    }
}

impl MessagesArgs {
    fn parts(self) -> (ClientPath, ClientMessageQuery, RangeArgs) {
        let (path, TenantQuery { tenant }) = self.client.parts();
        let payload_max = self.payload.map(|bytes| bytes as usize);
        let query = ClientMessageQuery { tenant, payload_max, ..ClientMessageQuery::default() };
        (path, query, self.range)
    }
}

fn subscribe(caller: &mut Caller<'_>, args: SubscribeArgs) -> Result<(), Failure> {
    let (qos, rh) = (args.qos, args.retain_handling);
    let (nl, rap) = (u8::from(args.no_local), u8::from(args.retain_as_published));
    let (path, query) = args.client.parts();
    let wanted = args.filters.into_iter().map(|topic| NewSubscription { topic, qos, nl, rap, rh });
    let wanted: Vec<_> = wanted.collect();
    if let [one] = wanted.as_slice() {
        let done = format_args!("subscribed {} to {}", path.clientid, one.topic);
        return caller.act(&operations::SUBSCRIBE_CLIENT, (&path, &query, one), done);
    }
    let answer = caller.client.call(&operations::SUBSCRIBE_CLIENT_BULK, &path, &query, &wanted)?;
    if caller.out.is_json() {
        caller.document(&answer.text)?;
    } else {
        Table::default().write(&answer.value, &mut caller.out)?;
    }
    match wanted.len().saturating_sub(answer.value.len()) {
        0 => Ok(()),
        refused => Err(Failure::Failed(format!(
            "{refused} of {} filters were not granted: `plexus ctl explain access` says why",
            wanted.len()
        ))),
    }
}

fn unsubscribe(caller: &mut Caller<'_>, args: UnsubscribeArgs) -> Result<(), Failure> {
    let (path, query) = args.client.parts();
    let filters: Vec<_> = args.filters.into_iter().map(|topic| OldSubscription { topic }).collect();
    if let [one] = filters.as_slice() {
        let done = format_args!("unsubscribed {} from {}", path.clientid, one.topic);
        return caller.act(&operations::UNSUBSCRIBE_CLIENT, (&path, &query, one), done);
    }
    let done = format_args!("unsubscribed {} from {} filters", path.clientid, filters.len());
    caller.act(&operations::UNSUBSCRIBE_CLIENT_BULK, (&path, &query, &filters), done)
}

pub(crate) fn kick(caller: &mut Caller<'_>, args: KickArgs) -> Result<(), Failure> {
    let KickArgs { client_ids: mut names, file, tenant, yes } = args;
    if let Some(file) = file {
        names.extend(listed(&file)?);
    }
    let query = TenantQuery { tenant };
    if let [only] = names.as_slice()
        && !matches!(only.as_str(), "." | "..")
    {
        let path = ClientPath { clientid: only.clone() };
        let done = format_args!("sent {only} away");
        return caller.act(&operations::KICK_CLIENT, (&path, &query, &()), done);
    }
    if names.is_empty() {
        return Err(Failure::Usage("the file names no client; nothing was done".to_owned()));
    }
    let many = names.len();
    confirm(yes, format_args!("Disconnect {many} clients and end their sessions"))?;
    let mut part = Vec::new();
    for name in names {
        let bytes: usize = part.iter().map(String::len).sum();
        if part.len() == KICKED_MAX || bytes + name.len() > KICKED_BYTES_MAX {
            let full = std::mem::take(&mut part);
            caller.client.call(&operations::KICK_CLIENTS, &(), &query, &full)?;
        }
        part.push(name);
    }
    caller.client.call(&operations::KICK_CLIENTS, &(), &query, &part)?;
    caller.out.done(format_args!("sent away those of {many} clients that were there"))
}

/// Identifiers in one request.
const KICKED_MAX: usize = 1_000;

/// Their bytes: the API takes 1 MiB of JSON, in which a byte is written as six at most.
const KICKED_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a file of identifiers.
const LIST_MAX: u64 = 256 * 1024 * 1024;

/// The lines of a file; none of them is empty.
fn listed(file: &PathBuf) -> Result<Vec<String>, Failure> {
    let failed = |error: io::Error| {
        Failure::because(format_args!("cannot read identifiers from {}", file.display()), &error)
    };
    let from: Box<dyn Read> = match file.to_str() {
        Some("-") => Box::new(io::stdin()),
        _ => Box::new(std::fs::File::open(file).map_err(failed)?),
    };
    let lines = io::BufReader::new(from.take(LIST_MAX)).lines();
    let lines = lines.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    Ok(lines.into_iter().filter(|line| !line.is_empty()).collect())
}
