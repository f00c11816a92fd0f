use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An authenticator, in a path. There is one whose users are changed here: `password_based:built_in_database`, or
/// shorter `users`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct AuthenticatorPath {
    /// Its identifier.
    pub id: String,
}

/// An authenticator whose users are changed here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AccountsAuthenticator {
    /// Its identifier.
    pub id: String,
    /// How users prove who they are.
    pub mechanism: String,
    /// Where they are kept.
    pub backend: String,
    /// By what they are known.
    pub user_id_type: String,
    /// Whether it is asked about clients (`access.accounts`).
    pub enable: bool,
    /// How many users there are, of all tenants and of none.
    pub users: u64,
}

/// A user of an authenticator, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct AccountPath {
    /// The authenticator.
    pub id: String,
    /// The user's name.
    pub user_id: String,
}

/// A user whom clients log in as.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Account {
    /// The user's name.
    pub user_id: String,
    /// Whether no rule holds for the user.
    pub is_superuser: bool,
    /// The tenant whose user it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Whether the configuration has a user of that name, who comes first: this one cannot log in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_hidden: bool,
}

/// A user whom clients are to log in as.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// The user's name: 1 to 256 bytes without `:` and control characters.
    pub user_id: String,
    /// The password: 1 to 1,024 bytes. It is kept as an argon2id hash.
    pub password: String,
    /// Whether no rule is to hold for the user.
    #[serde(default)]
    pub is_superuser: bool,
    /// The tenant whose user it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What of a user is to change; whatever is left out stays.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountUpdate {
    /// The new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether no rule is to hold for the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_superuser: Option<bool>,
}

/// Which users are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Those of a name with this in it.
    pub like_user_id: Option<String>,
    /// Those for whom no rule holds, or those for whom they do.
    pub is_superuser: Option<bool>,
    /// Those of this tenant; those of no tenant where nothing is said.
    pub tenant: Option<String>,
}

/// Users whose passwords other programs have hashed.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountImport {
    /// How passwords are hashed, as in `plexus passwd --scheme`: `bcrypt`, `pbkdf2-sha256:4096`, `sha256`, …; `phc` (hashes
    /// that name their form, as `$argon2id$…`) where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheme: Option<String>,
    /// Whether users who are there already are replaced; otherwise nothing is taken where one is.
    #[serde(default)]
    pub replace: bool,
    /// The tenant whose users they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The users.
    pub users: Vec<HashedAccount>,
}

/// A user whose password has been hashed.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashedAccount {
    /// The user's name.
    pub user_id: String,
    /// The hash.
    pub password_hash: String,
    /// The salt, where it does not stand in the hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Whether no rule is to hold for the user.
    #[serde(default)]
    pub is_superuser: bool,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct AccountsImported {
    /// How many users.
    pub imported: u64,
}

/// What a rule says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// It is allowed.
    Allow,
    /// It is refused.
    Deny,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RuleAction {
    /// Publishing.
    Publish,
    /// Subscribing.
    Subscribe,
    /// Both.
    #[default]
    All,
}

/// Which messages a rule about publishing is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleRetain {
    /// Those that are to be retained, or those that are not.
    Only(bool),
    /// Both.
    All(AllWord),
}

/// The word `all`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AllWord {
    /// Both.
    All,
}

/// A rule of a client, of a user, or of everybody. The first one that says something about it decides.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRule {
    /// What it says.
    pub permission: Permission,
    /// What it is about.
    #[serde(default)]
    pub action: RuleAction,
    /// The topics: a filter, in which `${clientid}` and `${username}` stand for those of the client.
    pub topic: String,
    /// The qualities of service, 0, 1 and 2; all of them where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(inner(range(max = 2))))]
    pub qos: Option<Vec<u8>>,
    /// Of what is published, what is to be retained or not; both where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retain: Option<RuleRetain>,
}

/// Whose rules they are.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RuleWhom {
    /// Of user names.
    Users,
    /// Of client identifiers.
    Clients,
}

/// Rules of users or of clients, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct RulesPath {
    /// Of which of them.
    pub whom: RuleWhom,
}

/// Rules of a user or of a client, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct NamedRulesPath {
    /// Of which of them.
    pub whom: RuleWhom,
    /// The user name, or the client identifier.
    pub name: String,
}

/// Rules with those whose they are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesOfOne {
    /// The user name, of rules of a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The client identifier, of rules of a client. A client chooses its own: it is no proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clientid: Option<String>,
    /// The tenant whose user or client it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The rules, in their order.
    pub rules: Vec<AccountRule>,
}

/// Rules of everybody.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesOfAll {
    /// The tenant whose clients are meant; those of no tenant where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The rules, in their order.
    pub rules: Vec<AccountRule>,
}

/// Whose rules are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Those of a user name with this in it.
    pub like_username: Option<String>,
    /// Those of a client identifier with this in it.
    pub like_clientid: Option<String>,
    /// Those of this tenant; those of no tenant where nothing is said.
    pub tenant: Option<String>,
}

/// Where rules come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RuleSource {
    /// `built_in_database`: the rules that are changed here; `file`: those of the configuration, which are asked after them.
    pub r#type: String,
    /// Whether they are asked.
    pub enable: bool,
    /// Of how many users, clients and tenants there are rules here; of the configuration nothing is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<u64>,
}

/// The sources of rules, in the order in which they are asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct RuleSources {
    /// They.
    pub sources: Vec<RuleSource>,
}

/// Shows no password and no hash.
macro_rules! shows_names_only {
    ($($type:ident: $($field:ident),+;)*) => {
        $(impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($type));
                $(shown.field(stringify!($field), &self.$field);)+
                shown.finish_non_exhaustive()
            }
        })*
    };
}

shows_names_only! {
    NewAccount: user_id, is_superuser, tenant;
    AccountUpdate: is_superuser;
    AccountImport: scheme, replace, tenant;
    HashedAccount: user_id, is_superuser;
}
