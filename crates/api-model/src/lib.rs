//! *What it is.* The management API as data: a table of operations, what each takes and gives, what can go wrong
//! with it and who may ask for it. The description for other programs (OpenAPI 3.1) is made from it; the server and
//! the command line are held to it by their types.
//!
//! *What it never does.* It listens nowhere, asks nobody and knows no node.
//!
//! *Entry points.* [`operations`], [`Operation`], [`ApiError`], [`openapi()`].
//!
//! *Reading order.* `operation`, `operations`, `error`, `page`, then what is given, then `openapi`.
//!
//! *Tests.* Beside `openapi` and `moment`.

mod account;
mod alarm;
mod backup;
mod ban;
mod client;
mod configuration;
mod error;
mod explain;
mod live;
mod measure;
mod moment;
mod node;
mod openapi;
mod operation;
pub mod operations;
mod page;
mod person;
mod publication;
mod record;
mod subscription;
mod topic;
mod trace;

pub use account::{
    Account, AccountImport, AccountPath, AccountQuery, AccountRule, AccountUpdate,
    AccountsAuthenticator, AccountsImported, AllWord, AuthenticatorPath, HashedAccount,
    NamedRulesPath, NewAccount, Permission, RuleAction, RuleRetain, RuleSource, RuleSources,
    RuleWhom, RulesOfAll, RulesOfOne, RulesPath, RulesQuery,
};
pub use alarm::{Alarm, AlarmQuery};
pub use backup::{Backup, RestoreQuery, Restored, StoredAccount};
pub use ban::{BanAs, BanPath, BanQuery, BanSource, Banned, Infinity, NewBan, Until};
pub use client::{Client, ClientPath, ClientQuery, ConnectionState, TenantQuery};
pub use configuration::{
    ConfigChange, ConfigChanges, ConfigKey, ConfigOutcome, ConfigPatch, ConfigQuery,
    ConfigRollback, ConfigVersion, EffectiveConfig,
};
pub use error::{ApiError, ErrorCode};
pub use explain::{
    AccessAnswer, AccessQuestion, Act, ClientEvent, ClientStory, Fate, PublishAnswer,
    PublishQuestion, Receiver, ReceivingGroup, Ruling, Somebody,
};
pub use live::{
    LiveEventsQuery, LiveKind, LiveMessage, LiveQuery, LiveTopic, LiveTopics, LiveTopicsQuery,
};
pub use measure::{
    NewTopicMetrics, SlowBy, SlowQuery, SlowSettings, SlowSubscription, TopicMetrics,
    TopicMetricsAction, TopicMetricsReset,
};
pub use moment::Moment;
pub use node::{Listener, ListenerStatus, Metrics, NodeState, NodeStatus, Rates, Stats, Status};
pub use openapi::openapi;
pub use operation::{Described, Method, Need, Operation, Outline, Role, Shapes};
pub use page::{Meta, Page};
pub use person::{
    ApiKey, ApiKeyCreated, ApiKeyPath, ApiKeyUpdate, Login, Mfa, MfaBegun, MfaCode, NewApiKey,
    NewUser, PasswordChange, Session, User, UserPath, UserUpdate,
};
pub use publication::{Encoding, Publication, PublicationProperties, Published};
pub use record::{AuditRecord, RecordQuery};
pub use subscription::{Subscription, SubscriptionQuery};
pub use topic::{
    ClientMessage, ClientMessageQuery, NewSubscription, OldSubscription, RetainedMessage,
    RetainedQuery, Route, RouteQuery, TopicLevel, TopicPath, TreeQuery,
};
pub use trace::{
    MonitorQuery, NewTrace, Sample, Trace, TraceBy, TraceLog, TraceLogMeta, TraceLogQuery,
    TracePath, TraceStatus,
};

/// Where all of it stands.
pub const ROOT: &str = "/api/v5";
