//! What goes wrong with TLS, in words. The library's own texts are names from its source.

use std::{net::IpAddr, path::Path};

use plexus_net::TlsConfigError;
use plexus_stdx::calendar;
use rustls::{
    AlertDescription, CertificateError, Error,
    pki_types::{UnixTime, pem},
};

use super::{Trouble, plain};
use crate::client::endpoint::Endpoint;

/// The name that the verifier gives to a certificate of an authority in the place of a server's. The
/// type behind it is not public to users of the library.
const AUTHORITY_AS_SERVER: &str = "CaUsedAsEndEntity";
/// Names of a certificate that are told.
const NAMES_SHOWN: usize = 8;
/// Letters of a name that are told.
const LETTERS_SHOWN: usize = 253;

pub(super) fn of(endpoint: &Endpoint, error: &Error) -> Trouble {
    match error {
        Error::InvalidCertificate(error) => of_certificate(endpoint, error),
        Error::AlertReceived(alert) => of_alert(endpoint, *alert),
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerSentOversizedRecord => Trouble::new(
            format!("what answers at {endpoint} does not speak TLS"),
            format!("for a port without TLS {}", endpoint.without_tls()),
        ),
        Error::PeerIncompatible(_) | Error::NoApplicationProtocol => Trouble::new(
            format!("{endpoint} speaks TLS, but nothing that both sides know"),
            "the broker has to offer TLS 1.2 or 1.3 with a modern cipher",
        ),
        Error::NoCertificatesPresented => Trouble::bare(format!("{endpoint} shows no certificate")),
        Error::PeerMisbehaved(_) | Error::DecryptError => {
            Trouble::bare(format!("{endpoint} breaks the rules of TLS"))
        }
        // Every other text is a sentence of the library.
        other => Trouble::bare(format!("TLS with {endpoint} failed: {other}")),
    }
}

fn of_certificate(endpoint: &Endpoint, error: &CertificateError) -> Trouble {
    use CertificateError as Kind;
    let what = |why: &str| format!("the certificate of {endpoint} {why}");
    let renew = "the broker needs a new one; --insecure connects without looking at it";
    match error {
        Kind::NotValidForNameContext { presented, .. } => of_name(endpoint, presented),
        Kind::NotValidForName => of_name(endpoint, &[]),
        Kind::ExpiredContext { not_after, .. } => {
            Trouble::new(what(&format!("expired on {}", day(*not_after))), renew)
        }
        Kind::Expired => Trouble::new(what("has expired"), renew),
        Kind::NotValidYetContext { not_before, .. } => Trouble::new(
            what(&format!("begins to hold on {}", day(*not_before))),
            "is the clock of this machine right?",
        ),
        Kind::NotValidYet => {
            Trouble::new(what("does not hold yet"), "is the clock of this machine right?")
        }
        Kind::UnknownIssuer | Kind::BadSignature => untrusted(endpoint),
        Kind::Other(error) if error.to_string().contains(AUTHORITY_AS_SERVER) => Trouble::new(
            what("is one of an authority (CA:TRUE), and servers need one of their own"),
            format!("make one for the broker:\n  {}", recipe(&endpoint.host)),
        ),
        Kind::InvalidPurpose | Kind::InvalidPurposeContext { .. } => {
            Trouble::new(what("is not meant for servers"), "the broker needs one for serverAuth")
        }
        Kind::Revoked => Trouble::new(what("was revoked"), renew),
        Kind::BadEncoding => Trouble::new(what("is damaged"), renew),
        _ => Trouble::new(what("cannot be checked"), renew),
    }
}

fn of_name(endpoint: &Endpoint, presented: &[String]) -> Trouble {
    let names = presented.iter().take(NAMES_SHOWN).map(|name| bare_name(name)).collect::<Vec<_>>();
    let host = &endpoint.host;
    if names.is_empty() {
        return Trouble::new(
            format!("the certificate of {endpoint} names no host"),
            format!("it needs `{host}` as subjectAltName, for example:\n  {}", recipe(host)),
        );
    }
    let shown = names.iter().map(|name| escaped(name)).collect::<Vec<_>>().join(", ");
    let more = if presented.len() > names.len() { " and others" } else { "" };
    let what = format!("the certificate of {endpoint} is not for `{host}` but for {shown}{more}");
    let mend = format!("make a certificate that names `{host}`");
    Trouble::new(
        what,
        match presented.iter().find_map(|name| host_of(name)) {
            Some(name) if endpoint.given.url && name.contains(':') => {
                format!("write [{name}] in the URL, or {mend}")
            }
            Some(name) if endpoint.given.url => format!("write {name} in the URL, or {mend}"),
            Some(name) => format!("connect with -h {name}, or {mend}"),
            None => mend,
        },
    )
}

/// The host that a name of a certificate is, if one can connect to it: whoever made the certificate
/// chose the text, a wildcard is no host, and other kinds of names are none either.
fn host_of(presented: &str) -> Option<&str> {
    let name = bare_name(presented);
    if presented.starts_with("IpAddress(") {
        return name.parse::<IpAddr>().is_ok().then_some(name);
    }
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_name = name.bytes().all(letter) && !name.starts_with(['-', '.']);
    let is_host = is_name && (1..=253).contains(&name.len());
    (is_host && presented.starts_with("DnsName(")).then_some(name)
}

