//! TLS for both roles: what files say becomes configurations, and a configuration becomes sessions.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::UnbufferedClientConnection,
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer, ServerName,
        pem::{self, PemObject},
    },
    server::{UnbufferedServerConnection, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
};

use crate::{
    StreamError, TlsClientOptions, TlsConfigError, TlsOptions, options::TlsPair, read_regular_file,
};

mod certificate;
mod crl;
mod der;
mod insecure;
mod resolver;
mod session;
mod staple;
mod suites;
mod validity;

pub use crl::{CRL_SIZE_MAX, Crl, FetchedCrls, crl_validity};
use resolver::{Certificates, NamedCertificate, Shown};
use session::Admission;
pub use session::TlsFacts;
pub(crate) use session::TlsSession;
pub use staple::{StapleFault, staple_fault};
use suites::{provider, provider_of, versions};
pub use validity::{Validity, certificate_is_authority, certificate_validity};

/// All authorities of the public web have some 300 KiB.
const PEM_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// The server's side of TLS for one listener: a cheap handle to certificates that can be replaced while
/// connections come and go.
#[derive(Debug, Clone)]
pub struct TlsServer(Arc<Serving>);

#[derive(Debug)]
struct Serving {
    configs: RwLock<ServerConfigs>,
}

/// The same certificates and rules for both kinds of listener.
#[derive(Debug)]
struct ServerConfigs {
    certificates: Arc<Certificates>,
    stream: ServerConfig,
    /// Browsers name `http/1.1`, never `mqtt`.
    websocket: ServerConfig,
    /// Who looks at the certificates of clients, where any are asked for.
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    ends: TlsEnds,
}

/// When what a listener goes by ends, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsEnds {
    /// The first of the certificates that clients are shown, intermediates included.
    pub certificate: Option<u64>,
    /// The first of the revocation lists.
    pub crl: Option<u64>,
}

impl TlsServer {
    /// Reads the files and checks that they fit together.
    pub fn new(options: &TlsOptions) -> Result<Self, TlsConfigError> {
        let configs = RwLock::new(ServerConfigs::load(options)?);
        Ok(Self(Arc::new(Serving { configs })))
    }

