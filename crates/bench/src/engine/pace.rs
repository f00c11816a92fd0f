//! When things are due: connections, messages, deadlines. Pure.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use plexus_types::Instant;

/// From one time that is told apart to the next.
const NEXT: Duration = Duration::from_nanos(1);

/// The time of event number `number` of `rate` in a second after `begin`.
pub(super) fn due(begin: Instant, number: u64, rate: u64) -> Instant {
    const SECOND: u128 = 1_000_000_000;
    let nanos = u128::from(number) * SECOND / u128::from(rate.max(1));
    begin + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// When each slot is looked at next: at most one time for each, too early perhaps, never too late.
#[derive(Debug, Default)]
pub(super) struct Timers(BTreeSet<(Instant, u32)>);

impl Timers {
    /// The slot has to be looked at until `deadline`; `timer` is when it is looked at so far.
    pub(super) fn arm(&mut self, slot: u32, timer: &mut Instant, deadline: Instant) {
        if deadline < *timer {
            self.0.remove(&(*timer, slot));
            self.0.insert((deadline, slot));
            *timer = deadline;
        }
    }

    /// A slot whose time has come. Nothing is set for it any more.
    pub(super) fn pop(&mut self, now: Instant) -> Option<u32> {
        self.0.first().filter(|(at, _)| *at <= now)?;
        self.0.pop_first().map(|(_, slot)| slot)
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.first().map(|(at, _)| *at)
    }
}

/// Slots that are to connect.
#[derive(Debug)]
pub(super) struct Connects {
    /// With the time from which a client wants to connect, if it is not the beginning.
    queue: VecDeque<(u32, Option<Instant>)>,
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

    /// A slot that takes the next turn there is, though it has passed; without a rate it is due when
    /// there is room for it.
    pub(super) fn add(&mut self, slot: u32) {
        self.queue.push_back((slot, None));
    }

    /// A slot that connects once more and is due from `due` on: turns before that are not for it.
    pub(super) fn add_again(&mut self, slot: u32, due: Instant) {
        self.queue.push_back((slot, Some(due)));
    }

    /// Gives up the slots that wait.
    pub(super) fn clear(&mut self) -> impl Iterator<Item = u32> + use<> {
        std::mem::take(&mut self.queue).into_iter().map(|(slot, _)| slot)
    }

    /// This worker's turns, if there is a rate.
    pub(super) fn schedule(&self) -> Option<Schedule> {
        let beat = Beat { begin: self.begin, end: Instant::FAR_FUTURE, rate: self.rate? };
        Some(Schedule { beat, count: self.stride, worker: self.first, workers: self.stride })
    }

    /// The first slot, the number of its turn and when that is; without a rate it is when the slot wants
    /// it, or nothing.
    fn first(&self) -> Option<(u32, u64, Option<Instant>)> {
        let (slot, wanted) = *self.queue.front()?;
        let Some(rate) = self.rate else { return Some((slot, self.taken, wanted)) };
        let passed = wanted.map_or(0, |wanted| {
            let before = count_before(wanted.saturating_since(self.begin), rate);
            before.saturating_sub(self.first).div_ceil(self.stride.max(1))
        });
        let turn = self.taken.max(passed);
        Some((slot, turn, Some(due(self.begin, self.first + turn * self.stride, rate))))
    }

    /// Whether slots wait for a time that a rate gives them.
    pub(super) fn are_paced(&self) -> bool {
        self.rate.is_some() && !self.queue.is_empty()
    }

    /// Whether a slot may begin now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let is_due = |(_, _, due): (u32, u64, Option<Instant>)| due.is_none_or(|due| due <= now);
        self.under_way < self.max && self.first().is_some_and(is_due)
    }

    /// The next slot that may begin, and since when.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(u32, Instant)> {
        if !self.is_due(now) {
            return None;
        }
        let (slot, turn, due) = self.first()?;
        self.queue.pop_front();
        self.taken = turn + 1;
        self.under_way += 1;
        Some((slot, due.unwrap_or(now)))
    }

    /// When something can be popped that cannot now, if only time is missing.
    pub(super) fn next(&self) -> Option<Instant> {
        let (_, _, due) = self.first().filter(|_| self.under_way < self.max)?;
        due
    }
}

/// When the messages of one group are due that have a fixed rate: message number *n* of all belongs
/// to client *n* modulo their count, wherever that client is. Connections are the same with workers for
/// clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    beat: Beat,
    /// Clients of the group on all workers.
    count: u64,
    /// Of these, this worker has the numbers `worker`, `worker + workers`, …
    worker: u64,
    workers: u64,
}

/// How often something is due, and from when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beat {
    pub(super) begin: Instant,
    /// From here on nothing is due.
    pub(super) end: Instant,
    /// In a second.
    pub(super) rate: u64,
}