/// A text of somebody else's, so that it can neither move the cursor nor fill the screen.
fn escaped(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_graphic() || letter == ' ';
    let shown = text.chars().take(LETTERS_SHOWN).flat_map(|letter| {
        let wild = (!plain(letter)).then(|| letter.escape_unicode());
        let tame = plain(letter).then_some(letter);
        wild.into_iter().flatten().chain(tame)
    });
    shown.collect()
}

fn untrusted(endpoint: &Endpoint) -> Trouble {
    match &endpoint.ca_file {
        Some(file) => Trouble::new(
            format!("{} did not sign the certificate of {endpoint}", file.display()),
            "name the file of the authority that did; for a self-signed certificate, that one \
             itself",
        ),
        None => Trouble::new(
            format!("nobody that is trusted signed the certificate of {endpoint}"),
            "write --cafile FILE with the certificate of its authority; if it is self-signed, \
             with the certificate itself",
        ),
    }
}

fn of_alert(endpoint: &Endpoint, alert: AlertDescription) -> Trouble {
    use AlertDescription as Kind;
    let what = |why: &str| format!("{endpoint} ends TLS: {why}");
    let another = "give another certificate with --cert and --key";
    match alert {
        Kind::CertificateRequired => Trouble::new(
            what("it wants a certificate of the client"),
            "write --cert FILE and --key FILE",
        ),
        Kind::UnknownCA => {
            Trouble::new(what("it does not trust who signed the client's certificate"), another)
        }
        Kind::CertificateExpired => {
            Trouble::new(what("the client's certificate has expired"), another)
        }
        Kind::CertificateRevoked => {
            Trouble::new(what("the client's certificate was revoked"), another)
        }
        Kind::BadCertificate | Kind::UnsupportedCertificate | Kind::CertificateUnknown => {
            Trouble::new(what("it does not accept the client's certificate"), another)
        }
        // What a node says whose `unknown_name` is `refuse`: its library has no better word.
        Kind::AccessDenied | Kind::UnrecognisedName => Trouble::new(
            what(&format!("it has no certificate for `{}`", endpoint.host)),
            "connect with the name that the broker is known by",
        ),
        Kind::ProtocolVersion | Kind::HandshakeFailure | Kind::InsufficientSecurity => {
            Trouble::new(
                what("there is no version or cipher that both sides know"),
                "the broker has to offer TLS 1.2 or 1.3 with a modern cipher; it may also want a \
                 certificate of the client, --cert and --key",
            )
        }
        Kind::NoApplicationProtocol => {
            Trouble::new(what("it does not speak MQTT"), "check host and port")
        }
        other => Trouble::bare(what(&format!("alert number {}", u8::from(other)))),
    }
}

/// Why the files of the command line cannot be used.
pub fn of_files(error: &TlsConfigError) -> String {
    match error {
        TlsConfigError::Pem { path, source } => of_pem(path, source),
        TlsConfigError::Pair { cert, key, .. } => format!(
            "the certificate {} and the key {} do not belong together; give the key that the \
             certificate was made for",
            cert.display(),
            key.display()
        ),
        TlsConfigError::Authority { path, .. } => {
            format!("{} holds a certificate that is damaged", path.display())
        }
        TlsConfigError::OcspFile { path, source } => {
            format!("cannot read {}: {}", path.display(), plain(source))
        }
        TlsConfigError::NoCertificate { .. }
        | TlsConfigError::NoClientAuthority
        | TlsConfigError::HalfPair
        | TlsConfigError::NoCrl { .. }
        | TlsConfigError::Crl { .. }
        | TlsConfigError::CrlSignature { .. }
        | TlsConfigError::UnusedCrls
        | TlsConfigError::Ocsp { .. }
        | TlsConfigError::NoName { .. }
        | TlsConfigError::BadName { .. }
        | TlsConfigError::SameName { .. }
        | TlsConfigError::NoSuite
        | TlsConfigError::Verifier(_)
        | TlsConfigError::Setup(_) => error.to_string(),
    }
}

fn of_pem(path: &Path, error: &pem::Error) -> String {
    let path = path.display();
    match error {
        pem::Error::Io(error) => format!("cannot read {path}: {}", plain(error)),
        pem::Error::NoItemsFound => {
            format!("{path} holds no key; expected `-----BEGIN PRIVATE KEY-----`")
        }
        _ => format!(
            "{path} is damaged or no PEM file; expected lines between `-----BEGIN` and `-----END`"
        ),
    }
}

/// One line that makes a certificate for a broker of that name, signed by itself.
fn recipe(host: &str) -> String {
    let names = match host.parse::<IpAddr>() {
        Ok(address) => format!("IP:{address}"),
        Err(_) if host == "localhost" => "DNS:localhost,IP:127.0.0.1".to_owned(),
        Err(_) => format!("DNS:{host}"),
    };
    format!(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 \
         -subj /CN={host} -addext subjectAltName={names} \
         -addext basicConstraints=critical,CA:FALSE -keyout key.pem -out cert.pem"
    )
}

/// A name of a certificate without the wrapping of the library: `DnsName("localhost")`.
fn bare_name(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

fn day(time: UnixTime) -> String {
    calendar::day(time.as_secs())
}

#[cfg(test)]
mod tests;
