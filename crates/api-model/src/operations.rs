//! The table of all operations.

use crate::{
    AccessAnswer, AccessQuestion, Account, AccountImport, AccountPath, AccountQuery, AccountUpdate,
    AccountsAuthenticator, AccountsImported, Alarm, AlarmQuery, ApiKey, ApiKeyCreated, ApiKeyPath,
    ApiKeyUpdate, AuditRecord, AuthenticatorPath, Backup, BanPath, BanQuery, Banned, Client,
    ClientEvent, ClientMessage, ClientMessageQuery, ClientPath, ClientQuery, ClientStory,
    ConfigChanges, ConfigOutcome, ConfigPatch, ConfigQuery, ConfigRollback, ConfigVersion,
    Described, EffectiveConfig, ErrorCode, Listener, LiveEventsQuery, LiveMessage, LiveQuery,
    LiveTopics, LiveTopicsQuery, Login, Metrics, MfaBegun, MfaCode, MonitorQuery, NamedRulesPath,
    Need, NewAccount, NewApiKey, NewBan, NewSubscription, NewTopicMetrics, NewTrace, NewUser,
    NodeState, OldSubscription, Operation, Page, PasswordChange, Publication, PublishAnswer,
    PublishQuestion, Published, Rates, RecordQuery, RestoreQuery, Restored, RetainedMessage,
    RetainedQuery, Route, RouteQuery, RuleSources, RulesOfAll, RulesOfOne, RulesPath, RulesQuery,
    Sample, Session, SlowQuery, SlowSettings, SlowSubscription, Stats, Status, Subscription,
    SubscriptionQuery, TenantQuery, TopicLevel, TopicMetrics, TopicMetricsReset, TopicPath, Trace,
    TraceLog, TraceLogQuery, TracePath, TreeQuery, User, UserPath, UserUpdate,
};

macro_rules! operations {
    ($($name:ident: ($path:ty, $query:ty, $body:ty) -> $answer:ty = $made:expr;)*) => {
        $(
            #[doc = concat!("See [`ALL`].")]
            pub const $name: Operation<$path, $query, $body, $answer> = $made;
        )*

        /// All of them, in the order in which they are shown.
        pub const ALL: &[&dyn Described] = &[$(&$name,)*];
    };
}

/// Bytes of names and passwords: of whom nobody knows nothing more is taken.
const SECRETS_MAX: usize = 4 * 1024;
/// Bytes of messages, in base64 perhaps.
const MESSAGES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of a hundred thousand users with their hashes.
const IMPORT_MAX: usize = 32 * 1024 * 1024;
/// Bytes of a backup.
const BACKUP_MAX: usize = 64 * 1024 * 1024;
/// Bytes of ten thousand names.
const NAMES_MAX: usize = 1024 * 1024;

/// What a stream of events is.
const EVENTS: &str = "text/event-stream";

const NO_CLIENT: &[ErrorCode] = &[ErrorCode::ClientIdNotFound];
const NOT_GRANTED: &[ErrorCode] = &[ErrorCode::ClientIdNotFound, ErrorCode::NotGranted];
const CHANGED: &[ErrorCode] =
    &[ErrorCode::VersionConflict, ErrorCode::NotAllowed, ErrorCode::NotFound];
const NO_ACCOUNT: &[ErrorCode] = &[ErrorCode::NotFound, ErrorCode::UserNotFound];
const KEPT: &[ErrorCode] = &[
    ErrorCode::NotFound,
    ErrorCode::UserNotFound,
    ErrorCode::AlreadyExists,
    ErrorCode::NotAllowed,
];
const NO_USER: &[ErrorCode] = &[ErrorCode::UserNotFound, ErrorCode::NotAllowed];

