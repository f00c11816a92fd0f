//! The bytes of a connection below packets and frames: plain, or in TLS.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};

/// The name in the broker's certificate.
pub(crate) const SERVER_NAME: &str = "localhost";

/// What a balancer says of a client at 192.0.2.1: version 2 of the PROXY protocol, TCP over IPv4.
pub(crate) const PROXY_HEADER: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x07\x9c\x40\x07\x5b";

/// A socket with its encryption.
#[derive(Debug)]
pub(crate) enum Socket {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// A plain one over which these bytes have gone.
    pub(crate) fn plain_after(mut stream: TcpStream, first: &[u8]) -> io::Result<Self> {
        stream.write_all(first)?;
        Ok(Self::Plain(stream))
    }

    /// One whose TLS handshake is done.
    pub(crate) fn secure(mut stream: TcpStream, trust: &Arc<ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from(SERVER_NAME).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::clone(trust), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut stream)?;
        }
        Ok(Self::Tls(Box::new(StreamOwned::new(tls, stream))))
    }

    /// Reads what there is.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(into),
            Self::Tls(stream) => stream.read(into),
        }
    }

    /// Writes all of it.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes),
            Self::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Ends the sending direction. A broker that has closed already needs no word of it.
    pub(crate) fn finish(&mut self) {
        let stream = match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => {
                tls.conn.send_close_notify();
                drop(tls.flush());
                &mut tls.sock
            }
        };
        drop(stream.shutdown(Shutdown::Write));
    }
}

/// A client that trusts this certificate and no other.
pub(crate) fn trusting(certificate: Vec<u8>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(certificate))?;
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
