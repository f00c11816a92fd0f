//! What goes on, as it happens.

use clap::{Args, Subcommand};
use plexus_api_model::{
    ClientEvent, LiveEventsQuery, LiveKind, LiveMessage, LiveQuery, LiveTopics, LiveTopicsQuery,
    operations,
};
use plexus_terminal::Failure;

use super::payload;
use crate::{caller::Caller, units};

#[derive(Debug, Subcommand)]
pub(crate) enum LiveCommand {
    /// What is published and delivered, as it happens; nothing waits for whoever watches
    ///
    /// The columns: when, what, whose, topic, quality of service, bytes, payload. With --json an object a
    /// line.
    #[command(after_help = MESSAGES_EXAMPLES)]
    Messages(MessagesArgs),
    /// Topics with new messages, once a second: the last one of each, and how many there were
    Topics(TopicsArgs),
    /// Who comes, goes and is refused, as it happens
    Events(EventsArgs),
}

const MESSAGES_EXAMPLES: &str = "\
Examples:
  plexus ctl live messages --topic 'plant/#'
  plexus ctl live messages --client-id robot-7 --deliveries --json";

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct CountArgs {
    /// End after so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct MessagesArgs {
    /// Only of topics that this filter matches
    #[arg(long, value_name = "FILTER")]
    topic: Option<String>,

    /// Only of this client, as publisher or receiver
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Only of clients from this address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,

    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// What is delivered to clients, too, and not only what is published
    #[arg(long)]
    deliveries: bool,

    /// Bytes of each payload that are shown at most
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(..=65_536))]
    payload: Option<u32>,

    #[command(flatten)]
    count: CountArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TopicsArgs {
    /// Only those that this filter matches
    #[arg(long, value_name = "FILTER")]
    topic: Option<String>,

    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Bytes of each payload that are shown at most
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(..=4_096))]
    payload: Option<u32>,

    #[command(flatten)]
    count: CountArgs,
}

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    /// Only those of this client
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Only those of this kind: login, session, access, ban, change or node
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Only those of this tenant's clients
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// So many of the last ones first
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(..=1_000))]
    last: Option<u32>,

    #[command(flatten)]
    count: CountArgs,
}

pub(crate) fn run(caller: &mut Caller<'_>, command: LiveCommand) -> Result<(), Failure> {
    match command {
        LiveCommand::Messages(args) => {
            let query = LiveQuery {
                topic: args.topic,
                clientid: args.client_id,
                ip_address: args.ip,
                tenant: args.tenant,
                deliveries: args.deliveries.then_some(true),
                payload_max: args.payload.map(|bytes| bytes as usize),
            };
            let count = args.count.count;
            caller.watch(&operations::LIVE_MESSAGES, (&(), &query), count, |one| vec![message(one)])
        }
        LiveCommand::Topics(args) => {
            let query = LiveTopicsQuery {
                topic: args.topic,
                tenant: args.tenant,
                payload_max: args.payload.map(|bytes| bytes as usize),
            };
            caller.watch(&operations::LIVE_TOPICS, (&(), &query), args.count.count, topics)
        }
        LiveCommand::Events(args) => {
            let query = LiveEventsQuery {
                clientid: args.client_id,
                kind: args.kind,
                tenant: args.tenant,
                last: args.last.map(|number| number as usize),
            };
            let count = args.count.count;
            caller.watch(&operations::LIVE_EVENTS, (&(), &query), count, |one| vec![event(one)])
        }
    }
}

fn message(message: &LiveMessage) -> String {
    let what = match message.event {
        LiveKind::Published => "published",
        LiveKind::Delivered => "delivered",
        LiveKind::Acknowledged => "acknowledged",
        LiveKind::Dropped => "dropped",
        LiveKind::Subscribed => "subscribed",
        LiveKind::Unsubscribed => "unsubscribed",
    };
    let mut parts = vec![message.at.to_string(), format!("{what:12}"), message.clientid.clone()];
    parts.extend(message.topic.clone());
    parts.extend(message.qos.map(|qos| format!("qos {qos}")));
    parts.extend(message.size.map(units::bytes));
    parts.extend(message.count.map(|count| format!("{count} messages")));
    parts.extend(message.reason.clone());
    parts.extend(message.payload.as_ref().map(|text| payload(text, message.payload_encoding)));
    parts.join("  ")
}

fn topics(seen: &LiveTopics) -> Vec<String> {
    let lines = seen.topics.iter().map(|topic| {
        let (count, size) = (units::number(topic.count), units::bytes(topic.size));
        let payload = payload(&topic.payload, topic.payload_encoding);
        format!("{}  {}  {count}  {size}  {payload}", seen.at, topic.topic)
    });
    let others = (seen.others > 0).then(|| {
        format!("{}  and {} messages of further topics", seen.at, units::number(seen.others))
    });
    lines.chain(others).collect()
}

fn event(event: &ClientEvent) -> String {
    let mut parts = vec![
        event.at.to_string(),
        format!("{:8}", event.kind),
        format!("{} {}", event.event, event.outcome),
    ];
    for (before, value) in [
        ("client ", &event.clientid),
        ("user ", &event.username),
        ("of ", &event.tenant),
        ("from ", &event.ip_address),
        ("at ", &event.listener),
        ("on ", &event.target),
        ("because: ", &event.because),
    ] {
        parts.extend(value.as_ref().map(|value| format!("{before}{value}")));
    }
    parts.join("  ")
}
