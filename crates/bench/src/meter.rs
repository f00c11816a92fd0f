//! Distributions of times: what each thread records and what the run makes of it.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What a time is measured of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// From when a connection was due to its CONNACK.
    Connect,
    /// From SUBSCRIBE to SUBACK.
    Subscribe,
    /// From when a message was due to its PUBACK or PUBCOMP.
    Acknowledge,
    /// From when a message was due to its arrival at a subscriber.
    Deliver,
    /// From when a message was due to when it was given to its connection: how late the generator
    /// was, or how long a full window held it up.
    Lag,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Connect, Self::Subscribe, Self::Acknowledge, Self::Deliver, Self::Lag];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Subscribe => "subscribe",
            Self::Acknowledge => "acknowledge",
            Self::Deliver => "deliver",
            Self::Lag => "lag",
        }
    }
}

/// One histogram for each [`Metric`] that was recorded.
#[derive(Debug, Clone, Default)]
pub struct Meters([Option<Box<Histogram<u64>>>; 5]);

impl Meters {
    /// Times told apart, in nanoseconds, with three digits; what is above counts as the highest.
    const LOWEST: u64 = 1;
    const HIGHEST: u64 = 600_000_000_000;
    const DIGITS: u8 = 3;

    /// Records a time.
    pub fn record(&mut self, metric: Metric, time: Duration) {
        if let Some(histogram) = self.0.get_mut(metric as usize) {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(Self::HIGHEST);
            histogram.get_or_insert_with(|| Box::new(Self::empty())).saturating_record(nanos);
        }
    }

    /// Takes everything over from `other`, which is empty afterwards.
    pub fn absorb(&mut self, other: &mut Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&mut other.0) {
            let Some(theirs) = theirs.as_mut().filter(|histogram| !histogram.is_empty()) else {
                continue;
            };
            let mine = mine.get_or_insert_with(|| Box::new(Self::empty()));
            mine.add(&**theirs).expect("invariant: all histograms have the same bounds");
            theirs.reset();
        }
    }

    /// The distribution of that metric, if anything was recorded.
    pub fn quantiles(&self, metric: Metric) -> Option<Quantiles> {
        let histogram = self.0.get(metric as usize)?.as_ref()?;
        (!histogram.is_empty()).then(|| Quantiles::of(histogram))
    }

    fn empty() -> Histogram<u64> {
        let histogram = Histogram::new_with_bounds(Self::LOWEST, Self::HIGHEST, Self::DIGITS);
        histogram.expect("invariant: the bounds are constants that the histogram takes")
    }
}

/// A distribution in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Quantiles {
    /// How many times were recorded.
    pub count: u64,
    /// The smallest.
    #[serde(rename = "min_us")]
    pub min: f64,
    /// Arithmetic mean.
    #[serde(rename = "mean_us")]
    pub mean: f64,
    /// Median.
    #[serde(rename = "p50_us")]
    pub p50: f64,
    /// 90 of 100 are below.
    #[serde(rename = "p90_us")]
    pub p90: f64,
    /// 99 of 100 are below.
    #[serde(rename = "p99_us")]
    pub p99: f64,
    /// 999 of 1,000 are below.
    #[serde(rename = "p999_us")]
    pub p999: f64,
    /// 9,999 of 10,000 are below.
    #[serde(rename = "p9999_us")]
    pub p9999: f64,
    /// The largest.
    #[serde(rename = "max_us")]
    pub max: f64,
}

impl Quantiles {
    /// Of a histogram in nanoseconds.
    pub fn of(nanos: &Histogram<u64>) -> Self {
        let at = |quantile| nanos.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            count: nanos.len(),
            min: nanos.min() as f64 / 1000.0,
            mean: nanos.mean() / 1000.0,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: nanos.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_recorded_is_one_distribution() {
        let (mut all, mut one) = (Meters::default(), Meters::default());
        for millis in 1..=100 {
            one.record(Metric::Deliver, Duration::from_millis(millis));
        }
        all.absorb(&mut one);
        assert_eq!(one.quantiles(Metric::Deliver), None);
        one.record(Metric::Deliver, Duration::from_hours(9));
        all.absorb(&mut one);
        let found = all.quantiles(Metric::Deliver).unwrap();
        assert!(found.count == 101 && (found.p50 / 51_000.0 - 1.0).abs() < 0.01, "{found:?}");
        assert!((found.max / 6e8 - 1.0).abs() < 0.1, "more than ten minutes count as ten");
        assert_eq!(all.quantiles(Metric::Lag), None);
    }
}
