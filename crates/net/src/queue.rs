//! Bytes on their way out.

use std::{collections::VecDeque, io::IoSlice, mem};

use bytes::{Buf, Bytes, BytesMut};

/// Outgoing bytes of one connection: small frames are appended to one buffer, large payloads wait as
/// chunks of their own, and both leave in order by one vectored write.
///
/// An empty queue owns no memory: it is one null pointer, and what a full queue held is released when
/// the last byte is written. A thread with many connections keeps [`SpareBuffers`] and lends them.
/// The queue itself has no limit; whoever fills it looks at [`Self::len`] first.
#[derive(Debug, Default)]
pub struct WriteQueue(Option<Box<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    /// In front of `tail`; none of them is empty.
    chunks: VecDeque<Bytes>,
    /// Bytes in `chunks`.
    chunk_bytes: usize,
    tail: BytesMut,
    /// The buffers go back to the lender, not to the allocator.
    lent: bool,
}

/// Empty buffers that a thread lends to one queue after the other, so that a connection which writes
/// now and then needs no allocation.
#[derive(Debug, Default)]
#[expect(clippy::vec_box, reason = "the box itself is what is lent: a queue is one pointer")]
pub struct SpareBuffers(Vec<Box<Waiting>>);

impl SpareBuffers {
    /// Buffers that wait to be lent.
    const COUNT_MAX: usize = 64;

    /// A buffer that has grown beyond this is not kept.
    const CAPACITY_MAX: usize = 64 * 1024;

    /// No buffers yet; they come back from the first queues.
    pub fn new() -> Self {
        Self::default()
    }
}

impl WriteQueue {
    /// Pieces below this length are copied from queue to queue: cheaper than sharing them.
    const COPY_MAX: usize = 2 * 1024;

    /// An empty queue; allocates nothing.
    pub const fn new() -> Self {
        Self(None)
    }

    /// The buffer to append small frames to. Only append: what stands in it already waits to leave.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.0.get_or_insert_default().tail
    }

    /// Appends a payload without copying it; worth it from some KiB on.
    pub fn push(&mut self, payload: Bytes) {
        if payload.is_empty() {
            return;
        }
        let waiting = self.0.get_or_insert_default();
        if !waiting.tail.is_empty() {
            let frames = waiting.tail.split().freeze();
            waiting.chunk_bytes += frames.len();
            waiting.chunks.push_back(frames);
        }
        waiting.chunk_bytes += payload.len();
        waiting.chunks.push_back(payload);
    }

    /// Forgets everything that waits and releases its memory.
    pub fn clear(&mut self) {
        self.0 = None;
    }

    /// Lets an empty queue use a spare buffer, which [`Self::give_back`] returns.
    pub fn lend(&mut self, spares: &mut SpareBuffers) {
        if self.0.is_none() {
            let mut waiting = spares.0.pop().unwrap_or_default();
            waiting.lent = true;
            self.0 = Some(waiting);
        }
    }

    /// Returns the buffers of a queue that is empty again. Call it after each write.
    pub fn give_back(&mut self, spares: &mut SpareBuffers) {
        if !self.is_empty() {
            return;
        }
        let Some(mut waiting) = self.0.take() else { return };
        waiting.tail.clear();
        // `capacity` does not count the front that has been written; reclaiming does.
        let large = waiting.tail.try_reclaim(SpareBuffers::CAPACITY_MAX + 1);
        if waiting.lent && !large && spares.0.len() < SpareBuffers::COUNT_MAX {
            spares.0.push(waiting);
        }
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |waiting| waiting.chunk_bytes + waiting.tail.len())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first contiguous bytes; empty when nothing waits.
    pub(crate) fn front(&self) -> &[u8] {
        let Some(waiting) = &self.0 else { return &[] };
        waiting.chunks.front().map_or(&waiting.tail[..], |chunk| &chunk[..])
    }

    /// Everything that waits, if it lies in one piece: most of what is written does, and then the
    /// slices of a vectored write need not be laid out.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        let waiting = self.0.as_ref()?;
        waiting.chunks.is_empty().then_some(&waiting.tail[..])
    }

    /// Points `slices` at the bytes that wait, in order; returns how many slices are in use.
    pub(crate) fn slices<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let Some(waiting) = &self.0 else { return 0 };
        let tail = (!waiting.tail.is_empty()).then_some(&waiting.tail[..]);
        let chunks = waiting.chunks.iter().map(|chunk| &chunk[..]).chain(tail);
        let mut used = 0;
        for (slice, chunk) in slices.iter_mut().zip(chunks) {
            *slice = IoSlice::new(chunk);
            used += 1;
        }
        used
    }

    /// Drops the first `count` bytes: they have been written.
    pub(crate) fn advance(&mut self, mut count: usize) {
        let Some(waiting) = &mut self.0 else { return };
        while count > 0 {
            let Some(chunk) = waiting.chunks.front_mut() else { break };
            let step = count.min(chunk.len());
            chunk.advance(step);
            waiting.chunk_bytes -= step;
            count -= step;
            if chunk.is_empty() {
                waiting.chunks.pop_front();
            }
        }
        assert!(count <= waiting.tail.len(), "more bytes written than waited");
        waiting.tail.advance(count);
        self.release();
    }

    /// Moves the first bytes, at most `limit`, behind those of `to`; large pieces without a copy.
    /// Returns how many were moved.
    pub(crate) fn move_front(&mut self, limit: usize, to: &mut Self) -> usize {
        let count = limit.min(self.len());
        let mut left = count;
        while left > 0 {
            let front = self.front();
            let step = left.min(front.len());
            if step > Self::COPY_MAX {
                to.push(self.split_front(step));
            } else {
                to.buffer().extend_from_slice(front.get(..step).unwrap_or_default());
                self.advance(step);
            }
            left -= step;
        }
        count
    }

    /// Moves the first bytes, at most `limit`, into contiguous memory.
    pub(crate) fn gather(&mut self, limit: usize, into: &mut BytesMut) {
        let mut left = limit.min(self.len());
        while left > 0 {
            let front = self.front();
            let step = left.min(front.len());
            into.extend_from_slice(front.get(..step).unwrap_or_default());
            self.advance(step);
            left -= step;
        }
    }

    /// Takes `count` bytes off the first contiguous bytes without a copy.
    fn split_front(&mut self, count: usize) -> Bytes {
        let Some(waiting) = &mut self.0 else { return Bytes::new() };
        let piece = match waiting.chunks.front() {
            Some(chunk) => chunk.slice(..count),
            None => return waiting.tail.split_to(count).freeze(),
        };
        self.advance(count);
        piece
    }

    fn release(&mut self) {
        if self.is_empty() && !self.0.as_ref().is_some_and(|waiting| waiting.lent) {
            drop(mem::take(&mut self.0));
        }
    }
}

#[cfg(test)]
mod tests;