operations! {
    LOGIN: ((), (), Login) -> Session = Operation::post("login", "/login")
        .needs(Need::Nobody)
        .takes(SECRETS_MAX)
        .fails(&[ErrorCode::BadUserNameOrPassword, ErrorCode::BadMfaToken, ErrorCode::TooManyRequests])
        .says("Users", "Log in: give the token that comes back as Authorization: Bearer with what is asked for afterwards");
    LOGOUT: ((), (), ()) -> () = Operation::post("logout", "/logout")
        .needs(Need::Known)
        .answers(204)
        .says("Users", "End the log-in whose token is shown");
    LIST_USERS: ((), (), ()) -> Vec<User> = Operation::get("list_users", "/users")
        .needs(Need::Administer)
        .says("Users", "All users of the API and the dashboard");
    CREATE_USER: ((), (), NewUser) -> User = Operation::post("create_user", "/users")
        .fails(&[ErrorCode::AlreadyExists])
        .says("Users", "Add a user");
    UPDATE_USER: (UserPath, (), UserUpdate) -> User = Operation::put("update_user", "/users/{username}")
        .fails(NO_USER)
        .says("Users", "Change role and description of a user; log-ins go on with the new role");
    DELETE_USER: (UserPath, (), ()) -> () = Operation::delete("delete_user", "/users/{username}")
        .fails(NO_USER)
        .says("Users", "Delete a user, and end the log-ins; the last administrator stays");
    CHANGE_PASSWORD: (UserPath, (), PasswordChange) -> () =
        Operation::post("change_password", "/users/{username}/change_pwd")
        .needs(Need::Known)
        .answers(204)
        .takes(SECRETS_MAX)
        .fails(&[ErrorCode::BadUserNameOrPassword, ErrorCode::TooManyRequests, ErrorCode::UnauthorizedRole])
        .says("Users", "Change the own password, and end all other log-ins of the user");
    BEGIN_MFA: (UserPath, (), ()) -> MfaBegun = Operation::post("begin_mfa", "/users/{username}/mfa")
        .needs(Need::Known)
        .fails(&[ErrorCode::UnauthorizedRole, ErrorCode::NotAllowed])
        .says("Users", "Make a second factor of the own log-in: it holds when a code of it is shown within ten minutes");
    CONFIRM_MFA: (UserPath, (), MfaCode) -> () = Operation::post("confirm_mfa", "/users/{username}/mfa/confirm")
        .needs(Need::Known)
        .answers(204)
        .fails(&[ErrorCode::UnauthorizedRole, ErrorCode::NotAllowed, ErrorCode::BadMfaToken])
        .says("Users", "Show a code: from now on every log-in of the user needs one");
    END_MFA: (UserPath, (), ()) -> () = Operation::delete("end_mfa", "/users/{username}/mfa")
        .needs(Need::Known)
        .fails(&[ErrorCode::UnauthorizedRole, ErrorCode::UserNotFound])
        .says("Users", "Have the own log-ins need no second factor; an administrator may do so for others, who have lost theirs");
    LIST_API_KEYS: ((), (), ()) -> Vec<ApiKey> = Operation::get("list_api_keys", "/api_key")
        .needs(Need::Administer)
        .says("API keys", "All keys of programs");
    CREATE_API_KEY: ((), (), NewApiKey) -> ApiKeyCreated = Operation::post("create_api_key", "/api_key")
        .fails(&[ErrorCode::AlreadyExists])
        .says("API keys", "Make a key. Its secret is shown in this answer, and never again");
    GET_API_KEY: (ApiKeyPath, (), ()) -> ApiKey = Operation::get("get_api_key", "/api_key/{name}")
        .needs(Need::Administer)
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "A key, without its secret");
    UPDATE_API_KEY: (ApiKeyPath, (), ApiKeyUpdate) -> ApiKey = Operation::put("update_api_key", "/api_key/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "Change what a key may be used for, until when, or that it may not be used");
    DELETE_API_KEY: (ApiKeyPath, (), ()) -> () = Operation::delete("delete_api_key", "/api_key/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("API keys", "Delete a key; it opens nothing any more");
    STATUS: ((), (), ()) -> Status = Operation::get("status", "/status")
        .needs(Need::Nobody)
        .says("Node", "Whether the node serves: for load balancers");
    LIST_NODES: ((), (), ()) -> Vec<NodeState> = Operation::get("list_nodes", "/nodes")
        .says("Node", "The nodes, with version, uptime, memory and connections");
    STATS: ((), (), ()) -> Stats = Operation::get("stats", "/stats")
        .says("Node", "How much there is of each thing now");
    METRICS: ((), (), ()) -> Metrics = Operation::get("metrics", "/metrics")
        .says("Node", "How often each thing has happened since the start");
    MONITOR_CURRENT: ((), (), ()) -> Rates = Operation::get("monitor_current", "/monitor_current")
        .says("Node", "How much there is, and how fast messages come and go");
    MONITOR: ((), MonitorQuery, ()) -> Vec<Sample> = Operation::get("monitor", "/monitor")
        .says("Node", "How it was, every ten seconds, for a day at most and since the start");
    PROMETHEUS: ((), (), ()) -> String = Operation::get("prometheus", "/prometheus/stats")
        .gives("text/plain; version=0.0.4; charset=utf-8")
        .says("Node", "The numbers under EMQX's names, for Prometheus; those of Plexus itself stand at /metrics");
    LIST_LISTENERS: ((), (), ()) -> Vec<Listener> = Operation::get("list_listeners", "/listeners")
        .says("Node", "Where the node listens");
    LIST_TOPIC_METRICS: ((), (), ()) -> Vec<TopicMetrics> = Operation::get("list_topic_metrics", "/mqtt/topic_metrics")
        .says("Messages", "The topics whose messages are counted");
    COUNT_TOPIC: ((), (), NewTopicMetrics) -> TopicMetrics = Operation::post("count_topic", "/mqtt/topic_metrics")
        .fails(&[ErrorCode::AlreadyExists, ErrorCode::NotFound])
        .says("Messages", "Count the messages of a topic from now on, until the node ends");
    RESET_TOPIC_METRICS: ((), (), TopicMetricsReset) -> () = Operation::put("reset_topic_metrics", "/mqtt/topic_metrics")
        .answers(204)
        .fails(&[ErrorCode::NotFound])
        .says("Messages", "Have the counts of a topic, or of all, begin anew");
    GET_TOPIC_METRICS: (TopicPath, TenantQuery, ()) -> TopicMetrics =
        Operation::get("get_topic_metrics", "/mqtt/topic_metrics/{topic}")
        .fails(&[ErrorCode::NotFound])
        .says("Messages", "The counts of a topic");
    DELETE_TOPIC_METRICS: (TopicPath, TenantQuery, ()) -> () =
        Operation::delete("delete_topic_metrics", "/mqtt/topic_metrics/{topic}")
        .fails(&[ErrorCode::NotFound])
        .says("Messages", "Count the messages of a topic no more");
    LIST_SLOW: ((), SlowQuery, ()) -> Page<SlowSubscription> = Operation::get("list_slow_subscriptions", "/slow_subscriptions")
        .says("Clients", "Clients for which messages take long, the slowest first");
    CLEAR_SLOW: ((), (), ()) -> () = Operation::delete("clear_slow_subscriptions", "/slow_subscriptions")
        .says("Clients", "Forget which clients were slow");
    SLOW_SETTINGS: ((), (), ()) -> SlowSettings =
        Operation::get("get_slow_subscriptions_settings", "/slow_subscriptions/settings")
        .says("Clients", "How slow clients are looked for");
    SET_SLOW_SETTINGS: ((), (), SlowSettings) -> SlowSettings =
        Operation::put("set_slow_subscriptions_settings", "/slow_subscriptions/settings")
        .says("Clients", "Look for slow clients, or no more, until the node ends");
    LIST_ALARMS: ((), AlarmQuery, ()) -> Page<Alarm> = Operation::get("list_alarms", "/alarms")
        .says("Node", "What somebody should look at now");
    LIST_CLIENTS: ((), ClientQuery, ()) -> Page<Client> = Operation::get("list_clients", "/clients")
        .says("Clients", "Clients that are connected, or whose sessions wait for them");
    GET_CLIENT: (ClientPath, TenantQuery, ()) -> Client = Operation::get("get_client", "/clients/{clientid}")
        .fails(NO_CLIENT)
        .says("Clients", "A client with the numbers of its session");
    KICK_CLIENT: (ClientPath, TenantQuery, ()) -> () = Operation::delete("kick_client", "/clients/{clientid}")
        .fails(NO_CLIENT)
        .says("Clients", "Disconnect a client (Administrative action, 0x98), and end its session");
    KICK_CLIENTS: ((), TenantQuery, Vec<String>) -> () = Operation::post("kick_clients", "/clients/kickout/bulk")
        .answers(204)
        .takes(NAMES_MAX)
        .says("Clients", "The same of several; who is not there is passed over");
    CLIENT_SUBSCRIPTIONS: (ClientPath, TenantQuery, ()) -> Vec<Subscription> =
        Operation::get("client_subscriptions", "/clients/{clientid}/subscriptions")
        .fails(NO_CLIENT)
        .says("Clients", "What a client is subscribed to");
    SUBSCRIBE_CLIENT: (ClientPath, TenantQuery, NewSubscription) -> Subscription =
        Operation::post("subscribe_client", "/clients/{clientid}/subscribe")
        .fails(NOT_GRANTED)
        .says("Clients", "Subscribe a client, as its rules allow");
    SUBSCRIBE_CLIENT_BULK: (ClientPath, TenantQuery, Vec<NewSubscription>) -> Vec<Subscription> =
        Operation::post("subscribe_client_bulk", "/clients/{clientid}/subscribe/bulk")
        .fails(NOT_GRANTED)
        .says("Clients", "The same for several filters: what is granted comes back");
    UNSUBSCRIBE_CLIENT: (ClientPath, TenantQuery, OldSubscription) -> () =
        Operation::post("unsubscribe_client", "/clients/{clientid}/unsubscribe")
        .answers(204)
        .fails(NO_CLIENT)
        .says("Clients", "Take a subscription of a client back; one that it does not have is passed over");
    UNSUBSCRIBE_CLIENT_BULK: (ClientPath, TenantQuery, Vec<OldSubscription>) -> () =
        Operation::post("unsubscribe_client_bulk", "/clients/{clientid}/unsubscribe/bulk")
        .answers(204)
        .fails(NO_CLIENT)
        .says("Clients", "The same of several");
    CLIENT_QUEUE: (ClientPath, ClientMessageQuery, ()) -> Page<ClientMessage> =
        Operation::get("client_queue", "/clients/{clientid}/mqueue_messages")
        .fails(NO_CLIENT)
        .says("Clients", "What waits for a client, in order");
    CLIENT_INFLIGHT: (ClientPath, ClientMessageQuery, ()) -> Page<ClientMessage> =
        Operation::get("client_inflight", "/clients/{clientid}/inflight_messages")
        .fails(NO_CLIENT)
        .says("Clients", "What is under way to a client and not acknowledged, in order");
    LIST_SUBSCRIPTIONS: ((), SubscriptionQuery, ()) -> Page<Subscription> =
        Operation::get("list_subscriptions", "/subscriptions")
        .says("Clients", "Subscriptions of all clients");
    LIST_TOPICS: ((), RouteQuery, ()) -> Page<Route> = Operation::get("list_topics", "/topics")
        .says("Topics", "The filters that anybody is subscribed to, each once");
    TOPIC_TREE: ((), TreeQuery, ()) -> Page<TopicLevel> = Operation::get("topic_tree", "/topics/tree")
        .says("Topics", "The tree of retained topics, a level at a time");
    GET_TOPIC: (TopicPath, TenantQuery, ()) -> Vec<Route> = Operation::get("get_topic", "/topics/{topic}")
        .fails(&[ErrorCode::NotFound])
        .says("Topics", "Where anybody is subscribed to that filter");
    LIST_RETAINED: ((), RetainedQuery, ()) -> Page<RetainedMessage> =
        Operation::get("list_retained", "/mqtt/retainer/messages")
        .says("Topics", "Retained messages");
    GET_RETAINED: (TopicPath, TenantQuery, ()) -> RetainedMessage =
        Operation::get("get_retained", "/mqtt/retainer/message/{topic}")
        .fails(&[ErrorCode::NotFound])
        .says("Topics", "The retained message of a topic, with its payload in base64");
    DELETE_RETAINED: (TopicPath, TenantQuery, ()) -> () =
        Operation::delete("delete_retained", "/mqtt/retainer/message/{topic}")
        .fails(&[ErrorCode::NotFound])
        .says("Topics", "End the retained message of a topic, as an empty one does: those who are subscribed get it");
    EXPLAIN_PUBLISH: ((), (), PublishQuestion) -> PublishAnswer =
        Operation::post("explain_publish", "/explain/publish")
        .needs(Need::View)
        .fails(&[ErrorCode::NotFound])
        .says("Explain", "Who would receive a message, who would not, and why; nothing is published");
    EXPLAIN_ACCESS: ((), (), AccessQuestion) -> AccessAnswer =
        Operation::post("explain_access", "/explain/access")
        .needs(Need::View)
        .fails(&[ErrorCode::NotFound])
        .says("Explain", "Whether somebody may do something, and which rule says so");
    EXPLAIN_CLIENT: (ClientPath, TenantQuery, ()) -> ClientStory =
        Operation::get("explain_client", "/explain/client/{clientid}")
        .says("Explain", "Why a client is not there: its last events");
    LIVE_MESSAGES: ((), LiveQuery, ()) -> LiveMessage = Operation::get("live_messages", "/live/messages")
        .gives(EVENTS)
        .says("Live", "What is published and delivered, as it happens; nothing waits for whoever watches");
    LIVE_TOPICS: ((), LiveTopicsQuery, ()) -> LiveTopics = Operation::get("live_topics", "/live/topics")
        .gives(EVENTS)
        .says("Live", "Topics with new messages, once a second: the last one of each, and how many there were");
    LIVE_EVENTS: ((), LiveEventsQuery, ()) -> ClientEvent = Operation::get("live_events", "/live/events")
        .gives(EVENTS)
        .says("Live", "Who comes, goes and is refused, as it happens");
    GET_CONFIGS: ((), (), ()) -> EffectiveConfig = Operation::get("get_configs", "/configs")
        .says("Configuration", "The configuration that holds, and where each key comes from");
    CHANGE_CONFIGS: ((), ConfigQuery, ConfigPatch) -> ConfigOutcome = Operation::put("change_configs", "/configs")
        .fails(CHANGED)
        .says("Configuration", "Change keys over the file; what the node can take without a restart it takes at once");
    CONFIG_CHANGES: ((), (), ()) -> ConfigChanges = Operation::get("config_changes", "/configs/changes")
        .says("Configuration", "The keys that were changed over the file: by whom, and what hides them");
    CONFIG_HISTORY: ((), (), ()) -> Vec<ConfigVersion> = Operation::get("config_history", "/configs/history")
        .says("Configuration", "The versions of the changes, the newest first");
    ROLL_BACK_CONFIGS: ((), ConfigQuery, ConfigRollback) -> ConfigOutcome =
        Operation::post("roll_back_configs", "/configs/rollback")
        .fails(CHANGED)
        .says("Configuration", "Have an earlier version hold again, as a new one");
    LIST_AUTHENTICATORS: ((), (), ()) -> Vec<AccountsAuthenticator> = Operation::get("list_authenticators", "/authentication")
        .says("Access", "The authenticator whose users are changed here; the others stand in the configuration");
    GET_AUTHENTICATOR: (AuthenticatorPath, (), ()) -> AccountsAuthenticator =
        Operation::get("get_authenticator", "/authentication/{id}")
        .fails(&[ErrorCode::NotFound])
        .says("Access", "The same, by its identifier: password_based:built_in_database, or users");
    LIST_ACCOUNTS: (AuthenticatorPath, AccountQuery, ()) -> Page<Account> =
        Operation::get("list_accounts", "/authentication/{id}/users")
        .fails(&[ErrorCode::NotFound])
        .says("Access", "Users whom clients log in as, by name; those of the configuration are not among them");
    CREATE_ACCOUNT: (AuthenticatorPath, TenantQuery, NewAccount) -> Account =
        Operation::post("create_account", "/authentication/{id}/users")
        .answers(201)
        .takes(SECRETS_MAX)
        .fails(KEPT)
        .says("Access", "Add a user whom clients can log in as from now on");
    GET_ACCOUNT: (AccountPath, TenantQuery, ()) -> Account =
        Operation::get("get_account", "/authentication/{id}/users/{user_id}")
        .fails(NO_ACCOUNT)
        .says("Access", "A user");
    UPDATE_ACCOUNT: (AccountPath, TenantQuery, AccountUpdate) -> Account =
        Operation::put("update_account", "/authentication/{id}/users/{user_id}")
        .takes(SECRETS_MAX)
        .fails(KEPT)
        .says("Access", "Change password or rights of a user; whoever is connected as this user stays");
    DELETE_ACCOUNT: (AccountPath, TenantQuery, ()) -> () =
        Operation::delete("delete_account", "/authentication/{id}/users/{user_id}")
        .fails(KEPT)
        .says("Access", "Take a user out; whoever is connected as this user stays, until somebody bans or kicks him");
    IMPORT_ACCOUNTS: (AuthenticatorPath, TenantQuery, AccountImport) -> AccountsImported =
        Operation::post("import_accounts", "/authentication/{id}/import_users")
        .takes(IMPORT_MAX)
        .fails(KEPT)
        .says("Access", "Add users whose passwords other programs have hashed: all of them or none");
    LIST_RULE_SOURCES: ((), (), ()) -> RuleSources = Operation::get("list_rule_sources", "/authorization/sources")
        .says("Access", "Where rules come from, in the order in which they are asked");
    LIST_RULES: (RulesPath, RulesQuery, ()) -> Page<RulesOfOne> =
        Operation::get("list_rules", "/authorization/sources/built_in_database/rules/{whom}")
        .says("Access", "Rules of users, or of clients, by name");
    ADD_RULES: (RulesPath, TenantQuery, Vec<RulesOfOne>) -> () =
        Operation::post("add_rules", "/authorization/sources/built_in_database/rules/{whom}")
        .answers(204)
        .takes(MESSAGES_MAX)
        .fails(KEPT)
        .says("Access", "Give rules to users, or to clients, who have none yet: to all of them or to nobody");
    GET_RULES: (NamedRulesPath, TenantQuery, ()) -> RulesOfOne =
        Operation::get("get_rules", "/authorization/sources/built_in_database/rules/{whom}/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("Access", "The rules of a user or of a client");
    SET_RULES: (NamedRulesPath, TenantQuery, RulesOfOne) -> () =
        Operation::put("set_rules", "/authorization/sources/built_in_database/rules/{whom}/{name}")
        .answers(204)
        .takes(MESSAGES_MAX)
        .fails(KEPT)
        .says("Access", "Put rules in the place of those of a user or of a client; they hold at once, for who is connected too");
    DELETE_RULES: (NamedRulesPath, TenantQuery, ()) -> () =
        Operation::delete("delete_rules", "/authorization/sources/built_in_database/rules/{whom}/{name}")
        .fails(KEPT)
        .says("Access", "Take the rules of a user or of a client away");
    GET_RULES_OF_ALL: ((), TenantQuery, ()) -> RulesOfAll =
        Operation::get("get_rules_of_all", "/authorization/sources/built_in_database/rules/all")
        .fails(&[ErrorCode::NotFound])
        .says("Access", "The rules of everybody, which are asked after those of clients and users");
    SET_RULES_OF_ALL: ((), TenantQuery, RulesOfAll) -> () =
        Operation::post("set_rules_of_all", "/authorization/sources/built_in_database/rules/all")
        .answers(204)
        .takes(MESSAGES_MAX)
        .fails(KEPT)
        .says("Access", "Put rules in the place of those of everybody; they hold at once");
    DELETE_RULES_OF_ALL: ((), TenantQuery, ()) -> () =
        Operation::delete("delete_rules_of_all", "/authorization/sources/built_in_database/rules/all")
        .fails(KEPT)
        .says("Access", "Take the rules of everybody away");
    LIST_BANNED: ((), BanQuery, ()) -> Page<Banned> = Operation::get("list_banned", "/banned")
        .says("Access", "Who is not let in");
    BAN: ((), (), NewBan) -> Banned = Operation::post("ban", "/banned")
        .fails(&[ErrorCode::AlreadyExists, ErrorCode::NotFound])
        .says("Access", "Let somebody in no more, and disconnect those who are meant");
    UNBAN: (BanPath, TenantQuery, ()) -> () = Operation::delete("unban", "/banned/{as}/{who}")
        .fails(&[ErrorCode::NotFound, ErrorCode::NotAllowed])
        .says("Access", "Take a ban back; those of the configuration stay");
    UNBAN_ALL: ((), (), ()) -> () = Operation::delete("unban_all", "/banned")
        .says("Access", "Take all bans back that the API has made");
    LIST_AUDIT: ((), RecordQuery, ()) -> Page<AuditRecord> = Operation::get("list_audit", "/audit")
        .needs(Need::Administer)
        .fails(&[ErrorCode::NotFound])
        .says("Node", "Records of the audit log, the newest first");
    LIST_TRACES: ((), (), ()) -> Vec<Trace> = Operation::get("list_traces", "/trace")
        .says("Traces", "What is, or was, written down of clients");
    BEGIN_TRACE: ((), (), NewTrace) -> Trace = Operation::post("begin_trace", "/trace")
        .fails(&[ErrorCode::AlreadyExists, ErrorCode::NotFound])
        .says("Traces", "Write down what a client, a topic or an address does and gets, for a while");
    STOP_TRACE: (TracePath, (), ()) -> Trace = Operation::put("stop_trace", "/trace/{name}/stop")
        .fails(&[ErrorCode::NotFound])
        .says("Traces", "End a trace; what it has written stays");
    DELETE_TRACE: (TracePath, (), ()) -> () = Operation::delete("delete_trace", "/trace/{name}")
        .fails(&[ErrorCode::NotFound])
        .says("Traces", "End a trace, and delete what it has written");
    TRACE_LOG: (TracePath, TraceLogQuery, ()) -> TraceLog = Operation::get("trace_log", "/trace/{name}/log")
        .fails(&[ErrorCode::NotFound])
        .says("Traces", "A part of what a trace has written");
    DOWNLOAD_TRACE: (TracePath, (), ()) -> String = Operation::get("download_trace", "/trace/{name}/download")
        .gives("application/x-ndjson")
        .fails(&[ErrorCode::NotFound])
        .says("Traces", "All that a trace has written: a line says what it is, and each further one what happened");
    EXPORT_DATA: ((), (), ()) -> Backup = Operation::post("export_data", "/data/export")
        .says("Data", "What was made by the API: changes of the configuration, users and rules of clients, bans, users and keys of the API");
    IMPORT_DATA: ((), RestoreQuery, Backup) -> Restored = Operation::post("import_data", "/data/import")
        .takes(BACKUP_MAX)
        .fails(CHANGED)
        .says("Data", "Bring back what was exported; what is there already stays, unless it is to be replaced");
    PUBLISH: ((), (), Publication) -> Published = Operation::post("publish", "/publish").takes(MESSAGES_MAX)
        .fails(&[ErrorCode::NotFound])
        .needs(Need::Publish)
        .says("Messages", "Publish a message: 200 if somebody gets it, 202 if nobody wants it");
    PUBLISH_BULK: ((), (), Vec<Publication>) -> Vec<Published> = Operation::post("publish_bulk", "/publish/bulk")
        .needs(Need::Publish)
        .takes(MESSAGES_MAX)
        .says("Messages", "Publish several messages, in their order");
}
