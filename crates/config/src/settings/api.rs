use std::{net::SocketAddr, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The management API.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApiSettings {
    /// The address and port at which the API is served, such as `"127.0.0.1:18083"`; there is none where this is
    /// left out. Users and keys are kept in `node.data_dir`, as `api.json`; without it they end with the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub address: Option<SocketAddr>,
    /// A PEM file with the certificate for HTTPS; clear text without it, which is for this machine only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// A PEM file with the key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Whether the API may be served in clear text at an address that others reach: passwords and tokens can be
    /// read on the way then.
    pub cleartext: bool,
}
