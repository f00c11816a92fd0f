//! What a run says in the end, and whether that is good.

pub(crate) mod text;

use std::{collections::BTreeMap, fmt::Write as _};

use plexus_types::Qos;
use serde::Serialize;

use crate::{
    counts::{Census, Count, Counts},
    engine::{Harvest, Shared},
    meter::{Meters, Metric, Quantiles},
    plan::{Audience, Group, Role, Step, Workload},
    record::Run,
};

/// Messages that a broker has to keep for a session that is away, as far as most of them go where
/// nobody has said otherwise: `mqtt.max_queue_messages` of Plexus, `max_queued_messages` of Mosquitto.
const QUEUE_USUAL: u64 = 1_000;

/// The figures of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Summary {
    /// The scenario.
    pub scenario: String,
    /// The protocol version that the clients spoke: 3, 4 or 5.
    pub protocol: u8,
    /// What was run.
    pub run: Run,
    /// Length of the whole run.
    pub seconds: f64,
    /// Whether somebody ended it early.
    pub interrupted: bool,
    /// What was measured, in order.
    pub parts: Vec<Part>,
    /// Messages over the whole run, warm-up and drain included.
    pub messages: Messages,
    /// Clients by group.
    pub groups: BTreeMap<String, Clients>,
    /// What went wrong, and how often.
    pub troubles: BTreeMap<String, u64>,
    /// The generator itself.
    pub generator: Generator,
    /// The process that was named as the broker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<Broker>,
    /// Why the run is no success; nothing when it is one.
    pub failures: Vec<String>,
    /// What a reader has to know to understand the figures.
    pub notes: Vec<String>,
}

/// One measured part of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Part {
    /// What it is.
    pub name: String,
    /// Its length.
    pub seconds: f64,
    /// What its rate counts.
    pub unit: &'static str,
    /// So many of them.
    pub count: u64,
    /// So many in a second.
    pub per_second: f64,
    /// Messages published.
    pub published: u64,
    /// Messages acknowledged.
    pub acknowledged: u64,
    /// Messages received.
    pub received: u64,
    /// Payload bytes received in a second.
    pub bytes_per_second: f64,
    /// Connections accepted.
    pub connected: u64,
    /// Filters subscribed to.
    pub subscribed: u64,
    /// The process that was named as the broker, meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broker: Option<Broker>,
    /// Distributions of times.
    pub times: BTreeMap<&'static str, Quantiles>,
}

/// Messages over a whole run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Messages {
    /// Sent.
    pub published: u64,
    /// Acknowledged to their end.
    pub acknowledged: u64,
    /// Refused by the broker with a reason code.
    pub refused: u64,
    /// Sent with QoS 1 or 2 and neither acknowledged nor refused.
    pub unacknowledged: u64,
    /// Deliveries that were called for.
    pub expected: u64,
    /// Deliveries that came, each counted once.
    pub delivered: u64,
    /// Whatever came.
    pub received: u64,
    /// Deliveries that never came.
    pub lost: u64,
    /// Of these, the ones that had QoS 1 or 2 on their whole way.
    pub lost_assured: u64,
    /// Deliveries that came again.
    pub duplicates: u64,
    /// Of these, the ones that QoS 1 allows.
    pub repeated: u64,
    /// Deliveries behind a later message of the same publisher.
    pub out_of_order: u64,
    /// Of nobody of this run.
    pub stray: u64,
    /// Without a stamp: not told apart.
    pub unstamped: u64,
    /// Of a fixed rate, and not sent because too many waited.
    pub overrun: u64,
    /// Of a fixed rate, and not sent because its publisher was not connected when it was due.
    pub unconnected: u64,
    /// Of a fixed rate, and not sent because they still waited on their connection when publishing
    /// ended.
    pub waiting: u64,
    /// Window slots taken back because nothing had come for a second.
    pub written_off: u64,
}

/// The clients of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Clients {
    /// How many there are.
    pub count: u32,
    /// Connections begun.
    pub begun: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that came to nothing.
    pub failed: u64,
    /// Connections that somebody else ended.
    pub lost: u64,
}

