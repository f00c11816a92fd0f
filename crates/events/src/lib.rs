//! *What it is.* What happens to clients, their subscriptions and their messages, told as messages below `$events/`, for
//! whoever is subscribed to them.
//!
//! *What it never does.* It holds nothing up: what finds no room is counted, and `$events/lost` says how many it were. It
//! tells nothing of its own messages.
//!
//! *Entry points.* [`Events`].
//!
//! *Tests.* Beside the code; the program from outside in `plexus`.

mod told;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use plexus_audit::{AuditPort, Event};
use plexus_broker::{NodeHandle, Question, Sight, Watcher};
use plexus_runtime::{Handle, Task, unix_now};
use plexus_types::{Instant, TopicFilter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{MissedTickBehavior, interval},
};

use self::told::Told;

/// Where all of them stand.
pub const ROOT: &str = "$events/";
/// What waits to be published.
const WAITING_MAX: usize = 8_192;
/// Drops are told together, so often. An event may be what is dropped next: one by one, they would go on for ever.
const SECOND: Duration = Duration::from_secs(1);
/// Clients whose drops are told together.
const DROPPING_MAX: usize = 10_000;
/// Seconds between two warnings.
const WARNED: u32 = 60;

/// What is told, by the levels behind `$events/`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub enum EventKind {
    /// A client was let in.
    #[serde(rename = "client/connected")]
    Connected,
    /// The connection of a client has ended.
    #[serde(rename = "client/disconnected")]
    Disconnected,
    /// Somebody was not let in.
    #[serde(rename = "client/refused")]
    Refused,
    /// A client was refused what it wanted to publish or subscribe.
    #[serde(rename = "access/refused")]
    AccessRefused,
    /// A client has subscribed.
    #[serde(rename = "session/subscribed")]
    Subscribed,
    /// A client has unsubscribed.
    #[serde(rename = "session/unsubscribed")]
    Unsubscribed,
    /// A message was written to a client.
    #[serde(rename = "message/delivered")]
    Delivered,
    /// A client has acknowledged a message.
    #[serde(rename = "message/acked")]
    Acked,
    /// Messages for a client were dropped.
    #[serde(rename = "message/dropped")]
    Dropped,
}

impl EventKind {
    /// The levels behind `$events/`.
    pub const fn levels(self) -> &'static str {
        match self {
            Self::Connected => "client/connected",
            Self::Disconnected => "client/disconnected",
            Self::Refused => "client/refused",
            Self::AccessRefused => "access/refused",
            Self::Subscribed => "session/subscribed",
            Self::Unsubscribed => "session/unsubscribed",
            Self::Delivered => "message/delivered",
            Self::Acked => "message/acked",
            Self::Dropped => "message/dropped",
        }
    }

    /// Whether the shards have to be watched for it.
    const fn is_seen(self) -> bool {
        matches!(
            self,
            Self::Subscribed | Self::Unsubscribed | Self::Delivered | Self::Acked | Self::Dropped
        )
    }
}

/// What is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventOptions {
    /// These kinds.
    pub kinds: BTreeSet<EventKind>,
    /// Of messages, those whose topics one of these filters meets.
    pub topics: Vec<TopicFilter>,
    /// The name of the node.
    pub node: String,
}

