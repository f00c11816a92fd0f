//! The configuration of one listener, and of a client's TLS. The documentation here is the schema.

mod file_mode;
mod tls;

use std::{path::PathBuf, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::tls::TlsPair;
use self::tls::alpn_default;
pub use self::tls::{
    CipherSuite, ClientAuth, CrlDoubt, CrlScope, TlsCertificate, TlsOptions, TlsVersion,
    UnknownName,
};
use crate::{BindError, Layers, ListenUrl, TlsServer};

/// One listener as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenerOptions {
    /// Where to listen: `tcp://host:port`, `tls://host:port`, `ws://host:port/path`,
    /// `wss://host:port/path` or `unix:///path`.
    pub url: ListenUrl,
    /// Options of the listening socket.
    #[serde(default)]
    pub bind: BindOptions,
    /// Certificates and rules of TLS; needed for `tls` and `wss`, refused for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsOptions>,
    /// Options of `ws` and `wss`.
    #[serde(default)]
    pub websocket: WebSocketOptions,
    /// Whether a load balancer in front sends the PROXY protocol.
    #[serde(default)]
    pub proxy_protocol: ProxyProtocol,
}

impl ListenerOptions {
    /// A listener at `url` with every other option at its default.
    pub fn new(url: ListenUrl) -> Self {
        Self {
            url,
            bind: BindOptions::default(),
            tls: None,
            websocket: WebSocketOptions::default(),
            proxy_protocol: ProxyProtocol::Off,
        }
    }

    /// Checks the options and reads the certificates: what every connection of this listener passes
    /// through. Opens no socket; that is [`crate::Listener::bind`].
    pub fn layers(&self) -> Result<Layers, BindError> {
        let url = || Box::new(self.url.clone());
        let transport = self.url.transport();
        let tls = match (&self.tls, transport.is_tls()) {
            (Some(options), true) => match TlsServer::new(options) {
                Ok(tls) => Some(tls),
                Err(source) => return Err(BindError::Tls { url: url(), source: source.into() }),
            },
            (None, true) => return Err(BindError::NoCertificate { url: url() }),
            (Some(_), false) => return Err(BindError::NoTls { url: url() }),
            (None, false) => None,
        };
        let websocket =
            if transport.is_websocket() { Some(Arc::new(self.checked_websocket()?)) } else { None };
        Ok(Layers { proxy: self.proxy_protocol, tls, websocket })
    }

    fn checked_websocket(&self) -> Result<WebSocketOptions, BindError> {
        let url = || Box::new(self.url.clone());
        let mut websocket = self.websocket.clone();
        if let Some(path) = self.url.websocket_path() {
            path.clone_into(&mut websocket.path);
        }
        let visible = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#');
        if !websocket.path.starts_with('/') || !websocket.path.bytes().all(visible) {
            return Err(BindError::Path { url: url(), path: websocket.path });
        }
        let range = |option, range| Err(BindError::Range { url: url(), option, range });
        if websocket.frame_size_max < 125 {
            return range("websocket.frame_size_max", "125 or more");
        }
        if !(256..=65_536).contains(&websocket.header_size_max) {
            return range("websocket.header_size_max", "256 to 65536");
        }
        Ok(websocket)
    }
}

/// Options of a listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BindOptions {
    /// Connections that the system keeps waiting until they are accepted.
    #[schemars(range(min = 1, max = 65535))]
    pub backlog: u32,
    /// Whether several sockets may listen at this address, each with its share of the connections.
    pub reuse_port: bool,
    /// Whether small packets leave at once (TCP_NODELAY) instead of waiting for more.
    pub nodelay: bool,
    /// Whether an IPv6 socket takes IPv6 peers only. `false` lets `[::]` take IPv4 peers too.
    pub ipv6_only: bool,
    /// File mode of a Unix socket in octal digits, as text such as `"0660"`: who may connect.
    #[serde(with = "file_mode")]
    #[schemars(with = "String", regex(pattern = "^0?[0-7]{3}$"))]
    pub unix_mode: u32,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self { backlog: 1024, reuse_port: false, nodelay: true, ipv6_only: true, unix_mode: 0o660 }
    }
}

/// How a client speaks TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TlsClientOptions {
    /// PEM file with the authorities to trust; without one, the authorities of the public web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Accepts any certificate. The connection is then open to whoever stands between.
    pub insecure: bool,
    /// PEM file with the client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// PEM file with the key of the client's certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The oldest TLS version that is spoken.
    pub min_version: TlsVersion,
    /// Application protocols (ALPN) that are offered; none over WebSocket.
    pub alpn: Vec<String>,
}

impl Default for TlsClientOptions {
    fn default() -> Self {
        Self {
            ca_file: None,
            insecure: false,
            cert_file: None,
            key_file: None,
            min_version: TlsVersion::default(),
            alpn: alpn_default(),
        }
    }
}

/// Options of a WebSocket listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocketOptions {
    /// The request path; a path in the listener's URL comes before this one.
    pub path: String,
    /// Whether a client has to offer the sub-protocol `mqtt` (or `mqttv3.1`).
    pub subprotocol_required: bool,
    /// The largest frame that is accepted, in bytes.
    #[schemars(range(min = 125))]
    pub frame_size_max: u32,
    /// The longest upgrade request that is accepted, in bytes.
    #[schemars(range(min = 256, max = 65536))]
    pub header_size_max: u32,
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        Self {
            path: "/mqtt".to_owned(),
            subprotocol_required: true,
            frame_size_max: 16 * 1024 * 1024,
            header_size_max: 8 * 1024,
        }
    }
}

/// Whether every connection of a listener begins with a PROXY protocol header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProxyProtocol {
    /// Peers connect directly. A header would be refused as malformed bytes by the layer above.
    #[default]
    Off,
    /// Version 1 or 2 of the header must come first, or the connection is closed. Anybody who reaches
    /// such a listener directly may claim any address: let only the load balancer reach it.
    Required,
}
