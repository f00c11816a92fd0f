//! The numbers in the text format of Prometheus.

use std::fmt::Write;

use plexus_api_model::ApiError;
use plexus_broker::{Histogram, HistogramView, Measure};

use crate::{
    Api,
    server::{Call, Reply},
};

/// One number: its name, whether it only ever grows, what it is, and its value.
struct Sample {
    name: String,
    grows: bool,
    help: String,
    value: u64,
}

fn text(samples: impl IntoIterator<Item = Sample>) -> String {
    let mut text = String::new();
    for Sample { name, grows, help, value } in samples {
        let kind = if grows { "counter" } else { "gauge" };
        // It cannot fail.
        let _: std::fmt::Result =
            write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
    }
    text
}

/// The numbers under names of their own: `plexus_messages_received_total`.
pub(crate) fn own(api: &Api) -> String {
    let counted = api.totals().into_iter().map(|(levels, value)| {
        let (grows, rest) = match levels.strip_prefix("metrics/") {
            Some(rest) => (true, rest),
            None => (false, levels.strip_prefix("stats/").unwrap_or(levels)),
        };
        let words = rest.strip_suffix("/count").unwrap_or(rest).replace('/', "_");
        let name = if grows { format!("plexus_{words}_total") } else { format!("plexus_{words}") };
        Sample { name, grows, help: format!("$SYS/brokers/<node>/{levels}"), value }
    });
    let (resident, heap) = api.node.memory();
    let gauge = |name: &str, help: &str, value| Sample {
        name: name.to_owned(),
        grows: false,
        help: help.to_owned(),
        value,
    };
    let memory = [
        gauge("plexus_memory_resident_bytes", "Memory of the process that is resident.", resident),
        gauge("plexus_memory_heap_bytes", "What of it is private and behind no file.", heap),
    ];
    text(counted.chain(memory)) + &histograms(api)
}

/// What is measured, divided by size.
fn histograms(api: &Api) -> String {
    let timings = api.node.timings();
    let all = |of_shards: &[Histogram]| {
        let (first, others) = of_shards.split_first()?;
        Some(first.view(others))
    };
    let measured = [
        (
            "plexus_delivery_seconds",
            "From when a shard begins with what has come until what it sends for it is with the system, each delivery.",
            all(&timings.delivery),
        ),
        (
            "plexus_queue_messages",
            "How much waits for a client when one more message has to, itself included.",
            all(&timings.queue),
        ),
        (
            "plexus_commit_seconds",
            "How long the log takes to keep what it was given.",
            Some(timings.commit.view([])),
        ),
        (
            "plexus_handshake_seconds",
            "From accept to CONNECT, TLS and WebSocket included.",
            Some(timings.handshake.view([])),
        ),
    ];
    let measured = measured.into_iter().filter_map(|(name, help, view)| Some((name, help, view?)));
    measured.map(|(name, help, view)| histogram(name, help, &view)).collect()
}

fn histogram(name: &str, help: &str, view: &HistogramView) -> String {
    let shown = |size: u64| match view.measure {
        Measure::Time => format!("{}.{:06}", size / 1_000_000, size % 1_000_000),
        Measure::Count => size.to_string(),
    };
    let mut text = format!("# HELP {name} {help}\n# TYPE {name} histogram\n");
    for (bound, count) in &view.buckets {
        let bound = shown(*bound);
        let _: std::fmt::Result = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {count}");
    }
    let (count, sum) = (view.count, shown(view.sum));
    text + &format!(
        "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}\n"
    )
}

/// Names of EMQX for what Plexus counts, too.
const NAMES: &[(&str, &str, bool)] = &[
    ("stats/sessions/count", "emqx_connections_count", false),
    ("stats/connections/count", "emqx_live_connections_count", false),
    ("stats/sessions/count", "emqx_sessions_count", false),
    ("stats/subscriptions/count", "emqx_subscriptions_count", false),
    ("stats/retained/count", "emqx_retained_count", false),
    ("metrics/bytes/received", "emqx_bytes_received", true),
    ("metrics/bytes/sent", "emqx_bytes_sent", true),
    ("metrics/packets/received", "emqx_packets_received", true),
    ("metrics/packets/sent", "emqx_packets_sent", true),
    ("metrics/messages/received", "emqx_messages_received", true),
    ("metrics/messages/sent", "emqx_messages_sent", true),
    ("metrics/messages/dropped/no_subscribers", "emqx_messages_dropped_no_subscribers", true),
    ("metrics/messages/dropped/expired", "emqx_delivery_dropped_expired", true),
    ("metrics/messages/dropped/queue_full", "emqx_delivery_dropped_queue_full", true),
    ("metrics/messages/dropped/too_large", "emqx_delivery_dropped_too_large", true),
    ("metrics/messages/dropped/offline", "emqx_delivery_dropped_qos0_msg", true),
    ("metrics/client/connected", "emqx_client_connected", true),
    ("metrics/client/disconnected", "emqx_client_disconnected", true),
    ("metrics/access/refused", "emqx_authorization_deny", true),
];

pub(super) async fn as_emqx(call: Call<(), (), ()>) -> Result<Reply<String>, ApiError> {
    let totals = call.api.totals();
    let samples = NAMES.iter().filter_map(|(levels, name, grows)| {
        let value = *totals.get(levels)?;
        Some(Sample { name: (*name).to_owned(), grows: *grows, help: (*levels).to_owned(), value })
    });
    Ok(text(samples).into())
}
