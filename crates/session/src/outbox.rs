use std::collections::VecDeque;

use crate::{Output, Waiting};

/// A place in the log of a shard: everything up to it is kept, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LogPosition(u64);

impl LogPosition {
    /// Before every record: nothing needs to be kept.
    pub const ZERO: Self = Self(0);

    /// The position of that number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the position.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Effects in the order in which they are to happen. A shard owns one and lends it to whichever
/// session acts, so that a session that only waits holds no queue; the order of its
/// [`Output::Persist`] is the order of the shard's log, hence it hands out the positions.
#[derive(Debug)]
pub struct Outbox {
    queue: VecDeque<Output>,
    appended: LogPosition,
    /// What waits in the queues of the sessions that it is lent to.
    waiting: Waiting,
    /// What may wait there.
    limit: Waiting,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            appended: LogPosition::ZERO,
            waiting: Waiting::default(),
            limit: Waiting::UNLIMITED,
        }
    }
}

impl Outbox {
    /// An empty outbox at the start of a log, without a limit of what may wait.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next effect.
    #[must_use]
    pub fn poll(&mut self) -> Option<Output> {
        self.queue.pop_front()
    }

    /// Puts back an effect that was polled.
    pub fn unpoll(&mut self, output: Output) {
        self.queue.push_front(output);
    }

    /// Whether there is another effect.
    pub fn has_more(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Adds an effect.
    pub fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    /// Takes the position of the next record of the shard's log.
    pub fn append(&mut self) -> LogPosition {
        self.appended = LogPosition(self.appended.0 + 1);
        self.appended
    }

    /// The position of the newest record.
    pub const fn appended(&self) -> LogPosition {
        self.appended
    }

    /// What waits in the queues of all sessions that it is lent to.
    pub const fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Those sessions may have so much waiting in all.
    pub const fn limit_waiting(&mut self, limit: Waiting) {
        self.limit = limit;
    }

    /// Whether one more message of that size may wait.
    pub const fn has_room(&self, size: usize) -> bool {
        self.room().holds(size)
    }

    /// What may still come to wait.
    pub(crate) const fn room(&self) -> Waiting {
        self.limit.less(self.waiting)
    }

    /// Messages have come to wait: of a session from the log, or one.
    pub const fn note_waiting(&mut self, more: Waiting) {
        self.waiting = self.waiting.and(more);
    }

    /// So much waited in a session, and now so much.
    pub(crate) const fn note_change(&mut self, before: Waiting, now: Waiting) {
        self.waiting = self.waiting.less(before).and(now);
    }

    pub(crate) const fn note_gone(&mut self, size: usize) {
        self.waiting = self.waiting.less(Waiting::one(size));
    }
}
