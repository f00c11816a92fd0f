//! When things are due: connections, messages, deadlines. Pure.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

use plexus_types::Instant;

/// The time of event number `number` of `rate` in a second after `begin`.
pub(super) fn due(begin: Instant, number: u64, rate: u64) -> Instant {
    const SECOND: u128 = 1_000_000_000;
    let nanos = u128::from(number) * SECOND / u128::from(rate.max(1));
    begin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Which slots have a deadline. Entries may be too early, never too late.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(Instant, u32)>>);

impl Timers {
    pub(super) fn add(&mut self, at: Instant, slot: u32) {
        self.0.push(Reverse((at, slot)));
    }

    /// A slot whose time has come.
    pub(super) fn pop(&mut self, now: Instant) -> Option<u32> {
        self.0.peek().filter(|Reverse((at, _))| *at <= now)?;
        self.0.pop().map(|Reverse((_, slot))| slot)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }
}

/// Slots that are to connect.
#[derive(Debug)]
pub(super) struct Connects {
    queue: VecDeque<u32>,
    begin: Instant,
    /// Connections of all workers in a second.
    rate: Option<u64>,
    /// This worker's turn is number `first`, `first + stride`, …
    first: u64,
    stride: u64,
    taken: u64,
    max: u32,
    /// On the way to CONNACK.
    pub(super) under_way: u32,
}

impl Connects {
    pub(super) fn new(rate: Option<u64>, worker: usize, workers: usize, max: u32) -> Self {
        Self {
            queue: VecDeque::new(),
            begin: Instant::ZERO,
            rate,
            first: worker as u64,
            stride: workers as u64,
            taken: 0,
            max,
            under_way: 0,
        }
    }

    /// From now on connections are due by the rate.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.begin, self.taken) = (now, 0);
    }

    pub(super) fn add(&mut self, slot: u32) {
        self.queue.push_back(slot);
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
    }

    fn due(&self) -> Option<Instant> {
        let rate = self.rate?;
        Some(due(self.begin, self.first + self.taken * self.stride, rate))
    }

    /// Whether a slot may begin now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let due = self.due().unwrap_or(now);
        self.under_way < self.max && due <= now && !self.queue.is_empty()
    }

    /// The next slot that may begin, and since when.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(u32, Instant)> {
        if !self.is_due(now) {
            return None;
        }
        let due = self.due().unwrap_or(now);
        let slot = self.queue.pop_front()?;
        self.taken += 1;
        self.under_way += 1;
        Some((slot, due))
    }

    /// When something can be popped that cannot now, if only time is missing.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due().filter(|_| !self.queue.is_empty() && self.under_way < self.max)
    }
}

/// Messages of one group that are due at a fixed rate, dealt out to its clients in turn.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) group: usize,
    begin: Instant,
    rate: u64,
    /// Clients of the group on all workers.
    count: u64,
    /// Of these, this worker has the numbers `worker`, `worker + workers`, …
    worker: u64,
    workers: u64,
    round: u64,
    turn: u64,
}

impl Source {
    pub(super) fn new(
        group: usize,
        (begin, rate): (Instant, u64),
        count: u32,
        (worker, workers): (usize, usize),
    ) -> Self {
        let (worker, workers) = (worker as u64, workers as u64);
        Self { group, begin, rate, count: u64::from(count), worker, workers, round: 0, turn: 0 }
    }

    /// When the next message is due; never if no client of the group is here.
    pub(super) fn next(&self) -> Option<Instant> {
        let number = self.worker + self.turn * self.workers;
        (number < self.count).then(|| due(self.begin, self.round * self.count + number, self.rate))
    }

    /// The number of the client whose message is due, and since when.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(u32, Instant)> {
        let due = self.next().filter(|due| *due <= now)?;
        let number = self.worker + self.turn * self.workers;
        self.turn += 1;
        if self.worker + self.turn * self.workers >= self.count {
            (self.turn, self.round) = (0, self.round + 1);
        }
        Some((u32::try_from(number).unwrap_or(u32::MAX), due))
    }

    /// Time between two messages of this worker.
    pub(super) fn interval(&self) -> Duration {
        let nanos = 1_000_000_000_u64.saturating_mul(self.workers) / self.rate.max(1);
        Duration::from_nanos(nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    #[test]
    fn messages_of_all_workers_interleave_at_the_rate() {
        let mut all = Vec::new();
        for worker in 0..2 {
            let mut source = Source::new(0, (Instant::ZERO, 1_000), 3, (worker, 2));
            let until = Instant::from_millis(5);
            while let Some((number, due)) = source.pop(until) {
                all.push((due.as_nanos() / MILLI, number));
            }
        }
        all.sort_unstable();
        assert_eq!(all, [(0, 0), (1, 1), (2, 2), (3, 0), (4, 1), (5, 2)]);
    }

    #[test]
    fn a_worker_without_clients_of_a_group_has_nothing_due() {
        let mut source = Source::new(0, (Instant::ZERO, 10), 1, (1, 2));
        assert_eq!((source.next(), source.pop(Instant::from_secs(9))), (None, None));
    }

    #[test]
    fn connections_wait_for_their_time_and_for_room() {
        let mut connects = Connects::new(Some(1_000), 1, 2, 2);
        connects.begin(Instant::ZERO);
        (0..4).for_each(|slot| connects.add(slot));
        assert_eq!(connects.pop(Instant::ZERO), None);
        assert_eq!(connects.next(), Some(Instant::from_millis(1)));
        let late = Instant::from_millis(100);
        assert_eq!(connects.pop(late), Some((0, Instant::from_millis(1))));
        assert_eq!(connects.pop(late), Some((1, Instant::from_millis(3))));
        assert_eq!((connects.pop(late), connects.next()), (None, None), "two are under way");
        connects.under_way -= 1;
        assert_eq!(connects.pop(late), Some((2, Instant::from_millis(5))));
    }

    #[test]
    fn timers_come_in_order() {
        let mut timers = Timers::default();
        for at in [5, 1, 3] {
            timers.add(Instant::from_secs(at), at as u32);
        }
        assert_eq!(timers.pop(Instant::from_secs(0)), None);
        let due = std::iter::from_fn(|| timers.pop(Instant::from_secs(3))).collect::<Vec<_>>();
        assert_eq!(due, [1, 3]);
        assert_eq!(timers.next(), Some(Instant::from_secs(5)));
    }
}
