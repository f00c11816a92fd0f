use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Client, Moment};

/// Somebody who may be there or not. A client that is there is taken as it is, and nothing but its identifier counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Somebody {
    /// Its identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// Its user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpAddr>,
    /// The listener that it comes through; the first of the node where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Publish a message.
    Publish,
    /// Subscribe to a filter.
    Subscribe,
    /// Get a message, where each delivery is asked about.
    Receive,
}

/// A question to the rules.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessQuestion {
    /// Who.
    #[serde(default)]
    pub client: Somebody,
    /// What.
    pub action: Act,
    /// The topic, or the filter of a subscription.
    pub topic: String,
    /// Quality of service.
    #[serde(default)]
    #[schemars(range(max = 2))]
    pub qos: u8,
    /// Whether the message is to be retained.
    #[serde(default)]
    pub retain: bool,
}

/// What the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ruling {
    /// It is allowed.
    Allowed,
    /// It is refused.
    Refused,
    /// They say nothing, and a service is asked (`[[access.ask]]`).
    Asked,
}

/// What the rules say, and which of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AccessAnswer {
    /// What they say.
    pub ruling: Ruling,
    /// Which rule says so, or what holds where none does.
    pub because: String,
}

/// A message that somebody might publish.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishQuestion {
    /// Who publishes; whoever may publish by the API where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Somebody>,
    /// Where to.
    pub topic: String,
    /// Quality of service.
    #[serde(default)]
    #[schemars(range(max = 2))]
    pub qos: u8,
    /// Whether it is to be retained.
    #[serde(default)]
    pub retain: bool,
    /// Receivers that are named at most: 1 to 1,000, 100 where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u64>,
}

/// What would become of the message at a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is written to the client.
    Sent,
    /// It waits in its queue: the client is away, slow, or has as much under way as it takes.
    Queued,
    /// Its queue is full: this message, or the oldest, would be dropped.
    QueueFull,
    /// It is away, and its messages of QoS 0 are not kept.
    Offline,
    /// It is the client's own, which it does not want (No Local).
    NoLocal,
    /// The rules do not let it have the message.
    Refused,
}

/// A client that is subscribed to the topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Receiver {
    /// Its identifier.
    pub clientid: String,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Its filters that the topic meets.
    pub filters: Vec<String>,
    /// Quality of service of the delivery.
    pub qos: u8,
    /// What would become of it.
    pub fate: Fate,
    /// Which rule, where it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A shared group that the topic meets: one of its members gets the message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ReceivingGroup {
    /// The whole filter, `$share/…/` included.
    pub filter: String,
    /// Its members, 100 at most, and of all groups no more than `limit`.
    pub members: Vec<Receiver>,
    /// Whether there are more.
    pub has_more: bool,
}

/// What would become of a message.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct PublishAnswer {
    /// What the rules say to whoever publishes.
    pub publisher: AccessAnswer,
    /// Whether the publisher is connected, or has a session; false for somebody who is not there.
    pub publisher_known: bool,
    /// Who is subscribed to the topic, and what would become of the message there.
    pub receivers: Vec<Receiver>,
    /// The shared groups, 100 at most.
    pub groups: Vec<ReceivingGroup>,
    /// Whether there are more receivers than are named.
    pub has_more: bool,
    /// What would become of the retained message of the topic, where it is to be retained or there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained: Option<String>,
}

/// Something that happened to a client.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ClientEvent {
    /// When.
    pub at: Moment,
    /// Of what kind: `login`, `session`, `access`, `ban`, or another of the audit log.
    pub kind: String,
    /// What: `connect`, `disconnect`, `end`, `publish`, `subscribe`, …
    pub event: String,
    /// How it ended: `done`, `refused` or `failed`.
    pub outcome: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// On what: a topic, a filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The identifier of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// Its user name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The listener that it came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<String>,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What is known of a client: as it is now, and what has happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ClientStory {
    /// The client, if it is connected or has a session.
    pub client: Option<Client>,
    /// In a sentence: whether it is there, and why not.
    pub told: String,
    /// Its last events, the newest first: of the last 16,384 of all clients, and 4,096 refused acts, since the node
    /// started.
    pub events: Vec<ClientEvent>,
}
