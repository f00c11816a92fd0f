use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AskSettings, BackEnd, CertificateSettings, HttpSettings, JwtSettings, LdapSettings,
    MysqlSettings, PostgresSettings, RedisSettings, TenantSettings,
};
use crate::value::{
    ExpressionText, Moment, NetworkText, RateText, Secret, Span, TenantText, TopicPattern,
};

/// The name of the node's own users in a chain.
pub(crate) const USERS: &str = "users";

/// Who may connect, publish and subscribe. All of it but `lockout`, `flapping`, `ask`, `filter_deliveries` and the list of
/// tenants with their limits is read anew at SIGHUP: who connects from then on is asked about by these authenticators,
/// and bans and rules hold at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessSettings {
    /// Whether clients without user name are let in. Needed for every address but loopback when
    /// there are no users; with users it opens the node to clients that give no name.
    pub allow_anonymous: bool,
    /// A file of lines `name:<stored password>`, made with `plexus passwd`, and ` superuser` behind it if
    /// no rule is to hold for that user. Read anew at SIGHUP, for new
    /// connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_file: Option<PathBuf>,
    /// What users of `users_file` and `users` are known by. Known by their client identifier, they prove no
    /// user name.
    pub users_by: UsersBy,
    /// Who is asked about a client that connects, one after the other: `"users"` for the users of
    /// `users_file`, `users` and `accounts`, others by their names. The first that allows or denies decides; whom
    /// nobody knows is refused. May be left out where there is only one. A listener may have its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<Vec<String>>,
    /// Back ends that are asked, one after the other, for rules of whoever was let in, by their names. Those rules are asked
    /// behind the ones that the client has brought with it, and before `[[access.rule]]`. A listener may have its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules_from: Option<Vec<String>>,
    /// Of whom authenticators are asked, by their names (`users`, or that of a table): an expression, such as
    /// `"listener == 'plant' && client_id.startsWith('robot-')"`. About anybody of whom it is not true the next of
    /// the chain is asked. Read anew at SIGHUP, for new connections.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, ExpressionText>,
    /// Attributes of clients that are let in, by name: an expression, such as `"client_id.split('-')[0]"`. Where it
    /// has no value, or an empty one, the client has no such attribute by it. Read anew at SIGHUP, for new connections.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, ExpressionText>,
    /// The user name of clients that are let in, as an expression of what is proved of them, such as
    /// `"cert_mail_address.split('@')[0]"`. For whom it has no value, or an empty one, nobody is let in. Read anew at
    /// SIGHUP, for new connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<ExpressionText>,
    /// What holds where no rule says anything; `"deny"` when there are rules and it is left out. Without
    /// this and without rules everything is allowed to those who were let in. Read anew at SIGHUP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_match: Option<NoMatch>,
    /// Whether each delivery is checked against the rules, as Mosquitto does it: a subscription is admitted if
    /// anything of it may be allowed, and of what it brings the client gets what it may have. Without it a
    /// filter that is only partly allowed is refused.
    pub filter_deliveries: bool,
    /// Who is not let in, and is disconnected if he is. Read anew at SIGHUP: it holds at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ban: Vec<BanSettings>,
    /// How failed log-ins make the next ones wait.
    pub lockout: LockoutSettings,
    /// Clients that connect again and again.
    pub flapping: FlappingSettings,
    /// Whether there are users and rules that are added while the node runs, by its API: they are kept in `node.data_dir`,
    /// belong to the authenticator `users`, and their rules are asked before `[[access.rule]]`.
    pub accounts: bool,
    /// Users by name, beside or instead of `users_file`: the hash that `plexus passwd --print`
    /// shows, with ` superuser` behind it if no rule is to hold, or `"file:<path>"` of a file that holds it.
    pub users: BTreeMap<String, Secret>,
    /// Clients with certificates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificate: Vec<CertificateSettings>,
    /// JSON Web Tokens, one table for each who makes them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub jwt: Vec<JwtSettings>,
    /// HTTP services, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<HttpSettings>,
    /// Redis, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub redis: Vec<RedisSettings>,
    /// PostgreSQL, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub postgres: Vec<PostgresSettings>,
    /// MySQL and MariaDB, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mysql: Vec<MysqlSettings>,
    /// LDAP directories, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ldap: Vec<LdapSettings>,
    /// The tenants of the node, one table each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tenant: Vec<TenantSettings>,
    /// HTTP services that are asked about acts of which no rule says anything, one table each. Read at the
    /// start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<AskSettings>,
    /// How long what services of `ask` say about publishing to a topic is remembered for the client.
    pub remember_answers: Span,
    /// Who may publish and subscribe what; the first one that says something about it decides. One that
    /// allows speaks of a filter when it covers all of it, one that denies when it meets any of it.
    /// Read anew at SIGHUP: it holds at once, for those who are connected too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rule: Vec<AccessRule>,
}

