//! All that a node measures, under one list of names, for whoever passes it on.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    counters::Counters,
    histogram::{Histogram, HistogramView, Measure, Timings},
};

/// Something that is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name in words with points between them, such as `messages.received`; the last says the unit where it has one.
    pub name: Cow<'static, str>,
    /// What it is.
    pub help: Cow<'static, str>,
    /// How much it is.
    pub value: MetricValue,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetricValue {
    /// It only ever grows, from the start of the node.
    Counter(u64),
    /// It is so at this moment.
    Gauge(u64),
    /// Divided by size, from the start of the node.
    Histogram(HistogramView),
}

/// Numbers of all shards, by the levels under which `$SYS` shows them.
pub fn totals(counters: &[Counters]) -> BTreeMap<&'static str, u64> {
    let mut totals = BTreeMap::<&str, u64>::new();
    for (levels, value) in counters.iter().flat_map(Counters::read) {
        let total = totals.entry(levels).or_default();
        *total = total.wrapping_add(value);
    }
    totals
}

/// Everything, of a node with these counters, whose process has so much memory resident and of its own.
pub fn metrics(counters: &[Counters], memory: (u64, u64), timings: &Timings) -> Vec<Metric> {
    let counted = totals(counters).into_iter().map(|(levels, value)| counted(levels, value));
    let gauge = |name, help, value| Metric {
        name: Cow::Borrowed(name),
        help: Cow::Borrowed(help),
        value: MetricValue::Gauge(value),
    };
    let (resident, heap) = memory;
    let memory = [
        gauge("memory.resident.bytes", "Memory of the process that is resident.", resident),
        gauge("memory.heap.bytes", "What of it is private and behind no file.", heap),
    ];
    counted.chain(memory).chain(measured(timings)).collect()
}

fn counted(levels: &'static str, value: u64) -> Metric {
    let (rest, value) = match levels.strip_prefix("metrics/") {
        Some(rest) => (rest, MetricValue::Counter(value)),
        None => (levels.strip_prefix("stats/").unwrap_or(levels), MetricValue::Gauge(value)),
    };
    Metric {
        name: rest.strip_suffix("/count").unwrap_or(rest).replace('/', ".").into(),
        help: format!("$SYS/brokers/<node>/{levels}").into(),
        value,
    }
}

/// What is divided by size.
fn measured(timings: &Timings) -> impl Iterator<Item = Metric> + use<> {
    let all = |of_shards: &[Histogram]| {
        let (first, others) = of_shards.split_first()?;
        Some(first.view(others))
    };
    let measured = [
        (
            "delivery.seconds",
            "From when a shard begins with what has come until what it sends for it is with the system, each delivery.",
            all(&timings.delivery),
        ),
        (
            "queue.messages",
            "How much waits for a client when one more message has to, itself included.",
            all(&timings.queue),
        ),
        (
            "commit.seconds",
            "How long the log takes to keep what it was given.",
            Some(timings.commit.view([])),
        ),
        (
            "handshake.seconds",
            "From accept to CONNECT, TLS and WebSocket included.",
            Some(timings.handshake.view([])),
        ),
    ];
    measured.into_iter().filter_map(|(name, help, view)| {
        let value = MetricValue::Histogram(view?);
        Some(Metric { name: name.into(), help: help.into(), value })
    })
}

impl Metric {
    /// The unit in which it is told, by the Unified Code for Units of Measure; none of what is only counted.
    pub fn unit(&self) -> &'static str {
        match &self.value {
            MetricValue::Histogram(view) if view.measure == Measure::Time => "s",
            _ if self.name.ends_with("bytes") || self.name.starts_with("bytes.") => "By",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Metric, MetricValue, metrics};
    use crate::{counters::Counters, histogram::Timings};

    #[test]
    fn all_shards_are_one_number_each() {
        let counters = [Counters::default(), Counters::default()];
        for one in &counters {
            one.messages_received.add(2);
            one.retained_bytes.add(5);
        }
        let timings = Timings::new(2);
        timings.delivery.iter().for_each(|one| one.add_time(Duration::from_millis(1), 3));
        let all = metrics(&counters, (7, 8), &timings);
        let of = |name: &str| all.iter().find(|metric| metric.name == name).unwrap();
        assert_eq!(of("messages.received").value, MetricValue::Counter(4));
        assert_eq!(of("messages.received").unit(), "");
        assert_eq!(of("retained.bytes").value, MetricValue::Gauge(10));
        assert_eq!(of("retained.bytes").unit(), "By");
        assert_eq!(of("bytes.sent").unit(), "By");
        assert_eq!(of("sessions").value, MetricValue::Gauge(0));
        assert_eq!(of("memory.heap.bytes").value, MetricValue::Gauge(8));
        let Metric { value: MetricValue::Histogram(view), .. } = of("delivery.seconds") else {
            panic!("a histogram")
        };
        assert_eq!(view.count, 6);
        assert_eq!((of("delivery.seconds").unit(), of("queue.messages").unit()), ("s", ""));
    }
}