    /// Reads the files again, for connections from now on. After an error everything stays as it was.
    /// Sessions of before cannot be resumed: they were admitted under the old rules.
    pub fn reload(&self, options: &TlsOptions) -> Result<(), TlsConfigError> {
        let fresh = ServerConfigs::load(options)?;
        *self.0.configs.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// When certificates and revocation lists end.
    pub fn ends(&self) -> TlsEnds {
        self.configs(|configs| configs.ends)
    }

    /// What a connection of HTTP is accepted by. It is made for that one: which certificate it is shown
    /// depends on the name that it asks for.
    pub fn http_config(&self) -> Arc<ServerConfig> {
        self.configs(|configs| {
            let mut config = configs.websocket.clone();
            let clock = Arc::clone(&config.time_provider);
            let certificates = Arc::clone(&configs.certificates);
            config.cert_resolver = Arc::new(NamedCertificate::new(certificates, clock));
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        })
    }

    pub(crate) fn accept(&self, websocket: bool) -> Result<TlsSession, StreamError> {
        self.configs(|configs| {
            // A copy of a configuration shares everything that is large; the copy lives until the
            // handshake is over and brings the connection a resolver of its own.
            let mut config =
                if websocket { configs.websocket.clone() } else { configs.stream.clone() };
            let clock = Arc::clone(&config.time_provider);
            let certificates = Arc::clone(&configs.certificates);
            let certificate = Arc::new(NamedCertificate::new(certificates, Arc::clone(&clock)));
            config.cert_resolver = Arc::<NamedCertificate>::clone(&certificate);
            let admission = configs.verifier.clone().map(|verifier| Admission { verifier, clock });
            let connection = UnbufferedServerConnection::new(Arc::new(config))?;
            Ok(TlsSession::server(connection, certificate, admission))
        })
    }

    fn configs<T>(&self, look: impl FnOnce(&ServerConfigs) -> T) -> T {
        look(&self.0.configs.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ServerConfigs {
    fn load(options: &TlsOptions) -> Result<Self, TlsConfigError> {
        let provider = provider_of(&options.cipher_suites, options.min_version)?;
        let mut lists = crl::read(&options.crl_files)?;
        lists.extend(options.fetched_crls.all());
        lists.sort_by_key(|list| std::cmp::Reverse(crl::made(list)));
        let verifier = crl::client_verifier(options, &provider, &lists)?;
        let certificates = certificates(options, &provider)?;
        let ends = TlsEnds {
            certificate: certificates.all().filter_map(validity::end).min(),
            crl: lists.iter().filter_map(|(_, list)| crl::end(list)).min(),
        };
        let certificates = Arc::new(certificates);
        let resolver = Arc::new(rustls::server::ResolvesServerCertUsingSni::new());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(options.min_version))
            .map_err(TlsConfigError::Setup)?
            .with_client_cert_verifier(
                verifier.clone().unwrap_or_else(WebPkiClientVerifier::no_client_auth),
            )
            // Every connection has a resolver of its own.
            .with_cert_resolver(resolver);
        // Tickets keep resumption without memory on our side; one is enough for one client.
        config.ticketer =
            rustls::crypto::aws_lc_rs::Ticketer::new().map_err(TlsConfigError::Setup)?;
        config.send_tls13_tickets = 1;
        config.alpn_protocols = protocols(&options.alpn);
        let mut websocket = config.clone();
        // No list means that every client is accepted, here too.
        if !websocket.alpn_protocols.is_empty() {
            websocket.alpn_protocols.push(b"http/1.1".to_vec());
        }
        Ok(Self { certificates, stream: config, websocket, verifier, ends })
    }
}

fn certificates(
    options: &TlsOptions,
    provider: &CryptoProvider,
) -> Result<Certificates, TlsConfigError> {
    let default = load_pair(&options.default_pair(), provider)?;
    let mut certificates = Certificates::new(default, options.unknown_name);
    for one in &options.certificate {
        let shown = load_pair(&one.pair(), provider)?;
        let names = if one.names.is_empty() { shown.names() } else { one.names.clone() };
        certificates.add(shown, names, &one.cert_file)?;
    }
    Ok(certificates)
}

/// A certificate with its key and what is stapled to it.
fn load_pair(pair: &TlsPair<'_>, provider: &CryptoProvider) -> Result<Shown, TlsConfigError> {
    let certificates = read_certificates(pair.cert)?;
    let staple = match (pair.ocsp, certificates.first()) {
        (Some(file), Some(certificate)) => staple::read(file, certificate)?.ok(),
        _ => None,
    };
    let key = CertifiedKey::from_der(certificates, read_key(pair.key)?, provider);
    let key = key.map_err(|source| TlsConfigError::Pair {
        cert: pair.cert.to_owned(),
        key: pair.key.to_owned(),
        source,
    })?;
    Ok(Shown::new(key, staple))
}

/// The client's side of TLS: a cheap handle.
#[derive(Debug, Clone)]
pub struct TlsClient(Arc<ClientConfig>);

impl TlsClient {
    /// Reads the files and checks that they fit together.
    pub fn new(options: &TlsClientOptions) -> Result<Self, TlsConfigError> {
        let provider = provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions(options.min_version))
            .map_err(TlsConfigError::Setup)?;
        let builder = if options.insecure {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(insecure::AnyCertificate(provider)))
        } else {
            builder.with_root_certificates(client_roots(options)?)
        };
        let mut config = match (&options.cert_file, &options.key_file) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                builder.with_client_auth_cert(read_certificates(cert)?, read_key(key)?).map_err(
                    |source| TlsConfigError::Pair { cert: cert.clone(), key: key.clone(), source },
                )?
            }
            (Some(_), None) | (None, Some(_)) => return Err(TlsConfigError::HalfPair),
        };
        config.alpn_protocols = protocols(&options.alpn);
        Ok(Self(Arc::new(config)))
    }

    /// What it is made of, for those who bring sockets of their own; without application protocols,
    /// which are theirs to name. A copy shares everything that is large.
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols.clear();
        config
    }

    pub(crate) fn connect(&self, name: &str, websocket: bool) -> Result<TlsSession, StreamError> {
        let server = ServerName::try_from(name.to_owned())
            .map_err(|_| StreamError::ServerName(name.to_owned()))?;
        let config = Arc::clone(&self.0);
        let connection = if websocket {
            UnbufferedClientConnection::new_with_alpn(config, server, Vec::new())
        } else {
            UnbufferedClientConnection::new(config, server)
        };
        Ok(TlsSession::client(connection?))
    }
}

fn protocols(names: &[String]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn client_roots(options: &TlsClientOptions) -> Result<RootCertStore, TlsConfigError> {
    match &options.ca_file {
        Some(file) => read_authorities(file),
        None => Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }),
    }
}

fn read_authorities(file: &Path) -> Result<RootCertStore, TlsConfigError> {
    let mut store = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        store
            .add(certificate)
            .map_err(|source| TlsConfigError::Authority { path: file.to_owned(), source })?;
    }
    Ok(store)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
    let pem = |source| TlsConfigError::Pem { path: file.to_owned(), source };
    let text = read_pem(file)?;
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(pem)?;
    if certificates.is_empty() {
        Err(TlsConfigError::NoCertificate { path: file.to_owned() })
    } else {
        Ok(certificates)
    }
}

fn read_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsConfigError> {
    PrivateKeyDer::from_pem_slice(&read_pem(file)?)
        .map_err(|source| TlsConfigError::Pem { path: file.to_owned(), source })
}

fn read_pem(file: &Path) -> Result<Vec<u8>, TlsConfigError> {
    read_regular_file(file, PEM_SIZE_MAX).map_err(|error| TlsConfigError::Pem {
        path: file.to_owned(),
        source: pem::Error::Io(error),
    })
}
