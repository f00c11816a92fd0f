//! What goes on, as it happens.

use std::{
    collections::BTreeMap,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use plexus_access::Principal;
use plexus_api_model::{
    ApiError, ClientEvent, ErrorCode, LiveEventsQuery, LiveKind, LiveMessage, LiveQuery, LiveTopic,
    LiveTopics, LiveTopicsQuery, Moment,
};
use plexus_broker::{Sight, Watcher};
use plexus_runtime::unix_now;
use plexus_types::{Instant, Message, Qos, TenantName, TopicFilter, filter_matches};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{MissedTickBehavior, interval},
};

use crate::{
    Api,
    lists::locked,
    payload::{content_type, shown, shown_max},
    server::Call,
    streams::{BEAT, Feed, Over},
};

/// Tells events until nobody reads any more.
type Telling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Messages that wait for a stream.
const WAITING_MAX: usize = 1_024;
/// Bytes of them, and what one takes beside its payload.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
const SEEN_WEIGHT: usize = 512;
/// Bytes of payloads that are shown where nothing is said.
const MESSAGE_PART: usize = 4_096;
const TOPIC_PART: usize = 1_024;
const TOPIC_PART_MAX: usize = 4_096;
/// Bytes that are gathered in a second.
const GATHERED_MAX: usize = 4 * 1024 * 1024;
/// Topics of one event.
const TOPICS_MAX: usize = 10_000;
/// How often topics are told.
const SECOND: Duration = Duration::from_secs(1);
/// Events that may come first.
const LAST_MAX: usize = 1_000;

pub(super) fn messages(
    call: Call<(), LiveQuery, ()>,
) -> Result<impl FnOnce(Feed) -> Telling + Send + use<>, ApiError> {
    let LiveQuery { topic, clientid, ip_address, tenant, deliveries, payload_max } = call.query;
    let api = call.api;
    let most = shown_max(payload_max, MESSAGE_PART)?;
    let chosen = (topic, clientid, ip_address, tenant);
    let (watch, next) = Messages::new(&api, chosen, deliveries.unwrap_or(false), most)?;
    let watcher: Arc<dyn Watcher> = Arc::clone(&watch) as _;
    watched(&api, &watcher)?;
    Ok(move |feed: Feed| -> Telling {
        Box::pin(async move {
            let _over = tell_messages(&feed, next, &watch).await;
        })
    })
}

/// Has all shards show it what goes on.
pub(super) fn watched(api: &Api, watcher: &Arc<dyn Watcher>) -> Result<(), ApiError> {
    let busy = |_| {
        let message = "the node has too much to do; ask again in a moment";
        ApiError::new(ErrorCode::ServiceUnavailable, message)
    };
    api.node.watch(watcher).map_err(busy)
}

async fn tell_messages(
    feed: &Feed,
    mut next: mpsc::Receiver<Seen>,
    watch: &Messages,
) -> Result<(), Over> {
    let mut beat = interval(BEAT);
    feed.beat().await?;
    loop {
        tokio::select! {
            event = next.recv() => {
                let Some(seen) = event else { return Ok(()) };
                feed.send("message", &watch.told(seen)).await?;
                // Those that found no room came while this one waited, or later.
                match watch.take_lost() {
                    0 => {}
                    count => feed.lost(count).await?,
                }
            }
            _ = beat.tick() => feed.beat().await?,
            () = feed.closed() => return Ok(()),
        }
    }
}

/// Which topics are meant.
struct Topics {
    filter: String,
    /// Whether every topic is meant but for those that begin with `$`.
    is_all: bool,
    tenant: Option<TenantName>,
}

impl Topics {
    fn new(api: &Api, filter: Option<String>, tenant: Option<&String>) -> Result<Self, ApiError> {
        let filter = filter.unwrap_or_else(|| "#".to_owned());
        let known = TopicFilter::try_from(filter.as_str());
        let known = known.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
        if known.shared().is_some() {
            return Err(ApiError::bad("topic: a filter without $share"));
        }
        let tenant = api.tenant(tenant)?;
        Ok(Self { is_all: filter == "#", filter, tenant })
    }

    /// The topic as clients know it, if it is meant.
    fn meant<'a>(&self, message: &'a Message) -> Option<&'a str> {
        if message.topic.tenant() != self.tenant.as_ref().map(TenantName::as_str) {
            return None;
        }
        let topic = std::str::from_utf8(message.topic.shown()).ok()?;
        filter_matches(&self.filter, topic).then_some(topic)
    }

    fn is_of(&self, principal: &Principal) -> bool {
        principal.tenant == self.tenant
    }
}

