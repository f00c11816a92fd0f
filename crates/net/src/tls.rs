//! TLS for both roles: what files say becomes configurations, and a configuration becomes sessions.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
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
    ClientAuth, StreamError, TlsClientOptions, TlsConfigError, TlsOptions, TlsVersion,
    read_regular_file,
};

mod insecure;
mod resolver;
mod session;
mod validity;

use resolver::NamedCertificate;
pub use session::TlsFacts;
pub(crate) use session::TlsSession;
pub use validity::{Validity, certificate_is_authority, certificate_validity};

/// All authorities of the public web have some 300 KiB.
const PEM_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// The server's side of TLS for one listener: a cheap handle to certificates that can be replaced while
/// connections come and go.
#[derive(Debug, Clone)]
pub struct TlsServer(Arc<RwLock<ServerConfigs>>);

/// The same certificates and rules for both kinds of listener.
#[derive(Debug)]
struct ServerConfigs {
    key: Arc<CertifiedKey>,
    stream: ServerConfig,
    /// Browsers name `http/1.1`, never `mqtt`.
    websocket: ServerConfig,
}

impl TlsServer {
    /// Reads the files and checks that they fit together.
    pub fn new(options: &TlsOptions) -> Result<Self, TlsConfigError> {
        Ok(Self(Arc::new(RwLock::new(ServerConfigs::load(options)?))))
    }

    /// Reads the files again, for connections from now on. After an error everything stays as it was.
    /// Sessions of before cannot be resumed: they were admitted under the old rules.
    pub fn reload(&self, options: &TlsOptions) -> Result<(), TlsConfigError> {
        let fresh = ServerConfigs::load(options)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) fn accept(&self, websocket: bool) -> Result<TlsSession, StreamError> {
        let configs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        // A copy of a configuration shares everything that is large; the copy lives until the handshake
        // is over and brings the connection a resolver of its own.
        let mut config = if websocket { configs.websocket.clone() } else { configs.stream.clone() };
        let certificate = Arc::new(NamedCertificate::new(Arc::clone(&configs.key)));
        config.cert_resolver = Arc::<NamedCertificate>::clone(&certificate);
        let connection = UnbufferedServerConnection::new(Arc::new(config))?;
        Ok(TlsSession::server(connection, certificate))
    }
}

impl ServerConfigs {
    fn load(options: &TlsOptions) -> Result<Self, TlsConfigError> {
        let provider = provider();
        let verifier = client_verifier(options, &provider)?;
        let certificates = read_certificates(&options.cert_file)?;
        let key = CertifiedKey::from_der(certificates, read_key(&options.key_file)?, &provider);
        let key = Arc::new(key.map_err(|source| TlsConfigError::Pair {
            cert: options.cert_file.clone(),
            key: options.key_file.clone(),
            source,
        })?);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(options.min_version))
            .map_err(TlsConfigError::Setup)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(NamedCertificate::new(Arc::clone(&key))));
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
        Ok(Self { key, stream: config, websocket })
    }
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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn versions(min: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    use rustls::version::{TLS12, TLS13};
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    static NEWEST: [&SupportedProtocolVersion; 1] = [&TLS13];
    match min {
        TlsVersion::V1_2 => &BOTH,
        TlsVersion::V1_3 => &NEWEST,
    }
}

fn protocols(names: &[String]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

fn client_verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsConfigError> {
    if options.client_auth == ClientAuth::None {
        return Ok(WebPkiClientVerifier::no_client_auth());
    }
    let file = options.client_ca_file.as_deref().ok_or(TlsConfigError::NoClientAuthority)?;
    let roots = Arc::new(read_authorities(file)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
    let builder = match options.client_auth {
        ClientAuth::Optional => builder.allow_unauthenticated(),
        ClientAuth::None | ClientAuth::Required => builder,
    };
    builder.build().map_err(TlsConfigError::Verifier)
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
