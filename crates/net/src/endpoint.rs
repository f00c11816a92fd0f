//! Where a server is and what lies between: what a client needs to connect.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use crate::{ClientLayers, ClientWebSocket, Socket, Stream, StreamError, TlsClient, Transport};

/// A server as connections are made to it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// What carries the bytes.
    pub transport: Transport,
    /// Name or address without brackets; the path of a Unix socket.
    pub host: String,
    /// The port; a Unix socket has none.
    pub port: u16,
    /// The request path of WebSocket.
    pub path: String,
    /// Set exactly when the transport has TLS.
    pub tls: Option<TlsClient>,
}

/// One address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Over TCP.
    Address(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

impl Endpoint {
    /// Every address of the server. May wait for DNS.
    pub fn resolve(&self) -> io::Result<Vec<Target>> {
        if self.transport == Transport::Unix {
            return Ok(vec![Target::Unix(PathBuf::from(&self.host))]);
        }
        let found = (self.host.as_str(), self.port).to_socket_addrs()?;
        Ok(found.map(Target::Address).collect())
    }

    /// The layers of each connection.
    pub fn layers(&self) -> ClientLayers {
        let websocket = self
            .transport
            .is_websocket()
            .then(|| ClientWebSocket { host: self.authority(), path: self.path.clone() });
        ClientLayers { tls: self.tls.clone().map(|tls| (tls, self.host.clone())), websocket }
    }

    /// Host and port, an IPv6 address in brackets.
    pub fn authority(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl Target {
    /// Begins a connection with those layers, from `source` where one is given and the target is no
    /// Unix socket.
    pub fn open(
        &self,
        source: Option<IpAddr>,
        layers: &ClientLayers,
    ) -> Result<Stream, StreamError> {
        let socket = match (self, source) {
            (Self::Address(address), None) => Socket::connect(*address)?,
            (Self::Address(address), Some(source)) => Socket::connect_from(source, *address)?,
            (Self::Unix(path), _) => Socket::connect_unix(Path::new(path))?,
        };
        Stream::client(socket, layers)
    }
}

/// As a URL without user and password.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.transport {
            Transport::Tcp => write!(f, "mqtt://{}", self.authority()),
            Transport::Tls => write!(f, "mqtts://{}", self.authority()),
            Transport::Ws => write!(f, "ws://{}{}", self.authority(), self.path),
            Transport::Wss => write!(f, "wss://{}{}", self.authority(), self.path),
            Transport::Unix => write!(f, "unix://{}", self.host),
        }
    }
}
