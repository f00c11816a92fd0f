//! How the node does.

use clap::Args;
use plexus_api_model::{
    Alarm, AlarmQuery, Listener, Moment, MonitorQuery, NodeState, NodeStatus, Sample, operations,
};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, RangeArgs},
    table::{Column, Row, numbers, pairs, words},
    units,
};

#[derive(Debug, Args)]
pub(crate) struct NamesArgs {
    /// Only those with this in their name
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct MetricsArgs {
    #[command(flatten)]
    names: NamesArgs,

    /// Print the numbers under EMQX's names, as Prometheus reads them
    #[arg(long, conflicts_with_all = ["name", "json"])]
    prometheus: bool,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct AlarmsArgs {
    #[command(flatten)]
    range: RangeArgs,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct HistoryArgs {
    /// Of so many seconds up to now
    #[arg(long, value_name = "SECONDS", default_value_t = 3_600)]
    #[arg(value_parser = clap::value_parser!(u64).range(10..=86_400))]
    latest: u64,
}

impl Row for Sample {
    const COLUMNS: &'static [Column<Self>] = &[
        words("WHEN", |sample| units::moment(Some(Moment::from_millis(sample.time_stamp)))),
        numbers("CONNECTED", |sample| units::number(sample.live_connections)),
        numbers("SESSIONS", |sample| units::number(sample.connections)),
        numbers("SUBS", |sample| units::number(sample.subscriptions)),
        numbers("RETAINED", |sample| units::number(sample.retained_msg_count)),
        numbers("QUEUED", |sample| units::number(sample.queued)),
        numbers("IN", |sample| units::number(sample.received)),
        numbers("OUT", |sample| units::number(sample.sent)),
        numbers("DROPPED", |sample| units::number(sample.dropped)),
        numbers("BYTES IN", |sample| units::bytes(sample.received_bytes)),
        numbers("BYTES OUT", |sample| units::bytes(sample.sent_bytes)),
        numbers("MEMORY", |sample| units::bytes(sample.memory)),
    ];
}

impl Row for NodeState {
    const COLUMNS: &'static [Column<Self>] = &[
        words("NODE", |node| node.node.clone()),
        words("STATUS", |node| match node.node_status {
            NodeStatus::Running => "running".to_owned(),
            NodeStatus::Stopped => "stopped".to_owned(),
        }),
        words("VERSION", |node| node.version.clone()),
        numbers("UPTIME", |node| units::span(node.uptime)),
        numbers("CONNECTED", |node| units::number(node.live_connections)),
        numbers("SESSIONS", |node| units::number(node.connections)),
        numbers("MEMORY", |node| units::bytes(node.memory_used)),
        numbers("SHARDS", |node| node.shards.to_string()),
        numbers("CORES", |node| node.cores.to_string()),
    ];
}

impl Row for Listener {
    const COLUMNS: &'static [Column<Self>] = &[
        words("LISTENER", |listener| listener.id.clone()),
        words("TYPE", |listener| listener.r#type.clone()),
        words("BIND", |listener| listener.bind.clone()),
        words("RUNNING", |listener| units::yes(listener.status.running)),
        numbers("CONNECTIONS MAX", |listener| units::number(listener.status.max_connections)),
        words("TENANT", |listener| units::maybe(listener.tenant.as_ref())),
    ];
}

impl Row for Alarm {
    const COLUMNS: &'static [Column<Self>] = &[
        words("ALARM", |alarm| alarm.name.clone()),
        words("SINCE", |alarm| units::moment(alarm.activate_at)),
        words("NODE", |alarm| alarm.node.clone()),
        words("MESSAGE", |alarm| alarm.message.clone()),
    ];
}

pub(crate) fn status(caller: &mut Caller<'_>) -> Result<(), Failure> {
    caller.record(&operations::STATUS, &(), &(), &())
}

pub(crate) fn nodes(caller: &mut Caller<'_>) -> Result<(), Failure> {
    caller.list(&operations::LIST_NODES, &(), &())
}

pub(crate) fn rates(caller: &mut Caller<'_>) -> Result<(), Failure> {
    caller.record(&operations::MONITOR_CURRENT, &(), &(), &())
}

pub(crate) fn history(caller: &mut Caller<'_>, args: HistoryArgs) -> Result<(), Failure> {
    let query = MonitorQuery { latest: Some(args.latest) };
    caller.list(&operations::MONITOR, &(), &query)
}

pub(crate) fn listeners(caller: &mut Caller<'_>) -> Result<(), Failure> {
    caller.list(&operations::LIST_LISTENERS, &(), &())
}

pub(crate) fn alarms(caller: &mut Caller<'_>, args: AlarmsArgs) -> Result<(), Failure> {
    caller.pages(&operations::LIST_ALARMS, &(), AlarmQuery::default(), args.range)
}

pub(crate) fn stats(caller: &mut Caller<'_>, args: &NamesArgs) -> Result<(), Failure> {
    let stats = caller.client.call(&operations::STATS, &(), &(), &())?.value;
    counted(caller, stats, args)
}

pub(crate) fn metrics(caller: &mut Caller<'_>, args: &MetricsArgs) -> Result<(), Failure> {
    if args.prometheus {
        let text = caller.client.call(&operations::PROMETHEUS, &(), &(), &())?.value;
        let lines: Vec<String> = text.lines().map(crate::shown::plain).collect();
        return caller.out.write(&(lines.join("\n") + "\n"));
    }
    let metrics = caller.client.call(&operations::METRICS, &(), &(), &())?.value;
    counted(caller, metrics, &args.names)
}

fn counted(
    caller: &mut Caller<'_>,
    mut amounts: std::collections::BTreeMap<String, u64>,
    args: &NamesArgs,
) -> Result<(), Failure> {
    amounts.retain(|name, _| args.name.as_ref().is_none_or(|wanted| name.contains(wanted)));
    if caller.out.is_json() {
        return caller.out.document(&serde_json::json!(amounts));
    }
    let amounts: Vec<_> =
        amounts.into_iter().map(|(name, amount)| (name, units::number(amount))).collect();
    caller.out.write(&pairs(&amounts))
}
