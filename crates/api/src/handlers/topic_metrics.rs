//! Messages of single topics, counted where somebody asks for it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use plexus_api_model::{
    ApiError, ErrorCode, Moment, NewTopicMetrics, TenantQuery, TopicMetrics, TopicMetricsReset,
    TopicPath,
};
use plexus_broker::{Sight, Watcher};
use plexus_runtime::unix_now;
use plexus_types::{Instant, Message, Qos, TopicName};
use serde_json::Number;

use super::live::watched;
use crate::{
    Api,
    lists::{locked, read, written},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Topics that are counted.
const TOPICS_MAX: usize = 512;
/// Milliseconds of which rates are told, at least.
const WINDOW: u64 = 5_000;
/// What is counted: messages that come and go, of each quality of service.
const NAMES: [[&str; 3]; 2] = [
    ["messages.qos0.in", "messages.qos1.in", "messages.qos2.in"],
    ["messages.qos0.out", "messages.qos1.out", "messages.qos2.out"],
];
const IN: usize = 0;
const OUT: usize = 1;

type Counted = [[u64; 3]; 2];

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct TopicCounts {
    /// Who counts, as long as there is anything to count.
    counter: Mutex<Option<Arc<Counter>>>,
}

/// Counts on the shards.
#[derive(Debug, Default)]
struct Counter {
    topics: RwLock<BTreeMap<Box<[u8]>, Arc<OfTopic>>>,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct OfTopic {
    topic: TopicName,
    created: Instant,
    counts: [[AtomicU64; 3]; 2],
    since: Mutex<Since>,
}

/// What was counted before, for rates and new beginnings.
#[derive(Debug, Clone, Copy, Default)]
struct Since {
    reset: Option<Instant>,
    at_reset: Counted,
    earlier: (u64, Counted),
    later: (u64, Counted),
}

impl Counter {
    fn count(&self, message: &Message, way: usize, qos: Qos) {
        let topics = read(&self.topics);
        let Some(of) = topics.get(message.topic.as_bytes()) else { return };
        if let Some(count) = of.counts.get(way).and_then(|all| all.get(usize::from(qos.get()))) {
            count.fetch_add(1, Relaxed);
        }
    }
}

impl Watcher for Counter {
    fn see(&self, _: Instant, sight: Sight<'_>) -> bool {
        match sight {
            Sight::Published(_, message) => self.count(message, IN, message.qos),
            Sight::Delivered(_, message, qos) => self.count(message, OUT, qos),
            _ => {}
        }
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

impl OfTopic {
    fn new(topic: TopicName, now: Instant) -> Self {
        let begun = (now.as_millis(), Counted::default());
        let since = Since { earlier: begun, later: begun, ..Since::default() };
        Self { topic, created: now, counts: Default::default(), since: Mutex::new(since) }
    }

    fn now(&self) -> Counted {
        self.counts.each_ref().map(|all| all.each_ref().map(|count| count.load(Relaxed)))
    }

    fn reset(&self, now: Instant) {
        let counted = self.now();
        let at = (now.as_millis(), counted);
        *locked(&self.since) =
            Since { reset: Some(now), at_reset: counted, earlier: at, later: at };
    }

    fn shown(&self, now: Instant) -> TopicMetrics {
        let (counted, millis) = (self.now(), now.as_millis());
        let mut since = locked(&self.since);
        if millis.saturating_sub(since.later.0) >= WINDOW {
            since.earlier = since.later;
            since.later = (millis, counted);
        }
        let (from, before) = since.earlier;
        let seconds = millis.saturating_sub(from) as f64 / 1_000.0;
        let mut metrics = BTreeMap::new();
        for (way, all) in ["messages.in", "messages.out"].into_iter().enumerate() {
            let mut sum = (0, 0.0);
            for qos in 0..3 {
                let of = |counted: &Counted| {
                    counted.get(way).and_then(|all| all.get(qos)).copied().unwrap_or(0)
                };
                let count = of(&counted).wrapping_sub(of(&since.at_reset));
                let more = of(&counted).wrapping_sub(of(&before)) as f64;
                let rate = if seconds > 0.0 { more / seconds } else { 0.0 };
                let name = NAMES.get(way).and_then(|names| names.get(qos)).copied().unwrap_or("");
                metrics.insert(format!("{name}.count"), count.into());
                metrics.insert(format!("{name}.rate"), rounded(rate));
                sum = (sum.0 + count, sum.1 + rate);
            }
            metrics.insert(format!("{all}.count"), sum.0.into());
            metrics.insert(format!("{all}.rate"), rounded(sum.1));
        }
        TopicMetrics {
            topic: self.topic.to_shown().as_str().to_owned(),
            tenant: self.topic.tenant().map(str::to_owned),
            create_time: Moment::from_millis(self.created.as_millis()),
            reset_time: since.reset.map(|at| Moment::from_millis(at.as_millis())),
            metrics,
        }
    }
}

fn rounded(rate: f64) -> Number {
    Number::from_f64((rate * 100.0).round() / 100.0).unwrap_or_else(|| 0.into())
}

impl TopicCounts {
    fn all(&self) -> Vec<Arc<OfTopic>> {
        let counter = locked(&self.counter);
        let topics = counter.as_ref().map(|it| read(&it.topics).values().cloned().collect());
        let mut topics: Vec<_> = topics.unwrap_or_default();
        topics.sort_by(|one: &Arc<OfTopic>, other| one.topic.as_str().cmp(other.topic.as_str()));
        topics
    }

    fn get(&self, topic: &TopicName) -> Option<Arc<OfTopic>> {
        let counter = locked(&self.counter);
        read(&counter.as_ref()?.topics).get(topic.as_bytes()).cloned()
    }

    fn add(&self, api: &Api, topic: TopicName, now: Instant) -> Result<Arc<OfTopic>, ApiError> {
        let mut held = locked(&self.counter);
        let counter = if let Some(counter) = &*held {
            Arc::clone(counter)
        } else {
            let counter = Arc::<Counter>::default();
            let watcher: Arc<dyn Watcher> = Arc::clone(&counter) as _;
            // A part of the shards that watches for nobody is let go.
            watched(api, &watcher).inspect_err(|_| counter.is_over.store(true, Relaxed))?;
            Arc::clone(held.insert(counter))
        };
        let mut topics = written(&counter.topics);
        if topics.contains_key(topic.as_bytes()) {
            let message = format!("`{}` is counted already", topic.to_shown());
            return Err(ApiError::new(ErrorCode::AlreadyExists, message));
        }
        if topics.len() >= TOPICS_MAX {
            let message = format!("{TOPICS_MAX} topics are counted already; end one");
            return Err(ApiError::bad(message));
        }
        let key = topic.as_bytes().into();
        let of = Arc::new(OfTopic::new(topic, now));
        topics.insert(key, Arc::clone(&of));
        Ok(of)
    }

    /// Whether it was counted.
    fn remove(&self, topic: &TopicName) -> bool {
        let mut held = locked(&self.counter);
        let Some(counter) = held.clone() else { return false };
        let mut topics = written(&counter.topics);
        let was = topics.remove(topic.as_bytes()).is_some();
        if topics.is_empty() {
            counter.is_over.store(true, Relaxed);
            *held = None;
        }
        was
    }
}

fn uncounted(topic: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("`{topic}` is not counted"))
}

pub(super) async fn list(call: Call<(), (), ()>) -> Answer<Vec<TopicMetrics>> {
    let now = unix_now();
    let all = call.api.topic_counts.all();
    Ok(all.iter().map(|of| of.shown(now)).collect::<Vec<_>>().into())
}

pub(super) async fn count(call: Call<(), (), NewTopicMetrics>) -> Answer<TopicMetrics> {
    let topic = call.api.topic(&call.body.topic, call.body.tenant.as_ref())?.detached();
    let now = unix_now();
    Ok(call.api.topic_counts.add(&call.api, topic, now)?.shown(now).into())
}

pub(super) async fn reset(call: Call<(), (), TopicMetricsReset>) -> Answer<()> {
    let (TopicMetricsReset { topic, tenant, .. }, now) = (call.body, unix_now());
    let Some(topic) = topic else {
        call.api.topic_counts.all().iter().for_each(|of| of.reset(now));
        return Ok(().into());
    };
    let known = call.api.topic(&topic, tenant.as_ref())?;
    call.api.topic_counts.get(&known).ok_or_else(|| uncounted(&topic))?.reset(now);
    Ok(().into())
}

pub(super) async fn get(call: Call<TopicPath, TenantQuery, ()>) -> Answer<TopicMetrics> {
    let topic = call.api.topic(&call.path.topic, call.query.tenant.as_ref())?;
    let of = call.api.topic_counts.get(&topic).ok_or_else(|| uncounted(&call.path.topic))?;
    Ok(of.shown(unix_now()).into())
}

pub(super) async fn delete(call: Call<TopicPath, TenantQuery, ()>) -> Answer<()> {
    let topic = call.api.topic(&call.path.topic, call.query.tenant.as_ref())?;
    if call.api.topic_counts.remove(&topic) {
        return Ok(().into());
    }
    Err(uncounted(&call.path.topic))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use plexus_api_model::TopicMetrics;
    use plexus_types::{Instant, TopicName};

    use super::OfTopic;

    #[test]
    fn counts_begin_anew_and_rates_are_of_the_last_seconds() {
        let at = |seconds: u64| Instant::from_millis(seconds * 1_000);
        let of = OfTopic::new(TopicName::try_from("a").unwrap(), at(100));
        of.counts[0][1].store(50, Relaxed);
        let shown = of.shown(at(105));
        let told = |shown: &TopicMetrics, name: &str| shown.metrics[name].to_string();
        assert_eq!(told(&shown, "messages.in.count"), "50");
        assert_eq!(told(&shown, "messages.qos1.in.count"), "50");
        assert_eq!(told(&shown, "messages.in.rate"), "10.0");
        assert_eq!(told(&shown, "messages.out.rate"), "0.0");
        of.counts[0][1].store(60, Relaxed);
        let shown = of.shown(at(110));
        assert_eq!(told(&shown, "messages.qos1.in.rate"), "2.0", "not since the beginning");
        of.reset(at(111));
        let shown = of.shown(at(112));
        assert_eq!(told(&shown, "messages.in.count"), "0");
        assert_eq!(told(&shown, "messages.in.rate"), "0.0");
        assert!(shown.reset_time.is_some());
    }
}