/// What the generator used.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Generator {
    /// Threads that drove clients.
    pub threads: usize,
    /// Processor time, user and system.
    pub cpu_seconds: Option<f64>,
    /// The most private memory it had.
    pub memory_bytes: u64,
}

/// What the broker's process used.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Broker {
    /// Processor time, user and system.
    pub cpu_seconds: f64,
    /// The user part of it.
    pub user_seconds: f64,
    /// Private memory at the end.
    pub memory_bytes: u64,
    /// Private memory at the beginning.
    pub memory_before: u64,
}

impl Part {
    pub(crate) fn new(
        name: &str,
        seconds: f64,
        before: &Counts,
        after: &Counts,
        meters: &Meters,
    ) -> Self {
        let since = |count| after.since(before, count);
        let (published, acknowledged) = (since(Count::Published), since(Count::Acknowledged));
        let (received, subscribed) = (since(Count::Received), since(Count::Subscribed));
        let connected = after.all_since(before, Census::Accepted);
        let (unit, count) = match (received, acknowledged, published, subscribed) {
            (1.., ..) => ("received", received),
            (0, 1.., ..) => ("acknowledged", acknowledged),
            (0, 0, 1.., _) => ("published", published),
            (0, 0, 0, 1..) => ("subscribed", subscribed),
            (0, 0, 0, 0) if connected > 0 => ("connected", connected),
            (0, 0, 0, 0) => ("received", 0),
        };
        let rate = |count: u64| if seconds > 0.0 { count as f64 / seconds } else { 0.0 };
        let times = Metric::ALL.into_iter();
        let times = times.filter_map(|metric| Some((metric.name(), meters.quantiles(metric)?)));
        Self {
            name: name.to_owned(),
            seconds,
            unit,
            count,
            per_second: rate(count),
            published,
            acknowledged,
            received,
            bytes_per_second: rate(since(Count::BytesIn)),
            connected,
            subscribed,
            broker: None,
            times: times.collect(),
        }
    }
}

impl Summary {
    pub(crate) fn new(shared: &Shared, harvests: Vec<Harvest>) -> Self {
        let (plan, counts) = (&shared.plan, &shared.counts());
        let workload = &plan.workload;
        let groups = workload.groups.iter().enumerate().map(|(index, group)| {
            let of = |census| counts.of(index, census);
            let clients = Clients {
                count: group.count,
                begun: of(Census::Begun),
                accepted: of(Census::Accepted),
                failed: of(Census::Failed),
                lost: of(Census::Lost),
            };
            (group.name.clone(), clients)
        });
        Self {
            scenario: workload.name.clone(),
            protocol: plan.options.version.level(),
            run: Run::of(plan),
            messages: Messages::of((workload, &shared.audience), counts, harvests),
            groups: groups.collect(),
            ..Self::default()
        }
    }

    /// Says what is no success, and what a reader has to know.
    #[must_use]
    pub(crate) fn judged(mut self, workload: &Workload, audience: &Audience) -> Self {
        let messages = &self.messages;
        let mut failures = Vec::new();
        let mut fail = |number: u64, what: &str| {
            if number > 0 {
                failures.push(format!("{number} {what}"));
            }
        };
        let clients = |number: fn(&Clients) -> u64| self.groups.values().map(number).sum();
        fail(clients(|group| group.failed), "connections failed");
        fail(clients(|group| group.lost), "connections were lost");
        fail(messages.lost_assured, "messages of QoS 1 and 2 were lost");
        fail(messages.duplicates - messages.repeated, "messages came again");
        fail(messages.out_of_order, "messages came out of order");
        fail(messages.refused, "messages were refused");
        fail(messages.unacknowledged, "messages were not acknowledged");
        let refused = self.troubles.iter().filter(|(why, _)| why.starts_with("subscription"));
        fail(refused.map(|(_, number)| number).sum(), "subscriptions were refused");
        self.failures = failures;
        self.notes = self.notes(workload, audience);
        self
    }

