//! What waits for a client that is away or slow.

use std::{collections::VecDeque, sync::Arc};

use plexus_types::{Message, Qos};
use smallvec::SmallVec;

use crate::{Delivery, Options, QueuePolicy, SharedRef};

/// A message on its way to one client.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) message: Arc<Message>,
    pub(crate) subscription_ids: SmallVec<[u32; 2]>,
    pub(crate) shared: Option<SharedRef>,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
}

impl From<Delivery<'_>> for Parcel {
    fn from(delivery: Delivery<'_>) -> Self {
        Self {
            message: Arc::clone(delivery.message),
            subscription_ids: SmallVec::from_slice(delivery.subscription_ids),
            shared: delivery.shared,
            qos: delivery.qos,
            retain: delivery.retain,
        }
    }
}

/// First in, first out, limited in messages and bytes. Without memory while nothing waits.
#[derive(Debug, Default)]
pub(crate) struct Queue(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    qos0: usize,
}

/// What became of a parcel at the queue's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    /// It goes; the queue is as it was.
    Full,
}

impl Queue {
    /// Takes the parcel in if limits and policy allow; what had to leave for it goes to `evicted`.
    /// A shared message never drives others out: its group may have a better place for it.
    pub(crate) fn push(
        &mut self,
        parcel: Parcel,
        options: &Options,
        mut evicted: impl FnMut(Parcel),
    ) -> Admission {
        let size = parcel.message.size();
        let too_large = size > options.queue_bytes_max || options.queue_messages_max == 0;
        if too_large {
            return Admission::Full;
        }
        let waiting = self.0.get_or_insert_default();
        while waiting.is_full_for(size, options) {
            let may_evict =
                options.queue_policy == QueuePolicy::DropOldest && parcel.shared.is_none();
            // A QoS 0 message is the first to go when all others are worth more.
            if !may_evict || (parcel.qos == Qos::AtMostOnce && waiting.qos0 == 0) {
                return Admission::Full;
            }
            let Some(victim) = waiting.evict() else { break };
            evicted(victim);
        }
        waiting.bytes += size;
        waiting.qos0 += usize::from(parcel.qos == Qos::AtMostOnce);
        waiting.parcels.push_back(parcel);
        Admission::Queued
    }

    /// The quality of service of the next message.
    pub(crate) fn front_qos(&self) -> Option<Qos> {
        self.0.as_deref()?.parcels.front().map(|parcel| parcel.qos)
    }

    /// Takes the next message out.
    pub(crate) fn pop(&mut self) -> Option<Parcel> {
        let waiting = self.0.as_deref_mut()?;
        let parcel = waiting.take(0);
        if waiting.parcels.is_empty() {
            self.0 = None;
        }
        parcel
    }

    /// Messages and bytes that wait.
    pub(crate) fn len(&self) -> (usize, usize) {
        self.0.as_deref().map_or((0, 0), |waiting| (waiting.parcels.len(), waiting.bytes))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len().0 == 0
    }
}

impl Waiting {
    fn is_full_for(&self, size: usize, options: &Options) -> bool {
        self.parcels.len() >= options.queue_messages_max
            || self.bytes + size > options.queue_bytes_max
    }

    /// The oldest QoS 0 message, or else the oldest of all.
    fn evict(&mut self) -> Option<Parcel> {
        let oldest_qos0 = match self.qos0 {
            0 => 0,
            _ => self.parcels.iter().position(|parcel| parcel.qos == Qos::AtMostOnce)?,
        };
        self.take(oldest_qos0)
    }

    fn take(&mut self, at: usize) -> Option<Parcel> {
        let parcel = self.parcels.remove(at)?;
        self.bytes -= parcel.message.size();
        self.qos0 -= usize::from(parcel.qos == Qos::AtMostOnce);
        Some(parcel)
    }
}

#[cfg(test)]
mod tests;
