//! What may go wrong, by whose fault.

use std::{io, net::SocketAddr, path::PathBuf};

use crate::{ListenUrl, UrlError, proxy::ProxyError, websocket::WebSocketError};

/// Why a listener could not be opened: the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The URL is malformed.
    #[error("malformed listener URL")]
    Url(#[from] UrlError),
    /// The host has no address.
    #[error("{url}: cannot resolve the host")]
    Resolve {
        /// The listener.
        url: Box<ListenUrl>,
        /// What the resolver said.
        source: io::Error,
    },
    /// The host resolves to nothing.
    #[error("{url}: the host has no address")]
    NoAddress {
        /// The listener.
        url: Box<ListenUrl>,
    },
    /// The address is not to be had.
    #[error("cannot listen at {url}{}{mend}", resolved(url, address), mend = mend(source))]
    Address {
        /// The listener.
        url: Box<ListenUrl>,
        /// The address that failed.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The Unix socket is not to be had.
    #[error("cannot listen at {url}{mend}", mend = mend(source))]
    Unix {
        /// The listener.
        url: Box<ListenUrl>,
        /// What the system said.
        source: io::Error,
    },
    /// Something that is no socket stands at the path.
    #[error("{url}: a file that is no socket stands there; move it away or choose another path")]
    NotASocket {
        /// The listener.
        url: Box<ListenUrl>,
    },
    /// `tls` or `wss` without certificates.
    #[error("{url}: TLS needs a certificate; set tls.cert_file and tls.key_file")]
    NoCertificate {
        /// The listener.
        url: Box<ListenUrl>,
    },
    /// Certificates for a transport without TLS.
    #[error("{url}: this transport has no TLS; use tls:// or wss://, or remove the tls options")]
    NoTls {
        /// The listener.
        url: Box<ListenUrl>,
    },
    /// A WebSocket path that no request can have.
    #[error("{url}: `{path}` is no WebSocket path; begin with `/`, without `?`, `#` and blanks")]
    Path {
        /// The listener.
        url: Box<ListenUrl>,
        /// The path.
        path: String,
    },
    /// An option out of its range.
    #[error("{url}: {option} is out of range; use {range}")]
    Range {
        /// The listener.
        url: Box<ListenUrl>,
        /// The option's name.
        option: &'static str,
        /// What is allowed.
        range: &'static str,
    },
    /// The certificates cannot be used.
    #[error("{url}: cannot set up TLS")]
    Tls {
        /// The listener.
        url: Box<ListenUrl>,
        /// Why not.
        source: Box<TlsConfigError>,
    },
}

/// The address where the URL has a name in its place.
fn resolved(url: &ListenUrl, address: &SocketAddr) -> String {
    if url.host().parse() == Ok(address.ip()) { String::new() } else { format!(" ({address})") }
}

fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            ": another program or listener has it; stop that one or choose another"
        }
        io::ErrorKind::AddrNotAvailable => ": this machine does not have that address",
        io::ErrorKind::PermissionDenied => {
            ": not permitted; choose a port from 1024 on or a writable directory, or grant the right"
        }
        _ => "",
    }
}

/// Why certificates or keys cannot be used: the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum TlsConfigError {
    /// A PEM file cannot be read or is malformed.
    #[error("cannot read {} as PEM", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rustls::pki_types::pem::Error,
    },
    /// A PEM file without a certificate in it.
    #[error("{} holds no certificate; expected `-----BEGIN CERTIFICATE-----`", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The key is unusable or does not belong to the certificate.
    #[error("certificate {} and key {} cannot be used together", cert.display(), key.display())]
    Pair {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// A certificate of an authority is malformed.
    #[error("{} holds a certificate that is no authority's", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
    /// A file without a revocation list in it.
    #[error(
        "{} holds no revocation list; expected DER, or `-----BEGIN X509 CRL-----`", path.display()
    )]
    NoCrl {
        /// The file.
        path: PathBuf,
    },
    /// A revocation list is damaged or of a kind that cannot be checked.
    #[error("{} holds a revocation list that is damaged or cannot be checked", path.display())]
    Crl {
        /// The file, or the other place that it came from.
        path: PathBuf,
        /// Why not.
        source: rustls::server::VerifierBuilderError,
    },
    /// A revocation list was not signed by whom it names as its issuer.
    #[error("{} holds a revocation list that its issuer has not signed", path.display())]
    CrlSignature {
        /// The place that it came from.
        path: PathBuf,
    },
    /// Revocation lists, and nobody who could be revoked.
    #[error("crl_files has no effect without client certificates; set client_auth, or remove it")]
    UnusedCrls,
    /// An OCSP response cannot be read.
    #[error("cannot read {}", path.display())]
    OcspFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that holds no answer of an authority about a certificate.
    #[error("{} holds no successful OCSP response in DER", path.display())]
    Ocsp {
        /// The file.
        path: PathBuf,
    },
    /// A further certificate that no client could ask for.
    #[error(
        "certificate {} has no name that a client could ask for; write names = [\"…\"]",
        cert.display()
    )]
    NoName {
        /// The certificate's file.
        cert: PathBuf,
    },
    /// A name that no client could ask for.
    #[error(
        "certificate {}: `{name}` is no host name; write one as `a.example` or `*.example`",
        cert.display()
    )]
    BadName {
        /// The certificate's file.
        cert: PathBuf,
        /// The name.
        name: String,
    },
    /// Two further certificates for one name.
    #[error(
        "certificates {} and {} are both for `{name}`; give each name to one of them",
        cert.display(),
        other.display()
    )]
    SameName {
        /// The later one's file.
        cert: PathBuf,
        /// The earlier one's file.
        other: PathBuf,
        /// The name.
        name: String,
    },
    /// No cipher suite is left.
    #[error(
        "cipher_suites has none for the versions that are spoken; add TLS_AES_256_GCM_SHA384, or \
         remove the key"
    )]
    NoSuite,
    /// Client certificates are to be checked against nothing.
    #[error("client certificates need authorities to check against; set client_ca_file")]
    NoClientAuthority,
    /// A client certificate without its key, or the other way round.
    #[error("a client certificate needs both cert_file and key_file")]
    HalfPair,
    /// The client verifier cannot be built.
    #[error("cannot check client certificates")]
    Verifier(#[source] rustls::server::VerifierBuilderError),
    /// The TLS library refuses the combination.
    #[error("TLS cannot be set up this way")]
    Setup(#[source] rustls::Error),
}

/// Why a stream ended other than by an orderly close. The stream is dead; what the peer is owed (TLS
/// alert, WebSocket close, HTTP answer) has been sent as far as the socket took it.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The socket failed: reset, unreachable, timed out.
    #[error("socket")]
    Io(#[from] io::Error),
    /// The PROXY header is malformed.
    #[error("PROXY protocol")]
    Proxy(#[from] ProxyError),
    /// The name that the server is to prove is neither a host name nor an address.
    #[error("`{0}` is no server name")]
    ServerName(String),
    /// The TLS handshake or a record failed.
    #[error("TLS")]
    Tls(#[from] rustls::Error),
    /// The peer breaks the WebSocket protocol, or its upgrade request was refused.
    #[error("WebSocket")]
    WebSocket(#[from] WebSocketError),
}

impl StreamError {
    /// Why the certificate of the peer was not accepted, if that is what it is.
    pub fn refused_certificate(&self) -> Option<String> {
        match self {
            Self::Tls(error @ rustls::Error::InvalidCertificate(_)) => Some(error.to_string()),
            _ => None,
        }
    }
}