    fn notes(&self, workload: &Workload, audience: &Audience) -> Vec<String> {
        let mut notes = Vec::new();
        if !workload.is_stamped() {
            notes.push(
                "the payload carries no stamp (less than 16 bytes, or a template without %s): \
                 losses, duplicates, order and time of delivery are not counted"
                    .to_owned(),
            );
        }
        if audience.publishers.iter().any(|heard| heard.receivers.is_none()) {
            notes.push(
                "how many receivers a message has is not known beforehand: losses are counted where \
                 a later message of the same publisher and topic came"
                    .to_owned(),
            );
        }
        notes.extend(self.notes_of_unsent());
        notes.extend(self.notes_of_away(workload));
        let late = self.parts.iter().filter_map(|part| part.times.get(Metric::Lag.name()));
        let late = late.map(|lag| lag.p99).fold(0.0, f64::max);
        if late > 1_000_000.0 {
            notes.push(
                "one message of a hundred left more than a second late: the rate is above what \
                 broker and generator can do"
                    .to_owned(),
            );
        }
        if self.interrupted {
            notes.push("the run was ended early; the figures are of what was done".to_owned());
        }
        notes
    }

    /// What was due and not sent, with the cause.
    fn notes_of_unsent(&self) -> impl Iterator<Item = String> {
        let Messages { overrun, unconnected, waiting, .. } = &self.messages;
        [
            (
                overrun,
                "messages were due and not sent: the broker, or this machine, does not keep up with the \
                 rate",
            ),
            (
                unconnected,
                "messages were due while their publisher was not connected, and were not sent",
            ),
            (
                waiting,
                "messages were due and still waited on their connection when publishing ended: the \
                 broker, or this machine, does not keep up with the rate",
            ),
        ]
        .into_iter()
        .filter(|(number, _)| **number > 0)
        .map(|(number, what)| format!("{number} {what}"))
    }

    /// What a broker may have dropped because its receiver was away.
    fn notes_of_away(&self, workload: &Workload) -> Vec<String> {
        let mut notes = Vec::new();
        if self.messages.lost == 0 {
            return notes;
        }
        let kept =
            |group: &Group| matches!(group.role, Role::Subscribe(_)) && group.sessions.are_kept();
        if workload.groups.iter().any(|group| kept(group) && group.churn.is_some()) {
            notes.push(format!(
                "a broker keeps only so many messages for a session that is away; allow more (Plexus: \
                 mqtt.max_queue_messages, by default {}), send fewer, or write a shorter away",
                text::number(QUEUE_USUAL)
            ));
        }
        let collected = workload.steps.iter().filter_map(|step| match step {
            Step::Collect { group, .. } => workload.groups.get(*group).filter(|group| kept(group)),
            _ => None,
        });
        let sessions: u64 = collected.map(|group| u64::from(group.count)).sum();
        let each = self.messages.published.checked_div(sessions).unwrap_or_default();
        if each > QUEUE_USUAL {
            notes.push(format!(
                "about {} messages were sent for each session while it was away, and a broker keeps \
                 only so many for one; allow more (Plexus: mqtt.max_queue_messages, by default {}) or \
                 send fewer with --messages",
                text::number(each),
                text::number(QUEUE_USUAL)
            ));
        }
        notes
    }

    /// Whether nothing is wrong.
    pub const fn is_success(&self) -> bool {
        self.failures.is_empty()
    }

    /// The parts as lines of comma-separated values with a head.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "scenario,part,seconds,unit,count,per_second,published,acknowledged,received,\
             bytes_per_second,connected,subscribed,metric,samples,min_us,mean_us,p50_us,p90_us,\
             p99_us,p999_us,p9999_us,max_us,lost,duplicates,out_of_order\n",
        );
        for part in &self.parts {
            let bare = [("", Quantiles::default())];
            let times = part.times.iter().map(|(name, times)| (*name, *times));
            let times: Vec<_> = if part.times.is_empty() { bare.to_vec() } else { times.collect() };
            for (metric, times) in times {
                self.csv_line(part, metric, &times, &mut out);
            }
        }
        out
    }

    fn csv_line(&self, part: &Part, metric: &str, times: &Quantiles, out: &mut String) {
        let Messages { lost, duplicates, out_of_order, .. } = &self.messages;
        // Writing to a string does not fail.
        let _ = write!(
            out,
            "{},{},{:.3},{},{},{:.1},{},{},{},{:.1},{},{},{metric},{}",
            self.scenario,
            part.name,
            part.seconds,
            part.unit,
            part.count,
            part.per_second,
            part.published,
            part.acknowledged,
            part.received,
            part.bytes_per_second,
            part.connected,
            part.subscribed,
            times.count,
        );
        for time in [
            times.min,
            times.mean,
            times.p50,
            times.p90,
            times.p99,
            times.p999,
            times.p9999,
            times.max,
        ] {
            let _ = write!(out, ",{time:.1}");
        }
        let _ = writeln!(out, ",{lost},{duplicates},{out_of_order}");
    }
}

