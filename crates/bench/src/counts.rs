//! What is counted, and how the threads share it: each writes its own numbers, anybody adds them up.

use std::sync::atomic::{AtomicU64, Ordering};

use plexus_types::Instant;

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

counters! {
    /// What is counted of messages.
    Count {
        /// Handed to a connection by a publisher.
        Published = "published",
        /// Acknowledged to their end by the broker; QoS 1 and 2.
        Acknowledged = "acknowledged",
        /// Refused by the broker with a reason code.
        Refused = "refused",
        /// Deliveries that the published messages call for.
        Expected = "expected",
        /// Of these, the ones that have QoS 1 or 2 on their whole way.
        ExpectedAssured = "expected_assured",
        /// Messages that came, whatever they are.
        Received = "received",
        /// Deliveries that were called for, each counted once.
        Delivered = "delivered",
        /// Of these, the ones that have QoS 1 or 2 on their whole way.
        DeliveredAssured = "delivered_assured",
        /// Delivered again.
        Duplicates = "duplicates",
        /// Of those delivered again, the ones that QoS 1 allows, from the publisher or to the subscriber.
        Repeated = "repeated",
        /// Delivered behind a later message of the same publisher.
        OutOfOrder = "out_of_order",
        /// From nobody of this run, or from an earlier one.
        Stray = "stray",
        /// Without a stamp to count them by.
        Unstamped = "unstamped",
        /// Window slots that were taken back, because nothing had come for a while.
        WrittenOff = "written_off",
        /// Messages of a fixed rate that were not sent because too many waited already.
        Overrun = "overrun",
        /// Messages of a fixed rate that were due while their publisher was not connected.
        Unconnected = "unconnected",
        /// Messages of a fixed rate that were due and still waited when publishing ended.
        Waiting = "waiting",
        /// Payload bytes published.
        BytesOut = "bytes_out",
        /// Payload bytes received.
        BytesIn = "bytes_in",
        /// Messages of clearing up that were acknowledged.
        Cleared = "cleared",
        /// Filters that were subscribed to.
        Subscribed = "subscribed",
        /// Filters that the broker refused.
        SubscribeRefused = "subscribe_refused",
    }
}

counters! {
    /// What is counted of the clients of a group.
    Census {
        /// Connections that were begun.
        Begun = "begun",
        /// Accepted by the broker.
        Accepted = "accepted",
        /// Accepted and, where they subscribe, subscribed.
        Ready = "ready",
        /// Connections that came to nothing.
        Failed = "failed",
        /// Ready, and left by themselves because they come and go.
        Parted = "parted",
        /// Accepted and ended by somebody else.
        Lost = "lost",
        /// Accepted and ended from this side.
        Left = "left",
    }
}

/// Numbers of each [`Count`] and, for each group, of each [`Census`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    messages: [u64; Count::ALL.len()],
    groups: Vec<[u64; Census::ALL.len()]>,
}

impl Counts {
    /// All zero.
    pub fn new(groups: usize) -> Self {
        Self { groups: vec![[0; Census::ALL.len()]; groups], ..Self::default() }
    }

    /// Adds to one of the messages' numbers.
    pub fn add(&mut self, count: Count, number: u64) {
        if let Some(sum) = self.messages.get_mut(count as usize) {
            *sum = sum.wrapping_add(number);
        }
    }

    /// Counts one client of a group.
    pub fn note(&mut self, group: usize, census: Census) {
        let numbers = self.groups.get_mut(group);
        if let Some(sum) = numbers.and_then(|numbers| numbers.get_mut(census as usize)) {
            *sum += 1;
        }
    }

    /// One of the messages' numbers.
    pub fn get(&self, count: Count) -> u64 {
        self.messages.get(count as usize).copied().unwrap_or_default()
    }

    /// A number of a group.
    pub fn of(&self, group: usize, census: Census) -> u64 {
        let numbers = self.groups.get(group);
        numbers.and_then(|numbers| numbers.get(census as usize)).copied().unwrap_or_default()
    }

