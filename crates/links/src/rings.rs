//! The rings between shards: bounded channels of batches, two for each ordered pair of shards. The
//! class that may make its receiver send more waits when the receiver is itself held up; the class
//! that ends in a session never waits, so no circle of full rings can stand still.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst, fence},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

/// Batches that a ring holds.
const RING_BATCHES: usize = 64;
/// Envelopes that wait for a full ring before the shard stops reading from publishers.
const PENDING_MAX: usize = 8_192;
/// Messages above QoS 0 on their way to another shard before no more are taken from publishers: as many
/// come to a receiver before it can hold them.
const FLYING_MAX: usize = 192;
/// Batches that a shard takes from one ring in a turn.
const BATCHES_A_TURN: usize = 8;

/// What shards say to each other.
pub trait Word {
    /// Whether it waits when its receiver is itself held up.
    fn is_request(&self) -> bool;
    /// Whether it is a message whose publisher waits for an acknowledgement.
    fn is_acknowledged(&self) -> bool;
}

/// Words, and how many messages above QoS 0 are among them.
type Batch<W> = (usize, Vec<W>);

/// Wakes the thread of a shard, with a system call only when it sleeps.
#[derive(Debug, Clone)]
pub struct Bell(Arc<BellState>);

#[derive(Debug)]
struct BellState {
    asleep: AtomicBool,
    waker: mio::Waker,
}

impl Bell {
    /// Of the thread that polls what the waker belongs to.
    pub fn new(waker: mio::Waker) -> Self {
        Self(Arc::new(BellState { asleep: AtomicBool::new(false), waker }))
    }

    /// Says that something has been put where the shard will find it.
    pub fn ring(&self) {
        fence(SeqCst);
        if self.0.asleep.load(SeqCst) && self.0.asleep.swap(false, SeqCst) {
            // It fails only if the shard's poll is gone, and then nobody needs waking.
            drop(self.0.waker.wake());
        }
    }

    /// The shard is about to sleep: it must look once more at its rings after this.
    pub fn fall_asleep(&self) {
        self.0.asleep.store(true, SeqCst);
        fence(SeqCst);
    }

    /// The shard is awake: it looks at its rings without being rung for.
    pub fn wake_up(&self) {
        self.0.asleep.store(false, SeqCst);
    }
}

#[derive(Debug)]
struct Ring<W> {
    sender: SyncSender<Batch<W>>,
    pending: Vec<W>,
    /// The messages above QoS 0 among those.
    acknowledged: usize,
    /// The same of what the other shard has not taken.
    flying: Arc<AtomicUsize>,
}

impl<W> Ring<W> {
    /// Whether the receiver does not keep up.
    fn is_long(&self) -> bool {
        self.pending.len() > PENDING_MAX
    }