impl Default for AccessSettings {
    fn default() -> Self {
        Self {
            allow_anonymous: <_>::default(),
            users_file: <_>::default(),
            users_by: <_>::default(),
            chain: <_>::default(),
            rules_from: <_>::default(),
            when: <_>::default(),
            attributes: <_>::default(),
            user_name: <_>::default(),
            no_match: <_>::default(),
            filter_deliveries: <_>::default(),
            ban: <_>::default(),
            lockout: <_>::default(),
            flapping: <_>::default(),
            accounts: <_>::default(),
            users: <_>::default(),
            certificate: <_>::default(),
            jwt: <_>::default(),
            http: <_>::default(),
            redis: <_>::default(),
            postgres: <_>::default(),
            mysql: <_>::default(),
            ldap: <_>::default(),
            tenant: <_>::default(),
            ask: <_>::default(),
            rule: <_>::default(),
            remember_answers: Span::secs(60),
        }
    }
}

/// What the node's own users are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UsersBy {
    /// Their user name.
    #[default]
    UserName,
    /// Their client identifier.
    ClientId,
}

/// Who is not let in. One of `client`, `user` and `network` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanSettings {
    /// A client identifier, in which `*` stands for anything. A client chooses its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// A user name, in which `*` stands for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The tenant whose `client` or `user` it is; one of no tenant when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantText>,
    /// An address or a network, behind a proxy that of the client. Who comes from there is not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<NetworkText>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// When it ends, such as `"2026-12-31T18:00:00Z"` or `"2026-12-31"` (the beginning of that day, UTC);
    /// never when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// How failed log-ins make the next ones wait: longer each time, and only from where they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LockoutSettings {
    /// Failures that are free, of one user name from one address (of IPv6: from 64 bits of it); `"off"` for
    /// no lock-out at all. Further ones wait, that user name from that address, with Connection rate exceeded
    /// (0x9F).
    pub failures: RateText,
    /// Failures that are free from one address, of all user names. Further ones make all wait who come from
    /// there, but for user names that have logged in from there.
    pub failures_per_address: RateText,
    /// Failures of one user name from all addresses, beyond which none of it is free where it has not logged
    /// in before.
    pub failures_per_user: RateText,
    /// How long the first failure that is not free makes wait; each further one doubles it.
    pub first: Span,
    /// The longest wait.
    pub longest: Span,
}

impl Default for LockoutSettings {
    fn default() -> Self {
        let per = Duration::from_mins(10);
        Self {
            failures: RateText::of(5, per),
            failures_per_address: RateText::of(50, per),
            failures_per_user: RateText::of(100, per),
            first: Span::secs(1),
            longest: Span::secs(15 * 60),
        }
    }
}

/// Clients that connect again and again: one that is too often let in stays out for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlappingSettings {
    /// How often one client identifier from one address may connect, such as `"15/m"`. Off unless it is set:
    /// many programs connect for each message that they have, and the other limits keep harm away.
    pub connects: RateText,
    /// How long it stays out then, with Banned (0x8A).
    pub ban: Span,
}

