//! Certificates and rules of a TLS listener.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FetchedCrls;

/// Certificates and rules of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    /// PEM file with the server's certificate, followed by its intermediates.
    pub cert_file: PathBuf,
    /// PEM file with the private key of the certificate.
    pub key_file: PathBuf,
    /// File with an OCSP response (DER) for the certificate. It is stapled to it as long as it holds and
    /// says that the certificate is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsp_file: Option<PathBuf>,
    /// Further certificates, for clients that ask for one of their names (SNI).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate: Vec<TlsCertificate>,
    /// What a client gets that asks for a name which none of the certificates is for. One that asks for
    /// no name gets the certificate of `cert_file`.
    #[serde(default)]
    pub unknown_name: UnknownName,
    /// PEM file with the authorities that client certificates are checked against; needed unless
    /// `client_auth` is `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca_file: Option<PathBuf>,
    /// Whether clients show a certificate.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// Files (PEM or DER) with the revocation lists (CRLs) of those authorities. Without any, no
    /// certificate counts as revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crl_files: Vec<PathBuf>,
    /// Addresses (`http://` or `https://`) at which such lists are published. They are fetched at the start, each
    /// `tls.crl_refresh`, when the next one is due, and at SIGHUP.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub crl_urls: Vec<String>,
    /// What was fetched there.
    #[serde(skip)]
    pub fetched_crls: FetchedCrls,
    /// Which certificates are looked for in the lists: the client's and those between it and the authority
    /// of `client_ca_file` (`chain`), or only the client's (`client`).
    #[serde(default)]
    pub crl_scope: CrlScope,
    /// What becomes of a client when none of the lists is of the authority that signed one of these
    /// certificates.
    #[serde(default)]
    pub crl_unknown: CrlDoubt,
    /// What becomes of a client when the list is older than it says that it may be (nextUpdate).
    #[serde(default)]
    pub crl_expired: CrlDoubt,
    /// The oldest TLS version that is spoken.
    #[serde(default)]
    pub min_version: TlsVersion,
    /// The cipher suites that may be used, of TLS 1.3 the first three and of TLS 1.2 the others; the client
    /// prefers among them.
    #[serde(default = "suites_default")]
    pub cipher_suites: Vec<CipherSuite>,
    /// Application protocols (ALPN) that are accepted. A client that names none is accepted, a
    /// client that names only others is refused. WebSocket listeners accept `http/1.1` too.
    #[serde(default = "alpn_default")]
    pub alpn: Vec<String>,
}

/// A further certificate of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsCertificate {
    /// The host names that it is for, in which the first label may be `*`; those that stand in the certificate
    /// (subjectAltName) when the list is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// PEM file with the certificate, followed by its intermediates.
    pub cert_file: PathBuf,
    /// PEM file with its private key.
    pub key_file: PathBuf,
    /// File with an OCSP response (DER) for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ocsp_file: Option<PathBuf>,
}

/// The files of one certificate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TlsPair<'a> {
    pub(crate) cert: &'a Path,
    pub(crate) key: &'a Path,
    pub(crate) ocsp: Option<&'a Path>,
}

impl TlsOptions {
    /// TLS with this certificate and key and every other option at its default.
    pub fn new(cert_file: impl Into<PathBuf>, key_file: impl Into<PathBuf>) -> Self {
        Self {
            cert_file: cert_file.into(),
            key_file: key_file.into(),
            ocsp_file: None,
            certificate: Vec::new(),
            unknown_name: UnknownName::Default,
            client_ca_file: None,
            client_auth: ClientAuth::None,
            crl_files: Vec::new(),
            crl_urls: Vec::new(),
            fetched_crls: FetchedCrls::default(),
            crl_scope: CrlScope::Chain,
            crl_unknown: CrlDoubt::Refuse,
            crl_expired: CrlDoubt::Refuse,
            min_version: TlsVersion::default(),
            cipher_suites: suites_default(),
            alpn: alpn_default(),
        }
    }

    /// Every file that is named, behind its key below `tls`; elements of lists have their number as a
    /// part of it.
    pub fn files(&self) -> Vec<(String, &Path)> {
        let mut files = self.default_pair().files("");
        for (number, one) in self.certificate.iter().enumerate() {
            files.extend(one.pair().files(&format!("certificate.{number}.")));
        }
        files.extend(self.client_ca_file.iter().map(|file| ("client_ca_file".into(), &**file)));
        let lists = self.crl_files.iter().enumerate();
        files.extend(lists.map(|(number, file)| (format!("crl_files.{number}"), &**file)));
        files
    }

