//! The command line of `plexus bench`.

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Subcommand};
use plexus_bench::{
    addresses::addresses,
    amount::amount_within,
    bounds,
    mixed::topic_pattern,
    pattern::{Pattern, Place},
    plan::{Body, Pace, UserProperty},
    recipe::{Kind, Recipe, WINDOW_DEFAULT},
};
use plexus_config::value::{ByteSize, Span};
use plexus_pubsub::client::{
    args::qos,
    server::ServerArgs,
    url::{ServerUrl, WrittenUrl},
};
use plexus_session::ClientOptions;
use plexus_terminal::Failure;
use plexus_types::Qos;

/// Clients that publish where nothing is said.
const CLIENTS_USUAL: u32 = 100;
/// The same of `retained`, whose messages come from few hands.
const KEEPERS_USUAL: u32 = 10;

/// What is measured.
#[derive(Debug, Clone, Subcommand)]
#[command(disable_help_subcommand = true)]
pub(crate) enum BenchCommand {
    /// Clients connect and stay: how fast, and what a connection costs
    Conn(ClientsArgs),
    /// Clients publish; who subscribes is not looked at
    Pub(PubArgs),
    /// Clients subscribe and take what somebody else publishes
    Sub(SubArgs),
    /// Publisher to subscriber in pairs, each pair on its own topic
    #[command(name = "p2p")]
    P2p(PairsArgs),
    /// Many publish, few receive everything, each its own copy or together as a shared subscription
    FanIn(FanInArgs),
    /// Few publish, many receive everything
    FanOut(FanOutArgs),
    /// Messages are stored for sessions that are away, which then come for them
    Offline(OfflineArgs),
    /// Messages are retained, then one subscriber with a wildcard takes them all
    Retained(RetainedArgs),
    /// Clients subscribe to many filters
    Subscribe(SubscribeArgs),
    /// Clients connect and leave, again and again
    Churn(ClientsArgs),
    /// Groups of clients from a TOML file
    Mixed(MixedArgs),
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ClientsArgs {
    /// Clients; of churn, so many at a time
    #[arg(short = 'n', long, value_name = "N", default_value = "100", value_parser = clients)]
    count: u32,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct PubArgs {
    /// Clients [default: 100, and no more than messages]
    #[arg(short = 'n', long, value_name = "N", value_parser = clients)]
    count: Option<u32>,
    /// Messages of all clients together, instead of a duration
    #[arg(short = 'm', long, value_name = "N", value_parser = messages)]
    messages: Option<u64>,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct SubArgs {
    /// Clients
    #[arg(short = 'n', long, value_name = "N", default_value = "100", value_parser = clients)]
    count: u32,
    /// The filter: %i client number, %c client identifier [default: bench/%i]
    #[arg(short = 't', long, value_name = "FILTER", value_parser = pattern)]
    filter: Option<Pattern>,
    /// The highest quality of service that is wanted
    #[arg(short, long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: Qos,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct PairsArgs {
    /// Pairs of a publisher and a subscriber [default: 100, and no more than messages]
    #[arg(short = 'n', long, value_name = "N", value_parser = clients)]
    pairs: Option<u32>,
    /// Messages of all publishers together, instead of a duration
    #[arg(short = 'm', long, value_name = "N", value_parser = messages)]
    messages: Option<u64>,
    #[command(flatten)]
    receive: ReceiveArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct FanInArgs {
    /// Clients that publish [default: 100, and no more than messages]
    #[arg(long, value_name = "N", value_parser = clients)]
    publishers: Option<u32>,
    /// Clients that subscribe
    #[arg(long, value_name = "N", default_value = "1", value_parser = clients)]
    subscribers: u32,
    /// The subscribers share one subscription: each message goes to one of them
    #[arg(long)]
    shared: bool,
    /// Messages of all publishers together, instead of a duration
    #[arg(short = 'm', long, value_name = "N", value_parser = messages)]
    messages: Option<u64>,
    #[command(flatten)]
    receive: ReceiveArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct FanOutArgs {
    /// Clients that publish
    #[arg(long, value_name = "N", default_value = "1", value_parser = clients)]
    publishers: u32,
    /// Clients that subscribe
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clients)]
    subscribers: u32,
    /// Messages of all publishers together, instead of a duration
    #[arg(short = 'm', long, value_name = "N", value_parser = messages)]
    messages: Option<u64>,
    #[command(flatten)]
    receive: ReceiveArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct OfflineArgs {
    /// Sessions that are away, each with messages of its own [default: 100, and no more than
    /// messages]
    #[arg(long, value_name = "N", value_parser = clients)]
    sessions: Option<u32>,
    /// Clients that publish: their messages together go to one session after the other [default: as
    /// many as sessions, each for one]
    #[arg(long, value_name = "N", value_parser = clients)]
    publishers: Option<u32>,
    /// Messages of all publishers together
    #[arg(short = 'm', long, value_name = "N", default_value = "100k", value_parser = messages)]
    messages: u64,
    #[command(flatten)]
    receive: ReceiveArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct RetainedArgs {
    /// Messages that are retained, each on a topic of its own
    #[arg(
        short = 'm',
        long,
        visible_alias = "count",
        value_name = "N",
        default_value = "10k",
        value_parser = messages
    )]
    messages: u64,
    /// Clients that publish [default: 10, and no more than messages]
    #[arg(long, value_name = "N", value_parser = clients)]
    publishers: Option<u32>,
    /// Leave the retained messages with the broker instead of clearing them at the end
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    receive: ReceiveArgs,
    #[command(flatten)]
    traffic: TrafficArgs,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct SubscribeArgs {
    /// Clients
    #[arg(short = 'n', long, value_name = "N", default_value = "100", value_parser = clients)]
    count: u32,
    /// Filters of each client
    #[arg(long, value_name = "N", default_value = "100", value_parser = filters)]
    filters: u32,
    /// Filters in one SUBSCRIBE
    #[arg(long, value_name = "N", default_value = "1", value_parser = per_packet)]
    per_packet: u32,
    /// SUBSCRIBEs of a client that wait for their answer at a time
    #[arg(long, value_name = "N", default_value = "1", value_parser = requests)]
    window: u32,
    /// The filter: %i client number, %c client identifier, %n filter number
    /// [default: bench/subscribe/%i/%n]
    #[arg(short = 't', long, value_name = "FILTER", value_parser = pattern)]
    filter: Option<Pattern>,
    /// The highest quality of service that is wanted
    #[arg(short, long, value_name = "QOS", default_value = "0", value_parser = qos)]
    qos: Qos,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Clone, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct MixedArgs {
    /// The TOML file with the groups
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) run: RunArgs,
}

/// What is published, and how fast.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
struct TrafficArgs {
    /// The topic: %i client number, %c client identifier, %n message number, %r random number
    #[arg(short = 't', long, value_name = "TOPIC", value_parser = topic_pattern)]
    topic: Option<Pattern>,
    /// The quality of service [default: 0; 1 for offline and retained]
    #[arg(short, long, value_name = "QOS", value_parser = qos)]
    qos: Option<Qos>,
    /// The broker retains each message
    #[arg(short = 'r', long)]
    retain: bool,
    /// The size of a payload, from 16 bytes on with a stamp to count it by [default: 256]
    #[arg(short = 's', long, value_name = "SIZE", conflicts_with_all = ["payload", "payload_file"])]
    size: Option<ByteSize>,
    /// The payload: a text with %i, %c, %n, %r, %t time in nanoseconds, %s stamp
    #[arg(long, value_name = "TEXT", conflicts_with = "payload_file")]
    payload: Option<String>,
    /// A file with such a text
    #[arg(long, value_name = "FILE")]
    payload_file: Option<PathBuf>,
    /// A user property of each message (MQTT 5.0), as often as there are: the value with %i, %c, %n, %r
    /// and %t as in a payload
    #[arg(long = "user-property", value_name = "NAME=VALUE", value_parser = user_property)]
    user_properties: Vec<UserProperty>,
    /// Messages a second, all publishers together, whatever the broker does; latency counts from
    /// when a message was due
    #[arg(long, value_name = "N", value_parser = rate, conflicts_with = "window")]
    rate: Option<u64>,
    /// As fast as possible with so many messages of each publisher not acknowledged and delivered
    /// [default: 20]
    #[arg(short = 'w', long, value_name = "N", value_parser = window)]
    window: Option<u32>,
}

/// How what is published is subscribed to.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Messages")]
struct ReceiveArgs {
    /// The filter [default: the topic, with + where it varies]
    #[arg(long, value_name = "FILTER", value_parser = pattern)]
    filter: Option<Pattern>,
    /// The quality of service of the subscriptions [default: that of the messages]
    #[arg(long, value_name = "QOS", value_parser = qos)]
    subscribe_qos: Option<Qos>,
}

/// What every scenario has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub(crate) struct RunArgs {
    /// The broker: mqtt, mqtts, ws or wss://user:password@host:port, or unix:///path
    #[arg(value_name = "URL", conflicts_with_all = ["host", "port", "ws", "tls"])]
    pub(super) url: Option<WrittenUrl>,

    /// How long is measured
    #[arg(short = 'd', long, value_name = "TIME", default_value = "10s")]
    pub(super) duration: Span,

    /// Traffic before that, which is not measured
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub(super) warm_up: Span,

    /// How long nothing may come before what is missing is given up
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub(super) patience: Span,

    /// Threads [default: one a core, at most one a client]
    #[arg(long, value_name = "N", value_parser = workers)]
    pub(super) workers: Option<usize>,

    /// Client identifiers: %i client number through all groups, %r random number
    /// [default: one that nobody else has]
    #[arg(short = 'i', long, value_name = "ID", value_parser = id_pattern)]
    client_id: Option<Pattern>,

    /// The number of the first client: differs between generators that run together
    #[arg(long, value_name = "N", default_value = "0", value_parser = first)]
    pub(super) first: u64,

    /// Connections a second [default: as fast as --connecting lets]
    #[arg(long, value_name = "N", value_parser = rate)]
    pub(super) connect_rate: Option<u64>,

    /// Connections of a thread that wait for CONNACK at a time
    #[arg(long, value_name = "N", default_value = "100", value_parser = connecting)]
    pub(super) connecting: u32,

    /// Connect again, after half a second, when a connection fails or is lost; the run is no success
    /// all the same
    #[arg(long)]
    pub(super) reconnect: bool,

    /// Addresses that connections begin at, in turn: 127.0.0.2-127.0.0.20,10.0.0.7
    #[arg(long = "source", value_name = "ADDRESSES", value_parser = source)]
    sources_written: Option<Sources>,

    /// Sessions are not clean and are kept so long: whole seconds, such as 1h
    #[arg(short = 'x', long, value_name = "TIME")]
    session_expiry: Option<Span>,

    /// Unacknowledged messages that the broker may send to a client (MQTT 5.0)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    receive_maximum: Option<u16>,

    /// The broker's process on this machine, whose processor time and memory are read
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,

    /// Print the summary as JSON
    #[arg(long)]
    pub(super) json: bool,

    /// Write the measured parts to a file of comma-separated values
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,

    /// Serve the numbers to Prometheus while the run goes on
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) prometheus: Option<SocketAddr>,

    /// Show no progress
    #[arg(long)]
    pub(super) quiet: bool,

    #[command(flatten)]
    pub(super) server: ServerArgs,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// A list of addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sources(Vec<IpAddr>);

impl BenchCommand {
    /// What every scenario has.
    pub(super) const fn run_args(&self) -> &RunArgs {
        match self {
            Self::Conn(args) | Self::Churn(args) => &args.run,
            Self::Pub(args) => &args.run,
            Self::Sub(args) => &args.run,
            Self::P2p(args) => &args.run,
            Self::FanIn(args) => &args.run,
            Self::FanOut(args) => &args.run,
            Self::Offline(args) => &args.run,
            Self::Retained(args) => &args.run,
            Self::Subscribe(args) => &args.run,
            Self::Mixed(args) => &args.run,
        }
    }

    /// The numbers of a scenario; `mixed` has them in its file.
    pub(super) fn recipe(&self, name: &str) -> Result<Recipe, Failure> {
        let base = |kind| self.run_args().recipe(kind, name);
        Ok(match self {
            Self::Conn(args) => Recipe { publishers: args.count, ..base(Kind::Conn) },
            Self::Churn(args) => Recipe { publishers: args.count, ..base(Kind::Churn) },
            Self::Mixed(_) => base(Kind::Conn),
            Self::Pub(args) => {
                let recipe = args.traffic.fill(base(Kind::Pub))?;
                let publishers = publishers(args.count, CLIENTS_USUAL, args.messages);
                Recipe { publishers, messages: args.messages, ..recipe }
            }
            Self::Sub(args) => Recipe {
                subscribers: args.count,
                filter: args.filter.clone(),
                qos: args.qos,
                ..base(Kind::Sub)
            },
            Self::P2p(args) => {
                let recipe = args.receive.fill(args.traffic.fill(base(Kind::P2p))?);
                let pairs = publishers(args.pairs, CLIENTS_USUAL, args.messages);
                let (publishers, subscribers) = (pairs, pairs);
                Recipe { publishers, subscribers, messages: args.messages, ..recipe }
            }
            Self::FanIn(args) => {
                let recipe = args.receive.fill(args.traffic.fill(base(Kind::FanIn))?);
                let publishers = publishers(args.publishers, CLIENTS_USUAL, args.messages);
                let (subscribers, messages, shared) =
                    (args.subscribers, args.messages, args.shared);
                Recipe { publishers, subscribers, messages, shared, ..recipe }
            }
            Self::FanOut(args) => {
                let recipe = args.receive.fill(args.traffic.fill(base(Kind::FanOut))?);
                let (publishers, subscribers) = (args.publishers, args.subscribers);
                Recipe { publishers, subscribers, messages: args.messages, ..recipe }
            }
            Self::Offline(args) => {
                let recipe = args.receive.fill(args.traffic.fill(base(Kind::Offline))?);
                let sessions = publishers(args.sessions, CLIENTS_USUAL, Some(args.messages));
                let (publishers, subscribers) = (args.publishers.unwrap_or(sessions), sessions);
                Recipe { publishers, subscribers, messages: Some(args.messages), ..recipe }
            }
            Self::Retained(args) => {
                let recipe = args.receive.fill(args.traffic.fill(base(Kind::Retained))?);
                let publishers = publishers(args.publishers, KEEPERS_USUAL, Some(args.messages));
                let keep = args.keep;
                Recipe { publishers, keep, messages: Some(args.messages), ..recipe }
            }
            Self::Subscribe(args) => Recipe {
                subscribers: args.count,
                filters: args.filters,
                per_packet: args.per_packet,
                pace: Pace::Window(args.window),
                filter: args.filter.clone(),
                qos: args.qos,
                ..base(Kind::Subscribe)
            },
        })
    }
}

impl RunArgs {
    fn recipe(&self, kind: Kind, name: &str) -> Recipe {
        let stored = matches!(kind, Kind::Offline | Kind::Retained);
        Recipe {
            kind,
            publishers: 1,
            subscribers: 1,
            qos: if stored { Qos::AtLeastOnce } else { Qos::AtMostOnce },
            subscribe_qos: None,
            retain: false,
            body: Body::of_size(bounds::SIZE_DEFAULT as usize),
            user_properties: Vec::new(),
            pace: Pace::Window(WINDOW_DEFAULT),
            messages: None,
            filters: 1,
            per_packet: bounds::PER_PACKET_DEFAULT,
            shared: false,
            keep: false,
            warm_up: self.warm_up.get(),
            time: self.duration.get(),
            topic: None,
            filter: None,
            client_id: self.client_id.clone(),
            first: self.first,
            run: name.to_owned(),
        }
    }

    /// Addresses that connections begin at.
    pub(super) fn sources(&self) -> &[IpAddr] {
        self.sources_written.as_ref().map_or(&[], |sources| &sources.0)
    }

    /// How long brokers are asked to keep sessions where a group says nothing, in seconds.
    pub(super) fn session_expiry(&self) -> u32 {
        let seconds = self.session_expiry.and_then(Span::whole_secs);
        seconds.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or_default()
    }

    /// How every client introduces itself, but for its identifier.
    pub(super) fn options(&self, url: Option<&ServerUrl>) -> Result<ClientOptions, Failure> {
        let mut options = self.server.login(url)?;
        let is_v5 = options.version.is_v5();
        if let Some(expiry) = self.session_expiry {
            options.clean_start = false;
            let seconds = expiry.whole_secs().and_then(|seconds| u32::try_from(seconds).ok());
            let wrong = || Failure::Usage("the session expiry is no whole seconds".to_owned());
            options.properties.session_expiry_interval =
                if is_v5 { seconds.ok_or_else(wrong)? } else { 0 };
        }
        match self.receive_maximum {
            Some(_) if !is_v5 => {
                let message =
                    "a receive maximum needs MQTT 5.0; leave out --receive-maximum, or -V";
                return Err(Failure::Usage(message.to_owned()));
            }
            Some(maximum) => options.properties.receive_maximum = maximum,
            None => {}
        }
        Ok(options)
    }
}

impl TrafficArgs {
    fn fill(&self, recipe: Recipe) -> Result<Recipe, Failure> {
        let pace = match (self.rate, self.window) {
            (Some(rate), _) => Pace::Rate(rate),
            (None, window) => Pace::Window(window.unwrap_or(WINDOW_DEFAULT)),
        };
        Ok(Recipe {
            topic: self.topic.clone(),
            qos: self.qos.unwrap_or(recipe.qos),
            retain: self.retain,
            body: self.body()?,
            user_properties: self.user_properties.clone(),
            pace,
            ..recipe
        })
    }

    fn body(&self) -> Result<Body, Failure> {
        let file = self.payload_file.as_ref().map(|path| {
            fs::read_to_string(path).map_err(|error| {
                Failure::because(format_args!("cannot read {}", path.display()), &error)
            })
        });
        let text = file.transpose()?.or_else(|| self.payload.clone());
        if let Some(text) = text {
            let pattern = Pattern::parse(&text, Place::OF_PAYLOAD)
                .map_err(|error| Failure::Usage(format!("the payload: {error}")))?;
            return Ok(Body::Template(pattern));
        }
        let size = self.size.map_or(bounds::SIZE_DEFAULT, ByteSize::get);
        if size > bounds::SIZE_MAX {
            let most = bounds::SIZE_MAX / 1024 / 1024;
            let message = format!("--size {size}: a payload has at most {most} MiB");
            return Err(Failure::Usage(message));
        }
        Ok(Body::of_size(size as usize))
    }
}

impl ReceiveArgs {
    fn fill(&self, recipe: Recipe) -> Recipe {
        Recipe { filter: self.filter.clone(), subscribe_qos: self.subscribe_qos, ..recipe }
    }
}

/// How many clients publish: where nobody says, as many as usual and no more than there are messages.
fn publishers(given: Option<u32>, usual: u32, messages: Option<u64>) -> u32 {
    let most = messages.and_then(|messages| u32::try_from(messages).ok());
    given.unwrap_or_else(|| most.map_or(usual, |most| most.min(usual)))
}

fn within(text: &str, most: u64) -> Result<u64, String> {
    amount_within(text, 1, most).map_err(|error| error.to_string())
}

fn within_u32(text: &str, most: u64) -> Result<u32, String> {
    within(text, most).map(|number| number as u32)
}

fn clients(text: &str) -> Result<u32, String> {
    within_u32(text, bounds::CLIENTS_MAX)
}

fn messages(text: &str) -> Result<u64, String> {
    within(text, bounds::MESSAGES_MAX)
}

fn rate(text: &str) -> Result<u64, String> {
    within(text, bounds::RATE_MAX)
}

fn window(text: &str) -> Result<u32, String> {
    within_u32(text, bounds::WINDOW_MAX)
}

fn filters(text: &str) -> Result<u32, String> {
    within_u32(text, bounds::FILTERS_MAX)
}

fn per_packet(text: &str) -> Result<u32, String> {
    within_u32(text, 1_000)
}

fn requests(text: &str) -> Result<u32, String> {
    within_u32(text, 1_000)
}

fn connecting(text: &str) -> Result<u32, String> {
    within_u32(text, bounds::CLIENTS_MAX)
}

fn workers(text: &str) -> Result<usize, String> {
    within(text, bounds::WORKERS_MAX).map(|number| number as usize)
}

fn first(text: &str) -> Result<u64, String> {
    amount_within(text, 0, u64::from(u32::MAX)).map_err(|error| error.to_string())
}

fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text, Place::OF_TOPIC).map_err(|error| error.to_string())
}

fn id_pattern(text: &str) -> Result<Pattern, String> {
    Pattern::parse(text, Place::OF_ID).map_err(|error| error.to_string())
}

fn user_property(text: &str) -> Result<UserProperty, String> {
    UserProperty::parse(text).map_err(|error| error.to_string())
}

fn source(text: &str) -> Result<Sources, String> {
    addresses(text).map(Sources).map_err(|error| error.to_string())
}
