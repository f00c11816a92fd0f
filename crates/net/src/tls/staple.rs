//! OCSP responses (RFC 6960) that are stapled to a certificate: which one is fresh, and good news. Whether
//! it is signed by the right authority is for the clients to check.

use std::path::Path;

use rustls::pki_types::CertificateDer;

use super::{
    certificate::serial,
    der::{
        ENUMERATED, Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, around, instead,
    },
    read_certificates,
};
use crate::{TlsConfigError, read_regular_file};

/// Responses have a few hundred bytes, or some thousand with the certificate of who signed them.
const RESPONSE_SIZE_MAX: u64 = 64 * 1024;
/// How long a response holds that does not say it itself, in seconds.
const LASTS: u64 = 24 * 60 * 60;
/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];

/// Why an OCSP response is not stapled. Moments are seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StapleFault {
    /// It is for another certificate, most likely for the one before.
    OtherCertificate,
    /// It says that the certificate was revoked.
    Revoked,
    /// It says that the authority does not know the certificate.
    Unknown,
    /// It begins to hold at that moment.
    NotBefore(u64),
    /// It has ended to hold at that moment.
    NotAfter(u64),
}

/// A response that says that its certificate is good.
#[derive(Debug, Clone)]
pub(super) struct Staple {
    pub(super) response: Vec<u8>,
    pub(super) holds: Period,
}

/// From which moment to which a response holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    from: u64,
    to: u64,
}

impl Period {
    /// Why it does not hold at that moment, if so.
    pub(super) fn fault(self, at: u64) -> Option<StapleFault> {
        if at < self.from {
            Some(StapleFault::NotBefore(self.from))
        } else if at > self.to {
            Some(StapleFault::NotAfter(self.to))
        } else {
            None
        }
    }
}

/// What is wrong at that moment with the OCSP response in a file (DER) for the first certificate in the
/// other; nothing when it is stapled.
pub fn staple_fault(
    cert_file: &Path,
    ocsp_file: &Path,
    at: u64,
) -> Result<Option<StapleFault>, TlsConfigError> {
    let certificates = read_certificates(cert_file)?;
    let Some(certificate) = certificates.first() else { return Ok(None) };
    Ok(match read(ocsp_file, certificate)? {
        Ok(staple) => staple.holds.fault(at),
        Err(fault) => Some(fault),
    })
}

/// The response in a file for that certificate, or why it can never be stapled.
pub(super) fn read(
    file: &Path,
    certificate: &CertificateDer<'_>,
) -> Result<Result<Staple, StapleFault>, TlsConfigError> {
    let failed = |source| TlsConfigError::OcspFile { path: file.to_owned(), source };
    let response = read_regular_file(file, RESPONSE_SIZE_MAX).map_err(failed)?;
    let answers = answers(&response);
    let answers = answers.ok_or_else(|| TlsConfigError::Ocsp { path: file.to_owned() })?;
    let serial = serial(certificate).unwrap_or_default();
    let own = answers.into_iter().find(|answer| answer.serial == serial);
    let Some(Answer { status, holds, .. }) = own else {
        return Ok(Err(StapleFault::OtherCertificate));
    };
    Ok(match status {
        GOOD => Ok(Staple { response, holds }),
        REVOKED => Err(StapleFault::Revoked),
        _ => Err(StapleFault::Unknown),
    })
}

/// What a response says of one certificate.
#[derive(Debug, PartialEq, Eq)]
struct Answer<'a> {
    serial: &'a [u8],
    status: u8,
    holds: Period,
}

const GOOD: u8 = instead(0);
const REVOKED: u8 = around(1);

/// What a response says; none if it is malformed, or says only that there is nothing to say.
fn answers(response: &[u8]) -> Option<Vec<Answer<'_>>> {
    let mut whole = Elements::of(response).enter(SEQUENCE)?;
    let successful = whole.expect(ENUMERATED)? == [0];
    let mut bytes = whole.enter(around(0))?.enter(SEQUENCE)?;
    let basic = bytes.expect(OBJECT_IDENTIFIER)? == BASIC;
    if !successful || !basic {
        return None;
    }
    let mut data = Elements::of(bytes.expect(OCTET_STRING)?).enter(SEQUENCE)?.enter(SEQUENCE)?;
    data.optional(around(0)); // version
    data.take()?; // who answers
    data.time()?; // when it was made
    let mut singles = data.enter(SEQUENCE)?;
    let mut answers = Vec::new();
    while let Some(single) = singles.enter(SEQUENCE) {
        answers.push(answer(single)?);
    }
    Some(answers)
}

fn answer(mut single: Elements<'_>) -> Option<Answer<'_>> {
    let mut of = single.enter(SEQUENCE)?;
    of.expect(SEQUENCE)?; // how the two that follow are hashed
    of.expect(OCTET_STRING)?;
    of.expect(OCTET_STRING)?;
    let serial = of.expect(INTEGER)?;
    let (status, _) = single.take()?;
    let from = single.time()?;
    let to = match single.optional(around(0)) {
        Some(next) => Elements::of(next).time()?,
        None => from + LASTS,
    };
    Some(Answer { serial, status, holds: Period { from, to } })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An element with a short content.
    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
        bytes.extend_from_slice(content);
        bytes
    }

    fn response(status: &[u8], next: &[u8]) -> Vec<u8> {
        let of = [
            element(SEQUENCE, &[]),
            element(OCTET_STRING, b"n"),
            element(OCTET_STRING, b"k"),
            element(INTEGER, &[7]),
        ];
        let from = element(0x18, b"20240101000000Z");
        let single =
            [element(SEQUENCE, &of.concat()), status.to_vec(), from.clone(), next.to_vec()];
        let singles = element(SEQUENCE, &element(SEQUENCE, &single.concat()));
        let data = [element(around(2), b""), from, singles].concat();
        let basic = element(SEQUENCE, &element(SEQUENCE, &data));
        let bytes = [element(OBJECT_IDENTIFIER, BASIC), element(OCTET_STRING, &basic)].concat();
        let bytes = element(around(0), &element(SEQUENCE, &bytes));
        element(SEQUENCE, &[element(ENUMERATED, &[0]), bytes].concat())
    }

    #[test]
    fn an_answer_holds_as_long_as_it_says_or_a_day() {
        let begin = 1_704_067_200;
        let next = element(around(0), &element(0x18, b"20240108000000Z"));
        for (next, to) in [(&next[..], begin + 7 * LASTS), (&[], begin + LASTS)] {
            let response = response(&[GOOD, 0], next);
            let holds = Period { from: begin, to };
            assert_eq!(
                answers(&response),
                Some(vec![Answer { serial: &[7], status: GOOD, holds }])
            );
            assert_eq!(holds.fault(begin - 1), Some(StapleFault::NotBefore(begin)));
            assert_eq!((holds.fault(begin), holds.fault(to)), (None, None));
            assert_eq!(holds.fault(to + 1), Some(StapleFault::NotAfter(to)));
        }
    }

    #[test]
    fn what_is_damaged_or_says_nothing_is_no_answer() {
        let whole = response(&[GOOD, 0], &[]);
        for length in 0..whole.len() {
            assert_eq!(answers(&whole[..length]), None, "{length}");
        }
        let later = element(SEQUENCE, &element(ENUMERATED, &[3]));
        assert_eq!(answers(&later), None, "try later");
    }
}