/// What happens on a node is told as long as this is held.
#[derive(Debug)]
pub struct Events(#[expect(dead_code, reason = "it ends when this is dropped")] Task);

/// Takes down what happens, on the thread where it does.
#[derive(Debug)]
struct Ear {
    options: EventOptions,
    waiting: Sender<Told>,
    lost: Arc<AtomicU64>,
    drops: Arc<Drops>,
}

/// What was dropped in the last second, by the client's name within the node and the reason.
type Drops = Mutex<BTreeMap<(Box<str>, &'static str), Told>>;

impl Events {
    /// Begins, on a node that has just started: before that nothing has happened. Nothing is told where the node has too much to
    /// do to begin with it.
    pub fn start(
        options: EventOptions,
        node: &NodeHandle,
        audit: &AuditPort,
        runtime: &Handle,
    ) -> Option<Self> {
        let (waiting, next) = channel(WAITING_MAX);
        let lost = Arc::<AtomicU64>::default();
        let is_watching = options.kinds.iter().any(|kind| kind.is_seen());
        let (name, drops) = (options.node.clone(), Arc::<Drops>::default());
        let ear = Ear { options, waiting, lost: Arc::clone(&lost), drops: Arc::clone(&drops) };
        let ear = Arc::new(ear);
        if is_watching {
            let watcher: Arc<dyn Watcher> = Arc::clone(&ear) as _;
            node.watch(&watcher).ok()?;
        }
        audit.listen(move |event| ear.hear(event));
        let node = node.clone();
        Some(Self(runtime.own(async move { tell(&node, &name, next, (&lost, &drops)).await })))
    }
}

impl Ear {
    fn wants(&self, kind: EventKind) -> bool {
        self.options.kinds.contains(&kind)
    }

    fn add(&self, told: impl FnOnce() -> Told) {
        // Nothing is made that has no room.
        match self.waiting.try_reserve() {
            Ok(place) => place.send(told()),
            Err(_) => {
                self.lost.fetch_add(1, Relaxed);
            }
        }
    }

    fn hear(&self, event: &Event) {
        if let Some(kind) = told::kind_of(event).filter(|kind| self.wants(*kind)) {
            self.add(|| Told::of_report(kind, event, unix_now()));
        }
    }
}

impl Watcher for Ear {
    fn see(&self, now: Instant, sight: Sight<'_>) -> bool {
        let Some(kind) = told::kind_of_sight(&sight).filter(|kind| self.wants(*kind)) else {
            return true;
        };
        if let Sight::Dropped(principal, reason, count) = sight {
            let key = (principal.client_id.as_str().into(), reason.word());
            let mut drops = self.drops.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(told) = drops.get_mut(&key) {
                told.add(count);
            } else if drops.len() < DROPPING_MAX {
                drops.insert(key, Told::of_sight(kind, &sight, now));
            } else {
                self.lost.fetch_add(1, Relaxed);
            }
        } else if told::is_meant(&sight, &self.options.topics) {
            self.add(|| Told::of_sight(kind, &sight, now));
        }
        true
    }

    fn is_over(&self) -> bool {
        self.waiting.is_closed()
    }
}

/// Publishes what has been taken down, in its order.
async fn tell(
    node: &NodeHandle,
    name: &str,
    mut next: Receiver<Told>,
    (lost, drops): (&AtomicU64, &Drops),
) {
    let mut second = interval(SECOND);
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut quiet = WARNED;
    loop {
        tokio::select! {
            told = next.recv() => match told {
                Some(told) => publish(node, told, name, lost),
                None => return,
            },
            _ = second.tick() => {
                let dropped = std::mem::take(&mut *drops.lock().unwrap_or_else(PoisonError::into_inner));
                for told in dropped.into_values() {
                    publish(node, told, name, lost);
                }
                let count = lost.swap(0, Relaxed);
                quiet = quiet.saturating_add(1);
                if count > 0 {
                    publish(node, Told::lost(count, unix_now()), name, lost);
                    if quiet >= WARNED {
                        quiet = 0;
                        tracing::warn!(count, "events found no room: more happens than can be told");
                    }
                }
            }
        }
    }
}

fn publish(node: &NodeHandle, told: Told, name: &str, lost: &AtomicU64) {
    let Some(message) = told.message(name) else { return };
    let shard = node.home_of_topic(&message.topic);
    // Whoever is subscribed to it gets it, or nobody: nothing is kept of it.
    if node.ask(shard, Question::Publish(Box::new(message), Box::new(drop))).is_err() {
        lost.fetch_add(1, Relaxed);
    }
}
