use std::{future::Future, pin::Pin, time::Duration};

use bytes::Bytes;

/// What is sent in one kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Data points.
    Metrics,
    /// Records of the log.
    Logs,
}

impl Signal {
    /// Where it goes, below the address of the collector.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// What one request has many of.
    pub(crate) const fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "metric points",
            Self::Logs => "log records",
        }
    }
}

/// What a collector made of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has taken it, and says so with this body.
    Taken(Bytes),
    /// Not now, or it could not be reached: why, and when it may be asked again if it says so.
    Later(String, Option<Duration>),
    /// It will never take this one, and why.
    Refused(String),
}

/// A request under way.
pub type Posting<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Who collects. A crate that speaks HTTP implements it.
pub trait Collector: Send + Sync {
    /// Sends a body of protobuf there. Whoever calls bounds the time.
    fn post(&self, signal: Signal, body: Bytes) -> Posting<'_>;
}