/// Watches messages.
pub(super) struct Messages {
    topics: Topics,
    client: Option<String>,
    address: Option<IpAddr>,
    deliveries: bool,
    most: usize,
    events: mpsc::Sender<Seen>,
    /// Bytes of what waits there.
    waiting: AtomicUsize,
    lost: AtomicU64,
}

/// What was seen, as it was: what is made of it takes its time elsewhere than on the shard.
#[derive(Debug)]
pub(super) struct Seen {
    event: LiveMessage,
    payload: Vec<u8>,
    is_message: bool,
}

impl Seen {
    const fn weight(&self) -> usize {
        self.payload.len() + SEEN_WEIGHT
    }
}

/// Topic filter, client, address and tenant.
type Chosen = (Option<String>, Option<String>, Option<String>, Option<String>);

impl Messages {
    /// Watches what is chosen, and where it is told.
    pub(super) fn new(
        api: &Api,
        (topic, client, address, tenant): Chosen,
        deliveries: bool,
        most: usize,
    ) -> Result<(Arc<Self>, mpsc::Receiver<Seen>), ApiError> {
        let address = address.as_deref().map(str::parse::<IpAddr>).transpose();
        let (events, next) = mpsc::channel(WAITING_MAX);
        let watch = Arc::new(Self {
            topics: Topics::new(api, topic, tenant.as_ref())?,
            client,
            address: address.map_err(|_| ApiError::bad("ip_address: it is no address"))?,
            deliveries,
            most,
            events,
            waiting: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
        });
        Ok((watch, next))
    }

    /// How many found no room since this was asked last.
    pub(super) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Relaxed)
    }

    fn is_of(&self, client: &str, principal: Option<&Principal>) -> bool {
        let peer = principal.and_then(|principal| principal.peer);
        self.client.as_ref().is_none_or(|wanted| wanted == client)
            && self.address.is_none_or(|wanted| peer == Some(wanted))
    }

    fn is_wanted(&self, sight: Sight<'_>) -> bool {
        let of = |principal: &Principal| {
            self.topics.is_of(principal) && self.is_of(&principal.client_id, Some(principal))
        };
        match sight {
            Sight::Published(principal, message) => {
                self.is_of(message.publisher.shown(), principal)
                    && self.topics.meant(message).is_some()
            }
            Sight::Delivered(principal, message, _)
            | Sight::Acknowledged(principal, message, _) => {
                self.deliveries && of(principal) && self.topics.meant(message).is_some()
            }
            Sight::Kept(_) => false,
            Sight::Dropped(principal, ..) => self.topics.is_all && of(principal),
            Sight::Subscribed(principal, filter, _) | Sight::Unsubscribed(principal, filter) => {
                let is_meant = self.topics.is_all || filter.matched() == self.topics.filter;
                is_meant && of(principal)
            }
        }
    }

    /// As it is told.
    pub(super) fn told(&self, seen: Seen) -> LiveMessage {
        self.waiting.fetch_sub(seen.weight(), Relaxed);
        let Seen { mut event, payload, is_message } = seen;
        if is_message {
            let (text, encoding) = shown(&payload, self.most);
            event.payload = (self.most > 0).then_some(text);
            event.payload_encoding = encoding;
        }
        event
    }

    fn of_message(&self, event: LiveMessage, message: &Message, qos: Qos) -> Seen {
        let event = LiveMessage {
            topic: Some(message.topic.to_shown().as_str().to_owned()),
            qos: Some(qos.get()),
            retain: Some(message.retain),
            size: Some(message.payload.len() as u64),
            content_type: content_type(message),
            ..event
        };
        // One more byte than is shown: what is cut off has to look cut off.
        let payload = message.payload.get(..=self.most).unwrap_or(&message.payload).to_vec();
        Seen { event, payload, is_message: true }
    }

    fn seen(&self, at: Instant, sight: Sight<'_>) -> Option<Seen> {
        let of =
            |event, principal: &Principal| blank(at, event, &principal.client_id, Some(principal));
        let event = match sight {
            Sight::Published(principal, message) => {
                let client = message.publisher.shown();
                let event = blank(at, LiveKind::Published, client, principal);
                return Some(self.of_message(event, message, message.qos));
            }
            Sight::Delivered(principal, message, qos) => {
                let from_clientid = Some(message.publisher.shown().to_owned());
                let event = LiveMessage { from_clientid, ..of(LiveKind::Delivered, principal) };
                return Some(self.of_message(event, message, qos));
            }
            Sight::Kept(_) => return None,
            Sight::Acknowledged(principal, message, qos) => LiveMessage {
                topic: Some(message.topic.to_shown().as_str().to_owned()),
                qos: Some(qos.get()),
                from_clientid: Some(message.publisher.shown().to_owned()),
                ..of(LiveKind::Acknowledged, principal)
            },
            Sight::Dropped(principal, reason, count) => {
                let reason = Some(reason.word().to_owned());
                LiveMessage { reason, count: Some(count), ..of(LiveKind::Dropped, principal) }
            }
            Sight::Subscribed(principal, filter, qos) => {
                let (topic, qos) = (Some(filter.as_str().to_owned()), Some(qos.get()));
                LiveMessage { topic, qos, ..of(LiveKind::Subscribed, principal) }
            }
            Sight::Unsubscribed(principal, filter) => {
                let topic = Some(filter.as_str().to_owned());
                LiveMessage { topic, ..of(LiveKind::Unsubscribed, principal) }
            }
        };
        Some(Seen { event, payload: Vec::new(), is_message: false })
    }

    /// Whether so much more may wait.
    fn has_room(&self, sight: Sight<'_>) -> bool {
        let payload = match sight {
            Sight::Published(_, message) | Sight::Delivered(_, message, _) => message.payload.len(),
            _ => 0,
        };
        let size = payload.min(self.most + 1) + SEEN_WEIGHT;
        self.waiting.load(Relaxed) + size <= WAITING_BYTES_MAX
    }
}

