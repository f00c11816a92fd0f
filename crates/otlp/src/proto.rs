//! The messages of OTLP, as far as the node sends and reads them. The fields and their numbers are those of the
//! OpenTelemetry protocol, version 1.

mod logs;
mod metrics;
mod resource;
mod trace;

pub use self::{
    logs::{ExportLogsRequest, LogRecord, ResourceLogs, ScopeLogs},
    metrics::{
        ExportMetricsRequest, Gauge, Histogram, HistogramDataPoint, Metric, MetricKind,
        NumberDataPoint, NumberValue, ResourceMetrics, ScopeMetrics, Sum,
    },
    resource::{AnyValue, AnyValueKind, InstrumentationScope, KeyValue, Resource},
    trace::{ExportTraceRequest, ResourceSpans, ScopeSpans, Span},
};

/// What a collector answers to each kind of request.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportResponse {
    /// Set where not everything was taken, or where it has to say something.
    #[prost(message, optional, tag = "1")]
    pub partial_success: Option<PartialSuccess>,
}

/// What was not taken. It must not be sent again.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct PartialSuccess {
    /// How many spans, data points or records.
    #[prost(int64, tag = "1")]
    pub rejected: i64,
    /// Why, for a person.
    #[prost(string, tag = "2")]
    pub error_message: String,
}
