use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// A client: connected, or with a session that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Client {
    /// Its identifier.
    pub clientid: String,
    /// Its proved user name.
    pub username: Option<String>,
    /// Its tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The node of its session.
    pub node: String,
    /// The address that it came from last, behind a proxy its real one.
    pub ip_address: Option<String>,
    /// The listener that it came through last.
    pub listener: String,
    /// Whether it is connected.
    pub connected: bool,
    /// When it connected last.
    pub connected_at: Option<Moment>,
    /// When it went, unless it is connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disconnected_at: Option<Moment>,
    /// `MQTT`.
    pub proto_name: String,
    /// 3 for 3.1, 4 for 3.1.1, 5 for 5.0.
    pub proto_ver: u8,
    /// How long it may be silent, in seconds; 0 for no end.
    pub keepalive: u16,
    /// Whether its session ends with its connection.
    pub clean_start: bool,
    /// How long its session waits for it, in seconds; 4,294,967,295 for no end.
    pub expiry_interval: u32,
    /// Whether its session is kept on disk.
    pub durable: bool,
    /// What is known of it beside its name.
    pub client_attrs: BTreeMap<String, String>,
    /// How many subscriptions it has.
    pub subscriptions_cnt: u64,
    /// How many it may have.
    pub subscriptions_max: u64,
    /// QoS 1 and 2 messages to it that are not acknowledged.
    pub inflight_cnt: u64,
    /// How many there may be.
    pub inflight_max: u64,
    /// Messages that wait for it.
    pub mqueue_len: u64,
    /// How many may wait.
    pub mqueue_max: u64,
    /// Their bytes.
    pub mqueue_bytes: u64,
    /// QoS 2 messages of it whose PUBREL has not come.
    pub awaiting_rel_cnt: u64,
    /// Whether its connection takes less than is sent to it.
    pub is_congested: bool,
}

/// The identifier of a client, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct ClientPath {
    /// Its identifier.
    pub clientid: String,
}

/// Whose client is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantQuery {
    /// The tenant of the client; none for those that are of none.
    pub tenant: Option<String>,
}

/// Whether a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConnectionState {
    /// It is.
    Connected,
    /// It is not, and its session waits for it.
    Disconnected,
}

/// Which clients are wanted. All that is said has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// The `cursor` of the page before; `none` for the first.
    pub cursor: Option<String>,
    /// Those of one of these identifiers; may be given several times.
    #[serde(default)]
    pub clientid: Vec<String>,
    /// Those of one of these user names; may be given several times.
    #[serde(default)]
    pub username: Vec<String>,
    /// Those with this in their identifier.
    pub like_clientid: Option<String>,
    /// Those with this in their user name.
    pub like_username: Option<String>,
    /// Those with this in identifier, user name, address, listener, tenant or an attribute, in any case of letters.
    pub search: Option<String>,
    /// Those from this address.
    pub ip_address: Option<String>,
    /// Those of this listener.
    pub listener: Option<String>,
    /// Those of this tenant.
    pub tenant: Option<String>,
    /// Those that are connected, or are not.
    pub conn_state: Option<ConnectionState>,
    /// Those of this version: 3, 4 or 5.
    pub proto_ver: Option<u8>,
    /// Those whose session ends with its connection, or does not.
    pub clean_start: Option<bool>,
    /// The node they are on.
    pub node: Option<String>,
}
