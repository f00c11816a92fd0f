//! Who knows clients and is reached over the network. What all of them have in common, and each by itself.

use std::{collections::BTreeMap, path::PathBuf};

use plexus_access::Shown;
use plexus_admission::{OnTrouble, StepOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Placed, Secret, Span, SpanOrNever};

/// What is made of a client about whom its back end gives no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It is refused.
    #[default]
    Refuse,
    /// The next of the chain is asked.
    Ignore,
}

/// The method of HTTP by which a service is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HttpMethod {
    /// GET, without a body.
    Get,
    /// POST.
    #[default]
    Post,
}

/// HTTP services that are asked about each client. A service answers 200 with JSON such as
/// `{"result": "allow"}`, `"deny"` or `"ignore"`, beside it `is_superuser`, `client_attrs`, `acl` and
/// `expire_at`; or 204, which allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// What it is called in `access.chain` and in the log.
    pub name: String,
    /// How it is asked.
    #[serde(default)]
    pub method: HttpMethod,
    /// Where it is asked, with places such as `${username}` in path and query, where they are percent-encoded.
    /// The host has none.
    pub url: Placed,
    /// Header fields with their values, which may have places; `"file:<path>"` for the first line of a file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Secret>,
    /// The body of a POST, JSON or, where the header `content-type` says so, a form
    /// (`application/x-www-form-urlencoded`). Places of JSON stand in quotes. Identifier, user name and password as
    /// `clientid`, `username` and `password` when it is left out. A client that does not show what has a place is not asked
    /// about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Placed>,
    /// Whether it may be asked in clear text (`http://`) at another machine than this one.
    #[serde(default)]
    pub cleartext: bool,
    /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the node shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// How long an answer may take, waiting for a turn included.
    #[serde(default = "five_seconds")]
    pub timeout: Span,
    /// Questions under way at the same time; further clients wait for their turn.
    #[serde(default = "queries")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_queries: u16,
    /// What is made of a client about whom there is no answer: `refuse` it, or `ignore` and ask the next.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How long an answer is remembered for the same client with the same password at the same address.
    #[serde(default = "never")]
    pub remember: SpanOrNever,
}

/// Redis, asked for the users and rules that hashes hold there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedisSettings {
    /// What it is called in `access.chain` and in the log.
    pub name: String,
    /// Where it is, as `"db.example.com"` or `"db.example.com:6379"`.
    pub server: String,
    /// Whether it is spoken to in clear text. Otherwise by TLS.
    #[serde(default)]
    pub cleartext: bool,
    /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the node shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The number of the database.
    #[serde(default)]
    pub database: u32,
    /// The user of the node there, where it has users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The password of the node there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// What reads `password_hash` and, if there are, `salt` and `is_superuser` of a user: `HMGET` with fields or `HGETALL`. Each
    /// word is one argument, whatever stands in its places.
    #[serde(default = "redis_users")]
    pub command: String,
    /// What reads its rules, as `HGETALL mqtt_acl:${username}`: fields are topics, values `publish`, `subscribe`, `all` or an object
    /// with `action`, `qos` and `retain`. Without it users have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_command: Option<String>,
    /// How passwords are stored: `phc` (a text that names its form), `bcrypt`, `pbkdf2-sha256:<iterations>`, `sha256`, `sha512` (of
    /// salt and password; `sha256:salt-after` the other way round) or `plain`.
    #[serde(default = "phc")]
    pub passwords: String,
    /// How long an answer may take, waiting for a turn included.
    #[serde(default = "five_seconds")]
    pub timeout: Span,
    /// Questions under way at the same time; further clients wait for their turn.
    #[serde(default = "queries")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_queries: u16,
    /// What is made of a client about whom there is no answer: `refuse` it, or `ignore` and ask the next.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How long an answer is remembered for the same client with the same password at the same address.
    #[serde(default = "never")]
    pub remember: SpanOrNever,
}

fn redis_users() -> String {
    "HMGET mqtt_user:${username} password_hash salt is_superuser".to_owned()
}

/// PostgreSQL, asked for the users and rules that tables hold there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// What it is called in `access.chain` and in the log.
    pub name: String,
    /// Where it is, as `"db.example.com"` or `"db.example.com:5432"`.
    pub server: String,
    /// Whether it is spoken to in clear text. Otherwise by TLS.
    #[serde(default)]
    pub cleartext: bool,
    /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// A PEM file with the certificate that the node shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The database.
    pub database: String,
    /// The role of the node there.
    pub user_name: String,
    /// The password of that role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// What reads `password_hash` and, if there are, `salt` and `is_superuser` of a user. A place is a parameter of the type text and
    /// stands without quotes.
    #[serde(default = "sql_users")]
    pub query: Placed,
    /// What reads its rules: `permission`, `action`, `topic` and, if there are, `qos` and `retain`. Without it users have none
    /// of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules_query: Option<Placed>,
    /// How passwords are stored: `phc` (a text that names its form), `bcrypt`, `pbkdf2-sha256:<iterations>`, `sha256`, `sha512` (of
    /// salt and password; `sha256:salt-after` the other way round) or `plain`.
    #[serde(default = "phc")]
    pub passwords: String,
    /// How long an answer may take, waiting for a turn included.
    #[serde(default = "five_seconds")]
    pub timeout: Span,
    /// Questions under way at the same time; further clients wait for their turn.
    #[serde(default = "queries")]
    #[schemars(range(min = 1, max = 1_000))]
    pub max_queries: u16,
    /// What is made of a client about whom there is no answer: `refuse` it, or `ignore` and ask the next.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// How long an answer is remembered for the same client with the same password at the same address.
    #[serde(default = "never")]
    pub remember: SpanOrNever,
}