impl Watcher for Messages {
    fn see(&self, now: Instant, sight: Sight<'_>) -> bool {
        if self.events.is_closed() {
            return false;
        }
        if self.is_wanted(sight) {
            // Whoever is too slow costs no more than this.
            match self.events.try_reserve() {
                Ok(place) if self.has_room(sight) => {
                    let Some(seen) = self.seen(now, sight) else { return true };
                    self.waiting.fetch_add(seen.weight(), Relaxed);
                    place.send(seen);
                }
                Ok(_) | Err(_) => {
                    self.lost.fetch_add(1, Relaxed);
                }
            }
        }
        true
    }

    fn is_over(&self) -> bool {
        self.events.is_closed()
    }
}

fn blank(at: Instant, event: LiveKind, client: &str, principal: Option<&Principal>) -> LiveMessage {
    let username = principal.and_then(|principal| principal.user_name.as_deref());
    LiveMessage {
        at: Moment::from_millis(at.as_millis()),
        event,
        clientid: client.to_owned(),
        username: username.map(str::to_owned),
        from_clientid: None,
        topic: None,
        qos: None,
        retain: None,
        size: None,
        payload: None,
        payload_encoding: <_>::default(),
        content_type: None,
        reason: None,
        count: None,
    }
}

pub(super) fn topics(
    call: Call<(), LiveTopicsQuery, ()>,
) -> Result<impl FnOnce(Feed) -> Telling + Send + use<>, ApiError> {
    let LiveTopicsQuery { topic, tenant, payload_max } = call.query;
    let most = payload_max.unwrap_or(TOPIC_PART);
    if most > TOPIC_PART_MAX {
        return Err(ApiError::bad(format!("payload_max: {most} is more than {TOPIC_PART_MAX}")));
    }
    let gatherer = Arc::new(Gatherer {
        topics: Topics::new(&call.api, topic, tenant.as_ref())?,
        most,
        gathered: Mutex::new(Some(Gathered::default())),
    });
    let api = call.api;
    let watcher: Arc<dyn Watcher> = Arc::clone(&gatherer) as _;
    if let Err(error) = watched(&api, &watcher) {
        // Shards that had room show it what goes on already.
        *locked(&gatherer.gathered) = None;
        return Err(error);
    }
    Ok(move |feed: Feed| -> Telling {
        Box::pin(async move {
            let _over = tell_topics(&feed, &gatherer).await;
            *locked(&gatherer.gathered) = None;
        })
    })
}

async fn tell_topics(feed: &Feed, gatherer: &Gatherer) -> Result<(), Over> {
    let (mut beat, mut second) = (interval(BEAT), interval(SECOND));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = second.tick() => {
                let gathered = locked(&gatherer.gathered).replace(Gathered::default());
                let Gathered { topics, others, .. } = gathered.unwrap_or_default();
                if topics.is_empty() {
                    continue;
                }
                let at = Moment::from_millis(unix_now().as_millis());
                let topics = topics.into_iter().map(|(topic, last)| last.told(topic.into(), gatherer.most));
                feed.send("topics", &LiveTopics { at, topics: topics.collect(), others }).await?;
            }
            _ = beat.tick() => feed.beat().await?,
            () = feed.closed() => return Ok(()),
        }
    }
}

