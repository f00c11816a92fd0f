//! What all clients are subscribed to.

use clap::Args;
use plexus_api_model::{Subscription, SubscriptionQuery, operations};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs},
    table::{Column, Row, numbers, words},
    units,
};

#[derive(Debug, Args)]
pub(crate) struct SubscriptionsArgs {
    /// Only those of this client
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,

    /// Only those with exactly this filter
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,

    /// Only those that this topic meets
    #[arg(long, value_name = "TOPIC")]
    matches: Option<String>,

    /// Only those of this shared group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,

    /// Only those of this quality of service
    #[arg(long, value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: Option<u8>,

    /// Only those of this tenant's clients
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Only those of this node
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    #[command(flatten)]
    range: RangeArgs,
}

impl Row for Subscription {
    const COLUMNS: &'static [Column<Self>] = &[
        words("CLIENT", |subscription| subscription.clientid.clone()),
        words("FILTER", |subscription| subscription.topic.clone()),
        numbers("QOS", |subscription| subscription.qos.to_string()),
        words("OPTIONS", options),
        words("TENANT", |subscription| units::maybe(subscription.tenant.as_ref())),
    ];
}

fn options(subscription: &Subscription) -> String {
    let handling = match subscription.rh {
        1 => "retained-if-new",
        2 => "no-retained",
        _ => "",
    };
    let all = [
        (subscription.nl == 1, "no-local"),
        (subscription.rap == 1, "retain-as-published"),
        (!handling.is_empty(), handling),
        (subscription.durable, "durable"),
    ];
    let set = all.into_iter().filter_map(|(is_set, word)| is_set.then_some(word));
    set.collect::<Vec<_>>().join(",")
}

pub(crate) fn run(caller: &mut Caller<'_>, args: SubscriptionsArgs) -> Result<(), Failure> {
    let query = SubscriptionQuery {
        clientid: args.client_id,
        topic: args.filter,
        match_topic: args.matches,
        share_group: args.group,
        qos: args.qos,
        tenant: args.tenant,
        node: args.node,
        ..SubscriptionQuery::default()
    };
    caller.pages(&operations::LIST_SUBSCRIPTIONS, &(), query, args.range)
}
