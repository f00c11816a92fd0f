//! What is told to a collector, and how.

use std::{fmt, sync::Arc};

use plexus_access::Wildcard;
use plexus_otlp::{Collector, Follow, Options, TraceOptions};

use crate::{
    admission::{Office, Secrets, Unfit},
    load::Config,
    report::{ConfigError, Diagnostic},
    settings::{FollowTraceparent, TraceSettings},
};

/// Each message that may be traced is compared with each of them.
const FILTERS_MAX: usize = 64;
/// Bytes of a name of a service.
const NAME_MAX: usize = 256;

/// What a node sends, and who takes it.
#[derive(Clone)]
pub struct TelemetryPlan {
    /// What is sent.
    pub options: Options,
    /// Who takes it.
    pub collector: Arc<dyn Collector>,
}

impl fmt::Debug for TelemetryPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryPlan").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Config {
    /// What is sent, if anything is. Reads the secrets and files that it takes.
    pub(crate) fn telemetry(
        &self,
        office: &Office<'_>,
    ) -> Result<Option<TelemetryPlan>, ConfigError> {
        let settings = &self.settings.telemetry;
        if !settings.is_enabled() || settings.endpoint.is_none() {
            return Ok(None);
        }
        let mut secrets = Secrets::default();
        for (name, value) in &settings.headers {
            let secret = self.secret(&["telemetry", "headers", name], value)?;
            secrets.put(name, secret);
        }
        let collector = office.back_ends.collector(settings, &secrets, &office.runtime);
        let collector = collector.map_err(|Unfit { key, problem }| {
            let message = format!("`{key}` {problem}");
            ConfigError::one(self.mistake(&["telemetry", key], message))
        })?;
        let (traces, metrics) = (&settings.traces, &settings.metrics);
        let options = Options {
            service: settings.service_name.clone(),
            instance: self.settings.node.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            timeout: settings.timeout.get(),
            traces: traces.enabled.then(|| trace_options(traces)),
            metrics: metrics.enabled.then(|| metrics.interval.get()),
            logs: settings.logs.enabled,
        };
        Ok(Some(TelemetryPlan { options, collector }))
    }

    /// The mistakes in it that its types let pass.
    pub(crate) fn mistakes_in_telemetry(&self) -> Vec<Diagnostic> {
        let settings = &self.settings.telemetry;
        let mut found = Vec::new();
        let mut add = |path: &[&str], message: String, help: &str| {
            found.push(self.mistake(path, message).with_help(help));
        };
        if settings.endpoint.is_none() {
            let parts = [
                ("traces", settings.traces.enabled),
                ("metrics", settings.metrics.enabled),
                ("logs", settings.logs.enabled),
            ];
            if let Some((part, _)) = parts.into_iter().find(|(_, enabled)| *enabled) {
                let message = "there is no collector to send anything to".to_owned();
                let help = "set telemetry.endpoint, as \"http://127.0.0.1:4318\"";
                add(&["telemetry", part, "enabled"], message, help);
            }
        }
        if settings.cert_file.is_some() != settings.key_file.is_some() {
            let (key, other) = match settings.cert_file {
                Some(_) => ("cert_file", "telemetry.key_file"),
                None => ("key_file", "telemetry.cert_file"),
            };
            let message = "a certificate and its key belong together".to_owned();
            add(&["telemetry", key], message, &format!("set {other}"));
        }
        if settings.service_name.is_empty() || settings.service_name.len() > NAME_MAX {
            let message = "no name of a service".to_owned();
            add(&["telemetry", "service_name"], message, "use 1 to 256 bytes");
        }
        let TraceSettings { topics, clients, .. } = &settings.traces;
        for (key, count) in [("topics", topics.len()), ("clients", clients.len())] {
            if count > FILTERS_MAX {
                let help = format!("use at most {FILTERS_MAX}, with wildcards");
                add(&["telemetry", "traces", key], format!("{count} {key}"), &help);
            }
        }
        found
    }

    /// A collector that is sent nothing.
    pub(crate) fn idle_collector(&self) -> Option<Diagnostic> {
        let settings = &self.settings.telemetry;
        let is_idle = settings.endpoint.is_some() && !settings.is_enabled();
        let help =
            "set telemetry.traces.enabled, telemetry.metrics.enabled or telemetry.logs.enabled";
        let message = "nothing is sent there";
        is_idle.then(|| self.mistake(&["telemetry", "endpoint"], message).with_help(help))
    }
}

fn trace_options(settings: &TraceSettings) -> TraceOptions {
    TraceOptions {
        ratio: settings.ratio.get(),
        follow: match settings.follow_traceparent {
            FollowTraceparent::Sampled => Follow::Sampled,
            FollowTraceparent::Always => Follow::Always,
            FollowTraceparent::Never => Follow::Never,
        },
        topics: settings.topics.iter().map(|filter| filter.get().clone()).collect(),
        clients: settings.clients.iter().map(|text| Wildcard::new(text)).collect(),
    }
}

#[cfg(test)]
mod tests;
