use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use plexus_api_model::{
    Alarm, AlarmQuery, ApiError, Listener, Metrics, Moment, MonitorQuery, NodeState, NodeStatus,
    Page, Rates, Sample, Stats, Status,
};
use plexus_runtime::unix_now;
use plexus_types::Instant;

use crate::{
    Api,
    lists::Wanted,
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

impl Api {
    /// The numbers of all shards, by the levels under which `$SYS` shows them.
    pub(super) fn totals(&self) -> BTreeMap<&'static str, u64> {
        plexus_broker::totals(self.node.counters())
    }
}

/// Whether the node takes clients: a shard answers.
pub(crate) async fn is_ready(api: &Api) -> bool {
    let asked = api.ask(0, |told| {
        plexus_broker::Question::Walk(
            u32::MAX,
            Box::new(|_| std::ops::ControlFlow::Break(())),
            told,
        )
    });
    asked.await.is_ok()
}

pub(super) async fn status(call: Call<(), (), ()>) -> Answer<Status> {
    let about = &call.api.about;
    Ok(Status {
        node_name: about.name.clone(),
        broker_status: "started".to_owned(),
        app_status: "running".to_owned(),
        rel_vsn: about.version.clone(),
    }
    .into())
}

pub(super) async fn nodes(call: Call<(), (), ()>) -> Answer<Vec<NodeState>> {
    let (api, totals) = (&call.api, call.api.totals());
    let total = |levels: &str| totals.get(levels).copied().unwrap_or_default();
    let (memory_used, memory_heap) = api.node.memory();
    Ok(vec![NodeState {
        node: api.about.name.clone(),
        node_status: NodeStatus::Running,
        version: api.about.version.clone(),
        uptime: unix_now().saturating_since(api.about.started).as_millis() as u64,
        live_connections: total("stats/connections/count"),
        connections: total("stats/sessions/count"),
        shards: api.node.shards(),
        memory_used,
        memory_heap,
        cores: api.about.cores,
    }]
    .into())
}

impl Api {
    /// How it is now: what only grows is told since the start.
    pub(crate) fn sample(&self) -> Sample {
        let totals = self.totals();
        let total = |levels: &str| totals.get(levels).copied().unwrap_or_default();
        let dropped =
            totals.iter().filter(|(name, _)| name.starts_with("metrics/messages/dropped/"));
        Sample {
            time_stamp: unix_now().as_millis(),
            connections: total("stats/sessions/count"),
            live_connections: total("stats/connections/count"),
            subscriptions: total("stats/subscriptions/count"),
            retained_msg_count: total("stats/retained/count"),
            received: total("metrics/messages/received"),
            sent: total("metrics/messages/sent"),
            dropped: dropped.map(|(_, count)| count).sum(),
            received_bytes: total("metrics/bytes/received"),
            sent_bytes: total("metrics/bytes/sent"),
            queued: total("stats/queued/count"),
            memory: self.node.memory().0,
        }
    }
}

pub(super) async fn monitor(call: Call<(), MonitorQuery, ()>) -> Answer<Vec<Sample>> {
    let latest = call.query.latest.unwrap_or(3_600);
    if !(10..=86_400).contains(&latest) {
        return Err(ApiError::bad(format!("latest: {latest} is not within 10 and 86400")));
    }
    let from = unix_now().as_millis().saturating_sub(latest * 1_000);
    Ok(call.api.history.since(from).into())
}

/// What there is, in EMQX's words where it has them; what has none is called as in `$SYS`.
pub(super) async fn stats(call: Call<(), (), ()>) -> Answer<Stats> {
    let named = |levels: &str| match levels.strip_prefix("stats/")? {
        "connections/count" => Some("live_connections.count".to_owned()),
        "sessions/count" => Some("sessions.count".to_owned()),
        other => Some(other.replace('/', ".")),
    };
    let totals = call.api.totals();
    let mut stats: Stats =
        totals.iter().filter_map(|(levels, value)| Some((named(levels)?, *value))).collect();
    let sessions = totals.get("stats/sessions/count").copied().unwrap_or_default();
    stats.insert("connections.count".to_owned(), sessions);
    Ok(stats.into())
}

pub(super) async fn metrics(call: Call<(), (), ()>) -> Answer<Metrics> {
    let totals = call.api.totals();
    let named = totals.into_iter().filter_map(|(levels, value)| {
        Some((levels.strip_prefix("metrics/")?.replace('/', "."), value))
    });
    Ok(named.collect::<Metrics>().into())
}