impl Default for FlappingSettings {
    fn default() -> Self {
        Self { connects: RateText::Off, ban: Span::secs(5 * 60) }
    }
}

/// What holds where no rule says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NoMatch {
    /// It is allowed.
    Allow,
    /// It is refused.
    Deny,
}

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activity {
    /// It publishes to a topic.
    Publish,
    /// It subscribes to a filter.
    Subscribe,
}

/// Who may do what, or may not, with which topics. It is for everybody who is in each of the lists
/// `users`, `clients`, `networks` and `listeners` that are given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRule {
    /// What the rule is called in the log and by `plexus acl test`; its number when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The tenant for whose clients the rule is; for those of no tenant when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantText>,
    /// What is allowed. Either this or `deny` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Activity>,
    /// What is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<Activity>,
    /// The topics, as filters of SUBSCRIBE in which `${clientid}` and `${username}` stand for those of the
    /// client, and `${client_attrs.<name>}` for its attribute of that name. A client whose name would be more than a part of a level (`+`, `a/b`) is allowed nothing by
    /// it.
    pub topics: Vec<TopicPattern>,
    /// User names, in which `*` stands for anything; who gives none is not meant. Only where there are users: a
    /// name that nobody has to prove is no right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<String>>,
    /// Client identifiers, in which `*` stands for anything. A client chooses its own: they are no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clients: Option<Vec<String>>,
    /// Networks that clients come from, behind a proxy with their real address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<Vec<NetworkText>>,
    /// Names of listeners, in which `*` stands for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<Vec<String>>,
    /// Attributes that a client has to have, by name, with such a value, in which `*` stands for anything.
    /// Authenticators find them out.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// Only at these qualities of service: of the message, or the highest that a subscription asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(inner(range(max = 2))))]
    pub qos: Option<Vec<u8>>,
    /// Of what is published, only what is to be retained, or only what is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<bool>,
}

impl AccessSettings {
    /// Whether the node, or a tenant, has users of its own.
    pub fn has_users(&self) -> bool {
        let of_tenants = self.tenant.iter().any(|tenant| tenant.users_file.is_some());
        self.users_file.is_some() || !self.users.is_empty() || of_tenants || self.accounts
    }

    /// Whether anybody has to prove who they are.
    pub fn has_authenticators(&self) -> bool {
        !self.authenticators().is_empty()
    }

    /// The names of all authenticators, with the key that each is made by and its place in it.
    pub fn authenticators(&self) -> Vec<(&str, &'static str, usize)> {
        let users = self.has_users().then_some((USERS, "users", 0));
        let jwt = self.jwt.iter().enumerate().map(|(at, it)| (it.name.as_str(), "jwt", at));
        let certificates = self.certificate.iter().enumerate();
        let certificates = certificates.map(|(at, it)| (it.name.as_str(), "certificate", at));
        let back_ends = self.back_ends().into_iter();
        let back_ends = back_ends.map(|(at, it)| (it.name(), it.kind(), at));
        users.into_iter().chain(certificates).chain(jwt).chain(back_ends).collect()
    }

    /// All back ends, each with its place in the list of its kind.
    pub fn back_ends(&self) -> Vec<(usize, BackEnd<'_>)> {
        let http = self.http.iter().map(BackEnd::Http).enumerate();
        let redis = self.redis.iter().map(BackEnd::Redis).enumerate();
        let postgres = self.postgres.iter().map(BackEnd::Postgres).enumerate();
        let mysql = self.mysql.iter().map(BackEnd::Mysql).enumerate();
        let ldap = self.ldap.iter().map(BackEnd::Ldap).enumerate();
        http.chain(redis).chain(postgres).chain(mysql).chain(ldap).collect()
    }
}
