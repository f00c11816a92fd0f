//! The certificate of one connection, and the name that its client asked for.

use std::sync::{Arc, OnceLock};

use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Answers every client with the one certificate of the listener and remembers the server name (SNI)
/// of the question: rustls' unbuffered connections do not tell it otherwise.
#[derive(Debug)]
pub(crate) struct NamedCertificate {
    key: Arc<CertifiedKey>,
    name: OnceLock<Box<str>>,
}

impl NamedCertificate {
    pub(super) fn new(key: Arc<CertifiedKey>) -> Self {
        Self { key, name: OnceLock::new() }
    }

    /// The name that the client asked for, if it did.
    pub(super) fn name(&self) -> Option<String> {
        self.name.get().map(|name| String::from(&**name))
    }
}

impl ResolvesServerCert for NamedCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            // A second hello of one connection (after a retry request) repeats the name of the first.
            self.name.get_or_init(|| name.into());
        }
        Some(Arc::clone(&self.key))
    }
}
