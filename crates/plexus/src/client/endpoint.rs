//! Where the broker is, resolved and with its layers.

use std::{
    collections::VecDeque,
    io,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use plexus_net::{
    ClientLayers, ClientWebSocket, Socket, Stream, StreamError, TlsClient, Transport,
};

/// A broker as a connection is made to it.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) transport: Transport,
    /// Name or address without brackets; the path of a Unix socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The request path of WebSocket.
    pub(crate) path: String,
    /// Set exactly when the transport has TLS.
    pub(crate) tls: Option<TlsClient>,
    /// Where the trusted authorities come from, if they are not those of the public web.
    pub(crate) ca_file: Option<PathBuf>,
}

/// One address to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Address(SocketAddr),
    Unix(String),
}

impl Endpoint {
    /// Every address of the broker. May wait for DNS.
    pub(crate) fn resolve(&self) -> io::Result<VecDeque<Target>> {
        if self.transport == Transport::Unix {
            return Ok(VecDeque::from([Target::Unix(self.host.clone())]));
        }
        let found = (self.host.as_str(), self.port).to_socket_addrs()?;
        Ok(found.map(Target::Address).collect())
    }

    /// Begins a connection.
    pub(crate) fn open(&self, target: &Target) -> Result<Stream, StreamError> {
        let socket = match target {
            Target::Address(address) => Socket::connect(*address)?,
            Target::Unix(path) => Socket::connect_unix(Path::new(path))?,
        };
        let websocket = self
            .transport
            .is_websocket()
            .then(|| ClientWebSocket { host: self.authority(), path: self.path.clone() });
        let tls = self.tls.clone().map(|tls| (tls, self.host.clone()));
        Stream::client(socket, &ClientLayers { tls, websocket })
    }

    fn authority(&self) -> String {
        let (host, port) = (&self.host, self.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.transport {
            Transport::Tcp => write!(f, "mqtt://{}", self.authority()),
            Transport::Tls => write!(f, "mqtts://{}", self.authority()),
            Transport::Ws => write!(f, "ws://{}{}", self.authority(), self.path),
            Transport::Wss => write!(f, "wss://{}{}", self.authority(), self.path),
            Transport::Unix => write!(f, "unix://{}", self.host),
        }
    }
}
