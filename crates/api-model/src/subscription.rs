use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A subscription of a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Subscription {
    /// Whose it is.
    pub clientid: String,
    /// The client's tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The node of its session.
    pub node: String,
    /// The topic filter, with `$share/…/` where it is shared.
    pub topic: String,
    /// The highest quality of service of its deliveries.
    pub qos: u8,
    /// No Local: 1 if it does not get its own messages.
    pub nl: u8,
    /// Retain As Published: 1 if deliveries keep the mark.
    pub rap: u8,
    /// Retain Handling: when retained messages are sent, 0 always, 1 to a new subscription, 2 never.
    pub rh: u8,
    /// Whether it is kept on disk.
    pub durable: bool,
}

/// Which subscriptions are wanted. All that is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// The `cursor` of the page before; `none` for the first.
    pub cursor: Option<String>,
    /// Those of this client.
    pub clientid: Option<String>,
    /// Those with exactly this filter.
    pub topic: Option<String>,
    /// Those that this topic meets.
    pub match_topic: Option<String>,
    /// Those of this shared group.
    pub share_group: Option<String>,
    /// Those of this quality of service.
    pub qos: Option<u8>,
    /// Those of this tenant's clients.
    pub tenant: Option<String>,
    /// The node they are on.
    pub node: Option<String>,
}