    /// The same number of all groups together.
    pub fn all(&self, census: Census) -> u64 {
        (0..self.groups.len()).map(|group| self.of(group, census)).sum()
    }

    /// Clients of a group that are connected now.
    pub fn standing(&self, group: usize) -> u64 {
        let ended = self.of(group, Census::Lost) + self.of(group, Census::Left);
        self.of(group, Census::Accepted).saturating_sub(ended)
    }

    /// Clients of a group that are ready and stay for now. Who was lost before it was ready is missing
    /// here.
    pub fn staying(&self, group: usize) -> u64 {
        let gone = self.of(group, Census::Lost) + self.of(group, Census::Parted);
        self.of(group, Census::Ready).saturating_sub(gone)
    }

    /// Clients of all groups that are connected now.
    pub fn all_standing(&self) -> u64 {
        (0..self.groups.len()).map(|group| self.standing(group)).sum()
    }

    /// How much a number has grown since `earlier`.
    pub fn since(&self, earlier: &Self, count: Count) -> u64 {
        self.get(count).saturating_sub(earlier.get(count))
    }

    /// How much a number of all groups has grown since `earlier`.
    pub fn all_since(&self, earlier: &Self, census: Census) -> u64 {
        self.all(census).saturating_sub(earlier.all(census))
    }
}

/// The numbers of one thread, as others read them.
#[derive(Debug)]
pub(crate) struct Board {
    messages: [AtomicU64; Count::ALL.len()],
    groups: Vec<[AtomicU64; Census::ALL.len()]>,
    moved: AtomicU64,
}

impl Board {
    pub(crate) fn new(groups: usize) -> Self {
        Self {
            messages: std::array::from_fn(|_| AtomicU64::new(0)),
            groups: (0..groups).map(|_| std::array::from_fn(|_| AtomicU64::new(0))).collect(),
            moved: AtomicU64::new(0),
        }
    }

    /// Shows the numbers and when something came last. Only the thread whose board it is calls this.
    pub(crate) fn show(&self, counts: &Counts, moved: Instant) {
        self.moved.store(moved.as_nanos(), Ordering::Relaxed);
        let show = |places: &[AtomicU64], numbers: &[u64]| {
            for (place, number) in places.iter().zip(numbers) {
                place.store(*number, Ordering::Relaxed);
            }
        };
        show(&self.messages, &counts.messages);
        for (places, numbers) in self.groups.iter().zip(&counts.groups) {
            show(places, numbers);
        }
    }

    /// When something came last.
    pub(crate) fn moved(&self) -> Instant {
        Instant::from_nanos(self.moved.load(Ordering::Relaxed))
    }

    /// Adds what is shown to `counts`.
    pub(crate) fn add_to(&self, counts: &mut Counts) {
        let add = |numbers: &mut [u64], places: &[AtomicU64]| {
            for (number, place) in numbers.iter_mut().zip(places) {
                *number = number.wrapping_add(place.load(Ordering::Relaxed));
            }
        };
        add(&mut counts.messages, &self.messages);
        for (numbers, places) in counts.groups.iter_mut().zip(&self.groups) {
            add(numbers, places);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_all_threads_are_added() {
        let boards = [Board::new(2), Board::new(2)];
        let mut counts = Counts::new(2);
        counts.add(Count::Published, 3);
        counts.note(1, Census::Accepted);
        counts.note(1, Census::Accepted);
        counts.note(1, Census::Lost);
        for board in &boards {
            board.show(&counts, Instant::ZERO);
        }
        let mut sum = Counts::new(2);
        for board in &boards {
            board.add_to(&mut sum);
        }
        assert_eq!(sum.get(Count::Published), 6);
        assert_eq!((sum.standing(0), sum.standing(1), sum.all_standing()), (0, 2, 2));
        assert_eq!(sum.since(&counts, Count::Published), 3);
    }
}
