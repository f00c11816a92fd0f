//! When certificates begin and end. TLS does not look at the dates of the server's own certificate;
//! its clients do, and turn away.

use std::{path::Path, time::Duration};

use rustls::{
    CertificateError, Error, RootCertStore,
    client::verify_server_cert_signed_by_trust_anchor,
    pki_types::{CertificateDer, UnixTime},
    server::ParsedCertificate,
};

use super::read_certificates;
use crate::TlsConfigError;

/// Whether a certificate holds at a moment. Moments are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It holds.
    Holds,
    /// It begins later, at that moment.
    NotBefore(u64),
    /// It has ended, at that moment.
    NotAfter(u64),
}

/// What the certificates of a file are at that moment, in their order.
pub fn certificate_validity(file: &Path, at: u64) -> Result<Vec<Validity>, TlsConfigError> {
    let certificates = read_certificates(file)?;
    Ok(certificates.iter().map(|certificate| validity(certificate, at)).collect())
}

/// Whether the first certificate of a file is one of an authority (CA:TRUE). Clients refuse it as the
/// certificate of a server.
pub fn certificate_is_authority(file: &Path) -> Result<bool, TlsConfigError> {
    Ok(read_certificates(file)?.first().is_some_and(is_authority))
}

/// The name that the verifier gives to it. The type behind it is not public to users of the library.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";

fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    // Dates are looked at first, so the moment is one at which they are good.
    let moment = match validity(certificate, 0) {
        Validity::NotBefore(moment) | Validity::NotAfter(moment) => moment,
        Validity::Holds => 0,
    };
    match verdict(certificate, moment) {
        Err(Error::InvalidCertificate(CertificateError::Other(error))) => {
            error.to_string().contains(AUTHORITY_AS_SERVER)
        }
        Ok(()) | Err(_) => false,
    }
}

fn verdict(certificate: &CertificateDer<'_>, at: u64) -> Result<(), Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(at));
    let nobody = RootCertStore::empty();
    verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], now, &[])
}

/// When a certificate ends.
pub(super) fn end(certificate: &CertificateDer<'_>) -> Option<u64> {
    match validity(certificate, u64::MAX) {
        Validity::NotAfter(end) => Some(end),
        Validity::Holds | Validity::NotBefore(_) => None,
    }
}

/// The verifier looks at the dates before anything else. That nobody is trusted is what it says of a
/// certificate whose dates are good.
fn validity(certificate: &CertificateDer<'_>, at: u64) -> Validity {
    match verdict(certificate, at) {
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
            not_before, ..
        })) => Validity::NotBefore(not_before.as_secs()),
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Validity::NotAfter(not_after.as_secs())
        }
        Ok(()) | Err(_) => Validity::Holds,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    use super::{Validity, end as end_of, is_authority, validity};

    #[test]
    fn a_certificate_holds_between_its_dates() {
        for authority in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 31);
            params.is_ca = authority;
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let (begin, end) = (1_577_836_800, 1_580_428_800);
            let at = |moment| validity(certificate.der(), moment);
            assert_eq!(at(begin - 1), Validity::NotBefore(begin));
            assert_eq!(at(begin), Validity::Holds);
            assert_eq!(at(end), Validity::Holds);
            assert_eq!(at(end + 1), Validity::NotAfter(end));
            assert_eq!(end_of(certificate.der()), Some(end));
            assert_eq!(is_authority(certificate.der()), authority != IsCa::NoCa);
        }
    }
}
