//! Who asks: users who log in, and keys of programs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Moment, Role};

/// Name and password of somebody who logs in.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub struct Login {
    /// The name of the user.
    pub username: String,
    /// The password.
    pub password: String,
    /// The code of the second factor, of a user who has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_token: Option<String>,
}

/// What somebody has to show beside the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mfa {
    /// Nothing.
    #[default]
    None,
    /// A code that changes every half minute (TOTP, RFC 6238).
    Totp,
}

/// A second factor that has been made, and holds when a code of it is shown.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub struct MfaBegun {
    /// The secret, to be typed into an app (base32). It is never shown again.
    pub secret: String,
    /// The same with what an app shows beside it.
    pub uri: String,
}

/// A code of a second factor.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MfaCode {
    /// The six digits.
    pub mfa_token: String,
}

/// A log-in. Its token stands in `Authorization: Bearer …` of what is asked for afterwards.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub struct Session {
    /// The token; it ends an hour after it was last used.
    pub token: String,
    /// What the user may do.
    pub role: Role,
    /// The version of the node.
    pub version: String,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct User {
    /// The name, which stays.
    pub username: String,
    /// What the user may do.
    pub role: Role,
    /// What others are to know.
    #[serde(default)]
    pub description: String,
    /// Where the user comes from: `local` is this node.
    pub backend: String,
    /// What the user has to show beside the password.
    #[serde(default)]
    pub mfa: Mfa,
}

/// The name of a user, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct UserPath {
    /// The name of the user.
    pub username: String,
}

/// A user who is to be.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name: 1 to 256 characters without space around it.
    #[schemars(length(min = 1, max = 256))]
    pub username: String,
    /// The password: 8 to 256 bytes.
    #[schemars(length(min = 8, max = 256))]
    pub password: String,
    /// What the user may do; `viewer`, where nothing is said.
    #[serde(default)]
    pub role: Role,
    /// What others are to know.
    #[serde(default)]
    #[schemars(length(max = 1_024))]
    pub description: String,
}

/// What is to be changed of a user. What is not said stays.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UserUpdate {
    /// What the user may do.
    pub role: Option<Role>,
    /// What others are to know.
    #[schemars(length(max = 1_024))]
    pub description: Option<String>,
}

/// A password in the place of another.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The one of now.
    pub old_pwd: String,
    /// The new one: 8 to 256 bytes.
    #[schemars(length(min = 8, max = 256))]
    pub new_pwd: String,
}

/// The key of a program, which shows it and its secret as name and password (`Authorization: Basic …`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct ApiKey {
    /// What it is called.
    pub name: String,
    /// The key.
    pub api_key: String,
    /// What it may be used for.
    pub role: Role,
    /// Whether it may be used.
    pub enable: bool,
    /// When it ends; none for never.
    pub expired_at: Option<Moment>,
    /// Whether it has ended.
    pub expired: bool,
    /// When it was made.
    pub created_at: Moment,
    /// What others are to know.
    #[serde(default)]
    pub desc: String,
}

/// A key that was made. Its secret is shown this once.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
pub struct ApiKeyCreated {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// The secret.
    pub api_secret: String,
}

/// The name of a key, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct ApiKeyPath {
    /// The name of the key.
    pub name: String,
}

/// What is to be changed of a key. What is not said stays.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyUpdate {
    /// What it may be used for.
    pub role: Option<Role>,
    /// Whether it may be used.
    pub enable: Option<bool>,
    /// When it ends.
    pub expired_at: Option<Moment>,
    /// What others are to know.
    #[schemars(length(max = 1_024))]
    pub desc: Option<String>,
}

/// A key that is to be.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is called: 1 to 256 bytes.
    #[schemars(length(min = 1, max = 256))]
    pub name: String,
    /// What it may be used for; `viewer`, where nothing is said.
    #[serde(default)]
    pub role: Role,
    /// Whether it may be used.
    #[serde(default = "yes")]
    pub enable: bool,
    /// When it ends; never, where nothing is said.
    #[serde(default)]
    pub expired_at: Option<Moment>,
    /// What others are to know.
    #[serde(default)]
    #[schemars(length(max = 1_024))]
    pub desc: String,
}

const fn yes() -> bool {
    true
}

macro_rules! silent {
    ($($name:ident: $shown:ident,)*) => {
        $(
            /// Shows no secret.
            impl std::fmt::Debug for $name {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.debug_struct(stringify!($name))
                        .field(stringify!($shown), &self.$shown)
                        .finish_non_exhaustive()
                }
            }
        )*
    };
}

silent! {
    Login: username,
    Session: role,
    NewUser: username,
    ApiKeyCreated: key,
}

/// Shows no secret.
impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PasswordChange").finish_non_exhaustive()
    }
}

/// Shows no secret.
impl std::fmt::Debug for MfaBegun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MfaBegun").finish_non_exhaustive()
    }
}

/// Shows no code.
impl std::fmt::Debug for MfaCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MfaCode").finish_non_exhaustive()
    }
}