/// Gathers what comes in a second.
struct Gatherer {
    topics: Topics,
    most: usize,
    /// Nothing when nobody wants it any more.
    gathered: Mutex<Option<Gathered>>,
}

#[derive(Default)]
struct Gathered {
    topics: BTreeMap<Box<str>, Last>,
    bytes: usize,
    others: u64,
}

/// The last message of a topic.
struct Last {
    count: u64,
    payload: Vec<u8>,
    size: usize,
    qos: Qos,
    retain: bool,
    content_type: Option<String>,
    publisher: String,
}

impl Last {
    fn told(self, topic: String, most: usize) -> LiveTopic {
        // What is cut off has to look cut off, or a part of a character would make base64 of it.
        let (payload, payload_encoding) = shown(&self.payload, most);
        LiveTopic {
            topic,
            count: self.count,
            payload,
            payload_encoding,
            size: self.size as u64,
            qos: self.qos.get(),
            retain: self.retain,
            content_type: self.content_type,
            from_clientid: self.publisher,
        }
    }
}

impl Watcher for Gatherer {
    fn see(&self, _: Instant, sight: Sight<'_>) -> bool {
        // Before the lock: most of what is shown is of no interest here.
        let Sight::Published(_, message) = sight else { return true };
        let Some(topic) = self.topics.meant(message) else { return true };
        let mut gathered = locked(&self.gathered);
        let Some(gathered) = &mut *gathered else { return false };
        let weight = topic.len() + message.payload.len().min(self.most + 1) + SEEN_WEIGHT;
        if !gathered.topics.contains_key(topic) {
            let is_full = gathered.topics.len() >= TOPICS_MAX;
            if is_full || gathered.bytes + weight > GATHERED_MAX {
                gathered.others += 1;
                return true;
            }
            // A later message may be larger; by so much it is more.
            gathered.bytes += topic.len() + self.most + 1 + SEEN_WEIGHT;
        }
        // One more byte than is shown: see `Last::told`.
        let part = message.payload.get(..=self.most).unwrap_or(&message.payload);
        let last = match gathered.topics.get_mut(topic) {
            Some(last) => last,
            None => gathered.topics.entry(topic.into()).or_insert_with(|| Last {
                count: 0,
                payload: Vec::with_capacity(part.len()),
                size: 0,
                qos: message.qos,
                retain: message.retain,
                content_type: None,
                publisher: String::new(),
            }),
        };
        last.count += 1;
        last.payload.clear();
        last.payload.extend_from_slice(part);
        (last.size, last.qos, last.retain) = (message.payload.len(), message.qos, message.retain);
        last.content_type = content_type(message);
        last.publisher.clear();
        last.publisher.push_str(message.publisher.shown());
        true
    }

    fn is_over(&self) -> bool {
        locked(&self.gathered).is_none()
    }
}

pub(super) fn events(
    call: Call<(), LiveEventsQuery, ()>,
) -> Result<impl FnOnce(Feed) -> Telling + Send + use<>, ApiError> {
    let LiveEventsQuery { clientid, kind, tenant, last } = call.query;
    let last = last.unwrap_or(0);
    if last > LAST_MAX {
        return Err(ApiError::bad(format!("last: {last} is more than {LAST_MAX}")));
    }
    let wanted = move |event: &ClientEvent| {
        clientid.as_ref().is_none_or(|wanted| event.clientid.as_ref() == Some(wanted))
            && kind.as_ref().is_none_or(|wanted| event.kind == *wanted)
            && tenant.as_ref().is_none_or(|wanted| event.tenant.as_ref() == Some(wanted))
    };
    let api = call.api;
    Ok(move |feed: Feed| -> Telling {
        Box::pin(async move {
            let _over = tell_events(&api, &feed, wanted, last).await;
        })
    })
}

async fn tell_events(
    api: &Api,
    feed: &Feed,
    wanted: impl Fn(&ClientEvent) -> bool + Send + Sync,
    last: usize,
) -> Result<(), Over> {
    // First: what comes between is told twice rather than never.
    let mut next = api.chronicle.watch();
    let mut beat = interval(BEAT);
    for event in api.chronicle.last(last, &wanted).into_iter().rev() {
        feed.send("event", &event).await?;
    }
    loop {
        tokio::select! {
            event = next.recv() => match event {
                Ok(event) if wanted(&event) => feed.send("event", &*event).await?,
                Ok(_) => {}
                Err(RecvError::Lagged(count)) => feed.lost(count).await?,
                Err(RecvError::Closed) => return Ok(()),
            },
            _ = beat.tick() => feed.beat().await?,
            () = feed.closed() => return Ok(()),
        }
    }
}
