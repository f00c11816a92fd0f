//! The keys of `plexus.toml`. Their documentation is the reference page and the JSON Schema.

mod access;
mod api;
mod ask;
mod audit;
mod authenticators;
mod back_ends;
mod events;
mod listener;
mod mqtt;
mod telemetry;
mod tenant;

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::access::USERS;
pub use self::{
    access::{
        AccessRule, AccessSettings, Activity, BanSettings, FlappingSettings, LockoutSettings,
        NoMatch, UsersBy,
    },
    api::ApiSettings,
    ask::AskSettings,
    audit::AuditSettings,
    authenticators::{CertificateField, CertificateSettings, JwtSettings, TokenPlace},
    back_ends::{
        BackEnd, HttpMethod, HttpSettings, LdapProof, LdapSettings, MysqlSettings, OnFailure,
        PostgresSettings, RedisSettings, Terms,
    },
    events::EventSettings,
    listener::ListenerSettings,
    mqtt::{MqttOverrides, MqttSettings, QueueFull},
    telemetry::{
        FollowTraceparent, LogExportSettings, MetricSettings, TelemetrySettings, TraceSettings,
    },
    tenant::TenantSettings,
};
use crate::value::{ByteSize, LogFilter, RateText, RuleFilter, Span, SpanOrNever, Watermark};

/// The configuration of a Plexus node.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The node itself.
    pub node: NodeSettings,
    /// How what must survive is kept in `node.data_dir`.
    pub store: StoreSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Who may connect, publish and subscribe.
    pub access: AccessSettings,
    /// The certificates of all listeners.
    pub tls: TlsSettings,
    /// The record of who was refused what, and of what was changed.
    pub audit: AuditSettings,
    /// Management over HTTP.
    pub api: ApiSettings,
    /// What happens to clients, told as messages below `$events/`.
    pub events: EventSettings,
    /// Limits of connections.
    pub limits: LimitSettings,
    /// Limits and abilities of every client; a listener may have its own under `mqtt`.
    pub mqtt: MqttSettings,
    /// Limits of retained messages.
    pub retained: RetainedSettings,
    /// How messages are dealt out within shared subscriptions.
    pub shared: SharedSettings,
    /// What happens when memory runs short.
    pub memory: MemorySettings,
    /// What the node tells about itself.
    pub sys: SysSettings,
    /// What the node tells an OpenTelemetry collector, by OTLP over HTTP with protobuf. Nothing unless one of `traces`, `metrics`
    /// and `logs` is enabled. Read at the start.
    pub telemetry: TelemetrySettings,
    /// Where the node listens, one table a listener. Without any it listens at
    /// `tcp://127.0.0.1:1883` and `ws://127.0.0.1:8083/mqtt`; at every address instead of
    /// `127.0.0.1` once there are users or `access.allow_anonymous` is true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub listener: Vec<ListenerSettings>,
}

/// The node itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NodeSettings {
    /// The name of the node in `$SYS` and in the log.
    pub name: String,
    /// The directory for what is to outlive the process: sessions that outlive their connection, with
    /// what waits for them, and retained messages, as `store.commit` and the `commit` of a listener or
    /// of a topic say. Without it they are held in memory and end with the process. It is made when it is
    /// missing; where that or writing fails, the node does not start. One node at a time uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// How long a node that is told to stop waits for its connections to take what is on its way.
    pub shutdown_grace: Span,
    /// Parts of the node that own clients and their sessions, each with a thread of its own when there is
    /// work for all of them; 0 for one a core.
    #[schemars(range(max = 64))]
    pub shards: u16,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self { name: "plexus".into(), data_dir: None, shutdown_grace: Span::secs(5), shards: 0 }
    }
}

/// When something counts as kept, and is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommitMode {
    /// When the disk has it: it survives a loss of power.
    Fsync,
    /// When the operating system has it: it survives a crash of the program.
    Os,
    /// At once: nothing is stored.
    Memory,
}

/// How what must survive is kept in `node.data_dir`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// When something counts as kept and is acknowledged: `fsync` when the disk has it, which
    /// survives a loss of power; `os` when the operating system has it, which survives a crash of
    /// the program; `memory` at once, and nothing is stored. Without `node.data_dir` there is no
    /// place to keep anything in, and `memory` is all there is.
    pub commit: CommitMode,
    /// What the files of the log may take together, at least eight segments; 0 for what the disk
    /// has. Six segments of it (or of what the disk has), and a ninth of the rest, are for order: when
    /// what is stored takes more, what has to be stored is refused and the rest is served.
    pub max_size: ByteSize,
    /// The size of each file of the log.
    pub segment_size: ByteSize,
    /// Topics whose messages count as kept at another moment than `store.commit` and the listener of
    /// their publisher say; the first one that matches decides. A QoS 2 message for a session that
    /// outlives its connection is recorded in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topic: Vec<TopicRule>,
}

