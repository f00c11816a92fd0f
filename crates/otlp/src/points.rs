//! What a node measures as metrics of OTLP: cumulative since the start, without attributes.

use plexus_porch::{HistogramView, Measure, Metric, MetricValue};
use plexus_types::Instant;

use crate::proto::{
    self, Gauge, Histogram, HistogramDataPoint, MetricKind, NumberDataPoint, NumberValue, Sum,
};

/// Since the start.
const CUMULATIVE: i32 = 2;

/// When it was measured: from the start until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Period {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
}

/// The metric with one measurement.
pub(crate) fn metric(metric: &Metric, period: Period) -> proto::Metric {
    let data = match &metric.value {
        MetricValue::Counter(value) => MetricKind::Sum(Sum {
            data_points: vec![number(*value, period)],
            aggregation_temporality: CUMULATIVE,
            is_monotonic: true,
        }),
        MetricValue::Gauge(value) => {
            MetricKind::Gauge(Gauge { data_points: vec![number(*value, period)] })
        }
        MetricValue::Histogram(view) => MetricKind::Histogram(Histogram {
            data_points: vec![histogram(view, period)],
            aggregation_temporality: CUMULATIVE,
        }),
    };
    proto::Metric {
        name: format!("plexus.{}", metric.name),
        description: metric.help.to_string(),
        unit: metric.unit().to_owned(),
        data: Some(data),
    }
}

fn number(value: u64, Period { start, now }: Period) -> NumberDataPoint {
    NumberDataPoint {
        start_time_unix_nano: start.as_nanos(),
        time_unix_nano: now.as_nanos(),
        attributes: Vec::new(),
        value: Some(NumberValue::Int(i64::try_from(value).unwrap_or(i64::MAX))),
    }
}

fn histogram(view: &HistogramView, Period { start, now }: Period) -> HistogramDataPoint {
    let size = |size: u64| match view.measure {
        Measure::Time => size as f64 / 1_000_000.0,
        Measure::Count => size as f64,
    };
    // What is counted up to each bound, and all that there is, to what is between them.
    let so_far = view.buckets.iter().map(|(_, count)| *count).chain([view.count]);
    let mut before = 0;
    let bucket_counts = so_far.map(|count| {
        let between = count.saturating_sub(before);
        before = count;
        between
    });
    HistogramDataPoint {
        start_time_unix_nano: start.as_nanos(),
        time_unix_nano: now.as_nanos(),
        count: view.count,
        sum: Some(size(view.sum)),
        bucket_counts: bucket_counts.collect(),
        explicit_bounds: view.buckets.iter().map(|(bound, _)| size(*bound)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plexus_porch::{Histogram, Measure, Metric, MetricValue};
    use plexus_types::Instant;

    use super::{Period, metric};
    use crate::proto::{MetricKind, NumberValue};

    const PERIOD: Period = Period { start: Instant::from_secs(1), now: Instant::from_secs(9) };

    fn of(name: &'static str, value: MetricValue) -> crate::proto::Metric {
        metric(&Metric { name: name.into(), help: "Help.".into(), value }, PERIOD)
    }

    #[test]
    fn what_grows_is_a_sum_and_what_is_now_a_gauge() {
        let sum = of("messages.received", MetricValue::Counter(7));
        assert_eq!((&*sum.name, &*sum.description), ("plexus.messages.received", "Help."));
        let Some(MetricKind::Sum(sum)) = sum.data else { panic!("a sum") };
        assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
        let [point] = &sum.data_points[..] else { panic!("one point") };
        assert_eq!(point.value, Some(NumberValue::Int(7)));
        assert_eq!(
            (point.start_time_unix_nano, point.time_unix_nano),
            (1_000_000_000, 9_000_000_000)
        );
        let gauge = of("retained.bytes", MetricValue::Gauge(u64::MAX));
        assert_eq!(gauge.unit, "By");
        let Some(MetricKind::Gauge(gauge)) = gauge.data else { panic!("a gauge") };
        assert_eq!(gauge.data_points[0].value, Some(NumberValue::Int(i64::MAX)));
    }

    #[test]
    fn a_histogram_says_what_is_between_its_bounds() {
        let histogram = Histogram::new(Measure::Time);
        histogram.add_time(Duration::from_micros(60), 2);
        histogram.add_time(Duration::from_micros(10), 1);
        histogram.add_time(Duration::from_mins(1), 4);
        let metric = of("delivery.seconds", MetricValue::Histogram(histogram.view([])));
        assert_eq!(metric.unit, "s");
        let Some(MetricKind::Histogram(histogram)) = metric.data else { panic!("a histogram") };
        let [point] = &histogram.data_points[..] else { panic!("one point") };
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(
            (point.bucket_counts[..3].to_vec(), point.bucket_counts.last()),
            (vec![1, 2, 0], Some(&4))
        );
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
        assert_eq!(point.explicit_bounds[..2], [0.000_05, 0.000_1]);
        assert!((point.sum.unwrap() - 240.000_13).abs() < 1e-9, "{:?}", point.sum);
    }
}
