//! Which certificate a client is shown, and the name that it asked for.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    pki_types::{CertificateDer, DnsName, UnixTime},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    time_provider::TimeProvider,
};

use super::{
    certificate::host_names,
    staple::{Period, Staple},
};
use crate::{TlsConfigError, UnknownName};

/// A certificate that clients are shown.
#[derive(Debug)]
pub(super) struct Shown {
    plain: Arc<CertifiedKey>,
    /// The same with what is stapled to it, as long as that holds.
    stapled: Option<(Arc<CertifiedKey>, Period)>,
}

impl Shown {
    pub(super) fn new(key: CertifiedKey, staple: Option<Staple>) -> Self {
        let stapled = staple.map(|Staple { response, holds }| {
            (Arc::new(CertifiedKey { ocsp: Some(response), ..key.clone() }), holds)
        });
        Self { plain: Arc::new(key), stapled }
    }

    fn at(&self, now: Option<UnixTime>) -> Arc<CertifiedKey> {
        let fresh = self
            .stapled
            .as_ref()
            .filter(|(_, holds)| now.is_some_and(|now| holds.fault(now.as_secs()).is_none()));
        Arc::clone(fresh.map_or(&self.plain, |(stapled, _)| stapled))
    }

    /// The host names that the certificate proves.
    pub(super) fn names(&self) -> Vec<String> {
        self.plain.end_entity_cert().map(|cert| host_names(cert)).unwrap_or_default()
    }
}

/// The certificates of a listener by the names that clients ask for (SNI).
#[derive(Debug)]
pub(super) struct Certificates {
    default: Arc<Shown>,
    /// A wildcard stands under its own text.
    by_name: BTreeMap<String, (Arc<Shown>, PathBuf)>,
    unknown: UnknownName,
}

impl Certificates {
    pub(super) fn new(default: Shown, unknown: UnknownName) -> Self {
        Self { default: Arc::new(default), by_name: BTreeMap::new(), unknown }
    }

    /// One more certificate, of that file, for clients that ask for one of these names.
    pub(super) fn add(
        &mut self,
        shown: Shown,
        names: Vec<String>,
        file: &Path,
    ) -> Result<(), TlsConfigError> {
        let cert = || file.to_owned();
        if names.is_empty() {
            return Err(TlsConfigError::NoName { cert: cert() });
        }
        let shown = Arc::new(shown);
        for name in names {
            let name = name.to_ascii_lowercase();
            let host = name.strip_prefix("*.").unwrap_or(&name);
            if DnsName::try_from(host).is_err() || host.contains('*') {
                return Err(TlsConfigError::BadName { cert: cert(), name });
            }
            if let Some((_, other)) = self.by_name.get(&name) {
                return Err(TlsConfigError::SameName { cert: cert(), other: other.clone(), name });
            }
            self.by_name.insert(name, (Arc::clone(&shown), cert()));
        }
        Ok(())
    }

    /// Every certificate of every chain.
    pub(super) fn all(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        let named = self.by_name.values().map(|(shown, _)| shown);
        std::iter::once(&self.default).chain(named).flat_map(|shown| &shown.plain.cert)
    }

    /// The certificate for a client that asks for that name, or for none.
    fn choose(&self, name: Option<&str>) -> Option<&Shown> {
        let default = &*self.default;
        let Some(name) = name else { return Some(default) };
        let name = name.to_ascii_lowercase();
        let wildcard = || name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        let own = self.by_name.get(&name);
        let found = own.or_else(|| self.by_name.get(&wildcard()?));
        match (found, self.unknown) {
            (Some((shown, _)), _) => Some(&**shown),
            (None, UnknownName::Default) => Some(default),
            (None, UnknownName::Refuse) => {
                let wildcard = wildcard();
                let meant = |one: &String| *one == name || Some(one) == wildcard.as_ref();
                default.names().iter().any(meant).then_some(default)
            }
        }
    }
}

/// Answers one client, and remembers the server name (SNI) of its question: rustls' unbuffered
/// connections do not tell it otherwise.
#[derive(Debug)]
pub(crate) struct NamedCertificate {
    certificates: Arc<Certificates>,
    clock: Arc<dyn TimeProvider>,
    name: OnceLock<Box<str>>,
}

impl NamedCertificate {
    pub(super) fn new(certificates: Arc<Certificates>, clock: Arc<dyn TimeProvider>) -> Self {
        Self { certificates, clock, name: OnceLock::new() }
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
        let shown = self.certificates.choose(hello.server_name())?;
        Some(shown.at(self.clock.current_time()))
    }
}

#[cfg(test)]
mod tests;
