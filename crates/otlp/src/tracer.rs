//! What a shard shows of messages that are traced, put down in as little time as that takes. What is made of it, the
//! control plane makes.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use plexus_access::Principal;
use plexus_porch::{Clock, Sight, Watcher};
use plexus_types::{ClientId, Durability, Instant, Message, MessageId, Qos};
use tokio::sync::mpsc;

use crate::{
    context::TraceContext,
    sampler::{Sampled, Sampler},
    tally::Tally,
};

/// Bytes of a topic that are put down.
const TOPIC_MAX: usize = 1_024;
/// Messages whose being kept is waited for. Two that share a place are told of as one.
pub(crate) const PLACES: usize = 4_096;
/// Stands before the numbers of messages that nobody hears, which have no identifier.
const UNHEARD: u64 = 1 << 63;

/// What a shard has shown.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The number of the message.
    pub(crate) message: u64,
    /// When the turn began in which it was seen; of what is kept, when the message was taken.
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) act: Act,
}

/// What has happened.
#[derive(Debug)]
pub(crate) enum Act {
    Published(About),
    Delivered(About, Receiver),
    Kept,
}

/// What is known of a message.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) context: Option<TraceContext>,
    /// As clients know it, cut off where it is very long.
    pub(crate) topic: String,
    pub(crate) publisher: ClientId,
    /// Where its publisher is; known where it is published.
    pub(crate) peer: Option<IpAddr>,
    pub(crate) size: usize,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) durability: Durability,
}

/// Who gets it.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) client: ClientId,
    pub(crate) peer: Option<IpAddr>,
    pub(crate) qos: Qos,
}

/// Watches all shards.
pub(crate) struct Tracer {
    sampler: Sampler,
    clock: Clock,
    seen: mpsc::Sender<Seen>,
    tally: Arc<Tally>,
    /// Traced messages that are not yet kept, each at its place.
    unkept: Box<[AtomicU64]>,
    unheard: AtomicU64,
    is_over: Arc<AtomicBool>,
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("sampler", &self.sampler).finish_non_exhaustive()
    }
}

impl Tracer {
    pub(crate) fn new(
        (sampler, clock): (Sampler, Clock),
        seen: mpsc::Sender<Seen>,
        tally: Arc<Tally>,
        is_over: Arc<AtomicBool>,
    ) -> Self {
        let unkept = (0..PLACES).map(|_| AtomicU64::new(0)).collect();
        let unheard = AtomicU64::new(UNHEARD);
        Self { sampler, clock, seen, tally, unkept, unheard, is_over }
    }

    /// Puts down what `act` makes of it, if there is room.
    fn put(&self, message: u64, begun: Instant, act: impl FnOnce() -> Act) -> bool {
        let Ok(place) = self.seen.try_reserve() else {
            self.tally.lose(1);
            return false;
        };
        let ended = self.clock.now().max(begun);
        place.send(Seen { message, begun, ended, act: act() });
        true
    }

    fn published(&self, now: Instant, principal: Option<&Principal>, message: &Message) {
        let number = match message.id {
            MessageId::NONE => self.unheard.fetch_add(1, Relaxed),
            id => id.get(),
        };
        let Some(sampled) = self.sampler.decide(message, number) else { return };
        let peer = principal.and_then(|principal| principal.peer);
        let is_put = self.put(number, now, || Act::Published(about(message, sampled, peer)));
        if is_put
            && message.durability.is_kept()
            && let Some(place) = self.unkept.get(place_of(number))
        {
            place.store(number, Relaxed);
        }
    }

    fn delivered(&self, now: Instant, principal: &Principal, message: &Message, qos: Qos) {
        let number = message.id.get();
        let Some(sampled) = self.sampler.decide(message, number) else { return };
        self.put(number, now, || {
            let client = principal.client_id.clone();
            let receiver = Receiver { client, peer: principal.peer, qos };
            Act::Delivered(about(message, sampled, None), receiver)
        });
    }

    fn kept(&self, taken: Instant, id: MessageId) {
        let number = id.get();
        let place = self.unkept.get(place_of(number));
        if let Some(place) = place.filter(|place| place.load(Relaxed) == number) {
            place.store(0, Relaxed);
            self.put(number, taken, || Act::Kept);
        }
    }
}

/// The place of a message among those that are not yet kept.
pub(crate) const fn place_of(message: u64) -> usize {
    (message % PLACES as u64) as usize
}

fn about(message: &Message, sampled: Sampled, peer: Option<IpAddr>) -> About {
    let topic = message.topic.shown();
    let topic = String::from_utf8_lossy(topic.get(..TOPIC_MAX).unwrap_or(topic)).into_owned();
    About {
        context: sampled.context,
        topic,
        publisher: message.publisher.clone(),
        peer,
        size: message.payload.len(),
        qos: message.qos,
        retain: message.retain,
        durability: message.durability,
    }
}

impl Watcher for Tracer {
    fn see(&self, now: Instant, sight: Sight<'_>) -> bool {
        match sight {
            _ if self.is_over() => return false,
            Sight::Published(principal, message) => self.published(now, principal, message),
            Sight::Delivered(principal, message, qos) => {
                self.delivered(now, principal, message, qos);
            }
            Sight::Kept(id) => self.kept(now, id),
            Sight::Acknowledged(..)
            | Sight::Dropped(..)
            | Sight::Subscribed(..)
            | Sight::Unsubscribed(..) => {}
        }
        true
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

#[cfg(test)]
mod tests;
