use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{RatioText, RuleFilter, Secret, Span};

/// What the node tells an OpenTelemetry collector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// Where the collector is, such as `"http://127.0.0.1:4318"`. Requests go to `/v1/traces`, `/v1/metrics` and `/v1/logs`
    /// below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Header fields with their values, as keys of a service; `"file:<path>"` for the first line of a file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// Whether the collector may be spoken to in clear text (`http://`) at another machine than this one.
    pub cleartext: bool,
    /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the node shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How long a request may take.
    pub timeout: Span,
    /// `service.name` of all that is sent; `service.instance.id` is the name of the node.
    pub service_name: String,
    /// Traces of messages from publisher to subscribers.
    pub traces: TraceSettings,
    /// What the node measures.
    pub metrics: MetricSettings,
    /// The node's own log.
    pub logs: LogExportSettings,
}

/// Traces of messages from publisher to subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TraceSettings {
    /// Whether messages are traced.
    pub enabled: bool,
    /// How many of the messages without `traceparent` are traced, as a percentage: `"10%"`, `"0.1%"`.
    pub ratio: RatioText,
    /// What a message means that says by the User Property `traceparent` (W3C Trace Context) to which trace it belongs.
    /// `sampled`: it is traced where its sampled flag is set. `always`: it is traced. `never`: as one without, which is for
    /// publishers that are not to decide what is traced.
    pub follow_traceparent: FollowTraceparent,
    /// The topics that are traced, as filters of SUBSCRIBE; all where there is none. Those of a tenant as its clients know
    /// them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<RuleFilter>,
    /// The clients whose messages are traced, by their identifiers, in which `*` stands for anything; all where there is
    /// none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
}

/// What a message with `traceparent` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FollowTraceparent {
    /// It is traced where its sampled flag is set.
    #[default]
    Sampled,
    /// It is traced.
    Always,
    /// As of one without.
    Never,
}

/// What the node measures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricSettings {
    /// Whether metrics are sent: the same that `/metrics` of the API shows.
    pub enabled: bool,
    /// How often they are sent.
    pub interval: Span,
}

/// The node's own log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogExportSettings {
    /// Whether the records of the node's log are sent, as far as `log.level` lets them through. Those of the libraries
    /// that the node is made of are not sent.
    pub enabled: bool,
}

impl TelemetrySettings {
    /// Whether anything is to be sent.
    pub const fn is_enabled(&self) -> bool {
        self.traces.enabled || self.metrics.enabled || self.logs.enabled
    }
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: BTreeMap::new(),
            cleartext: false,
            ca_file: None,
            cert_file: None,
            key_file: None,
            timeout: Span::secs(10),
            service_name: "plexus".to_owned(),
            traces: TraceSettings::default(),
            metrics: MetricSettings::default(),
            logs: LogExportSettings::default(),
        }
    }
}

impl Default for TraceSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            ratio: RatioText::percent(10),
            follow_traceparent: FollowTraceparent::Sampled,
            topics: Vec::new(),
            clients: Vec::new(),
        }
    }
}

impl Default for MetricSettings {
    fn default() -> Self {
        Self { enabled: false, interval: Span::secs(60) }
    }
}
