use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SanType};

use super::read;

fn der(names: &[(DnType, &str)], alternatives: Vec<SanType>) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in names {
        params.distinguished_name.push(kind.clone(), *value);
    }
    params.subject_alt_names = alternatives;
    let key = KeyPair::generate().unwrap();
    params.self_signed(&key).unwrap().der().to_vec()
}

#[test]
fn names_are_read_from_their_places() {
    let alternatives = vec![
        SanType::DnsName("arm.example".try_into().unwrap()),
        SanType::Rfc822Name("arm@example".try_into().unwrap()),
        SanType::URI("urn:arm:7".try_into().unwrap()),
    ];
    let names = [
        (DnType::CountryName, "NL"),
        (DnType::OrganizationName, "Plant"),
        (DnType::CommonName, "arm"),
    ];
    let certificate = read(&der(&names, alternatives)).unwrap();
    assert_eq!(certificate.common_name.as_deref(), Some("arm"));
    assert_eq!(certificate.subject, "CN=arm,O=Plant,C=NL");
    assert_eq!(certificate.dns_names, ["arm.example"]);
    assert_eq!(certificate.mail_addresses, ["arm@example"]);
    assert_eq!(certificate.uris, ["urn:arm:7"]);
}

/// A value that looks like several parts.
#[test]
fn a_value_is_no_other_part() {
    let sly = read(&der(&[(DnType::CommonName, "arm,O=Plant")], Vec::new())).unwrap();
    assert_eq!(sly.subject, "CN=arm\\2CO\\3DPlant");
    assert_eq!(sly.common_name.as_deref(), Some("arm,O=Plant"));
    let edges = read(&der(&[(DnType::CommonName, "# a\\b+c ")], Vec::new())).unwrap();
    assert_eq!(edges.subject, "CN=\\23 a\\5Cb\\2Bc\\20");
}

#[test]
fn what_is_no_certificate_proves_nothing() {
    let good = der(&[(DnType::CommonName, "arm")], Vec::new());
    assert!(read(&[]).is_none() && read(b"certificate").is_none());
    for length in 0..good.len() {
        assert!(read(&good[..length]).is_none(), "cut at {length}");
    }
    let many = (0..17).map(|number| SanType::DnsName(format!("h{number}").try_into().unwrap()));
    assert!(read(&der(&[], many.collect())).is_none());
    let long = "x".repeat(5_000);
    assert!(read(&der(&[(DnType::CommonName, &long)], Vec::new())).is_none());
    let none = read(&der(&[], Vec::new())).unwrap();
    assert_eq!((none.common_name, none.subject.as_str()), (None, ""));
}
