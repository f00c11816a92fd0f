//! How long things take, or how many they are: counted by size, for whoever looks at quantiles.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of durations, in microseconds.
const MICROS: [u64; BOUNDS] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];
/// Upper bounds of numbers of things.
const COUNTS: [u64; BOUNDS] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
const BOUNDS: usize = 16;

/// What is measured, and hence how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Durations: in microseconds here, and in seconds where they are shown.
    Time,
    /// Numbers of things.
    Count,
}

/// A histogram with fixed bounds. Any thread may add to it.
#[derive(Debug)]
pub struct Histogram {
    measure: Measure,
    /// The last is for what is above all bounds.
    buckets: [AtomicU64; BOUNDS + 1],
    sum: AtomicU64,
}

/// A histogram as it was at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistogramView {
    /// What is measured.
    pub measure: Measure,
    /// Upper bounds, each with how many were not above it. The rest is above all of them.
    pub buckets: Vec<(u64, u64)>,
    /// How many there were.
    pub count: u64,
    /// What they are together.
    pub sum: u64,
}

impl Histogram {
    /// Nothing measured yet.
    pub fn new(measure: Measure) -> Self {
        Self { measure, buckets: Default::default(), sum: AtomicU64::new(0) }
    }

    const fn bounds(&self) -> &'static [u64; BOUNDS] {
        match self.measure {
            Measure::Time => &MICROS,
            Measure::Count => &COUNTS,
        }
    }

    /// So many took that long each.
    pub fn add_time(&self, took: Duration, times: u64) {
        self.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), times);
    }

    /// So many were of that size each.
    pub fn add(&self, size: u64, times: u64) {
        let at = self.bounds().partition_point(|bound| *bound < size);
        if let Some(bucket) = self.buckets.get(at) {
            bucket.fetch_add(times, Relaxed);
        }
        self.sum.fetch_add(size.saturating_mul(times), Relaxed);
    }

    /// As it is now, together with others of the same kind.
    pub fn view<'a>(&'a self, others: impl IntoIterator<Item = &'a Self>) -> HistogramView {
        let (mut counts, mut sum) = ([0_u64; BOUNDS + 1], 0_u64);
        for one in std::iter::once(self).chain(others) {
            for (count, bucket) in counts.iter_mut().zip(&one.buckets) {
                *count = count.wrapping_add(bucket.load(Relaxed));
            }
            sum = sum.wrapping_add(one.sum.load(Relaxed));
        }
        let mut so_far = 0;
        let buckets = self.bounds().iter().zip(counts).map(|(bound, count)| {
            so_far += count;
            (*bound, so_far)
        });
        let buckets = buckets.collect();
        HistogramView { measure: self.measure, buckets, count: counts.iter().sum(), sum }
    }
}

/// What a node measures.
#[derive(Debug)]
pub struct Timings {
    /// From when a shard begins with what has come until what it sends for it is with the system: for each delivery,
    /// by shard.
    pub delivery: Vec<Histogram>,
    /// How much waits for a client when one more message has to, itself included: by shard.
    pub queue: Vec<Histogram>,
    /// How long the log takes to keep what it was given.
    pub commit: Histogram,
    /// From accept to CONNECT, TLS and WebSocket included.
    pub handshake: Histogram,
}

impl Timings {
    /// Of a node with so many shards.
    pub fn new(shards: u16) -> Self {
        let of_each = |measure| (0..shards).map(|_| Histogram::new(measure)).collect();
        Self {
            delivery: of_each(Measure::Time),
            queue: of_each(Measure::Count),
            commit: Histogram::new(Measure::Time),
            handshake: Histogram::new(Measure::Time),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Histogram, Measure};

    #[test]
    fn each_stands_below_its_bound() {
        let histogram = Histogram::new(Measure::Time);
        histogram.add_time(Duration::from_micros(50), 2);
        histogram.add_time(Duration::from_micros(51), 1);
        histogram.add_time(Duration::from_mins(1), 1);
        let other = Histogram::new(Measure::Time);
        other.add_time(Duration::ZERO, 1);
        let view = histogram.view([&other]);
        assert_eq!((view.count, view.sum), (5, 151 + 60_000_000));
        assert_eq!(view.buckets.first(), Some(&(50, 3)));
        assert_eq!(view.buckets.get(1), Some(&(100, 4)));
        assert_eq!(view.buckets.last(), Some(&(10_000_000, 4)), "the rest is above all");
    }
}