impl Beat {
    /// When the event of that number is due, if it is before the end.
    fn due(&self, number: u64) -> Option<Instant> {
        let due = due(self.begin, number, self.rate);
        (due < self.end).then_some(due)
    }

    /// How many events are due until `now`, it included.
    fn count_until(&self, now: Instant) -> u64 {
        if now < self.begin {
            return 0;
        }
        count_before(self.end.min(now + NEXT).saturating_since(self.begin), self.rate)
    }
}

impl Schedule {
    /// The first time after `now` at which a message of this worker is due; never if no client of the
    /// group is here.
    fn after(&self, now: Instant) -> Option<Instant> {
        if self.worker >= self.count {
            return None;
        }
        let first = self.beat.count_until(now);
        let (round, place) = (first / self.count, first % self.count);
        let turns = place.saturating_sub(self.worker).div_ceil(self.workers);
        let client = self.worker + turns * self.workers;
        let client = if client < self.count { client } else { self.count + self.worker };
        self.beat.due(round * self.count + client)
    }
}

/// How many events of `rate` in a second are due before `elapsed`, it not included.
fn count_before(elapsed: Duration, rate: u64) -> u64 {
    const SECOND: u128 = 1_000_000_000;
    let count = (elapsed.as_nanos() * u128::from(rate)).div_ceil(SECOND);
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// When a worker has to be woken so that it sends each message and begins each connection when it is
/// due.
#[derive(Debug)]
pub(super) struct Alarm {
    messages: Vec<Schedule>,
    connects: Option<Schedule>,
}

impl Alarm {
    /// The shortest time between two looks at what is due.
    const TICK_MIN: Duration = Duration::from_micros(50);

    pub(super) fn new(sources: &[Source], connects: Option<Schedule>) -> Self {
        let messages = sources.iter().map(|source| source.schedule).collect();
        Self { messages, connects }
    }

    /// The first time after a look at `now` at which there is something to do. Turns to connect are for
    /// nobody unless somebody is `queued`.
    pub(super) fn after(&self, now: Instant, queued: bool) -> Option<Instant> {
        let connects = self.connects.iter().filter(|_| queued);
        let all = self.messages.iter().chain(connects);
        let next = all.filter_map(|schedule| schedule.after(now)).min()?;
        Some(next.max(now + Self::TICK_MIN))
    }
}

/// Messages of one group that are due at a fixed rate, dealt out to its clients in turn.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) group: usize,
    schedule: Schedule,
    round: u64,
    turn: u64,
}

impl Source {
    pub(super) fn new(
        group: usize,
        beat: Beat,
        count: u32,
        (worker, workers): (usize, usize),
    ) -> Self {
        let (worker, workers) = (worker as u64, workers as u64);
        let schedule = Schedule { beat, count: u64::from(count), worker, workers };
        Self { group, schedule, round: 0, turn: 0 }
    }

    /// The number of the client whose message is next.
    fn client(&self) -> u64 {
        self.schedule.worker + self.turn * self.schedule.workers
    }

    /// When the next message is due; never if no client of the group is here.
    fn next(&self) -> Option<Instant> {
        let Schedule { count, .. } = self.schedule;
        let client = self.client();
        if client >= count {
            return None;
        }
        self.schedule.beat.due(self.round * count + client)
    }

