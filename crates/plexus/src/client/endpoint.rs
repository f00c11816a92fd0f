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
    pub(crate) given: Given,
}

/// How the command line named it: advice to leave something out names nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// As a URL.
    pub(crate) url: bool,
    /// The options that ask for TLS.
    pub(crate) tls: Vec<&'static str>,
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

    /// How to ask for the same with TLS.
    pub(crate) fn with_tls(&self) -> String {
        let scheme = if self.transport.is_websocket() { "wss" } else { "mqtts" };
        if self.given.url {
            return format!(
                "write {scheme}:// in the URL, and --cafile FILE unless its authority is one of \
                 the public web"
            );
        }
        "write --cafile FILE with the authority of its certificate, or --tls if that is one of the \
         public web"
            .to_owned()
    }

    /// How to ask for the same without TLS.
    pub(crate) fn without_tls(&self) -> String {
        let scheme = if self.transport.is_websocket() { "ws" } else { "mqtt" };
        let options = listed(&self.given.tls);
        match (self.given.url, self.given.tls.is_empty()) {
            (false, _) => format!("leave out {options}"),
            (true, true) => format!("write {scheme}:// in the URL"),
            (true, false) => format!("write {scheme}:// in the URL and leave out {options}"),
        }
    }

    /// How to ask for the same over WebSocket.
    pub(crate) fn with_websocket(&self) -> String {
        let scheme = if self.transport.is_tls() { "wss" } else { "ws" };
        if self.given.url { format!("write {scheme}:// in the URL") } else { "add --ws".to_owned() }
    }

    /// How to ask for the same without WebSocket.
    pub(crate) fn without_websocket(&self) -> String {
        let scheme = if self.transport.is_tls() { "mqtts" } else { "mqtt" };
        if self.given.url {
            format!("write {scheme}:// in the URL")
        } else {
            "leave out --ws".to_owned()
        }
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

/// As in "a, b and c".
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