/// A back end, as the file describes it.
#[derive(Debug, Clone, Copy)]
pub enum BackEnd<'a> {
    /// An HTTP service.
    Http(&'a HttpSettings),
    /// A Redis.
    Redis(&'a RedisSettings),
    /// A PostgreSQL.
    Postgres(&'a PostgresSettings),
}

/// What all back ends have.
struct Terms<'a> {
    name: &'a str,
    kind: &'static str,
    timeout: Span,
    max_queries: u16,
    on_failure: OnFailure,
    remember: SpanOrNever,
}

macro_rules! terms {
    ($kind:literal, $settings:expr) => {
        Terms {
            name: &$settings.name,
            kind: $kind,
            timeout: $settings.timeout,
            max_queries: $settings.max_queries,
            on_failure: $settings.on_failure,
            remember: $settings.remember,
        }
    };
}

impl<'a> BackEnd<'a> {
    fn terms(self) -> Terms<'a> {
        match self {
            Self::Http(http) => terms!("http", http),
            Self::Postgres(postgres) => terms!("postgres", postgres),
            Self::Redis(redis) => terms!("redis", redis),
        }
    }

    /// What it is called.
    pub fn name(self) -> &'a str {
        self.terms().name
    }

    /// The key that it is made by, under `access`.
    pub fn kind(self) -> &'static str {
        self.terms().kind
    }

    /// The bounds within which it is asked.
    pub fn bounds(self) -> StepOptions {
        let terms = self.terms();
        StepOptions {
            timeout: Some(terms.timeout.get()),
            at_once_max: terms.max_queries.into(),
            on_trouble: match terms.on_failure {
                OnFailure::Refuse => OnTrouble::Refuse,
                OnFailure::Ignore => OnTrouble::Ignore,
            },
            remember: terms.remember.get().map(Span::get),
            ..StepOptions::BACK_END
        }
    }

    /// The same, as the file has them.
    pub(crate) fn limits(self) -> (Span, u16, SpanOrNever) {
        let terms = self.terms();
        (terms.timeout, terms.max_queries, terms.remember)
    }

    /// The secrets that it needs, each with its path in the table of the back end.
    pub fn secrets(self) -> Vec<(Vec<&'a str>, &'a Secret)> {
        match self {
            Self::Http(http) => {
                let headers = http.headers.iter();
                headers.map(|(name, value)| (vec!["headers", name.as_str()], value)).collect()
            }
            Self::Redis(redis) => {
                redis.password.iter().map(|password| (vec!["password"], password)).collect()
            }
            Self::Postgres(postgres) => {
                postgres.password.iter().map(|password| (vec!["password"], password)).collect()
            }
        }
    }

    /// Whether whoever it lets in has proved the user name that was given.
    pub fn proves_user_names(self) -> bool {
        match self {
            // A service that is not told the name cannot vouch for it; one whose headers tell it says so nowhere.
            Self::Http(http) => {
                let has = |text: &Placed| text.get().has(Shown::UserName);
                let default = http.body.is_none() && http.method == HttpMethod::Post;
                default || has(&http.url) || http.body.as_ref().is_some_and(has)
            }
            Self::Redis(redis) => redis.command.contains("${username}"),
            Self::Postgres(postgres) => postgres.query.get().has(Shown::UserName),
        }
    }

    /// How rules that name users may hold for it.
    pub(crate) fn proof(self) -> &'static str {
        match self {
            Self::Http(_) => "put `${username}` into its url or its body",
            Self::Redis(_) => "put `${username}` into its command",
            Self::Postgres(_) => "put `${username}` into its query",
        }
    }
}

fn five_seconds() -> Span {
    Span::secs(5)
}

fn queries() -> u16 {
    32
}

fn never() -> SpanOrNever {
    SpanOrNever::Never
}

fn phc() -> String {
    "phc".to_owned()
}

fn sql_users() -> Placed {
    let text = "SELECT password_hash, salt, is_superuser FROM mqtt_user \
                WHERE username = ${username} LIMIT 1";
    text.parse().expect("invariant: a constant template")
}
