//! Revocation lists (CRLs, RFC 5280, section 5) and who looks at the certificates of clients.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateRevocationListDer, pem, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use super::{
    Validity,
    der::{Elements, INTEGER, SEQUENCE},
    read_authorities,
};
use crate::{ClientAuth, CrlDoubt, CrlScope, TlsConfigError, TlsOptions, read_regular_file};

/// The lists of large authorities have some MiB.
const CRL_SIZE_MAX: u64 = 64 * 1024 * 1024;

/// One list, and the file it was read from.
pub(super) type Sourced = (PathBuf, CertificateRevocationListDer<'static>);

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

/// When a list was made and, where it says so, when the next is due.
fn dates(crl: &[u8]) -> Option<(u64, Option<u64>)> {
    let mut body = Elements::of(crl).enter(SEQUENCE)?.enter(SEQUENCE)?;
    body.optional(INTEGER); // version
    body.expect(SEQUENCE)?; // algorithm
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
    let pem = |source| TlsConfigError::Pem { path: file.to_owned(), source };
    let bytes =
        read_regular_file(file, CRL_SIZE_MAX).map_err(|error| pem(pem::Error::Io(error)))?;
    if bytes.first() == Some(&SEQUENCE) {
        return Ok(vec![bytes.into()]);
    }
    let lists = CertificateRevocationListDer::pem_slice_iter(&bytes);
    let lists: Vec<_> = lists.collect::<Result<_, _>>().map_err(pem)?;
    if lists.is_empty() {
        return Err(TlsConfigError::NoCrl { path: file.to_owned() });
    }
    Ok(lists)
}

/// Who looks at the certificates of clients by these options and lists; nobody where none is asked for.
pub(super) fn client_verifier(
    options: &TlsOptions,
    provider: &Arc<CryptoProvider>,
    lists: &[Sourced],
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsConfigError> {
    if options.client_auth == ClientAuth::None {
        return if options.crl_files.is_empty() {
            Ok(None)
        } else {
            Err(TlsConfigError::UnusedCrls)
        };
    }
    let file = options.client_ca_file.as_deref().ok_or(TlsConfigError::NoClientAuthority)?;
    let roots = Arc::new(read_authorities(file)?);
    for (path, list) in lists {
        // Alone, so that the one that is damaged can be named.
        let damaged = |source| TlsConfigError::Crl { path: path.clone(), source };
        let list = [list.clone()];
        builder(&roots, provider).with_crls(list).build().map_err(damaged)?;
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
