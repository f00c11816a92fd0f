//! Who knows clients and is reached over the network. What all of them have in common, and each by itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

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

/// What all back ends have, beside the keys of their own.
#[derive(Debug)]
pub struct Terms<'a> {
    /// What it is called.
    pub name: &'a str,
    /// A file with the authorities that may vouch for its host.
    pub ca_file: Option<&'a Path>,
    /// A file with the certificate that the node shows.
    pub cert_file: Option<&'a Path>,
    /// A file with the key of that certificate.
    pub key_file: Option<&'a Path>,
    /// How long an answer may take.
    pub timeout: Span,
    /// Questions under way at the same time.
    pub max_queries: u16,
    /// What is made of a client about whom there is no answer.
    pub on_failure: OnFailure,
    /// How long an answer is remembered.
    pub remember: SpanOrNever,
}

/// A table of a back end: the keys that all have, and between them those of its own. (With `flatten`, serde takes
/// any key that it does not know.)
macro_rules! table {
    (
        $(#[$table:meta])*
        $Settings:ident {
            $($(#[$key:meta])* $field:ident: $Type:ty,)*
        }
    ) => {
        $(#[$table])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $Settings {
            /// What it is called in `access.chain` and in the log.
            pub name: String,
            /// A PEM file with the authorities that may vouch for its host; those of the public web when it is left out.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub ca_file: Option<PathBuf>,
            /// A PEM file with the certificate that the node shows.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub cert_file: Option<PathBuf>,
            /// A PEM file with the key of that certificate.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub key_file: Option<PathBuf>,
            $($(#[$key])* pub $field: $Type,)*
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

        impl $Settings {
            /// What it has as all of them do.
            pub fn terms(&self) -> Terms<'_> {
                Terms {
                    name: &self.name,
                    ca_file: self.ca_file.as_deref(),
                    cert_file: self.cert_file.as_deref(),
                    key_file: self.key_file.as_deref(),
                    timeout: self.timeout,
                    max_queries: self.max_queries,
                    on_failure: self.on_failure,
                    remember: self.remember,
                }
            }
        }
    };
    // A server with users and their passwords: what all of those have, too.
    (
        server $scheme:tt
        $(#[$table:meta])*
        $Settings:ident {
            $($(#[$key:meta])* $field:ident: $Type:ty,)*
        }
    ) => {
        table! {
            $(#[$table])*
            $Settings {
                /// Where it is, as `"db.example.com"` or `"db.example.com:4711"`.
                server: String,
                /// Whether it is spoken to in clear text. Otherwise by TLS.
                #[serde(default)]
                cleartext: bool,
                $($(#[$key])* $field: $Type,)*
                /// How passwords are stored: `phc` (a text that names its form), `bcrypt`, `pbkdf2-sha256:<iterations>`, `sha256`, `sha512` (of
                /// salt and password; `sha256:salt-after` the other way round), `ldap` (as `{SSHA}…`) or `plain`.
                #[serde(default = $scheme)]
                passwords: String,
            }
        }
    };
    // A database that is asked in SQL.
    (
        sql
        $(#[$table:meta])*
        $Settings:ident {}
    ) => {
        table! {
            server "phc"
            $(#[$table])*
            $Settings {
                /// The database.
                database: String,
                /// The user (PostgreSQL: the role) of the node there.
                user_name: String,
                /// The password of that user.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                password: Option<Secret>,
                /// What reads `password_hash` and, if there are, `salt`, `is_superuser` and `user_name` of a user: the name as it is stored is
                /// that of the client from then on. A place is a parameter of the type text and stands without quotes.
                #[serde(default = "sql_users")]
                query: Placed,
                /// What reads its rules: `permission`, `action`, `topic` and, if there are, `qos` and `retain`. Without it users have none
                /// of their own.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                rules_query: Option<Placed>,
            }
        }
    };
}

table! {
    /// HTTP services that are asked about each client. A service answers 200 with JSON such as
    /// `{"result": "allow"}`, `"deny"` or `"ignore"`, beside it `is_superuser`, `client_attrs`, `acl` and
    /// `expire_at`; or 204, which allows.
    HttpSettings {
        /// How it is asked.
        #[serde(default)]
        method: HttpMethod,
        /// Where it is asked, with places such as `${username}` in path and query, where they are percent-encoded.
        /// The host has none.
        url: Placed,
        /// Header fields with their values, which may have places; `"file:<path>"` for the first line of a file.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, Secret>,
        /// The body of a POST, JSON or, where the header `content-type` says so, a form
        /// (`application/x-www-form-urlencoded`). Places of JSON stand in quotes. Identifier, user name and password as
        /// `clientid`, `username` and `password` when it is left out. A client that does not show what has a place is not asked
        /// about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<Placed>,
        /// Whether it may be asked in clear text (`http://`) at another machine than this one.
        #[serde(default)]
        cleartext: bool,
    }
}

table! {
    server "phc"
    /// Redis, asked for the users and rules that hashes hold there.
    RedisSettings {
        /// The number of the database.
        #[serde(default)]
        database: u32,
        /// The user of the node there, where it has users.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_name: Option<String>,
        /// The password of the node there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// What reads `password_hash` and, if there are, `salt` and `is_superuser` of a user: `HMGET` with fields or `HGETALL`. Each
        /// word is one argument, whatever stands in its places.
        #[serde(default = "redis_users")]
        command: String,
        /// What reads its rules, as `HGETALL mqtt_acl:${username}`: fields are topics, values `publish`, `subscribe`, `all` or an object
        /// with `action`, `qos` and `retain`. Without it users have none of their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rules_command: Option<String>,
    }
}

table! {
    sql
    /// PostgreSQL, asked for the users and rules that tables hold there.
    PostgresSettings {}
}

table! {
    sql
    /// MySQL or MariaDB, asked for the users and rules that tables hold there.
    MysqlSettings {}
}

table! {
    server "ldap"
    /// LDAP directories, asked for the entries of users and whether they get in there by their password.
    LdapSettings {
        /// Whether TLS begins on a connection in clear text (StartTLS), in place of with it.
        #[serde(default)]
        start_tls: bool,
        /// Who the node is there, as `"cn=plexus,dc=example"`; nobody when it is left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user_name: Option<String>,
        /// The password of that name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        password: Option<Secret>,
        /// The name of a client's entry, as `"uid=${username},ou=people,dc=example"`; a place is one value, whatever is in it.
        /// Either this or `base` is given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry: Option<Placed>,
        /// The name below which the entry of a client is the only one that `filter` finds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<String>,
        /// What finds it there (RFC 4515); a place is one value.
        #[serde(default = "uid")]
        filter: Placed,
        /// How a password is proved: the directory lets the client in by it (`bind`), or it is compared with the one that
        /// `password_attribute` holds (`stored`, in the form `passwords`).
        #[serde(default)]
        proof: LdapProof,
        /// The attribute that holds the password, where it is compared.
        #[serde(default = "user_password")]
        password_attribute: String,
        /// The attribute that is TRUE for a client for whom no rule holds, as `"isSuperuser"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        superuser_attribute: Option<String>,
        /// The attribute whose values are topics that the client may publish to, as `"mqttPublishTopic"`. Without this and the
        /// next two users have no rules of their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        publish_attribute: Option<String>,
        /// The same for filters that it may subscribe to, as `"mqttSubscriptionTopic"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subscribe_attribute: Option<String>,
        /// The same for both, as `"mqttPubSubTopic"`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        all_attribute: Option<String>,
    }
}

/// How it is found out whether a password is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LdapProof {
    /// The directory lets the client in by it.
    #[default]
    Bind,
    /// It is compared with the stored one.
    Stored,
}

fn uid() -> Placed {
    "(uid=${username})".parse().expect("invariant: a constant template")
}

fn user_password() -> String {
    "userPassword".to_owned()
}

fn redis_users() -> String {
    "HMGET mqtt_user:${username} password_hash salt is_superuser".to_owned()
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
    /// A MySQL or MariaDB.
    Mysql(&'a MysqlSettings),
    /// A directory.
    Ldap(&'a LdapSettings),
}

impl<'a> BackEnd<'a> {
    /// What it has as all of them do.
    pub fn terms(self) -> Terms<'a> {
        match self {
            Self::Http(http) => http.terms(),
            Self::Redis(redis) => redis.terms(),
            Self::Postgres(postgres) => postgres.terms(),
            Self::Mysql(mysql) => mysql.terms(),
            Self::Ldap(ldap) => ldap.terms(),
        }
    }

    /// What it is called.
    pub fn name(self) -> &'a str {
        self.terms().name
    }

    /// The key that it is made by, under `access`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Redis(_) => "redis",
            Self::Postgres(_) => "postgres",
            Self::Mysql(_) => "mysql",
            Self::Ldap(_) => "ldap",
        }
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

    /// The secrets that it needs, each with its path in the table of the back end.
    pub fn secrets(self) -> Vec<(Vec<&'a str>, &'a Secret)> {
        match self {
            Self::Http(http) => {
                let headers = http.headers.iter();
                headers.map(|(name, value)| (vec!["headers", name.as_str()], value)).collect()
            }
            Self::Redis(redis) => password(redis.password.as_ref()),
            Self::Postgres(postgres) => password(postgres.password.as_ref()),
            Self::Mysql(mysql) => password(mysql.password.as_ref()),
            Self::Ldap(ldap) => password(ldap.password.as_ref()),
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
            Self::Mysql(mysql) => mysql.query.get().has(Shown::UserName),
            Self::Ldap(ldap) => {
                ldap.entry.as_ref().unwrap_or(&ldap.filter).get().has(Shown::UserName)
            }
        }
    }

    /// The texts with places by which it is asked for rules of a client that another has let in; none where it has no
    /// rules.
    pub(crate) fn rules_texts(self) -> Vec<String> {
        let placed = |placed: &Placed| placed.to_string();
        match self {
            Self::Http(http) => {
                let body = http.body.as_ref().map_or_else(|| "${username}".to_owned(), placed);
                vec![placed(&http.url), body]
            }
            Self::Redis(redis) => redis.rules_command.iter().cloned().collect(),
            Self::Postgres(postgres) => postgres.rules_query.iter().map(placed).collect(),
            Self::Mysql(mysql) => mysql.rules_query.iter().map(placed).collect(),
            Self::Ldap(ldap) => {
                let lists =
                    [&ldap.publish_attribute, &ldap.subscribe_attribute, &ldap.all_attribute];
                let has_rules = lists.into_iter().any(Option::is_some);
                has_rules
                    .then(|| placed(ldap.entry.as_ref().unwrap_or(&ldap.filter)))
                    .into_iter()
                    .collect()
            }
        }
    }

    /// What makes it have rules.
    pub(crate) fn rules_key(self) -> &'static str {
        match self {
            Self::Http(_) => "acl",
            Self::Redis(_) => "rules_command",
            Self::Postgres(_) | Self::Mysql(_) => "rules_query",
            Self::Ldap(_) => "publish_attribute, subscribe_attribute or all_attribute",
        }
    }

    /// How rules that name users may hold for it.
    pub(crate) fn proof(self) -> &'static str {
        match self {
            Self::Http(_) => "put `${username}` into its url or its body",
            Self::Redis(_) => "put `${username}` into its command",
            Self::Postgres(_) | Self::Mysql(_) => "put `${username}` into its query",
            Self::Ldap(_) => "put `${username}` into its entry or its filter",
        }
    }
}

/// The password of the node itself.
fn password(secret: Option<&Secret>) -> Vec<(Vec<&'static str>, &Secret)> {
    secret.into_iter().map(|secret| (vec!["password"], secret)).collect()
}

pub(super) fn five_seconds() -> Span {
    Span::secs(5)
}

pub(super) fn queries() -> u16 {
    32
}

fn never() -> SpanOrNever {
    SpanOrNever::Never
}

fn phc() -> String {
    "phc".to_owned()
}

fn ldap() -> String {
    "ldap".to_owned()
}

fn sql_users() -> Placed {
    let text = "SELECT password_hash, salt, is_superuser, username AS user_name FROM mqtt_user \
                WHERE username = ${username} LIMIT 1";
    text.parse().expect("invariant: a constant template")
}
