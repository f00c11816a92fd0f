//! Where a listener listens, as one URL.

use std::{
    fmt, io,
    net::{SocketAddr, ToSocketAddrs},
    path::Path,
    str::FromStr,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What carries the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// WebSocket over TCP.
    Ws,
    /// WebSocket over TLS.
    Wss,
    /// A Unix domain socket.
    Unix,
}

impl Transport {
    /// The scheme of a URL with this transport.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Unix => "unix",
        }
    }

    /// The port that a URL without a port means. Unix sockets have none.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Self::Tcp => Some(1883),
            Self::Tls => Some(8883),
            Self::Ws => Some(8083),
            Self::Wss => Some(8084),
            Self::Unix => None,
        }
    }

    /// Whether TLS lies above the socket.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::Wss)
    }

    /// Whether WebSocket frames carry the application bytes.
    pub fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scheme())
    }
}

impl FromStr for Transport {
    type Err = UrlError;

    fn from_str(scheme: &str) -> Result<Self, UrlError> {
        match scheme {
            "tcp" => Ok(Self::Tcp),
            "tls" => Ok(Self::Tls),
            "ws" => Ok(Self::Ws),
            "wss" => Ok(Self::Wss),
            "unix" => Ok(Self::Unix),
            other => Err(UrlError::Scheme(other.to_owned())),
        }
    }
}

/// Where a listener listens: `tcp://host:port`, `tls://host:port`, `ws://host:port/path`,
/// `wss://host:port/path` or `unix:///path`. An IPv6 address stands in brackets; a port left out is
/// 1883, 8883, 8083 or 8084 by scheme; port 0 asks the system for a free one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ListenUrl {
    transport: Transport,
    /// Without brackets; empty for a Unix socket.
    host: String,
    port: u16,
    /// Of the WebSocket (empty when not given) or of the Unix socket.
    path: String,
}

/// Why a text is no [`ListenUrl`], with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No `scheme://` in front.
    #[error("`{0}` has no scheme; write for example tcp://{0}")]
    NoScheme(String),
    /// A scheme that is not one of ours.
    #[error("unknown scheme `{0}`; use tcp, tls, ws, wss or unix{mend}", mend = scheme_mend(.0))]
    Scheme(String),
    /// Nothing between `://` and the port.
    #[error(
        "no host; write for example {0}://127.0.0.1:{port} for this machine only, or \
         {0}://0.0.0.0:{port} for every interface",
        port = .0.default_port().unwrap_or_default()
    )]
    NoHost(Transport),
    /// A host with characters that no host name has.
    #[error("`{0}` is no host name and no address")]
    Host(String),
    /// An IPv6 address without brackets, or brackets around something else.
    #[error("`{0}`: write an IPv6 address in brackets, for example [::1]:1883")]
    Brackets(String),
    /// A colon and nothing behind it.
    #[error(
        "no port behind the colon; write for example {0}://127.0.0.1:{port}, or leave the colon \
         out for port {port}",
        port = .0.default_port().unwrap_or_default()
    )]
    NoPort(Transport),
    /// No number from 0 to 65535.
    #[error("`{0}` is no port; use a number from 1 to 65535, or 0 for any free port")]
    Port(String),
    /// A path behind a transport that has none.
    #[error("{0}:// has no path; remove `{1}`")]
    Path(Transport, String),
    /// A path with characters that no request path has.
    #[error("`{0}` is no WebSocket path; use visible characters without `?` and `#`")]
    WebSocketPath(String),
    /// A Unix socket without an absolute path.
    #[error("a Unix socket needs an absolute path; write unix:///run/plexus/mqtt.sock")]
    UnixPath,
}

fn scheme_mend(scheme: &str) -> &'static str {
    match scheme {
        "mqtt" => " (mqtt:// is tcp:// here)",
        "mqtts" | "ssl" => " (this one is tls:// here)",
        "http" => " (WebSocket is ws:// here)",
        "https" => " (secure WebSocket is wss:// here)",
        _ => "",
    }
}

impl ListenUrl {
    /// What carries the bytes.
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The host name or address without brackets; empty for a Unix socket.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 0 for a Unix socket or for "any free port".
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of the WebSocket, if the URL names one.
    pub fn websocket_path(&self) -> Option<&str> {
        (self.transport.is_websocket() && !self.path.is_empty()).then_some(self.path.as_str())
    }

    /// The path of the Unix socket, if it is one.
    pub fn unix_path(&self) -> Option<&Path> {
        (self.transport == Transport::Unix).then(|| Path::new(&self.path))
    }

    /// Every address that the host has, in the resolver's order. This may wait for DNS.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let mut addresses: Vec<SocketAddr> = Vec::new();
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }

    /// The same URL at the address where the socket really listens.
    #[must_use]
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { host: address.ip().to_string(), port: address.port(), ..self.clone() }
    }
}

impl FromStr for ListenUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(UrlError::NoScheme(text.to_owned()));
        };
        let transport: Transport = scheme.parse()?;
        if transport == Transport::Unix {
            return parse_unix(rest);
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = parse_authority(transport, authority)?;
        let port = match port {
            Some("") => return Err(UrlError::NoPort(transport)),
            Some(digits) => parse_port(digits)?,
            None => transport.default_port().unwrap_or_default(),
        };
        let path = parse_path(transport, path)?;
        Ok(Self { transport, host: host.to_owned(), port, path: path.to_owned() })
    }
}

fn parse_unix(path: &str) -> Result<ListenUrl, UrlError> {
    if !path.starts_with('/') || path.ends_with('/') || path.contains('\0') {
        return Err(UrlError::UnixPath);
    }
    let transport = Transport::Unix;
    Ok(ListenUrl { transport, host: String::new(), port: 0, path: path.to_owned() })
}

/// Host without brackets, and the digits behind the colon.
fn parse_authority(
    transport: Transport,
    authority: &str,
) -> Result<(&str, Option<&str>), UrlError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let brackets = || UrlError::Brackets(authority.to_owned());
        let (host, rest) = rest.split_once(']').ok_or_else(brackets)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| brackets())?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(brackets()),
        };
    }
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if port.is_some_and(|port| port.contains(':')) {
        return Err(UrlError::Brackets(authority.to_owned()));
    }
    if host.is_empty() {
        return Err(UrlError::NoHost(transport));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !host.chars().all(valid) {
        return Err(UrlError::Host(host.to_owned()));
    }
    Ok((host, port))
}

fn parse_port(digits: &str) -> Result<u16, UrlError> {
    let port = || UrlError::Port(digits.to_owned());
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(port());
    }
    digits.parse().map_err(|_| port())
}

fn parse_path(transport: Transport, path: &str) -> Result<&str, UrlError> {
    if transport.is_websocket() {
        let visible = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#');
        return if path.bytes().all(visible) {
            Ok(path)
        } else {
            Err(UrlError::WebSocketPath(path.to_owned()))
        };
    }
    match path {
        "" | "/" => Ok(""),
        other => Err(UrlError::Path(transport, other.to_owned())),
    }
}

impl fmt::Display for ListenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transport, host, port, path } = self;
        match transport {
            Transport::Unix => write!(f, "unix://{path}"),
            _ if host.contains(':') => write!(f, "{transport}://[{host}]:{port}{path}"),
            _ => write!(f, "{transport}://{host}:{port}{path}"),
        }
    }
}

impl TryFrom<String> for ListenUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<ListenUrl> for String {
    fn from(url: ListenUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests;
