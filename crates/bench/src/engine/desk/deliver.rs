//! A message came.

use std::{sync::atomic::Ordering, time::Duration};

use plexus_session::Incoming;
use plexus_types::{Instant, Qos};

use super::{Conn, Count, Desk, Metric, Part};
use crate::{
    engine::{Shared, subscriber::Order},
    ledger::Arrival,
    plan::Plan,
    stamp::Stamp,
};

/// Clocks of two machines differ by less; more is no stamp but chance.
const AHEAD_MAX: Duration = Duration::from_mins(1);
/// A stamp that is older is no stamp but chance.
const BEHIND_MAX: Duration = Duration::from_hours(24 * 366);

/// From a publisher to a client.
#[derive(Debug, Clone, Copy)]
struct Way {
    /// The quality of service it was published with.
    published: Qos,
    /// The number of the shared subscription.
    share: Option<usize>,
    /// Whether the client comes and goes.
    churns: bool,
    /// Whether its session outlives its connection.
    is_kept: bool,
    /// Whether what is published while nobody is there is for nobody.
    is_passing: bool,
    /// Whether it has QoS 1 or 2 all the way.
    is_assured: bool,
    /// Whether the delivery is called for by coming: nobody could tell beforehand.
    calls: bool,
}

impl Desk {
    pub(super) fn deliver(&mut self, conn: &mut Conn, message: &Incoming) {
        self.moved = self.now;
        self.counts.add(Count::Received, 1);
        self.counts.add(Count::BytesIn, message.payload.len() as u64);
        let stamp = self.shared.stamp(&message.payload, self.now);
        let Some(stamp) = stamp else {
            self.counts.add(Count::Unstamped, 1);
            if let Some(sender) = self.shared.senders.of_topic(&message.topic) {
                self.count_delivery(sender as usize);
            }
            return;
        };
        let index = self.shared.index_of(stamp.publisher);
        let own = index.is_some() && stamp.due >= self.shared.begun;
        let alone = self.shared.audience.publishers.is_empty();
        if !own && !alone {
            return self.counts.add(Count::Stray, 1);
        }
        let way = self.way(conn, index, message.qos);
        let arrival = match (way.share, index, &mut conn.part) {
            (Some(share), Some(index), _) => self.see((share, index), stamp.sequence),
            (_, _, Part::Subscribe(subscriber)) => {
                let (lane, sequence) = match index {
                    Some(index) => self.shared.lane(index, stamp.sequence),
                    None => (0, stamp.sequence),
                };
                subscriber.arrive((stamp.publisher, lane), sequence, || match index {
                    Some(index) if self.shared.is_spread(index) => Order::Spread,
                    Some(_) | None if way.is_passing && way.is_kept => Order::Kept,
                    Some(_) | None if way.is_passing => Order::Passing,
                    Some(_) if !alone => Order::Whole,
                    Some(_) | None => Order::Joined,
                })
            }
            (_, _, Part::Idle | Part::Publish(_)) => return self.counts.add(Count::Stray, 1),
        };
        match arrival {
            // The broker replays what it retained to each new subscription.
            Arrival::Duplicate if message.retain && way.churns => return,
            Arrival::Duplicate => {
                let is_allowed = [message.qos, way.published].contains(&Qos::AtLeastOnce);
                self.counts.add(Count::Repeated, u64::from(is_allowed));
                return self.counts.add(Count::Duplicates, 1);
            }
            Arrival::Late => self.counts.add(Count::OutOfOrder, 1),
            Arrival::Fresh => {}
        }
        let assured = u64::from(way.is_assured);
        self.counts.add(Count::Delivered, 1);
        self.counts.add(Count::DeliveredAssured, assured);
        if !alone && way.calls {
            self.counts.add(Count::Expected, 1);
            self.counts.add(Count::ExpectedAssured, assured);
        }
        let was_there = matches!(&conn.part, Part::Subscribe(one) if one.was_there(stamp.due));
        if was_there {
            self.record(Metric::Deliver, stamp.due, self.now.saturating_since(stamp.due));
        }
        if let Some(index) = index {
            self.count_delivery(index);
        }
    }

