//! Revocation lists (CRLs, RFC 5280, section 5) and who looks at the certificates of clients.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateRevocationListDer, pem, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    Validity,
    der::{BIT_STRING, Elements, INTEGER, SEQUENCE},
    read_authorities,
    suites::provider,
};
use crate::{ClientAuth, CrlDoubt, CrlScope, TlsConfigError, TlsOptions, read_regular_file};

/// The lists of large authorities have some MiB.
pub const CRL_SIZE_MAX: u64 = 64 * 1024 * 1024;

/// One list, and the place it was read from.
pub(super) type Sourced = (PathBuf, CertificateRevocationListDer<'static>);

/// A revocation list that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    place: PathBuf,
    der: CertificateRevocationListDer<'static>,
    /// The name of who has issued it (DER).
    pub issuer: Vec<u8>,
    /// When it was made (thisUpdate), in seconds since 1970.
    pub made: u64,
    /// When the next one is due (nextUpdate), if it says so.
    pub due: Option<u64>,
}

impl Crl {
    /// The list as it came (DER).
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Reads what was fetched from that place for those options, DER or PEM: lists that are whole and, where their
    /// issuer stands in `client_ca_file`, signed by it. That of an intermediate is compared with its signature
    /// when a client shows a certificate of it.
    pub fn read(
        options: &TlsOptions,
        place: &str,
        bytes: &[u8],
    ) -> Result<Vec<Self>, TlsConfigError> {
        let place = PathBuf::from(place);
        let file = options.client_ca_file.as_deref().ok_or(TlsConfigError::NoClientAuthority)?;
        let (roots, provider) = (Arc::new(read_authorities(file)?), provider());
        let lists = lists_in(&place, bytes)?;
        let lists = lists.into_iter().map(|der| {
            let sourced = (place.clone(), der);
            check(&sourced, &roots, &provider)?;
            let (place, der) = sourced;
            if is_signed(&der, &roots, &provider) == Some(false) {
                return Err(TlsConfigError::CrlSignature { path: place });
            }
            let issuer = issuer(&der).unwrap_or_default().to_vec();
            let (made, due) = dates(&der).unwrap_or_default();
            Ok(Self { place, der, issuer, made, due })
        });
        lists.collect()
    }
}

/// Revocation lists that are fetched while a listener is open: those who fetch them put them in, and whoever reads
/// the options anew finds them. Copies are one; they are no setting, so that any two are equal.
#[derive(Debug, Clone, Default)]
pub struct FetchedCrls(Arc<RwLock<Vec<Crl>>>);

impl FetchedCrls {
    /// Puts these in the place of those of before. They hold when the options are read anew.
    pub fn set(&self, lists: Vec<Crl>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = lists;
    }

    pub(super) fn all(&self) -> Vec<Sourced> {
        let lists = self.0.read().unwrap_or_else(PoisonError::into_inner);
        lists.iter().map(|list| (list.place.clone(), list.der.clone())).collect()
    }
}

impl PartialEq for FetchedCrls {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for FetchedCrls {}

/// What the lists of a file (PEM or DER) are at that moment, in their order. A list ends when the next one
/// is due.
pub fn crl_validity(file: &Path, at: u64) -> Result<Vec<Validity>, TlsConfigError> {
    Ok(read_file(file)?.iter().map(|crl| validity(crl, at)).collect())
}

fn validity(crl: &[u8], at: u64) -> Validity {
    match dates(crl) {
        Some((from, _)) if at < from => Validity::NotBefore(from),
        Some((_, Some(to))) if at >= to => Validity::NotAfter(to),
        Some(_) | None => Validity::Holds,
    }
}

/// When a list ends.
pub(super) fn end(crl: &[u8]) -> Option<u64> {
    dates(crl)?.1
}

/// When a list was made, for what puts the newest first: the first list of an issuer is the one that decides.
pub(super) fn made((_, crl): &Sourced) -> u64 {
    dates(crl).map_or(0, |(made, _)| made)
}

/// What of a list begins with its issuer.
fn from_issuer(crl: &[u8]) -> Option<Elements<'_>> {
    let mut body = Elements::of(crl).enter(SEQUENCE)?.enter(SEQUENCE)?;
    body.optional(INTEGER); // version
    body.expect(SEQUENCE)?; // algorithm
    Some(body)
}

fn issuer(crl: &[u8]) -> Option<&[u8]> {
    from_issuer(crl)?.expect(SEQUENCE)
}

/// When a list was made and, where it says so, when the next is due.
fn dates(crl: &[u8]) -> Option<(u64, Option<u64>)> {
    let mut body = from_issuer(crl)?;
    body.expect(SEQUENCE)?; // issuer
    Some((body.time()?, body.time()))
}

/// All lists of these files.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Sourced>, TlsConfigError> {
    let mut lists = Vec::new();
    for file in files {
        lists.extend(read_file(file)?.into_iter().map(|list| (file.clone(), list)));
    }
    Ok(lists)
}

