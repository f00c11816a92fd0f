//! What is read of a certificate here (RFC 5280, section 4.1): its number and the host names in it.

use super::der::{Elements, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, around, instead};

/// subjectAltName, 2.5.29.17.
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
/// dNSName within it.
const DNS_NAME: u8 = instead(2);

/// The serial number as it is written.
pub(super) fn serial(certificate: &[u8]) -> Option<&[u8]> {
    let mut body = body(certificate)?;
    body.expect(INTEGER)
}

/// The host names that the certificate proves, in small letters; a wildcard is its first label.
pub(super) fn host_names(certificate: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut general = alt_names(certificate);
    while let Some((tag, content)) = general.as_mut().and_then(Elements::take) {
        if let (DNS_NAME, Ok(name)) = (tag, std::str::from_utf8(content)) {
            names.push(name.to_ascii_lowercase());
        }
    }
    names
}

/// The part that is signed, behind its version.
fn body(certificate: &[u8]) -> Option<Elements<'_>> {
    let mut body = Elements::of(certificate).enter(SEQUENCE)?.enter(SEQUENCE)?;
    body.optional(around(0));
    Some(body)
}

fn alt_names(certificate: &[u8]) -> Option<Elements<'_>> {
    let mut body = body(certificate)?;
    body.expect(INTEGER)?;
    // Algorithm, issuer, validity, subject, key.
    for _ in 0..5 {
        body.expect(SEQUENCE)?;
    }
    body.optional(instead(1));
    body.optional(instead(2));
    let mut extensions = body.enter(around(3))?.enter(SEQUENCE)?;
    while let Some(mut extension) = extensions.enter(SEQUENCE) {
        let identifier = extension.expect(OBJECT_IDENTIFIER)?;
        let (mut tag, mut value) = extension.take()?;
        if tag != OCTET_STRING {
            // Whether it is critical.
            (tag, value) = extension.take()?;
        }
        if identifier == SUBJECT_ALT_NAME && tag == OCTET_STRING {
            return Elements::of(value).enter(SEQUENCE);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, IsCa, KeyPair, SerialNumber};

    use super::{host_names, serial};

    #[test]
    fn number_and_host_names_are_read_and_nothing_else_is_a_name() {
        let names = ["a.example", "*.B.example", "192.0.2.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).unwrap();
        // A critical extension stands before and behind it.
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.serial_number = Some(SerialNumber::from(vec![1, 2, 3]));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(host_names(certificate.der()), ["a.example", "*.b.example"]);
        assert_eq!(serial(certificate.der()), Some(&[1, 2, 3][..]));
    }

    #[test]
    fn a_certificate_may_name_no_host() {
        let params = CertificateParams::new(Vec::new()).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(host_names(certificate.der()), [""; 0]);
        assert_eq!((host_names(b"nonsense").len(), serial(b"")), (0, None));
        for length in 0..certificate.der().len() {
            host_names(&certificate.der()[..length]);
            serial(&certificate.der()[..length]);
        }
    }
}
