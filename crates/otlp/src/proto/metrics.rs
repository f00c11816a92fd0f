use super::{InstrumentationScope, KeyValue, Resource};

/// The body of `POST /v1/metrics`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportMetricsRequest {
    /// Metrics by what sends them.
    #[prost(message, repeated, tag = "1")]
    pub resource_metrics: Vec<ResourceMetrics>,
}

/// Metrics of one resource.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ResourceMetrics {
    /// What sends them.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Metrics by the part of it that measures them.
    #[prost(message, repeated, tag = "2")]
    pub scope_metrics: Vec<ScopeMetrics>,
}

/// Metrics of one part.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopeMetrics {
    /// The part.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// The metrics.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
}

/// Something that is measured.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Metric {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// What it is.
    #[prost(string, tag = "2")]
    pub description: String,
    /// Its unit, by the Unified Code for Units of Measure.
    #[prost(string, tag = "3")]
    pub unit: String,
    /// What was measured.
    #[prost(oneof = "MetricKind", tags = "5, 7, 9")]
    pub data: Option<MetricKind>,
}

/// The kinds of metrics that the node has.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum MetricKind {
    /// How much it is now.
    #[prost(message, tag = "5")]
    Gauge(Gauge),
    /// How much it came to.
    #[prost(message, tag = "7")]
    Sum(Sum),
    /// How much there was of each size.
    #[prost(message, tag = "9")]
    Histogram(Histogram),
}

/// How much something is now.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Gauge {
    /// The measurements.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
}

/// How much something came to.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sum {
    /// The measurements.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<NumberDataPoint>,
    /// 1 since the last one, 2 since the start.
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
    /// Whether it only ever grows.
    #[prost(bool, tag = "3")]
    pub is_monotonic: bool,
}

/// A number at a moment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct NumberDataPoint {
    /// Since when it counts, in nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// When it was read.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// What tells it from others of its metric.
    #[prost(message, repeated, tag = "7")]
    pub attributes: Vec<KeyValue>,
    /// The number.
    #[prost(oneof = "NumberValue", tags = "4, 6")]
    pub value: Option<NumberValue>,
}

/// The kinds of numbers.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum NumberValue {
    /// With a fraction.
    #[prost(double, tag = "4")]
    Double(f64),
    /// Whole.
    #[prost(sfixed64, tag = "6")]
    Int(i64),
}

/// How much there was of each size.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Histogram {
    /// The measurements.
    #[prost(message, repeated, tag = "1")]
    pub data_points: Vec<HistogramDataPoint>,
    /// 1 since the last one, 2 since the start.
    #[prost(int32, tag = "2")]
    pub aggregation_temporality: i32,
}

/// A histogram at a moment.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HistogramDataPoint {
    /// Since when it counts, in nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub start_time_unix_nano: u64,
    /// When it was read.
    #[prost(fixed64, tag = "3")]
    pub time_unix_nano: u64,
    /// How many there were.
    #[prost(fixed64, tag = "4")]
    pub count: u64,
    /// What they are together.
    #[prost(double, optional, tag = "5")]
    pub sum: Option<f64>,
    /// How many of each size: one more than there are bounds, the last for what is above all of them.
    #[prost(fixed64, repeated, tag = "6")]
    pub bucket_counts: Vec<u64>,
    /// Upper bounds of the sizes, ascending.
    #[prost(double, repeated, tag = "7")]
    pub explicit_bounds: Vec<f64>,
}