    /// Each certificate with the OCSP response that is to be stapled to it, if any is.
    pub fn certificates(&self) -> impl Iterator<Item = (&Path, Option<&Path>)> {
        let pairs = self.certificate.iter().map(TlsCertificate::pair);
        let pairs = std::iter::once(self.default_pair()).chain(pairs);
        pairs.map(|pair| (pair.cert, pair.ocsp))
    }

    pub(crate) fn default_pair(&self) -> TlsPair<'_> {
        let Self { cert_file, key_file, ocsp_file, .. } = self;
        TlsPair { cert: cert_file, key: key_file, ocsp: ocsp_file.as_deref() }
    }
}

impl TlsCertificate {
    pub(crate) fn pair(&self) -> TlsPair<'_> {
        let Self { cert_file, key_file, ocsp_file, .. } = self;
        TlsPair { cert: cert_file, key: key_file, ocsp: ocsp_file.as_deref() }
    }
}

impl<'a> TlsPair<'a> {
    fn files(self, prefix: &str) -> Vec<(String, &'a Path)> {
        let ocsp = self.ocsp.map(|file| ("ocsp_file", file));
        let pair = [("cert_file", self.cert), ("key_file", self.key)];
        pair.into_iter().chain(ocsp).map(|(key, file)| (format!("{prefix}{key}"), file)).collect()
    }
}

pub(super) fn alpn_default() -> Vec<String> {
    vec!["mqtt".to_owned()]
}

fn suites_default() -> Vec<CipherSuite> {
    CipherSuite::ALL.to_vec()
}

/// What a client gets that asks for an unknown name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UnknownName {
    /// The certificate of `cert_file`.
    #[default]
    Default,
    /// It is refused.
    Refuse,
}

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuth {
    /// No certificate is asked for.
    #[default]
    None,
    /// A certificate is checked when the client shows one.
    Optional,
    /// A client without a valid certificate is refused.
    Required,
}

/// Which certificates are looked for in revocation lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CrlScope {
    /// The client's and all between it and the trusted authority.
    #[default]
    Chain,
    /// The client's.
    Client,
}

/// What becomes of a client about whose certificate the revocation lists leave a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CrlDoubt {
    /// It is refused.
    #[default]
    Refuse,
    /// It is let in.
    Accept,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TlsVersion {
    /// TLS 1.2 and 1.3.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3 only.
    #[serde(rename = "1.3")]
    V1_3,
}

/// A cipher suite by its registered name (IANA). All of them encrypt with authentication and keep what was
/// said secret when the key of the certificate is stolen later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CipherSuite {
    /// TLS 1.3.
    #[serde(rename = "TLS_AES_256_GCM_SHA384")]
    Aes256Gcm,
    /// TLS 1.3.
    #[serde(rename = "TLS_AES_128_GCM_SHA256")]
    Aes128Gcm,
    /// TLS 1.3.
    #[serde(rename = "TLS_CHACHA20_POLY1305_SHA256")]
    Chacha20,
    /// TLS 1.2, for a certificate with an ECDSA or Ed25519 key.
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    EcdsaAes256Gcm,
    /// TLS 1.2, for a certificate with an ECDSA or Ed25519 key.
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")]
    EcdsaAes128Gcm,
    /// TLS 1.2, for a certificate with an ECDSA or Ed25519 key.
    #[serde(rename = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256")]
    EcdsaChacha20,
    /// TLS 1.2, for a certificate with an RSA key.
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")]
    RsaAes256Gcm,
    /// TLS 1.2, for a certificate with an RSA key.
    #[serde(rename = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")]
    RsaAes128Gcm,
    /// TLS 1.2, for a certificate with an RSA key.
    #[serde(rename = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256")]
    RsaChacha20,
}

impl CipherSuite {
    /// Every suite, the strongest first.
    pub const ALL: [Self; 9] = [
        Self::Aes256Gcm,
        Self::Aes128Gcm,
        Self::Chacha20,
        Self::EcdsaAes256Gcm,
        Self::EcdsaAes128Gcm,
        Self::EcdsaChacha20,
        Self::RsaAes256Gcm,
        Self::RsaAes128Gcm,
        Self::RsaChacha20,
    ];
}
