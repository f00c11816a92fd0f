//! What waits for a client that is away or slow.

use std::{collections::VecDeque, ops::Range};

use plexus_types::Qos;

use crate::{Options, QueuePolicy, parcel::Parcel};

/// First in, first out, limited in messages and bytes. Without memory while nothing waits.
#[derive(Debug, Default)]
pub(crate) struct Queue(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    qos0: usize,
    /// Parcels from the front that have been looked at for bytes to let go.
    swept: usize,
    /// Parcels whose bytes are only in the log.
    stored: usize,
    /// Parcels before the first of those, and their bytes: at least so many.
    here: usize,
    here_bytes: usize,
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
        let size = parcel.size();
        let too_large = size > options.queue_bytes_max || options.queue_messages_max == 0;
        if too_large {
            return Admission::Full;
        }
        let waiting = self.0.get_or_insert_default();
        while waiting.is_full_for(size, options) {
            let may_evict =
                options.queue_policy == QueuePolicy::DropOldest && parcel.shared().is_none();
            // A QoS 0 message is the first to go when all others are worth more.
            if !may_evict || (parcel.qos() == Qos::AtMostOnce && waiting.qos0 == 0) {
                return Admission::Full;
            }
            let Some(victim) = waiting.evict() else { break };
            evicted(victim);
        }
        waiting.put(parcel);
        Admission::Queued
    }

    /// The next message.
    pub(crate) fn front(&self) -> Option<&Parcel> {
        self.0.as_deref()?.parcels.front()
    }

    /// Offers the first so many messages whose bytes are only in the log to `bring`, until it says
    /// that it has no more.
    pub(crate) fn bring(&mut self, count: usize, mut bring: impl FnMut(&mut Parcel) -> bool) {
        let Some(waiting) = self.0.as_deref_mut() else { return };
        for parcel in waiting.parcels.iter_mut().take(count).filter(|parcel| parcel.is_stored()) {
            let more = bring(parcel);
            waiting.stored -= usize::from(!parcel.is_stored());
            if !more {
                return;
            }
        }
    }

    /// Whether so few messages or fewer can be sent before the first whose bytes are only in the
    /// log. Counts again only when it may be so.
    pub(crate) fn is_low(&mut self, messages: usize, bytes: usize) -> bool {
        let Some(waiting) = self.0.as_deref_mut().filter(|waiting| waiting.stored > 0) else {
            return false;
        };
        let low = |waiting: &Waiting| waiting.here <= messages && waiting.here_bytes <= bytes;
        if !low(waiting) {
            return false;
        }
        let here = waiting.parcels.iter().take_while(|parcel| !parcel.is_stored());
        let sizes = here.take(2 * messages).map(Parcel::size);
        (waiting.here, waiting.here_bytes) =
            sizes.fold((0, 0), |(count, sum), size| (count + 1, sum + size));
        low(waiting)
    }

    /// All messages, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parcel> {
        self.0.as_deref().into_iter().flat_map(|queue| queue.parcels.iter())
    }

    /// Puts a message at the end without asking for room: it was there before the node started.
    pub(crate) fn restore(&mut self, parcel: Parcel) {
        self.0.get_or_insert_default().put(parcel);
    }

    /// Lets the bytes go of messages that the log has, except of the first `spared`.
    pub(crate) fn store(&mut self, spared: usize) {
        let Some(waiting) = self.0.as_deref_mut() else { return };
        let range = Range { start: waiting.swept.max(spared), end: waiting.parcels.len() };
        if range.is_empty() {
            return;
        }
        waiting.swept = range.end;
        if range.start < waiting.here {
            (waiting.here, waiting.here_bytes) = (0, 0);
        }
        let stored =
            waiting.parcels.range_mut(range).filter_map(|parcel| parcel.store().then_some(()));
        waiting.stored += stored.count();
    }

    /// All messages are looked at again by the next [`Queue::store`].
    pub(crate) fn sweep_again(&mut self) {
        if let Some(waiting) = self.0.as_deref_mut() {
            waiting.swept = 0;
        }
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
    fn put(&mut self, parcel: Parcel) {
        self.bytes += parcel.size();
        self.qos0 += usize::from(parcel.qos() == Qos::AtMostOnce);
        self.stored += usize::from(parcel.is_stored());
        self.parcels.push_back(parcel);
    }

    fn is_full_for(&self, size: usize, options: &Options) -> bool {
        self.parcels.len() >= options.queue_messages_max
            || self.bytes + size > options.queue_bytes_max
    }

    /// The oldest QoS 0 message, or else the oldest of all.
    fn evict(&mut self) -> Option<Parcel> {
        let oldest_qos0 = match self.qos0 {
            0 => 0,
            _ => self.parcels.iter().position(|parcel| parcel.qos() == Qos::AtMostOnce)?,
        };
        self.take(oldest_qos0)
    }

    fn take(&mut self, at: usize) -> Option<Parcel> {
        let parcel = self.parcels.remove(at)?;
        self.bytes -= parcel.size();
        self.swept -= usize::from(at < self.swept);
        self.qos0 -= usize::from(parcel.qos() == Qos::AtMostOnce);
        self.stored -= usize::from(parcel.is_stored());
        if at < self.here {
            self.here -= 1;
            self.here_bytes -= parcel.size();
        }
        Some(parcel)
    }
}

#[cfg(test)]
mod tests;