impl Messages {
    fn of(
        (workload, audience): (&Workload, &Audience),
        counts: &Counts,
        harvests: Vec<Harvest>,
    ) -> Self {
        let gaps: u64 = harvests.iter().map(|harvest| harvest.gaps).sum();
        let gaps_assured: u64 = harvests.iter().map(|harvest| harvest.gaps_assured).sum();
        let again = Again::of(audience, harvests);
        let get = |count| counts.get(count);
        let delivered = get(Count::Delivered).saturating_sub(again.all);
        let expected = get(Count::Expected).saturating_sub(again.called);
        let acknowledged = get(Count::Acknowledged);
        let above = workload.groups.iter().all(|group| match &group.role {
            Role::Publish(publishing) => publishing.qos != Qos::AtMostOnce,
            Role::Connect | Role::Subscribe(_) => true,
        });
        let answered = acknowledged + get(Count::Refused);
        let open = get(Count::Published).saturating_sub(answered);
        let stamped = workload.is_stamped();
        let missing = expected.saturating_sub(delivered);
        let missing_assured = (get(Count::ExpectedAssured) + again.assured)
            .saturating_sub(get(Count::DeliveredAssured) + again.called_assured);
        Self {
            published: get(Count::Published),
            acknowledged,
            refused: get(Count::Refused),
            unacknowledged: if above { open } else { 0 },
            expected,
            delivered,
            received: get(Count::Received),
            lost: if stamped { missing + gaps } else { 0 },
            lost_assured: if stamped { missing_assured + gaps_assured } else { 0 },
            duplicates: get(Count::Duplicates) + again.all,
            repeated: get(Count::Repeated) + again.repeated,
            out_of_order: get(Count::OutOfOrder),
            stray: get(Count::Stray),
            unstamped: get(Count::Unstamped),
            overrun: get(Count::Overrun),
            unconnected: get(Count::Unconnected),
            waiting: get(Count::Waiting),
            written_off: get(Count::WrittenOff),
        }
    }
}

/// What two threads both had of a shared subscription: it came twice, and each of them counted it.
#[derive(Debug, Clone, Copy, Default)]
struct Again {
    all: u64,
    /// Had QoS 1 or 2 on their whole way.
    assured: u64,
    /// Were called for by coming, and that twice.
    called: u64,
    called_assured: u64,
    /// QoS 1 allows it.
    repeated: u64,
}

impl Again {
    fn of(audience: &Audience, harvests: Vec<Harvest>) -> Self {
        let publishers = audience.publishers.len();
        let mut seen = Vec::<crate::seen::Seen>::new();
        let mut again = Self::default();
        for harvest in harvests {
            seen.resize_with(seen.len().max(harvest.seen.len()), Default::default);
            for (place, (mine, theirs)) in seen.iter_mut().zip(&harvest.seen).enumerate() {
                let both = mine.merge(theirs);
                let Some(share) = place.checked_div(publishers) else { continue };
                again.add(audience, (share, place % publishers), both);
            }
        }
        again
    }

    fn add(&mut self, audience: &Audience, (share, publisher): (usize, usize), both: u64) {
        self.all += both;
        let found = audience.shares.get(share).zip(audience.get(publisher));
        let assured = found.is_some_and(|(share, heard)| share.is_assured(heard.qos));
        let repeats = found.is_some_and(|(share, heard)| share.may_repeat(heard.qos));
        let called = audience.is_called_by_coming(share, publisher);
        let count = |counts: bool| if counts { both } else { 0 };
        self.assured += count(assured);
        self.called += count(called);
        self.called_assured += count(called && assured);
        self.repeated += count(repeats);
    }
}

#[cfg(test)]
mod tests;
