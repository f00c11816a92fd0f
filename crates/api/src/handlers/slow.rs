//! Clients for which messages take long, looked for where somebody asks for it.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use plexus_access::Principal;
use plexus_api_model::{ApiError, Moment, Page, SlowBy, SlowQuery, SlowSettings, SlowSubscription};
use plexus_broker::{Sight, Watcher};
use plexus_runtime::unix_now;
use plexus_types::{Instant, Message, Qos};

use super::live::watched;
use crate::{
    Api,
    lists::{Wanted, locked},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Messages whose beginning is remembered, in each of the parts; of older ones nothing is measured.
const BEGUN_MAX: usize = 8_192;
const PARTS: usize = 16;
const TOP_MAX: u32 = 1_000;
const HOUR: u64 = 3_600_000;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct SlowClients(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    settings: SlowSettings,
    search: Option<Arc<Search>>,
}

/// Looks on the shards.
#[derive(Debug)]
struct Search {
    by: SlowBy,
    threshold: Duration,
    keep: Duration,
    top: usize,
    begun: [Mutex<Begun>; PARTS],
    slowest: Mutex<BTreeMap<Box<str>, Slow>>,
    is_over: AtomicBool,
}

/// A message, or its way to one client.
type Key = (u64, Option<Box<str>>);

/// When messages began, the oldest first.
#[derive(Debug, Default)]
struct Begun {
    order: VecDeque<Key>,
    at: BTreeMap<Key, Instant>,
}

#[derive(Debug, Clone)]
struct Slow {
    client: String,
    tenant: Option<String>,
    topic: String,
    took: Duration,
    at: Instant,
}

impl Begun {
    fn add(&mut self, key: Key, now: Instant) {
        if self.at.insert(key.clone(), now).is_some() {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > BEGUN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.at.remove(&oldest);
        }
    }
}

impl Search {
    fn new(settings: &SlowSettings) -> Result<Self, ApiError> {
        let top = settings.top_k_num;
        if !(1..=TOP_MAX).contains(&top) {
            let message = format!("top_k_num: {top} is not within 1 and {TOP_MAX}");
            return Err(ApiError::bad(message));
        }
        Ok(Self {
            by: settings.stats_type,
            threshold: span(&settings.threshold, "threshold")?,
            keep: span(&settings.expire_interval, "expire_interval")?,
            top: top as usize,
            begun: Default::default(),
            slowest: Mutex::default(),
            is_over: AtomicBool::new(false),
        })
    }

    fn key(message: &Message, to: Option<&Principal>) -> Key {
        (message.id.get(), to.map(|to| to.client_id.as_str().into()))
    }

    fn part(&self, key: &Key) -> Option<&Mutex<Begun>> {
        self.begun.get((key.0 % PARTS as u64) as usize)
    }

    fn begin(&self, key: Key, now: Instant) {
        if let Some(part) = self.part(&key) {
            locked(part).add(key, now);
        }
    }

    fn end(&self, key: &Key, (to, message): (&Principal, &Message), now: Instant) {
        let begun = self.part(key).and_then(|part| {
            let mut part = locked(part);
            // The way to one client has one end.
            if key.1.is_some() { part.at.remove(key) } else { part.at.get(key).copied() }
        });
        let Some(took) = begun.map(|begun| now.saturating_since(begun)) else { return };
        if took < self.threshold {
            return;
        }
        let mut slowest = locked(&self.slowest);
        let known = slowest.get(to.client_id.as_str());
        if known.is_some_and(|known| known.took > took && !self.is_past(known, now)) {
            return;
        }
        let slow = Slow {
            client: to.client_id.shown().to_owned(),
            tenant: to.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()),
            topic: message.topic.to_shown().as_str().to_owned(),
            took,
            at: now,
        };
        slowest.insert(to.client_id.as_str().into(), slow);
        if slowest.len() > self.top {
            slowest.retain(|_, slow| !self.is_past(slow, now));
        }
        if slowest.len() > self.top {
            let fastest = slowest.iter().min_by_key(|(_, slow)| slow.took);
            let fastest = fastest.map(|(name, _)| name.clone());
            fastest.and_then(|name| slowest.remove(&name));
        }
    }

    fn is_past(&self, slow: &Slow, now: Instant) -> bool {
        now.saturating_since(slow.at) > self.keep
    }

    fn told(&self, now: Instant) -> Vec<Slow> {
        let mut all: Vec<_> = locked(&self.slowest).values().cloned().collect();
        all.retain(|slow| !self.is_past(slow, now));
        all.sort_by(|one, other| other.took.cmp(&one.took).then(one.client.cmp(&other.client)));
        all
    }
}