/// Numbers of a while ago, from which rates follow.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Readings>);

#[derive(Debug, Default)]
struct Readings {
    before: Option<Reading>,
    last: Option<Reading>,
}

#[derive(Debug, Clone, Default)]
struct Reading {
    at: Instant,
    totals: BTreeMap<&'static str, u64>,
}

/// Rates are of this time at least.
const SPAN: Duration = Duration::from_secs(1);

impl Meter {
    /// The rates since a reading that is a second old or more, and the numbers of now. Without one they are of the
    /// time since the start.
    fn read(
        &self,
        started: Instant,
        now: Instant,
        totals: BTreeMap<&'static str, u64>,
    ) -> (Reading, Reading) {
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reading = Reading { at: now, totals };
        let is_old = |one: &Reading| now.saturating_since(one.at) >= SPAN;
        if readings.last.as_ref().is_none_or(is_old) {
            readings.before = readings.last.replace(reading.clone());
        }
        let first = || Reading { at: started, totals: BTreeMap::new() };
        let last = readings.last.as_ref().filter(|last| is_old(last));
        let before = last.or(readings.before.as_ref()).cloned();
        (before.unwrap_or_else(first), reading)
    }
}

pub(super) async fn rates(call: Call<(), (), ()>) -> Answer<Rates> {
    let api = &call.api;
    let (before, now) = api.rates.read(api.about.started, unix_now(), api.totals());
    let millis = now.at.saturating_since(before.at).as_millis().max(1) as u64;
    let of =
        |reading: &Reading, levels: &str| reading.totals.get(levels).copied().unwrap_or_default();
    let total = |levels: &str| of(&now, levels);
    let rate = |levels: &str| total(levels).saturating_sub(of(&before, levels)) * 1_000 / millis;
    let dropped =
        now.totals.keys().filter(|levels| levels.starts_with("metrics/messages/dropped/"));
    Ok(Rates {
        live_connections: total("stats/connections/count"),
        connections: total("stats/sessions/count"),
        subscriptions: total("stats/subscriptions/count"),
        retained_msg_count: total("stats/retained/count"),
        queued: total("stats/queued/count"),
        received_msg_rate: rate("metrics/messages/received"),
        sent_msg_rate: rate("metrics/messages/sent"),
        dropped_msg_rate: dropped.map(|levels| rate(levels)).sum(),
        received_bytes_rate: rate("metrics/bytes/received"),
        sent_bytes_rate: rate("metrics/bytes/sent"),
    }
    .into())
}

pub(super) async fn listeners(call: Call<(), (), ()>) -> Answer<Vec<Listener>> {
    Ok(call.api.about.listeners.clone().into())
}

pub(super) async fn alarms(call: Call<(), AlarmQuery, ()>) -> Answer<Page<Alarm>> {
    let wanted = Wanted::new(call.query.page, call.query.limit, None)?;
    let moment = |at: Instant| Some(Moment::from_millis(at.as_millis()));
    let told = |name: &str, alarm: plexus_broker::Alarm, ended| Alarm {
        node: call.api.about.name.clone(),
        name: name.to_owned(),
        message: alarm.text,
        activate_at: moment(alarm.since),
        deactivate_at: ended,
    };
    if call.query.activated == Some(false) {
        let ended = call.api.node.ended_alarms().into_iter();
        let ended = ended.map(|it| told(it.name, it.alarm, moment(it.ended)));
        return Ok(wanted.cut(ended.collect()).into());
    }
    let standing = call.api.node.alarms().into_iter();
    let standing = standing.map(|(name, alarm)| told(name, alarm, None));
    Ok(wanted.cut(standing.collect()).into())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use plexus_types::Instant;

    use super::Meter;

    #[test]
    fn rates_are_of_a_second_at_least() {
        let (meter, started) = (Meter::default(), Instant::from_secs(1_000));
        let mut asked = Vec::new();
        for tenth in [5, 10, 12, 21, 22, 40] {
            let now = started + Duration::from_millis(tenth * 100);
            let totals = BTreeMap::from([("metrics/messages/received", tenth)]);
            let (before, now) = meter.read(started, now, totals);
            asked.push(now.at.saturating_since(before.at).as_millis());
        }
        assert_eq!(asked, [500, 1_000, 1_200, 1_600, 1_700, 1_900]);
    }
}