    /// The number of the client whose message is due, and since when.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(u32, Instant)> {
        let due = self.next().filter(|due| *due <= now)?;
        let client = self.client();
        self.turn += 1;
        if self.client() >= self.schedule.count {
            (self.turn, self.round) = (0, self.round + 1);
        }
        Some((u32::try_from(client).unwrap_or(u32::MAX), due))
    }

    /// How many messages of a client of this worker are due until `now` and have not been taken.
    pub(super) fn left_behind(&self, number: u32, now: Instant) -> u64 {
        let Schedule { beat, count, worker, workers } = self.schedule;
        let number = u64::from(number);
        let due = beat.count_until(now).saturating_sub(number).div_ceil(count.max(1));
        let turn = number.saturating_sub(worker) / workers.max(1);
        due.saturating_sub(self.round + u64::from(turn < self.turn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: u64 = 1_000_000;

    fn beat(begin: Instant, rate: u64) -> Beat {
        Beat { begin, end: Instant::FAR_FUTURE, rate }
    }

    #[test]
    fn messages_of_all_workers_interleave_at_the_rate() {
        let mut all = Vec::new();
        for worker in 0..2 {
            let mut source = Source::new(0, beat(Instant::ZERO, 1_000), 3, (worker, 2));
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
        let mut source = Source::new(0, beat(Instant::ZERO, 10), 1, (1, 2));
        assert_eq!((source.next(), source.pop(Instant::from_secs(9))), (None, None));
        assert_eq!(Alarm::new(&[source], None).after(Instant::ZERO, true), None);
    }

    #[test]
    fn what_was_due_before_the_end_is_known_to_the_last_message() {
        let (begin, end) = (Instant::from_secs(1), Instant::from_millis(1_300));
        for (rate, count, workers) in [(1_000, 7, 2), (1_000, 1, 1), (999, 3, 4), (7, 5, 2)] {
            let due =
                (end.saturating_since(begin).as_nanos() as u64 * rate).div_ceil(1_000 * MILLI);
            for taken in [0, 1, 5, 13, 10_000] {
                let mut all = 0;
                for worker in 0..workers {
                    let beat = Beat { begin, end, rate };
                    let mut source = Source::new(0, beat, count, (worker, workers));
                    let late = Instant::from_secs(9);
                    all += (0..taken).map_while(|_| source.pop(late)).count() as u64;
                    let clients = (worker as u32..count).step_by(workers);
                    let left = clients.map(|number| source.left_behind(number, late));
                    all += left.sum::<u64>();
                }
                assert_eq!(all, due, "{rate} {count} {workers} {taken}");
            }
        }
        let source = Source::new(0, Beat { begin, end, rate: 10 }, 1, (0, 1));
        assert_eq!(source.left_behind(0, Instant::ZERO), 0);
        assert_eq!(source.left_behind(0, begin), 1);
        assert_eq!(Alarm::new(&[source], None).after(Instant::from_millis(1_200), true), None);
    }

    /// How late the messages of a worker leave that looks only when its alarm rings.
    fn latest(mut sources: Vec<Source>, begin: Instant, until: Instant) -> Duration {
        let alarm = Alarm::new(&sources, None);
        let (mut now, mut latest) = (begin, Duration::ZERO);
        while let Some(next) = alarm.after(now, false).filter(|next| *next <= until) {
            now = next;
            for source in &mut sources {
                while let Some((_, due)) = source.pop(now) {
                    latest = latest.max(now.saturating_since(due));
                }
            }
        }
        for source in &sources {
            let left = source.next().is_some_and(|due| due + Alarm::TICK_MIN <= until);
            assert!(!left, "the alarm rang for every message: {source:?}");
        }
        latest
    }

    #[test]
    fn a_worker_is_woken_for_each_message_however_the_clients_are_dealt_out() {
        let (begin, until) = (Instant::from_secs(1), Instant::from_secs(9));
        for (count, workers) in [(1, 1), (1, 2), (3, 2), (3, 4), (4, 2), (5, 3), (7, 16)] {
            for rate in [1, 7, 50, 100, 999] {
                for worker in 0..workers {
                    let source = Source::new(0, beat(begin, rate), count, (worker, workers));
                    let late = latest(vec![source], Instant::ZERO, until);
                    assert_eq!(late, Duration::ZERO, "{count} {rate} {worker}/{workers}");
                }
            }
        }
    }

    #[test]
    fn several_groups_and_a_high_rate_are_met_as_near_as_the_alarm_rings() {
        let (begin, until) = (Instant::from_secs(1), Instant::from_millis(1_500));
        for rates in [&[3, 7][..], &[100, 101, 1_000], &[100_000], &[30_000, 1]] {
            let source = |rate: &u64| Source::new(0, beat(begin, *rate), 3, (0, 2));
            let late = latest(rates.iter().map(source).collect(), Instant::ZERO, until);
            assert!(late <= Alarm::TICK_MIN, "{rates:?}: {late:?}");
        }
    }

    #[test]
    fn an_alarm_that_is_set_late_rings_for_what_comes() {
        let source = Source::new(0, beat(Instant::ZERO, 10), 1, (0, 2));
        let alarm = Alarm::new(&[source], None);
        assert_eq!(alarm.after(Instant::from_millis(150), false), Some(Instant::from_millis(200)));
        let just_before = Instant::from_nanos(200 * MILLI - 1);
        assert_eq!(alarm.after(just_before, false), Some(just_before + Alarm::TICK_MIN));
        assert_eq!(alarm.after(Instant::from_millis(200), false), Some(Instant::from_millis(300)));
    }

    #[test]
    fn nobody_is_woken_for_turns_to_connect_that_nobody_waits_for() {
        let connects = Connects::new(Some(1_000), 0, 1, 9);
        let alarm = Alarm::new(&[], connects.schedule());
        let (at, soon) = (Instant::from_millis(150), Instant::from_millis(151));
        assert_eq!((alarm.after(at, false), alarm.after(at, true)), (None, Some(soon)));
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
    fn each_connection_is_begun_when_it_is_due_at_any_rate() {
        let (begin, number) = (Instant::from_secs(1), 5_000);
        for (rate, workers) in [(2_500, 1), (2_500, 2), (12_345, 2), (12_345, 3), (999, 2)] {
            let mut dues = Vec::new();
            for worker in 0..workers {
                let mut connects = Connects::new(Some(rate), worker, workers, u32::MAX);
                connects.begin(begin);
                (0..number).for_each(|slot| connects.add(slot));
                let alarm = Alarm::new(&[], connects.schedule());
                let mut now = begin;
                while dues.len() < number as usize * (worker + 1) {
                    while let Some((_, due)) = connects.pop(now) {
                        let late = now.saturating_since(due);
                        assert!(late <= Alarm::TICK_MIN, "{rate} {worker}/{workers}: {late:?}");
                        dues.push(due);
                    }
                    now = alarm.after(now, true).unwrap();
                }
            }
            dues.sort_unstable();
            let all = dues.len() as u64;
            let last = begin + Duration::from_nanos((all - 1) * 1_000 * MILLI / rate);
            assert_eq!((dues.first(), dues.last()), (Some(&begin), Some(&last)), "{rate}");
        }
    }

    #[test]
    fn who_connects_again_is_due_from_then_on() {
        let mut connects = Connects::new(Some(1_000), 1, 2, 9);
        connects.begin(Instant::ZERO);
        connects.add(0);
        let late = Instant::from_millis(100);
        assert_eq!(connects.pop(late), Some((0, Instant::from_millis(1))));
        connects.add_again(7, late);
        connects.add_again(8, late);
        assert_eq!(connects.pop(late), None);
        let later = Instant::from_millis(200);
        assert_eq!(connects.pop(later), Some((7, Instant::from_millis(101))));
        assert_eq!(connects.pop(later), Some((8, Instant::from_millis(103))));
        assert_eq!(connects.next(), None);
    }

    #[test]
    fn who_waits_for_room_is_due_since_it_wanted_to_connect() {
        let at = Instant::from_millis;
        for (rate, first, second) in [(None, at(100), at(110)), (Some(10), at(100), at(200))] {
            let mut connects = Connects::new(rate, 0, 1, 1);
            connects.begin(Instant::ZERO);
            connects.add(0);
            assert_eq!(connects.pop(Instant::ZERO), Some((0, Instant::ZERO)));
            // The only place is taken, and the queue is not empty when the second asks.
            connects.add_again(7, at(100));
            connects.add_again(8, at(110));
            assert_eq!((connects.pop(at(900)), connects.next()), (None, None));
            connects.under_way = 0;
            assert_eq!(connects.pop(at(900)), Some((7, first)), "{rate:?}");
            connects.under_way = 0;
            assert_eq!(connects.pop(at(900)), Some((8, second)), "{rate:?}");
        }
        let mut connects = Connects::new(Some(10), 0, 1, 1);
        connects.begin(Instant::ZERO);
        (connects.under_way, connects.max) = (1, 1);
        connects.add(0);
        connects.add_again(7, at(450));
        connects.under_way = 0;
        assert_eq!(connects.pop(at(900)), Some((0, Instant::ZERO)), "its turn was the first");
        connects.under_way = 0;
        assert_eq!(connects.pop(at(900)), Some((7, at(500))), "turns before it asked are not its");
        assert_eq!(connects.clear().count(), 0);
    }

    #[test]
    fn timers_come_in_order() {
        let mut timers = Timers::default();
        for at in [5, 1, 3] {
            let mut timer = Instant::FAR_FUTURE;
            timers.arm(at as u32, &mut timer, Instant::from_secs(at));
        }
        assert_eq!(timers.pop(Instant::from_secs(0)), None);
        let due = std::iter::from_fn(|| timers.pop(Instant::from_secs(3))).collect::<Vec<_>>();
        assert_eq!(due, [1, 3]);
        assert_eq!(timers.next(), Some(Instant::from_secs(5)));
    }

    #[test]
    fn a_client_that_comes_and_goes_has_one_timer() {
        let (mut timers, mut timer) = (Timers::default(), Instant::FAR_FUTURE);
        let mut now = Instant::ZERO;
        for _ in 0..1_000 {
            // The socket, then its stay, the good-bye, and how long it is away.
            for millis in [10_000, 50, 2_000, 20] {
                timers.arm(7, &mut timer, now + Duration::from_millis(millis));
                assert!(timers.0.len() == 1 && timer == timers.next().unwrap());
                if millis < 1_000 {
                    now = timer;
                    assert_eq!((timers.pop(now), timers.pop(now)), (Some(7), None));
                    timer = Instant::FAR_FUTURE;
                }
            }
        }
    }
}