impl Watcher for Search {
    fn see(&self, now: Instant, sight: Sight<'_>) -> bool {
        match (sight, self.by) {
            (Sight::Published(_, message), SlowBy::Whole | SlowBy::Internal) => {
                self.begin(Self::key(message, None), now);
            }
            (Sight::Delivered(to, message, _), SlowBy::Internal)
            | (
                Sight::Delivered(to, message, Qos::AtMostOnce)
                | Sight::Acknowledged(to, message, _),
                SlowBy::Whole,
            ) => {
                self.end(&Self::key(message, None), (to, message), now);
            }
            (Sight::Delivered(to, message, qos), SlowBy::Response) if qos != Qos::AtMostOnce => {
                self.begin(Self::key(message, Some(to)), now);
            }
            (Sight::Acknowledged(to, message, _), SlowBy::Response) => {
                self.end(&Self::key(message, Some(to)), (to, message), now);
            }
            _ => {}
        }
        !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

/// Milliseconds, seconds, minutes or an hour, as EMQX writes them.
fn span(text: &str, field: &str) -> Result<Duration, ApiError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(HOUR),
        _ => None,
    };
    let millis = number.parse::<u64>().ok().zip(unit).and_then(|(n, unit)| n.checked_mul(unit));
    let millis = millis.filter(|millis| (1..=24 * HOUR).contains(millis));
    millis.map(Duration::from_millis).ok_or_else(|| {
        ApiError::bad(format!(
            "{field}: `{text}` is no time as 500ms, 300s or 5m, of a day at most"
        ))
    })
}

pub(super) async fn list(call: Call<(), SlowQuery, ()>) -> Answer<Page<SlowSubscription>> {
    let wanted = Wanted::new(call.query.page, call.query.limit, None)?;
    let search = locked(&call.api.slow.0).search.clone();
    let all = search.map(|search| search.told(unix_now())).unwrap_or_default();
    let node = &call.api.about.name;
    let shown = all.into_iter().map(|slow| SlowSubscription {
        clientid: slow.client,
        tenant: slow.tenant,
        node: node.clone(),
        topic: slow.topic,
        timespan: u64::try_from(slow.took.as_millis()).unwrap_or(u64::MAX),
        last_update_time: Moment::from_millis(slow.at.as_millis()),
    });
    Ok(wanted.cut(shown.collect()).into())
}

pub(super) async fn clear(call: Call<(), (), ()>) -> Answer<()> {
    if let Some(search) = &locked(&call.api.slow.0).search {
        locked(&search.slowest).clear();
    }
    Ok(().into())
}

pub(super) async fn settings(call: Call<(), (), ()>) -> Answer<SlowSettings> {
    let settings = locked(&call.api.slow.0).settings.clone();
    Ok(settings.into())
}

pub(super) async fn set(call: Call<(), (), SlowSettings>) -> Answer<SlowSettings> {
    let settings = call.body;
    let search = Arc::new(Search::new(&settings)?);
    let mut state = locked(&call.api.slow.0);
    if settings.enable {
        begin(&call.api, &search)?;
    }
    let before = state.search.take();
    if let Some(before) = before {
        before.is_over.store(true, Relaxed);
    }
    state.search = settings.enable.then_some(search);
    state.settings = settings.clone();
    Ok(settings.into())
}

fn begin(api: &Api, search: &Arc<Search>) -> Result<(), ApiError> {
    let watcher: Arc<dyn Watcher> = Arc::clone(search) as _;
    // A part of the shards that watches for nobody is let go.
    watched(api, &watcher).inspect_err(|_| search.is_over.store(true, Relaxed))
}