/// When messages of some topics count as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicRule {
    /// The topics, as a filter of SUBSCRIBE.
    pub filter: RuleFilter,
    /// When their messages count as kept.
    pub commit: CommitMode,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            commit: CommitMode::Fsync,
            max_size: ByteSize::bytes(0),
            segment_size: ByteSize::mib(64),
            topic: Vec::new(),
        }
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`; for single modules too, as in
    /// `"info,plexus_net=debug"`. Read anew at SIGHUP.
    pub level: LogFilter,
    /// How a line of the log looks: `pretty` for a person, `json` as one object a line; `auto` is
    /// `pretty` where stderr is a terminal and `json` elsewhere, as in a service, a container, a
    /// pipe or a file.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// `pretty` on a terminal, `json` elsewhere.
    #[default]
    Auto,
    /// For a person to read.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// The certificates of all listeners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// How often the files of certificates, keys, authorities, revocation lists and OCSP responses are looked
    /// at. Those of a listener are read anew when one of them has changed; `"never"` leaves that to SIGHUP.
    pub reload_interval: SpanOrNever,
    /// How often the revocation lists of `listener.tls.crl_urls` are fetched; sooner when the next one is due
    /// before that, and each minute while they cannot be had.
    pub crl_refresh: Span,
    /// What a node does at its start when one of them cannot be had and none is kept from before.
    pub crl_on_failure: CrlFailure,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            reload_interval: SpanOrNever::secs(60),
            crl_refresh: Span::secs(60 * 60),
            crl_on_failure: CrlFailure::Refuse,
        }
    }
}

/// What a node does that has no revocation list where there should be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CrlFailure {
    /// It does not start.
    #[default]
    Refuse,
    /// It starts without that list; where it has no other, no certificate counts as revoked until one is fetched.
    Ignore,
}

/// Limits of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Connections of the whole node; further ones are refused.
    #[schemars(range(min = 1))]
    pub max_connections: u32,
    /// Sessions of the whole node, connected or not; further clients get Quota exceeded (0x97).
    #[schemars(range(min = 1))]
    pub max_sessions: u32,
    /// Messages that wait in the queues of all sessions together; beyond, `mqtt.queue_policy` of the
    /// receiver decides as if its own queue were full. A publisher gets Quota exceeded (0x97) when its
    /// message reaches nobody for that reason, as far as its own shard knows; what another shard drops
    /// is only counted. Each takes 32 bytes of memory beside its own. With several shards, a
    /// sixteenth more may wait when all fill at the same time.
    pub max_queued_messages: u64,
    /// Bytes of those messages: of topic, payload and properties. Where they are stored, it is
    /// `store.max_size` that limits what they take on the disk.
    pub max_queued_bytes: ByteSize,
    /// Connections that have not yet sent CONNECT. When there are so many, the first one of the address with
    /// most of them is closed for one that comes from elsewhere.
    #[schemars(range(min = 1))]
    pub max_handshakes: u32,
    /// Those of one address (of IPv6: of 64 bits of it); further ones are closed at once. 0 for no limit.
    pub max_handshakes_per_address: u32,
    /// Bytes of all CONNECTs that are still on their way, beside the first 4 KiB of each; a connection that
    /// brings more is closed.
    pub max_handshake_bytes: ByteSize,
    /// Connections of one address (of IPv6: of 64 bits of it); further ones get Quota exceeded (0x97). 0 for
    /// no limit.
    pub max_connections_per_address: u32,
    /// Connections of one user name; further ones get Quota exceeded (0x97). 0 for no limit.
    pub max_connections_per_user: u32,
    /// How many may connect to the node, such as `"1000/s"`: all of them at once, then evenly. Further ones
    /// get Connection rate exceeded (0x9F).
    pub max_connection_rate: RateText,
    /// How many may connect from one address (of IPv6: from 64 bits of it), such as `"30/m"`.
    pub max_connection_rate_per_address: RateText,
    /// How many messages each client may publish. A client that publishes more is read more slowly; nothing
    /// is lost.
    pub max_message_rate: RateText,
    /// How many bytes of PUBLISH packets each client may send, such as `"1MiB/s"`.
    pub max_byte_rate: RateText,
    /// The messages of all clients of the node together.
    pub max_total_message_rate: RateText,
    /// The bytes of all clients of the node together.
    pub max_total_byte_rate: RateText,
    /// The messages of all clients of one user name together.
    pub max_message_rate_per_user: RateText,
    /// The bytes of all clients of one user name together.
    pub max_byte_rate_per_user: RateText,
    /// The messages of all clients of one address (of IPv6: of 64 bits of it) together.
    pub max_message_rate_per_address: RateText,
    /// The bytes of all clients of one address together.
    pub max_byte_rate_per_address: RateText,
    /// Subscriptions of all sessions of the node together, connected or not; further ones get Quota exceeded
    /// (0x97). 0 for no limit. Sessions from before the start count from when their clients have come again, as
    /// with the following two.
    pub max_total_subscriptions: u64,
    /// Subscriptions of the sessions of one user name together. 0 for no limit.
    pub max_subscriptions_per_user: u64,
    /// Subscriptions of the sessions together whose clients came last from one address (of IPv6: from 64 bits of
    /// it). 0 for no limit.
    pub max_subscriptions_per_address: u64,
    /// How long a connection may take to its CONNECT, handshakes included.
    pub connect_timeout: Span,
    /// Bytes of output that a connection has not taken, beyond which its messages wait in its queue.
    pub max_write_buffer: ByteSize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            max_connections: 1_000_000,
            max_sessions: 2_000_000,
            max_queued_messages: 20_000_000,
            max_queued_bytes: ByteSize::mib(64 * 1_024),
            max_handshakes: 10_000,
            max_handshakes_per_address: 0,
            max_handshake_bytes: ByteSize::mib(128),
            max_connections_per_address: 0,
            max_connections_per_user: 0,
            max_connection_rate: RateText::Off,
            max_connection_rate_per_address: RateText::Off,
            max_message_rate: RateText::Off,
            max_byte_rate: RateText::Off,
            max_total_message_rate: RateText::Off,
            max_total_byte_rate: RateText::Off,
            max_message_rate_per_user: RateText::Off,
            max_byte_rate_per_user: RateText::Off,
            max_message_rate_per_address: RateText::Off,
            max_byte_rate_per_address: RateText::Off,
            max_total_subscriptions: 0,
            max_subscriptions_per_user: 0,
            max_subscriptions_per_address: 0,
            connect_timeout: Span::secs(10),
            max_write_buffer: ByteSize::kib(256),
        }
    }
}

/// Limits of retained messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetainedSettings {
    /// Retained messages of the whole node; further topics are not kept.
    pub max_messages: u32,
    /// Bytes of topic, payload and properties of one.
    pub max_message_size: ByteSize,
}

impl Default for RetainedSettings {
    fn default() -> Self {
        Self { max_messages: 10_000_000, max_message_size: ByteSize::mib(1) }
    }
}

/// How messages are dealt out within shared subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SharedSettings {
    /// The strategy of groups that have none of their own.
    pub strategy: Strategy,
    /// Strategies by the name of the group.
    pub groups: BTreeMap<String, Strategy>,
}

/// Who of a shared group gets a message. Members that cannot take it are passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Any, by lot.
    Random,
    /// The same one as long as it can.
    Sticky,
    /// By the publisher: all its messages go to the same member.
    HashClient,
    /// By the topic: all its messages go to the same member.
    HashTopic,
    /// One that lives in the same shard as the publisher, if there is one.
    Local,
    /// The one with the fewest unacknowledged messages.
    LeastInflight,
}

/// What happens when memory runs short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MemorySettings {
    /// Above this, publishers are no longer read until memory is free again: a percentage such as
    /// `"75%"` of the machine's memory, or of the control group's where that is less; a size such as
    /// `"512MiB"`; or `"off"` for no such level.
    pub high_watermark: Watermark,
    /// Above this, new connections are refused too; written as `high_watermark` and not below it.
    pub critical_watermark: Watermark,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self { high_watermark: Watermark::Percent(75), critical_watermark: Watermark::Percent(90) }
    }
}

/// What the node tells about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SysSettings {
    /// How often the numbers under `$SYS` are published; `"never"` for not at all.
    pub interval: SpanOrNever,
}

impl Default for SysSettings {
    fn default() -> Self {
        Self { interval: SpanOrNever::secs(30) }
    }
}
