//! The numbers in the text format of Prometheus.

use std::fmt::Write;

use plexus_api_model::ApiError;
use plexus_broker::{HistogramView, Measure, Metric, MetricValue};

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

/// What is measured under names of their own: `plexus_messages_received_total`.
pub(crate) fn own(api: &Api) -> String {
    (api.about.metrics)().iter().map(of_metric).collect()
}

fn of_metric(Metric { name, help, value }: &Metric) -> String {
    let name = format!("plexus_{}", name.replace('.', "_"));
    let sample = |name, grows, value| text([Sample { name, grows, help: help.to_string(), value }]);
    match value {
        MetricValue::Counter(value) => sample(format!("{name}_total"), true, *value),
        MetricValue::Gauge(value) => sample(name, false, *value),
        MetricValue::Histogram(view) => histogram(&name, help, view),
    }
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