#[cfg(test)]
mod tests {
    use plexus_access::Principal;
    use plexus_api_model::{SlowBy, SlowSettings};
    use plexus_broker::{Sight, Watcher};
    use plexus_types::{
        ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TopicName,
    };

    use super::{BEGUN_MAX, PARTS, Search, span};

    fn client(name: &str) -> Principal {
        Principal {
            client_id: ClientId::try_from(name).unwrap(),
            user_name: None,
            peer: None,
            listener: "l".into(),
            tenant: None,
            is_unplaced: false,
            rights: None,
        }
    }

    fn message(id: u64) -> Message {
        Message {
            id: MessageId::new(id),
            topic: TopicName::try_from("t").unwrap(),
            payload: bytes::Bytes::new(),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: MessageProperties::default(),
            expires: None,
            durability: Durability::default(),
            publisher: ClientId::try_from("p").unwrap(),
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn search(by: SlowBy, top: u32) -> Search {
        let (threshold, expire_interval) = ("100ms".to_owned(), "10s".to_owned());
        let settings = SlowSettings {
            enable: true,
            threshold,
            expire_interval,
            top_k_num: top,
            stats_type: by,
        };
        Search::new(&settings).unwrap()
    }

    fn names(search: &Search, now: u64) -> Vec<(String, u128)> {
        search.told(at(now)).iter().map(|it| (it.client.clone(), it.took.as_millis())).collect()
    }

    #[test]
    fn the_slowest_are_remembered_for_a_while() {
        let search = search(SlowBy::Whole, 2);
        for (id, name, took) in [(1, "a", 99), (2, "b", 100), (3, "c", 300), (4, "d", 200)] {
            search.see(at(0), Sight::Published(None, &message(id)));
            let (to, sent) = (client(name), message(id));
            search.see(at(1), Sight::Delivered(&to, &sent, Qos::AtLeastOnce));
            search.see(at(took), Sight::Acknowledged(&to, &sent, Qos::AtLeastOnce));
        }
        assert_eq!(names(&search, 400), [("c".to_owned(), 300), ("d".to_owned(), 200)]);
        assert_eq!(names(&search, 10_250), [("c".to_owned(), 300)]);
        // One that was not seen to begin is not measured.
        let to = client("e");
        search.see(at(9_000), Sight::Acknowledged(&to, &message(9), Qos::AtLeastOnce));
        assert_eq!(names(&search, 10_250).len(), 1);
    }

    #[test]
    fn what_is_measured_is_what_was_asked_for() {
        for (by, took) in [(SlowBy::Whole, 500), (SlowBy::Internal, 200), (SlowBy::Response, 300)] {
            let search = search(by, 10);
            let (to, sent) = (client("a"), message(1));
            search.see(at(0), Sight::Published(None, &sent));
            search.see(at(200), Sight::Delivered(&to, &sent, Qos::AtLeastOnce));
            search.see(at(500), Sight::Acknowledged(&to, &sent, Qos::AtLeastOnce));
            assert_eq!(names(&search, 500), [("a".to_owned(), took)], "{by:?}");
        }
        let search = search(SlowBy::Whole, 10);
        search.see(at(0), Sight::Published(None, &message(1)));
        search.see(at(150), Sight::Delivered(&client("a"), &message(1), Qos::AtMostOnce));
        assert_eq!(names(&search, 200), [("a".to_owned(), 150)], "of QoS 0 nothing more comes");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let search = search(SlowBy::Whole, 10);
        let many = 3 * (BEGUN_MAX * PARTS) as u64;
        for id in 1..=many {
            search.see(at(id), Sight::Published(None, &message(id)));
        }
        let held: usize = search.begun.iter().map(|part| part.lock().unwrap().at.len()).sum();
        assert_eq!(held, BEGUN_MAX * PARTS);
    }

    #[test]
    fn times_are_read_as_emqx_writes_them() {
        assert_eq!(span("500ms", "x").unwrap().as_millis(), 500);
        assert_eq!(span("5m", "x").unwrap().as_secs(), 300);
        for wrong in ["", "5", "ms", "-1s", "0s", "25h", "1d", "99999999999999999999s"] {
            assert!(span(wrong, "x").unwrap_err().message.contains("x:"), "{wrong}");
        }
    }
}
