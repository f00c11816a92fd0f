use std::{net::SocketAddr, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::RateText;

/// The management API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Pages of other origins whose scripts may ask the API, such as `"https://tools.example"`; none where nothing is said.
    /// The dashboard is of the same origin.
    pub allowed_origins: Vec<String>,
    /// How often anybody may ask from one address (of IPv6: from 64 bits of it).
    pub max_request_rate_per_address: RateText,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            address: None,
            cert_file: None,
            key_file: None,
            cleartext: false,
            allowed_origins: Vec::new(),
            max_request_rate_per_address: RateText::of(1_000, Duration::from_secs(1)),
        }
    }
}
