//! Who a client's certificate is for.

use std::fmt::Write;

use plexus_access::Certificate;
use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    objects::{oid_registry, oid2abbrev},
    prelude::FromDer,
    x509::{AttributeTypeAndValue, X509Name},
};

/// Names of one kind that are taken from a certificate, and the length of its subject as text.
const NAMES_MAX: usize = 16;
const SUBJECT_LENGTH_MAX: usize = 4_096;

/// What stands in a certificate that TLS has verified; none if it cannot be read, or claims more than
/// anybody needs: then it proves nothing.
pub(crate) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let subject = certificate.subject();
    let mut read = Certificate {
        common_name: text_of(subject.iter_common_name().last()),
        organization: text_of(subject.iter_organization().last()),
        subject: distinguished_name(subject)?,
        ..Certificate::default()
    };
    let alternatives = certificate.subject_alternative_name().ok()?;
    let names = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    for name in names {
        let (list, name) = match name {
            GeneralName::DNSName(name) => (&mut read.dns_names, name),
            GeneralName::RFC822Name(name) => (&mut read.mail_addresses, name),
            GeneralName::URI(name) => (&mut read.uris, name),
            _ => continue,
        };
        list.push((*name).to_owned());
        if list.len() > NAMES_MAX {
            return None;
        }
    }
    Some(read)
}

/// A value that is text, and is not cut short by a null character in some readers' eyes.
fn text_of(attribute: Option<&AttributeTypeAndValue<'_>>) -> Option<String> {
    let text = attribute?.as_str().ok()?;
    (!text.is_empty() && !text.contains('\0')).then(|| text.to_owned())
}

/// The subject as text, the last part first (RFC 4514): what a value has of the signs between the parts is
/// escaped, so that no two subjects look alike.
fn distinguished_name(name: &X509Name<'_>) -> Option<String> {
    let mut parts = Vec::new();
    for set in name.iter_rdn() {
        let mut alternatives = Vec::new();
        for attribute in set.iter() {
            let oid = attribute.attr_type();
            let kind = oid2abbrev(oid, oid_registry());
            let kind = kind.map_or_else(|_| oid.to_id_string(), str::to_owned);
            let value = match attribute.as_str() {
                Ok(text) => escaped(text),
                // What is no text stands there byte by byte (RFC 4514, section 2.4).
                Err(_) => attribute
                    .as_slice()
                    .iter()
                    .fold("#".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
            };
            alternatives.push(format!("{kind}={value}"));
        }
        parts.push(alternatives.join("+"));
    }
    parts.reverse();
    let subject = parts.join(",");
    (subject.len() <= SUBJECT_LENGTH_MAX).then_some(subject)
}

/// RFC 4514, section 2.4, always in hexadecimal: so no sign that stands between parts is in a value, and a
/// pattern that ends with a part matches no value that looks like one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let edge = (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ');
        if edge || matches!(c, '"' | '+' | ',' | ';' | '<' | '=' | '>' | '\\' | '\0') {
            let written = write!(escaped, "\\{:02X}", u32::from(c));
            written.expect("invariant: writing to a string");
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
