//! Who knows clients, beside the users of the node itself.

use std::{collections::BTreeMap, path::PathBuf};

use plexus_access::Shown;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::{Placed, Secret, Span};

/// JSON Web Tokens that clients show. A token that is signed by none of the keys says nothing, and the next
/// of the chain is asked; one that is signed decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JwtSettings {
    /// What it is called in `access.chain` and in the log.
    pub name: String,
    /// Where clients show their token.
    #[serde(default)]
    pub token: TokenPlace,
    /// The secret that both sides share (HS256, HS384, HS512). One of this, `public_key_file`, `key_set_file` and
    /// `key_set_url` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// Whether `secret` is written in base64.
    #[serde(default)]
    pub secret_base64: bool,
    /// A PEM file with a public key: RSA (RS and PS algorithms), EC (ES256, ES384) or Ed25519 (EdDSA).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_file: Option<PathBuf>,
    /// A file with a JSON Web Key Set (RFC 7517).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set_file: Option<PathBuf>,
    /// An `https://` (or, on loopback, `http://`) address at which a JSON Web Key Set is published. It is asked for
    /// at the start, each `key_set_refresh`, and when a token names a key that is not in it. Keys that
    /// were read once hold while it cannot be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set_url: Option<String>,
    /// How often the set is read anew.
    #[serde(default = "five_minutes")]
    pub key_set_refresh: Span,
    /// A PEM file with the authorities that may vouch for the host of `key_set_url`; those of the public web
    /// when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_set_ca_file: Option<PathBuf>,
    /// The algorithms that are accepted, as `"ES256"`; all that fit the keys when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithms: Option<Vec<String>>,
    /// Claims that have to be there, and what has to be in them: a text with `${clientid}`, `${username}` and others.
    /// Of a claim that is a list, as `aud` may be, one element has to be it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, Placed>,
    /// By how much the clocks of both sides may differ.
    #[serde(default = "ten_seconds")]
    pub leeway: Span,
    /// Whether tokens without `exp` are accepted. The connection of a client ends when its token expires.
    #[serde(default)]
    pub endless: bool,
    /// The claim that is the client's user name from then on, as `"sub"`; it keeps the one that it gave when this is
    /// left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name_claim: Option<String>,
    /// The claim that says which tenant's client it is, as `"tenant"`. A token without it lets nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_claim: Option<String>,
    /// The claim that holds rules of the client. They are asked before `[[access.rule]]`.
    #[serde(default = "acl")]
    pub rules_claim: String,
    /// The claim that holds attributes of the client.
    #[serde(default = "client_attrs")]
    pub attributes_claim: String,
}

/// Clients that prove by TLS to own a certificate; `tls.client_auth` of the listener has to ask for one, and
/// `tls.client_ca_file` names who may have signed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateSettings {
    /// What it is called in `access.chain` and in the log.
    pub name: String,
    /// The name of the certificate that is the client's user name from then on.
    #[serde(default)]
    pub user_name: CertificateField,
    /// The name of the certificate that the client identifier has to be; it may be any when this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<CertificateField>,
    /// The name of the certificate that says which tenant's client it is, as `"organization"`. A certificate
    /// without it lets nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<CertificateField>,
    /// Subjects that are believed, as `"*,O=Plant,C=NL"` (RFC 4514, the last part first), in which `*` stands for
    /// anything; all that TLS has verified when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
}

/// A name that stands in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateField {
    /// The last Common Name of the subject.
    #[default]
    CommonName,
    /// The last organization of the subject.
    Organization,
    /// The whole subject (RFC 4514).
    Subject,
    /// The first alternative name that is a DNS name.
    DnsName,
    /// The first that is a mail address.
    MailAddress,
    /// The first that is a URI.
    Uri,
}

impl JwtSettings {
    /// How its tokens prove who shows them.
    pub(crate) const PROOF: &str = "set its user_name_claim, or claims = { sub = \"${username}\" }";

    /// Whether a token is of one client or user only.
    pub(crate) fn proves_anything(&self) -> bool {
        let claimed = |wanted: &Placed| wanted.get().has(Shown::ClientId);
        self.proves_user_names() || self.claims.values().any(claimed)
    }

    /// Whether whoever shows a token has the user name that is given with it.
    pub fn proves_user_names(&self) -> bool {
        let claimed = |wanted: &Placed| wanted.get().has(Shown::UserName);
        self.user_name_claim.is_some() || self.claims.values().any(claimed)
    }
}

/// Where clients show their token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenPlace {
    /// As Password.
    #[default]
    Password,
    /// As User Name.
    UserName,
}

fn five_minutes() -> Span {
    Span::secs(300)
}

fn ten_seconds() -> Span {
    Span::secs(10)
}

fn acl() -> String {
    "acl".to_owned()
}

fn client_attrs() -> String {
    "client_attrs".to_owned()
}
