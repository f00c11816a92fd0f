use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// By what somebody is banned.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BanAs {
    /// A client identifier, in which `*` stands for anything.
    Clientid,
    /// A user name, in which `*` stands for anything.
    Username,
    /// An address.
    Peerhost,
    /// A network, such as `10.1.0.0/16`.
    PeerhostNet,
}

impl BanAs {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Clientid => "clientid",
            Self::Username => "username",
            Self::Peerhost => "peerhost",
            Self::PeerhostNet => "peerhost_net",
        }
    }
}

/// Where a ban stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BanSource {
    /// In the configuration (`[[access.ban]]`): it is changed there.
    File,
    /// Made by the API, and kept in the data directory.
    #[default]
    Api,
}

/// Until when a ban holds: a moment, or `infinity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Until {
    /// That moment.
    At(Moment),
    /// For ever, until it is taken back.
    Never(Infinity),
}

/// The word `infinity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Infinity {
    /// No end.
    Infinity,
}

/// Somebody who is not let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Banned {
    /// By what.
    pub r#as: BanAs,
    /// Who.
    pub who: String,
    /// The tenant whose client or user it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who has banned it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When; none for what stands in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Until when.
    pub until: Until,
    /// Where it stands.
    #[serde(default)]
    pub source: BanSource,
}

/// Somebody who is not to be let in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBan {
    /// By what.
    pub r#as: BanAs,
    /// Who.
    pub who: String,
    /// The tenant whose client or user it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Who bans it; the user or key that asks, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// Taken as EMQX has it; the ban holds at once in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// Until when; for ever where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Until>,
}

/// A ban, in a path.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct BanPath {
    /// By what.
    pub r#as: BanAs,
    /// Who.
    pub who: String,
}

/// Which bans are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BanQuery {
    /// The number of the page, counted from 1.
    #[schemars(range(min = 1))]
    pub page: Option<u64>,
    /// How much is to be on it: 1 to 10,000, 100 where nothing is said.
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: Option<u64>,
    /// Those of a client identifier with this in it.
    pub like_clientid: Option<String>,
    /// Those of a user name with this in it.
    pub like_username: Option<String>,
    /// Those of an address with this in it.
    pub like_peerhost: Option<String>,
}