fn read_file(file: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsConfigError> {
    let bytes = read_regular_file(file, CRL_SIZE_MAX).map_err(|error| TlsConfigError::Pem {
        path: file.to_owned(),
        source: pem::Error::Io(error),
    })?;
    lists_in(file, &bytes)
}

/// The lists in what was read there, DER or PEM.
fn lists_in(
    place: &Path,
    bytes: &[u8],
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsConfigError> {
    if bytes.first() == Some(&SEQUENCE) {
        return Ok(vec![bytes.to_vec().into()]);
    }
    let pem = |source| TlsConfigError::Pem { path: place.to_owned(), source };
    let lists = CertificateRevocationListDer::pem_slice_iter(bytes);
    let lists: Vec<_> = lists.collect::<Result<_, _>>().map_err(pem)?;
    if lists.is_empty() {
        return Err(TlsConfigError::NoCrl { path: place.to_owned() });
    }
    Ok(lists)
}

/// Whether a list can be used at all.
fn check(
    (path, list): &Sourced,
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> Result<(), TlsConfigError> {
    let checked = builder(roots, provider).with_crls([list.clone()]).build();
    let damaged = |source| TlsConfigError::Crl { path: path.clone(), source };
    checked.map(drop).map_err(damaged)
}

/// Whether one of these authorities that has the name of its issuer has signed the list; nothing if none has
/// that name.
fn is_signed(list: &[u8], roots: &RootCertStore, provider: &CryptoProvider) -> Option<bool> {
    let mut parts = Elements::of(list).enter(SEQUENCE)?;
    let signed = parts.whole()?;
    let algorithm = parts.expect(SEQUENCE)?;
    let signature = parts.expect(BIT_STRING)?.strip_prefix(&[0])?;
    let mut body = Elements::of(signed).enter(SEQUENCE)?;
    body.optional(INTEGER); // version
    body.expect(SEQUENCE)?; // algorithm
    let issuer = body.expect(SEQUENCE)?;
    let mut named = roots.roots.iter().filter(|root| root.subject.as_ref() == issuer).peekable();
    named.peek()?;
    let known = provider.signature_verification_algorithms.all;
    Some(named.any(|root| {
        let mut key = Elements::of(&root.subject_public_key_info);
        let (Some(kind), Some(key)) = (key.expect(SEQUENCE), key.expect(BIT_STRING)) else {
            return false;
        };
        let Some(key) = key.strip_prefix(&[0]) else { return false };
        let fits = known.iter().filter(|one| {
            one.signature_alg_id().as_ref() == algorithm && one.public_key_alg_id().as_ref() == kind
        });
        fits.into_iter().any(|one| one.verify_signature(key, signed, signature).is_ok())
    }))
}

/// Who looks at the certificates of clients by these options and lists; nobody where none is asked for.
pub(super) fn client_verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
    lists: &[Sourced],
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsConfigError> {
    if options.client_auth == ClientAuth::None {
        return if options.crl_files.is_empty() && options.crl_urls.is_empty() {
            Ok(None)
        } else {
            Err(TlsConfigError::UnusedCrls)
        };
    }
    let file = options.client_ca_file.as_deref().ok_or(TlsConfigError::NoClientAuthority)?;
    let roots = Arc::new(read_authorities(file)?);
    for list in lists {
        // Alone, so that the one that is damaged can be named.
        check(list, &roots, provider)?;
    }
    let mut builder =
        builder(&roots, provider).with_crls(lists.iter().map(|(_, list)| list.clone()));
    builder = match options.client_auth {
        ClientAuth::Optional => builder.allow_unauthenticated(),
        ClientAuth::None | ClientAuth::Required => builder,
    };
    builder = match options.crl_scope {
        CrlScope::Chain => builder,
        CrlScope::Client => builder.only_check_end_entity_revocation(),
    };
    builder = match options.crl_unknown {
        CrlDoubt::Refuse => builder,
        CrlDoubt::Accept => builder.allow_unknown_revocation_status(),
    };
    builder = match options.crl_expired {
        CrlDoubt::Refuse => builder.enforce_revocation_expiration(),
        CrlDoubt::Accept => builder,
    };
    builder.build().map(Some).map_err(TlsConfigError::Verifier)
}

fn builder(
    roots: &Arc<RootCertStore>,
    provider: &Arc<CryptoProvider>,
) -> rustls::server::ClientCertVerifierBuilder {
    WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
}

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CertificateRevocationListParams, Issuer, KeyIdMethod, KeyPair,
        SerialNumber, date_time_ymd,
    };

    use super::{Validity, end, validity};

    #[test]
    fn a_list_holds_until_the_next_is_due() {
        let issuer = CertificateParams::new(Vec::new()).unwrap();
        let issuer = Issuer::new(issuer, KeyPair::generate().unwrap());
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2020, 1, 31),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&issuer).unwrap();
        let (begin, last) = (1_577_836_800, 1_580_428_800);
        assert_eq!(end(list.der()), Some(last));
        assert_eq!(validity(list.der(), begin - 1), Validity::NotBefore(begin));
        assert_eq!(validity(list.der(), begin), Validity::Holds);
        assert_eq!(validity(list.der(), last - 1), Validity::Holds);
        assert_eq!(validity(list.der(), last), Validity::NotAfter(last));
        assert_eq!(end(b"nonsense"), None);
    }
}
