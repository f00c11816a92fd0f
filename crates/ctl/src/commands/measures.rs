//! What is measured where somebody asks for it: messages of single topics, clients for which messages take long.

use clap::{Args, Subcommand, ValueEnum};
use plexus_api_model::{
    NewTopicMetrics, SlowBy, SlowQuery, SlowSettings, SlowSubscription, TenantQuery, TopicMetrics,
    TopicMetricsAction, TopicMetricsReset, TopicPath, operations,
};
use plexus_terminal::Failure;

use super::accounts::TenantArgs;
use crate::{
    caller::{Caller, RangeArgs},
    table::{Column, Row, numbers, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum CountsCommand {
    /// The topics whose messages are counted
    List,
    /// The counts of a topic
    Show(TopicArgs),
    /// Count the messages of a topic from now on, until the node ends
    Add(TopicArgs),
    /// Have the counts of a topic, or of all, begin anew
    Reset(ResetArgs),
    /// Count the messages of a topic no more
    Remove(TopicArgs),
}

#[derive(Debug, Args)]
pub(crate) struct TopicArgs {
    /// The topic, without wildcards
    topic: String,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResetArgs {
    /// The topic; all of them where it is left out
    topic: Option<String>,

    #[command(flatten)]
    tenant: TenantArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SlowCommand {
    /// Clients for which messages take long, the slowest first
    List(ListArgs),
    /// Forget which clients were slow
    Clear,
    /// How slow clients are looked for
    Settings,
    /// Look for slow clients from now on, until the node ends
    On(OnArgs),
    /// Look for them no more
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OnArgs {
    /// From how long on a message is slow
    #[arg(long, value_name = "TIME", default_value = "500ms")]
    threshold: String,

    /// How long a client is remembered
    #[arg(long, value_name = "TIME", default_value = "300s")]
    keep: String,

    /// How many are remembered, the slowest
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: u32,

    /// What is measured
    #[arg(long, default_value = "whole")]
    by: By,
}

/// What of a message's way is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// Until the client has acknowledged it; of QoS 0, until it was written
    Whole,
    /// Until it was written to the client
    Internal,
    /// From when it was written until the client has acknowledged it
    Response,
}

impl Row for TopicMetrics {
    const COLUMNS: &'static [Column<Self>] = &[
        words("TOPIC", |it| it.topic.clone()),
        numbers("IN", |it| told(it, "messages.in.count")),
        numbers("IN/S", |it| told(it, "messages.in.rate")),
        numbers("OUT", |it| told(it, "messages.out.count")),
        numbers("OUT/S", |it| told(it, "messages.out.rate")),
        words("SINCE", |it| units::moment(Some(it.reset_time.unwrap_or(it.create_time)))),
        words("TENANT", |it| units::maybe(it.tenant.as_ref())),
    ];
}

fn told(metrics: &TopicMetrics, name: &str) -> String {
    metrics.metrics.get(name).map_or_else(String::new, ToString::to_string)
}

impl Row for SlowSubscription {
    const COLUMNS: &'static [Column<Self>] = &[
        words("CLIENT", |slow| slow.clientid.clone()),
        numbers("TOOK", |slow| units::span(slow.timespan)),
        words("TOPIC", |slow| slow.topic.clone()),
        words("WHEN", |slow| units::moment(Some(slow.last_update_time))),
        words("TENANT", |slow| units::maybe(slow.tenant.as_ref())),
    ];
}

pub(crate) fn counts(caller: &mut Caller<'_>, command: CountsCommand) -> Result<(), Failure> {
    let of = |args: TopicArgs| {
        let query = TenantQuery { tenant: args.tenant.tenant };
        (TopicPath { topic: args.topic }, query)
    };
    match command {
        CountsCommand::List => caller.list(&operations::LIST_TOPIC_METRICS, &(), &()),
        CountsCommand::Show(args) => {
            let (path, query) = of(args);
            caller.record(&operations::GET_TOPIC_METRICS, &path, &query, &())
        }
        CountsCommand::Add(args) => {
            let body = NewTopicMetrics { topic: args.topic, tenant: args.tenant.tenant };
            let done = format_args!("counting the messages of {}", body.topic);
            caller.act(&operations::COUNT_TOPIC, (&(), &(), &body), done)
        }
        CountsCommand::Reset(args) => {
            let (topic, tenant) = (args.topic, args.tenant.tenant);
            let body = TopicMetricsReset { action: TopicMetricsAction::Reset, topic, tenant };
            let done = format_args!("the counts begin anew");
            caller.act(&operations::RESET_TOPIC_METRICS, (&(), &(), &body), done)
        }
        CountsCommand::Remove(args) => {
            let (path, query) = of(args);
            let done = format_args!("counting the messages of {} no more", path.topic);
            caller.act(&operations::DELETE_TOPIC_METRICS, (&path, &query, &()), done)
        }
    }
}

pub(crate) fn slow(caller: &mut Caller<'_>, command: SlowCommand) -> Result<(), Failure> {
    match command {
        SlowCommand::List(args) => {
            caller.pages(&operations::LIST_SLOW, &(), SlowQuery::default(), args.range)
        }
        SlowCommand::Clear => {
            let done = format_args!("forgot which clients were slow");
            caller.act(&operations::CLEAR_SLOW, (&(), &(), &()), done)
        }
        SlowCommand::Settings => caller.record(&operations::SLOW_SETTINGS, &(), &(), &()),
        SlowCommand::On(args) => {
            let settings = SlowSettings {
                enable: true,
                threshold: args.threshold,
                expire_interval: args.keep,
                top_k_num: args.top,
                stats_type: match args.by {
                    By::Whole => SlowBy::Whole,
                    By::Internal => SlowBy::Internal,
                    By::Response => SlowBy::Response,
                },
            };
            let done = format_args!("looking for slow clients");
            caller.act(&operations::SET_SLOW_SETTINGS, (&(), &(), &settings), done)
        }
        SlowCommand::Off => {
            let done = format_args!("looking for slow clients no more");
            let off = SlowSettings::default();
            caller.act(&operations::SET_SLOW_SETTINGS, (&(), &(), &off), done)
        }
    }
}
