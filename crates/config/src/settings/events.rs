use plexus_events::EventKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::RuleFilter;

/// What happens to clients, told as messages below `$events/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventSettings {
    /// Which events are published, each under `$events/` and its name, as JSON of QoS 0; none where it is left out. Whoever
    /// may subscribe there learns who comes and goes: have a rule say who may. Clients of a tenant see those of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<EventKind>,
    /// Of deliveries and acknowledgements, those of messages whose topics one of these filters meets.
    #[schemars(with = "Vec<String>")]
    pub topics: Vec<RuleFilter>,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self { publish: Vec::new(), topics: "#".parse().into_iter().collect() }
    }
}
