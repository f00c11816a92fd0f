//! The rings between shards: bounded channels of batches, two for each ordered pair of shards. The
//! class that may make its receiver send more waits when the receiver is itself held up; the class
//! that ends in a session never waits, so no circle of full rings can stand still.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst, fence},
    mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
};

use crate::envelope::Envelope;

/// Batches that a ring holds.
const RING_BATCHES: usize = 64;
/// Envelopes that wait for a full ring before the shard stops reading from publishers.
const PENDING_MAX: usize = 8_192;
/// Batches that a shard takes from one ring in a turn.
const BATCHES_A_TURN: usize = 8;

type Batch = Vec<Envelope>;

/// Wakes the thread of a shard, with a system call only when it sleeps.
#[derive(Debug, Clone)]
pub(crate) struct Bell(Arc<BellState>);

#[derive(Debug)]
struct BellState {
    asleep: AtomicBool,
    waker: mio::Waker,
}

impl Bell {
    pub(crate) fn new(waker: mio::Waker) -> Self {
        Self(Arc::new(BellState { asleep: AtomicBool::new(false), waker }))
    }

    /// Says that something has been put where the shard will find it.
    pub(crate) fn ring(&self) {
        fence(SeqCst);
        if self.0.asleep.load(SeqCst) && self.0.asleep.swap(false, SeqCst) {
            // It fails only if the shard's poll is gone, and then nobody needs waking.
            drop(self.0.waker.wake());
        }
    }

    /// The shard is about to sleep: it must look once more at its rings after this.
    pub(crate) fn fall_asleep(&self) {
        self.0.asleep.store(true, SeqCst);
        fence(SeqCst);
    }

    pub(crate) fn wake_up(&self) {
        self.0.asleep.store(false, SeqCst);
    }
}

#[derive(Debug)]
struct Ring {
    sender: SyncSender<Batch>,
    pending: Batch,
}

impl Ring {
    /// Whether the receiver does not keep up.
    fn is_long(&self) -> bool {
        self.pending.len() > PENDING_MAX
    }

    /// Hands the pending batch on; true if there was one and it went.
    fn flush(&mut self) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        match self.sender.try_send(std::mem::take(&mut self.pending)) {
            Ok(()) => true,
            Err(TrySendError::Full(batch)) => {
                self.pending = batch;
                false
            }
            // The other shard has stopped: the node goes down.
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

#[derive(Debug)]
struct Outgoing {
    requests: Ring,
    finals: Ring,
    bell: Bell,
}

#[derive(Debug)]
struct Incoming {
    requests: Receiver<Batch>,
    finals: Receiver<Batch>,
}

/// One shard's ends of all its rings.
#[derive(Debug)]
pub(crate) struct Links {
    outgoing: Vec<Option<Outgoing>>,
    incoming: Vec<Option<Incoming>>,
}

impl Links {
    /// The links of a node: one value for each shard.
    pub(crate) fn mesh(bells: &[Bell]) -> Vec<Self> {
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
                let ring = |sender| Ring { sender, pending: Vec::new() };
                let outgoing =
                    Outgoing { requests: ring(requests), finals: ring(finals), bell: bell.clone() };
                let incoming = Incoming { requests: requests_in, finals: finals_in };
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

    pub(crate) fn push(&mut self, to: u16, envelope: Envelope) {
        let Some(Some(link)) = self.outgoing.get_mut(usize::from(to)) else { return };
        let ring = if envelope.is_request() { &mut link.requests } else { &mut link.finals };
        ring.pending.push(envelope);
    }

    /// Hands all pending batches on, one for each ring.
    pub(crate) fn flush(&mut self) {
        for link in self.outgoing.iter_mut().flatten() {
            let sent = link.finals.flush() | link.requests.flush();
            if sent || !link.finals.pending.is_empty() || !link.requests.pending.is_empty() {
                link.bell.ring();
            }
        }
    }

    /// Whether publishers must wait: some shard does not keep up.
    pub(crate) fn is_congested(&self) -> bool {
        self.outgoing.iter().flatten().any(|link| link.requests.is_long() || link.finals.is_long())
    }

    /// Whether something waits for a full ring, so that the shard must not sleep for long.
    pub(crate) fn has_pending(&self) -> bool {
        self.outgoing
            .iter()
            .flatten()
            .any(|link| !link.requests.pending.is_empty() || !link.finals.pending.is_empty())
    }

    /// A batch from another shard, and from which.
    pub(crate) fn receive(&self, turn: &mut Intake) -> Option<(u16, Vec<Envelope>)> {
        // A request makes at most finals, and finals are always taken: only they may hold it up.
        let congested = self.outgoing.iter().flatten().any(|link| link.finals.is_long());
        while let Some(link) = self.incoming.get(usize::from(turn.from)) {
            if let Some(link) = link
                && turn.taken < BATCHES_A_TURN
            {
                turn.taken += 1;
                let batch = link.finals.try_recv().ok();
                let batch =
                    batch.or_else(|| if congested { None } else { link.requests.try_recv().ok() });
                if let Some(batch) = batch {
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
pub(crate) struct Intake {
    from: u16,
    taken: usize,
}
