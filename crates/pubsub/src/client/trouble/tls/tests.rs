use std::{io, time::Duration};

use plexus_net::{TlsConfigError, Transport};
use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
    PeerMisbehaved,
    pki_types::{ServerName, UnixTime, pem},
};

use super::{super::tests::endpoint, bare_name, of, of_files, recipe};
use crate::client::endpoint::Endpoint;

const PAGE: &str = include_str!("../../../../../../docs/tls.md");

fn at(endpoint: &Endpoint, error: &Error) -> String {
    let trouble = of(endpoint, error);
    let mend = trouble.mend.map_or(String::new(), |mend| format!("; {mend}"));
    format!("{}{mend}", trouble.what)
}

fn told(error: &Error) -> String {
    at(&endpoint(Transport::Tls), error)
}

fn certificate(error: CertificateError) -> String {
    told(&Error::InvalidCertificate(error))
}

fn time(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[test]
fn the_certificate_of_an_authority_comes_with_a_recipe() {
    let text = certificate(CertificateError::Other(OtherError(std::sync::Arc::new(
        io::Error::other("CaUsedAsEndEntity"),
    ))));
    assert!(text.contains("is one of an authority (CA:TRUE)"), "{text}");
    assert!(text.contains("\n  openssl req -x509 "), "{text}");
    assert!(text.contains("subjectAltName=DNS:broker.example"), "{text}");
}

#[test]
fn names_of_the_certificate_are_told_as_a_person_writes_them() {
    let names = |presented: &[&str]| {
        certificate(CertificateError::NotValidForNameContext {
            expected: ServerName::try_from("broker.example").unwrap(),
            presented: presented.iter().map(|&name| name.to_owned()).collect(),
        })
    };
    let at = "mqtts://broker.example:1883";
    assert_eq!(
        names(&["DnsName(\"localhost\")", "IpAddress(127.0.0.1)"]),
        format!(
            "the certificate of {at} is not for `broker.example` but for localhost, 127.0.0.1; \
             connect with -h localhost, or make a certificate that names `broker.example`"
        )
    );
    // Who made the certificate chose its names: none but a host is to be typed.
    for (name, shown) in [
        ("DnsName(\"*.example\")", "*.example"),
        ("DnsName(\"a; rm -r x\")", "a; rm -r x"),
        ("DnsName(\"-x\")", "-x"),
        ("UniformResourceIdentifier(\"h\")", "h"),
        ("Unsupported(0x88)", "0x88"),
        ("DnsName(\"\u{1b}[2Jx\")", "\\u{1b}[2Jx"),
    ] {
        let text = names(&[name]);
        let told = format!("but for {shown}; make a certificate that names `broker.example`");
        assert!(text.ends_with(&told), "{text}");
        let text = names(&[name, "IpAddress(::1)"]);
        assert!(text.contains("; connect with -h ::1, or make"), "{text}");
    }
    let none = names(&[]);
    assert!(none.contains("names no host; it needs `broker.example`"), "{none}");
    assert_eq!(bare_name("localhost"), "localhost");
}

#[test]
fn times_are_days() {
    let expired = CertificateError::ExpiredContext {
        time: time(1_700_000_000),
        not_after: time(1_600_000_000),
    };
    let text = certificate(expired);
    assert!(text.contains("broker.example:1883 expired on 2020-09-13;"), "{text}");
    let early = CertificateError::NotValidYetContext {
        time: time(1_600_000_000),
        not_before: time(1_700_000_000),
    };
    let text = certificate(early);
    assert!(text.contains("begins to hold on 2023-11-14; is the clock"), "{text}");
}

#[test]
fn who_is_not_trusted_depends_on_the_file() {
    let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert!(told(&unknown).contains("nobody that is trusted signed"), "{}", told(&unknown));
    assert!(told(&unknown).contains("write --cafile FILE"), "{}", told(&unknown));
    let mut endpoint = endpoint(Transport::Tls);
    endpoint.ca_file = Some("ca.pem".into());
    let text = at(&endpoint, &unknown);
    assert!(text.starts_with("ca.pem did not sign the certificate of mqtts://"), "{text}");
}

#[test]
fn no_text_is_a_name_from_a_source() {
    let alerts = (0..=u8::MAX).map(|code| Error::AlertReceived(AlertDescription::from(code)));
    let others = [
        Error::InvalidMessage(InvalidMessage::InvalidContentType),
        Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
        Error::PeerMisbehaved(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec),
        Error::NoCertificatesPresented,
        Error::DecryptError,
        Error::InvalidCertificate(CertificateError::BadEncoding),
        Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure),
        Error::InvalidCertificate(CertificateError::InvalidPurpose),
    ];
    for error in alerts.chain(others) {
        let text = told(&error);
        // Two words in one, the second with a capital: only a program writes like that.
        let camel = |word: &str| {
            let mut letters = word.chars().skip(1);
            word != "WebSocket" && letters.any(char::is_uppercase) && word != word.to_uppercase()
        };
        let found = text.split(|letter: char| !letter.is_alphanumeric()).find(|word| camel(word));
        assert!(found.is_none_or(|word| word == "serverAuth"), "{error:?}: {text}");
    }
    let wanted = told(&Error::AlertReceived(AlertDescription::CertificateRequired));
    assert!(wanted.contains("wants a certificate of the client; write --cert FILE"), "{wanted}");
    let plain = told(&Error::InvalidMessage(InvalidMessage::InvalidContentType));
    assert!(
        plain.contains("does not speak TLS; for a port without TLS leave out --tls"),
        "{plain}"
    );
}

#[test]
fn files_are_named_with_what_is_wrong_with_them() {
    let of_pem = |source| of_files(&TlsConfigError::Pem { path: "a.pem".into(), source });
    let missing = pem::Error::Io(io::Error::from_raw_os_error(2));
    assert_eq!(of_pem(missing), "cannot read a.pem: No such file or directory");
    assert!(of_pem(pem::Error::NoItemsFound).starts_with("a.pem holds no key"));
    let damaged = of_pem(pem::Error::Base64Decode("x".to_owned()));
    assert!(damaged.starts_with("a.pem is damaged or no PEM file"), "{damaged}");
    let pair = of_files(&TlsConfigError::Pair {
        cert: "a.pem".into(),
        key: "a.key".into(),
        source: Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch),
    });
    assert!(pair.starts_with("the certificate a.pem and the key a.key do not belong together"));
}

#[test]
fn the_recipe_is_that_of_the_page() {
    assert!(PAGE.contains(&format!("\n{}\n", recipe("localhost"))), "{}", recipe("localhost"));
    assert!(recipe("10.0.0.7").contains("subjectAltName=IP:10.0.0.7 "));
}
