//! Topics: what somebody is subscribed to, and what is retained.

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Args, Subcommand};
use plexus_api_model::{
    Encoding, RetainedMessage, RetainedQuery, Route, RouteQuery, TenantQuery, TopicLevel,
    TopicPath, TreeQuery, operations,
};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs, confirm},
    table::{Column, Row, numbers, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// The filters that anybody is subscribed to, each once
    List(ListArgs),
    /// Where anybody is subscribed to a filter
    Show(TopicArgs),
    /// The tree of retained topics, a level at a time
    Tree(TreeArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RetainedCommand {
    /// Retained messages
    List(RetainedArgs),
    /// The retained message of a topic
    ///
    /// With --raw its payload is written as it is, and nothing else.
    Show(ShowArgs),
    /// End the retained message of a topic, as an empty one does: those who are subscribed get it
    Delete(DeleteArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only this filter
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// Only those of this node
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TopicArgs {
    /// The topic, or the filter
    topic: String,

    /// The tenant whose it is
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// The topic below which they are [default: the first levels of all]
    #[arg(value_name = "TOPIC")]
    parent: Option<String>,

    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RetainedArgs {
    /// Only those of topics that this filter matches; all but those of $ where nothing is said
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// The tenant whose they are
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Show so many bytes of each payload
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    payload: Option<u32>,

    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    topic: TopicArgs,

    /// Write the payload as it is
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeleteArgs {
    #[command(flatten)]
    topic: TopicArgs,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

impl TopicArgs {
    fn parts(self) -> (TopicPath, TenantQuery) {
        (TopicPath { topic: self.topic }, TenantQuery { tenant: self.tenant })
    }
}

impl Row for Route {
    const COLUMNS: &'static [Column<Self>] = &[
        words("FILTER", |route| route.topic.clone()),
        words("NODE", |route| route.node.clone()),
        words("TENANT", |route| units::maybe(route.tenant.as_ref())),
    ];
}

impl Row for TopicLevel {
    const COLUMNS: &'static [Column<Self>] = &[
        words("TOPIC", |level| level.topic.clone()),
        words("BELOW", |level| units::yes(level.has_children)),
        numbers("SIZE", |level| {
            level.retained.as_ref().map(|message| units::number(message.size)).unwrap_or_default()
        }),
        words("PAYLOAD", |level| level.retained.as_ref().map(shown).unwrap_or_default()),
    ];
}

impl Row for RetainedMessage {
    const COLUMNS: &'static [Column<Self>] = &[
        words("TOPIC", |message| message.topic.clone()),
        numbers("QOS", |message| message.qos.to_string()),
        numbers("SIZE", |message| units::number(message.size)),
        words("FROM", |message| message.from_clientid.clone()),
        words("EXPIRES", |message| units::moment(message.expires_at)),
        words("PAYLOAD", shown),
        words("TENANT", |message| units::maybe(message.tenant.as_ref())),
    ];
}

fn shown(message: &RetainedMessage) -> String {
    let payload = message.payload.as_deref();
    payload.map(|payload| super::payload(payload, message.payload_encoding)).unwrap_or_default()
}

pub(crate) fn topics(caller: &mut Caller<'_>, command: TopicsCommand) -> Result<(), Failure> {
    match command {
        TopicsCommand::List(args) => {
            let query = RouteQuery { topic: args.filter, node: args.node, ..RouteQuery::default() };
            caller.pages(&operations::LIST_TOPICS, &(), query, args.range)
        }
        TopicsCommand::Show(args) => {
            let (path, query) = args.parts();
            caller.list(&operations::GET_TOPIC, &path, &query)
        }
        TopicsCommand::Tree(args) => {
            let query =
                TreeQuery { parent: args.parent, tenant: args.tenant, ..TreeQuery::default() };
            caller.pages(&operations::TOPIC_TREE, &(), query, args.range)
        }
    }
}

pub(crate) fn retained(caller: &mut Caller<'_>, command: RetainedCommand) -> Result<(), Failure> {
    match command {
        RetainedCommand::List(args) => {
            let query = RetainedQuery {
                topic: args.filter,
                tenant: args.tenant,
                payload_max: args.payload.map(|bytes| bytes as usize),
                ..RetainedQuery::default()
            };
            caller.pages(&operations::LIST_RETAINED, &(), query, args.range)
        }
        RetainedCommand::Show(args) => {
            let (path, query) = args.topic.parts();
            if !args.raw {
                return caller.record(&operations::GET_RETAINED, &path, &query, &());
            }
            let message = caller.client.call(&operations::GET_RETAINED, &path, &query, &())?.value;
            let payload = message.payload.unwrap_or_default();
            let bytes = match message.payload_encoding {
                Encoding::Plain => payload.into_bytes(),
                Encoding::Base64 => STANDARD
                    .decode(payload)
                    .map_err(|error| Failure::because("the payload is no base64", &error))?,
            };
            caller.out.write_bytes(&bytes)
        }
        RetainedCommand::Delete(args) => {
            let (path, query) = args.topic.parts();
            confirm(args.yes, format_args!("End the retained message of {}", path.topic))?;
            let done = format_args!("ended the retained message of {}", path.topic);
            caller.act(&operations::DELETE_RETAINED, (&path, &query, &()), done)
        }
    }
}
