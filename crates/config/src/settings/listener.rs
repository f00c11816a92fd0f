use plexus_net::{BindOptions, ListenUrl, ProxyProtocol, TlsOptions, WebSocketOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommitMode, MqttOverrides};
use crate::value::{RateText, Span, TenantText};

/// One place where the node listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerSettings {
    /// Where to listen: `tcp://host:port`, `tls://host:port`, `ws://host:port/path`,
    /// `wss://host:port/path` or `unix:///path`.
    pub url: ListenUrl,
    /// The name of the listener in the log; the URL when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tenant whose clients come in here. Nothing else makes one of them another's: who shows that it is
    /// another tenant's client is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantText>,
    /// Whether clients without user name are let in here; as `access.allow_anonymous` when it is
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_anonymous: Option<bool>,
    /// Who is asked about clients that come in here, as `access.chain` when it is left out. Read anew at SIGHUP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<String>>,
    /// Who is asked for rules of clients that come in here, as `access.rules_from` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_from: Option<Vec<String>>,
    /// Connections of this listener; as `limits.max_connections` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_connections: Option<u32>,
    /// How many may connect to this listener, within `limits.max_connection_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_rate: Option<RateText>,
    /// As `limits.max_message_rate` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_rate: Option<RateText>,
    /// As `limits.max_byte_rate` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_byte_rate: Option<RateText>,
    /// The messages of all clients of this listener together, within `limits.max_total_message_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_message_rate: Option<RateText>,
    /// The bytes of all clients of this listener together, within `limits.max_total_byte_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_byte_rate: Option<RateText>,
    /// Subscriptions of all sessions together whose clients came in here last, within
    /// `limits.max_total_subscriptions`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_total_subscriptions: Option<u64>,
    /// As `limits.connect_timeout` when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<Span>,
    /// When what the clients of this listener publish, and their sessions, count as kept; as
    /// `store.commit` when it is left out. Without any durable session with `memory`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitMode>,
    /// Whether a load balancer in front sends the PROXY protocol.
    #[serde(default)]
    pub proxy_protocol: ProxyProtocol,
    /// Certificates and rules of TLS; needed for `tls` and `wss`, refused for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsOptions>,
    /// Options of `ws` and `wss`.
    #[serde(default)]
    pub websocket: WebSocketOptions,
    /// Options of the listening socket.
    #[serde(default)]
    pub bind: BindOptions,
    /// Keys of `[mqtt]` that are different for the clients of this listener.
    #[serde(default, skip_serializing_if = "MqttOverrides::is_empty")]
    pub mqtt: MqttOverrides,
}

impl ListenerSettings {
    /// A listener at `url` with every other key left out.
    pub fn new(url: ListenUrl) -> Self {
        Self {
            url,
            name: None,
            tenant: None,
            allow_anonymous: None,
            chain: None,
            rules_from: None,
            max_connections: None,
            max_connection_rate: None,
            max_message_rate: None,
            max_byte_rate: None,
            max_total_message_rate: None,
            max_total_byte_rate: None,
            max_total_subscriptions: None,
            connect_timeout: None,
            commit: None,
            proxy_protocol: ProxyProtocol::Off,
            tls: None,
            websocket: WebSocketOptions::default(),
            bind: BindOptions::default(),
            mqtt: MqttOverrides::default(),
        }
    }
}
