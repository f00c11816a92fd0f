use super::{AnyValue, InstrumentationScope, KeyValue, Resource};

/// The body of `POST /v1/logs`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportLogsRequest {
    /// Records by what sends them.
    #[prost(message, repeated, tag = "1")]
    pub resource_logs: Vec<ResourceLogs>,
}

/// Records of one resource.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ResourceLogs {
    /// What sends them.
    #[prost(message, optional, tag = "1")]
    pub resource: Option<Resource>,
    /// Records by the part of it that made them.
    #[prost(message, repeated, tag = "2")]
    pub scope_logs: Vec<ScopeLogs>,
}

/// Records of one part.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScopeLogs {
    /// The part.
    #[prost(message, optional, tag = "1")]
    pub scope: Option<InstrumentationScope>,
    /// The records.
    #[prost(message, repeated, tag = "2")]
    pub log_records: Vec<LogRecord>,
}

/// A record of the log.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LogRecord {
    /// When it was written, in nanoseconds since 1970.
    #[prost(fixed64, tag = "1")]
    pub time_unix_nano: u64,
    /// 1 trace, 5 debug, 9 info, 13 warning, 17 error.
    #[prost(int32, tag = "2")]
    pub severity_number: i32,
    /// The same as a word.
    #[prost(string, tag = "3")]
    pub severity_text: String,
    /// What it says.
    #[prost(message, optional, tag = "5")]
    pub body: Option<AnyValue>,
    /// What it says of what.
    #[prost(message, repeated, tag = "6")]
    pub attributes: Vec<KeyValue>,
    /// When it was taken for sending.
    #[prost(fixed64, tag = "11")]
    pub observed_time_unix_nano: u64,
}
