use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Alarm {
    /// The node that it is about.
    pub node: String,
    /// Its name.
    pub name: String,
    /// What it is about, for a person.
    pub message: String,
    /// When it began.
    pub activate_at: Option<Moment>,
    /// When it ended; none of one that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deactivate_at: Option<Moment>,
}

/// Which alarms are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Those that stand, which is what is meant where nothing is said, or those that are over: the last thousand since the
    /// node started.
    pub activated: Option<bool>,
}
