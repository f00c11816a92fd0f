use std::{fmt, io, sync::Arc};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::Handle;

/// Bytes in both directions.
pub trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// How a server is reached: its host and port, and TLS unless it is spoken to in clear text.
#[derive(Clone)]
pub struct Line {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    runtime: Handle,
}

/// A text that names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no server; write `host`, `host:port` or `[address]:port`")]
pub struct NoServer;

impl Line {
    /// To a server such as `db.example.com:5432` or `[::1]:5432`.
    pub fn new(
        server: &str,
        port: u16,
        tls: Option<ClientConfig>,
        runtime: Handle,
    ) -> Result<Self, NoServer> {
        let (host, port) = match server.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, port),
            Some((host, rest)) => (host, number(rest.strip_prefix(':'))?),
            None => match server.split_once(':') {
                None => (server, port),
                Some((host, rest)) => (host, number(Some(rest))?),
            },
        };
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '?');
        if host.is_empty() || host.contains(odd) || ServerName::try_from(host).is_err() {
            return Err(NoServer);
        }
        Ok(Self { host: host.to_owned(), port, tls: tls.map(Arc::new), runtime })
    }

    /// The host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether TLS is spoken.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// A connection, with TLS where it is spoken.
    pub async fn open(&self) -> io::Result<Box<dyn Duplex>> {
        let stream = self.dial().await?;
        self.secure(stream).await
    }

    /// A connection on which nothing has been said.
    pub async fn dial(&self) -> io::Result<TcpStream> {
        self.runtime.dial(&self.host, self.port).await
    }

    /// Shakes hands by TLS, where it is spoken.
    pub async fn secure(&self, stream: TcpStream) -> io::Result<Box<dyn Duplex>> {
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let stream = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?;
        Ok(Box::new(stream))
    }
}

fn number(text: Option<&str>) -> Result<u16, NoServer> {
    text.and_then(|text| text.parse().ok()).filter(|port| *port > 0).ok_or(NoServer)
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("is_secure", &self.is_secure())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::Runtime;

    #[test]
    fn a_server_is_a_host_with_or_without_a_port() {
        let runtime = Runtime::start(1).unwrap();
        let read = |text: &str| {
            let line = Line::new(text, 7, None, runtime.handle()).ok()?;
            Some((line.host().to_owned(), line.port()))
        };
        for (text, host, port) in [
            ("db.example", "db.example", 7),
            ("db.example:8", "db.example", 8),
            ("127.0.0.1:8", "127.0.0.1", 8),
            ("[::1]", "::1", 7),
            ("[::1]:8", "::1", 8),
        ] {
            assert_eq!(read(text), Some((host.to_owned(), port)), "{text}");
        }
        for text in
            ["", ":8", "a:", "a:0", "a:x", "a:70000", "a b", "redis://a", "u@a", "::1", "[x"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
