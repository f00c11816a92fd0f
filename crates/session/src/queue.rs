//! What waits for a client that is away or slow.

use std::{collections::VecDeque, ops::Range};

use plexus_types::Qos;

use crate::{Options, QueuePolicy, Waiting, parcel::Parcel};

/// First in, first out, limited in messages and bytes. Without memory while nothing waits.
#[derive(Debug, Default)]
pub(crate) struct Queue(Option<Box<Line>>);

#[derive(Debug, Default)]
struct Line {
    parcels: VecDeque<Parcel>,
    bytes: usize,
    qos0: usize,
    /// Parcels from the front that have been looked at for bytes to let go.
    swept: usize,
    /// Parcels from the front that were there before the node started.
    restored: usize,
    /// Parcels at the front whose delivery may have begun before the node started, and their bytes.
    /// They do not count against the limits and nothing drives them out.
    begun: usize,
    begun_bytes: usize,
}

/// What became of a parcel at the queue's door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    /// It goes; the queue is as it was.
    Full,
    /// The same because of what waits elsewhere in the node.
    NoRoom,
}

impl Queue {
    /// Takes the parcel in if limits and policy allow; what had to leave for it goes to `evicted`.
    /// A shared message never drives others out: its group may have a better place for it.
    pub(crate) fn push(
        &mut self,
        parcel: Parcel,
        options: &Options,
        mut room: Waiting,
        mut evicted: impl FnMut(Parcel),
    ) -> Admission {
        let size = parcel.size();
        let too_large = size > options.queue_bytes_max || options.queue_messages_max == 0;
        if too_large {
            return Admission::Full;
        }
        if !self.waiting().and(room).holds(size) {
            return Admission::NoRoom; // Not even if everything that waits here went.
        }
        let waiting = self.0.get_or_insert_default();
        loop {
            let has_room = room.holds(size);
            if has_room && !waiting.is_full_for(size, options) {
                break;
            }
            let may_evict =
                options.queue_policy == QueuePolicy::DropOldest && parcel.shared().is_none();
            // A QoS 0 message is the first to go when all others are worth more.
            let may_evict = may_evict && (parcel.qos() != Qos::AtMostOnce || waiting.qos0 > 0);
            let Some(victim) = may_evict.then(|| waiting.evict()).flatten() else {
                return if has_room { Admission::Full } else { Admission::NoRoom };
            };
            room = room.and(Waiting::one(victim.size()));
            evicted(victim);
        }
        waiting.put(parcel);
        Admission::Queued
    }

    /// The next message.
    pub(crate) fn front(&self) -> Option<&Parcel> {
        self.0.as_deref()?.parcels.front()
    }

    /// The next message that has surely not been sent before the node started.
    pub(crate) fn first_waiting(&self) -> Option<&Parcel> {
        let waiting = self.0.as_deref()?;
        waiting.parcels.get(waiting.begun)
    }

    /// Takes that message out.
    pub(crate) fn pop_waiting(&mut self) -> Option<Parcel> {
        let waiting = self.0.as_deref_mut()?;
        let parcel = waiting.take(waiting.begun);
        if waiting.parcels.is_empty() {
            self.0 = None;
        }
        parcel
    }

    /// The first so many messages.
    pub(crate) fn first_mut(&mut self, count: usize) -> impl Iterator<Item = &mut Parcel> {
        self.0
            .as_deref_mut()
            .into_iter()
            .flat_map(move |queue| queue.parcels.iter_mut().take(count))
    }

    /// All messages, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Parcel> {
        self.0.as_deref().into_iter().flat_map(|queue| queue.parcels.iter())
    }

    /// What the log had, without asking for room. The delivery of the first `begun` may have begun.
    pub(crate) fn restore(parcels: VecDeque<Parcel>, begun: usize) -> Self {
        if parcels.is_empty() {
            return Self(None);
        }
        let begun = begun.min(parcels.len());
        Self(Some(Box::new(Line {
            bytes: parcels.iter().map(Parcel::size).sum(),
            qos0: 0,
            swept: parcels.len(),
            restored: parcels.len(),
            begun,
            begun_bytes: parcels.iter().take(begun).map(Parcel::size).sum(),
            parcels,
        })))
    }

    /// Whether the next message was there before the node started.
    pub(crate) fn is_front_restored(&self) -> bool {
        self.0.as_deref().is_some_and(|waiting| waiting.restored > 0)
    }

    /// The next message, if its delivery may have begun before the node started.
    pub(crate) fn front_begun(&self) -> Option<&Parcel> {
        self.0.as_deref().filter(|waiting| waiting.begun > 0)?.parcels.front()
    }

    /// From now on all messages count.
    pub(crate) fn count_all(&mut self) {
        if let Some(waiting) = self.0.as_deref_mut() {
            (waiting.begun, waiting.begun_bytes) = (0, 0);
        }
    }

    /// Lets the bytes go of messages that the log has, except of the first `spared`.
    pub(crate) fn store(&mut self, spared: usize) {
        let Some(waiting) = self.0.as_deref_mut() else { return };
        let range = Range { start: waiting.swept.max(spared), end: waiting.parcels.len() };
        if range.is_empty() {
            return;
        }
        waiting.swept = range.end;
        waiting.parcels.range_mut(range).for_each(Parcel::store);
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

    /// Messages and bytes that count against the limits.
    pub(crate) fn len(&self) -> (usize, usize) {
        self.0.as_deref().map_or((0, 0), Line::counted)
    }

    /// Messages whose delivery may have begun before the node started.
    pub(crate) fn begun(&self) -> usize {
        self.0.as_deref().map_or(0, |waiting| waiting.begun)
    }

    /// The same, as it is counted for the node.
    pub(crate) fn waiting(&self) -> Waiting {
        let (messages, bytes) = self.len();
        Waiting { messages: messages as u64, bytes: bytes as u64 }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front().is_none()
    }
}

impl Line {
    fn put(&mut self, parcel: Parcel) {
        self.bytes += parcel.size();
        self.qos0 += usize::from(parcel.qos() == Qos::AtMostOnce);
        self.parcels.push_back(parcel);
    }

    fn counted(&self) -> (usize, usize) {
        (self.parcels.len() - self.begun, self.bytes - self.begun_bytes)
    }

    fn is_full_for(&self, size: usize, options: &Options) -> bool {
        let (messages, bytes) = self.counted();
        messages >= options.queue_messages_max || bytes + size > options.queue_bytes_max
    }

    /// The oldest QoS 0 message, or else the oldest of all.
    fn evict(&mut self) -> Option<Parcel> {
        let oldest_qos0 = match self.qos0 {
            0 => self.begun,
            _ => self.parcels.iter().position(|parcel| parcel.qos() == Qos::AtMostOnce)?,
        };
        self.take(oldest_qos0)
    }

    fn take(&mut self, at: usize) -> Option<Parcel> {
        let parcel = self.parcels.remove(at)?;
        self.bytes -= parcel.size();
        self.swept -= usize::from(at < self.swept);
        self.restored -= usize::from(at < self.restored);
        if at < self.begun {
            self.begun -= 1;
            self.begun_bytes -= parcel.size();
        }
        self.qos0 -= usize::from(parcel.qos() == Qos::AtMostOnce);
        Some(parcel)
    }
}

#[cfg(test)]
mod tests;