    /// Hands the pending batch on; true if there was one and it went.
    fn flush(&mut self) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let acknowledged = self.acknowledged;
        self.flying.fetch_add(acknowledged, SeqCst);
        match self.sender.try_send((acknowledged, std::mem::take(&mut self.pending))) {
            Ok(()) => {
                self.acknowledged = 0;
                true
            }
            Err(TrySendError::Full((_, batch))) => {
                self.flying.fetch_sub(acknowledged, SeqCst);
                self.pending = batch;
                false
            }
            // The other shard has stopped: the node goes down.
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

#[derive(Debug)]
struct Outgoing<W> {
    requests: Ring<W>,
    finals: Ring<W>,
    bell: Bell,
}

#[derive(Debug)]
struct Incoming<W> {
    requests: Receiver<Batch<W>>,
    flying: Arc<AtomicUsize>,
    finals: Receiver<Batch<W>>,
}

/// One shard's ends of all its rings.
#[derive(Debug)]
pub struct Links<W> {
    outgoing: Vec<Option<Outgoing<W>>>,
    incoming: Vec<Option<Incoming<W>>>,
}

impl<W: Word> Links<W> {
    /// The links of a node: one value for each shard.
    pub fn mesh(bells: &[Bell]) -> Vec<Self> {
        let count = bells.len();
        let empty = || Self {
            outgoing: (0..count).map(|_| None).collect(),
            incoming: (0..count).map(|_| None).collect(),
        };
        let mut links: Vec<Self> = (0..count).map(|_| empty()).collect();
        for from in 0..count {
            for (to, bell) in bells.iter().enumerate() {
                if from == to {
                    continue;
                }
                let (requests, requests_in) = sync_channel(RING_BATCHES);
                let (finals, finals_in) = sync_channel(RING_BATCHES);
                let flying = Arc::new(AtomicUsize::new(0));
                let ring =
                    |sender, flying| Ring { sender, pending: Vec::new(), acknowledged: 0, flying };
                let outgoing = Outgoing {
                    requests: ring(requests, Arc::clone(&flying)),
                    finals: ring(finals, Arc::default()),
                    bell: bell.clone(),
                };
                let incoming = Incoming { requests: requests_in, flying, finals: finals_in };
                if let Some(slot) = links.get_mut(from).and_then(|it| it.outgoing.get_mut(to)) {
                    *slot = Some(outgoing);
                }
                if let Some(slot) = links.get_mut(to).and_then(|it| it.incoming.get_mut(from)) {
                    *slot = Some(incoming);
                }
            }
        }
        links
    }

    /// Says something to another shard, with the next [`Links::flush`].
    pub fn push(&mut self, to: u16, word: W) {
        let Some(Some(link)) = self.outgoing.get_mut(usize::from(to)) else { return };
        let ring = if word.is_request() { &mut link.requests } else { &mut link.finals };
        ring.acknowledged += usize::from(word.is_acknowledged());
        ring.pending.push(word);
    }

    /// Hands all pending batches on, one for each ring.
    pub fn flush(&mut self) {
        for link in self.outgoing.iter_mut().flatten() {
            let sent = link.finals.flush() | link.requests.flush();
            if sent || !link.finals.pending.is_empty() || !link.requests.pending.is_empty() {
                link.bell.ring();
            }
        }
    }

    /// Whether publishers must wait: some shard does not keep up.
    pub fn is_congested(&self) -> bool {
        self.outgoing.iter().flatten().any(|link| link.requests.is_long() || link.finals.is_long())
    }

    /// Whether so many messages above QoS 0 are on their way to some shard that no more should follow.
    pub fn is_behind(&self) -> bool {
        self.outgoing.iter().flatten().any(|link| {
            let ring = &link.requests;
            ring.acknowledged + ring.flying.load(SeqCst) > FLYING_MAX
        })
    }

    /// Whether something waits for a full ring, so that the shard must not sleep for long.
    pub fn has_pending(&self) -> bool {
        self.outgoing
            .iter()
            .flatten()
            .any(|link| !link.requests.pending.is_empty() || !link.finals.pending.is_empty())
    }

    /// Wakes the other shard if its publishers may go on.
    fn note_taken(&self, from: u16, flying: &AtomicUsize, acknowledged: usize) {
        let before = flying.fetch_sub(acknowledged, SeqCst);
        if before > FLYING_MAX
            && before - acknowledged <= FLYING_MAX
            && let Some(Some(link)) = self.outgoing.get(usize::from(from))
        {
            link.bell.ring();
        }
    }

    /// A batch from another shard, and from which.
    pub fn receive(&self, turn: &mut Intake) -> Option<(u16, Vec<W>)> {
        // A request makes at most finals, and finals are always taken: only they may hold it up.
        let congested = self.outgoing.iter().flatten().any(|link| link.finals.is_long());
        while let Some(link) = self.incoming.get(usize::from(turn.from)) {
            if let Some(link) = link
                && turn.taken < BATCHES_A_TURN
            {
                turn.taken += 1;
                if let Ok((_, batch)) = link.finals.try_recv() {
                    return Some((turn.from, batch));
                }
                if !congested && let Ok((acknowledged, batch)) = link.requests.try_recv() {
                    self.note_taken(turn.from, &link.flying, acknowledged);
                    return Some((turn.from, batch));
                }
            }
            turn.from += 1;
            turn.taken = 0;
        }
        None
    }
}

/// How far a shard has come in taking from its rings in this turn.
#[derive(Debug, Default)]
pub struct Intake {
    from: u16,
    taken: usize,
}