    /// What is to be known of the way of a message that came with that quality of service.
    fn way(&self, conn: &Conn, index: Option<usize>, came: Qos) -> Way {
        let audience = &self.shared.audience;
        let heard = index.and_then(|index| audience.get(index));
        let published = heard.map_or(came, |heard| heard.qos);
        let share = audience.shares.of_group(usize::from(conn.group));
        let group = self.group(conn);
        let churns = group.is_some_and(|group| group.churn.is_some());
        let found = share.and_then(|share| audience.shares.get(share));
        let is_assured = found.map_or_else(
            || group.is_some_and(|group| group.qos_of(published) > Qos::AtMostOnce),
            |share| share.is_assured(published),
        );
        let is_kept = group.is_some_and(|group| group.sessions.are_kept());
        let is_owed =
            found.map_or(!churns || (is_kept && is_assured), |share| share.is_owed(published));
        let is_known = heard.is_some_and(|heard| heard.receivers.is_some());
        Way {
            published,
            share,
            churns,
            is_kept,
            is_passing: !is_owed,
            is_assured,
            calls: !(is_owed && is_known),
        }
    }

    fn see(&mut self, (share, publisher): (usize, usize), sequence: u32) -> Arrival {
        let place = share * self.shared.audience.publishers.len() + publisher;
        if place >= self.seen.len() {
            self.seen.resize_with(place + 1, Default::default);
        }
        match self.seen.get_mut(place).map(|seen| seen.note(sequence)) {
            Some(false) => Arrival::Duplicate,
            Some(true) | None => Arrival::Fresh,
        }
    }

    /// A window may wait for this delivery: its publisher is told, here or on another thread.
    fn count_delivery(&mut self, index: usize) {
        let Some(delivered) = self.shared.delivered.get(index) else { return };
        let delivered = delivered.fetch_add(1, Ordering::Relaxed) + 1;
        let awaited = self.shared.awaited.get(index).copied().unwrap_or_default();
        // Until the last delivery of a message nothing changes.
        if awaited == 0 || !delivered.is_multiple_of(u64::from(awaited)) {
            return;
        }
        let Some(&(worker, slot)) = self.shared.homes.get(index) else { return };
        let worker = worker as usize;
        if worker == self.index {
            self.refill.push(slot);
        } else if let Some(slots) = self.remote.get_mut(worker) {
            slots.push(slot);
        }
    }
}

impl Shared {
    /// The stamp of a payload, if it has one.
    fn stamp(&self, payload: &[u8], now: Instant) -> Option<Stamp> {
        let may_be = |stamp: &Stamp| {
            stamp.due <= now + AHEAD_MAX && now.saturating_since(stamp.due) < BEHIND_MAX
        };
        let head = Stamp::read(payload).filter(may_be);
        let in_text = || Stamp::find(payload).filter(may_be);
        if self.texts || (head.is_none() && self.audience.publishers.is_empty()) {
            return in_text().or(head);
        }
        head
    }

    /// The worker of a client, and its slot there.
    pub(in crate::engine) fn home(&self, group: usize, number: u32) -> (usize, u32) {
        home(&self.plan, group, number)
    }
}

/// The worker of a client of a plan, and its slot there.
pub(in crate::engine) fn home(plan: &Plan, group: usize, number: u32) -> (usize, u32) {
    let workers = plan.workers.max(1);
    let worker = number as usize % workers;
    let before = plan.workload.groups.iter().take(group);
    let offset = before.map(|group| share(group.count, worker, workers)).sum::<u32>();
    (worker, offset + number / workers as u32)
}

/// How many clients of a group a worker has.
pub(in crate::engine) fn share(count: u32, worker: usize, workers: usize) -> u32 {
    let (worker, workers) = (worker as u32, workers.max(1) as u32);
    count.saturating_sub(worker).div_ceil(workers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::Clock,
        engine::{Crew, fixture::plan},
    };

    #[test]
    fn a_publisher_hears_of_its_last_delivery_from_a_thread_that_does_not_publish_yet() {
        let crew = Crew::start(plan(), Clock::start()).unwrap();
        let mut desk = Desk::new(1, Arc::clone(&crew.shared));
        desk.count_delivery(0);
        assert!(desk.remote[0].is_empty(), "the other subscriber has not got it");
        desk.count_delivery(0);
        let (_, slot) = desk.shared.home(1, 0);
        assert_eq!(desk.remote[0], [slot]);
        crew.finish();
    }

    #[test]
    fn a_group_is_dealt_out_to_the_last_client() {
        for (count, workers, shares) in
            [(5, 2, vec![3, 2]), (1, 3, vec![1, 0, 0]), (6, 3, vec![2, 2, 2]), (0, 1, vec![0])]
        {
            let found = (0..workers).map(|worker| share(count, worker, workers));
            assert_eq!(found.collect::<Vec<_>>(), shares, "{count} {workers}");
        }
    }
}
