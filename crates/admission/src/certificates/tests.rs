use std::sync::Arc;

use plexus_access::{Certificate, Credentials, Wildcard};
use plexus_types::{ClientId, ReasonCode};

use super::{CertificateName, CertificateOptions, Certificates};
use crate::{Answer, Authenticator};

fn arm() -> Certificate {
    Certificate {
        common_name: Some("arm".into()),
        organization: Some("Plant".to_owned()),
        subject: "CN=arm,O=Plant".into(),
        dns_names: vec!["arm.example".into(), "other".into()],
        mail_addresses: Vec::new(),
        uris: vec!["urn:arm:7".into()],
    }
}

fn shows(id: &str, certificate: Option<Certificate>) -> Credentials {
    Credentials {
        client_id: ClientId::try_from(id).unwrap(),
        user_name: None,
        password: None,
        peer: None,
        listener: Arc::from("tls"),
        tenant: None,
        certificate: certificate.map(Arc::new),
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

fn options() -> CertificateOptions {
    CertificateOptions {
        user_name: CertificateName::CommonName,
        client_id: None,
        tenant: None,
        subjects: Vec::new(),
    }
}

fn says(options: CertificateOptions, shown: &Credentials) -> Answer {
    Certificates::new(options).judge(shown.certificate.as_deref().unwrap(), shown)
}

fn user_name(answer: Answer) -> String {
    let Answer::Allow(rights, None) = answer else { panic!("{answer:?}") };
    rights.user_name.unwrap().to_string()
}

#[test]
fn each_name_of_a_certificate_may_be_the_user_name() {
    for (name, wanted) in [
        (CertificateName::CommonName, "arm"),
        (CertificateName::Subject, "CN=arm,O=Plant"),
        (CertificateName::DnsName, "arm.example"),
        (CertificateName::Uri, "urn:arm:7"),
    ] {
        let options = CertificateOptions { user_name: name, ..options() };
        assert_eq!(user_name(says(options, &shows("r", Some(arm())))), wanted);
    }
    let options = CertificateOptions { user_name: CertificateName::MailAddress, ..options() };
    assert!(matches!(says(options, &shows("r", Some(arm()))), Answer::Ignore), "it has none");
}

#[test]
fn the_client_identifier_may_have_to_be_the_certificates() {
    let options =
        || CertificateOptions { client_id: Some(CertificateName::CommonName), ..options() };
    assert_eq!(user_name(says(options(), &shows("arm", Some(arm())))), "arm");
    let other = says(options(), &shows("leg", Some(arm())));
    assert!(matches!(other, Answer::Deny(ReasonCode::ClientIdentifierNotValid)));
}

#[test]
fn only_some_subjects_may_be_believed() {
    let of = |subject| CertificateOptions { subjects: vec![Wildcard::new(subject)], ..options() };
    assert_eq!(user_name(says(of("*,O=Plant"), &shows("r", Some(arm())))), "arm");
    assert!(matches!(says(of("*,O=Other"), &shows("r", Some(arm()))), Answer::Ignore));
}

#[test]
fn a_certificate_may_say_whose_client_it_is_and_then_has_to() {
    let of = |name| CertificateOptions { tenant: Some(name), ..options() };
    let tenant = |answer| {
        let Answer::Allow(rights, None) = answer else { panic!("{answer:?}") };
        rights.tenant.map(|tenant| tenant.to_string())
    };
    let shown = shows("r", Some(arm()));
    assert_eq!(tenant(says(of(CertificateName::Organization), &shown)), Some("Plant".to_owned()));
    assert_eq!(tenant(says(options(), &shown)), None);
    for name in [CertificateName::MailAddress, CertificateName::Subject] {
        let answer = says(of(name), &shown);
        assert!(matches!(answer, Answer::Deny(ReasonCode::NotAuthorized)), "{answer:?}");
    }
}

#[test]
fn what_stands_in_a_certificate_are_attributes() {
    let Answer::Allow(rights, _) = says(options(), &shows("r", Some(arm()))) else { panic!() };
    let facts: Vec<_> = rights.attributes.iter().collect();
    assert_eq!(
        facts,
        [
            ("cert_common_name", "arm"),
            ("cert_dns_name", "arm.example"),
            ("cert_subject", "CN=arm,O=Plant"),
            ("cert_uri", "urn:arm:7")
        ]
    );
}

#[test]
fn who_shows_no_certificate_is_not_known() {
    assert!(!Certificates::new(options()).concerns(&shows("r", None)));
    assert!(Certificates::new(options()).concerns(&shows("r", Some(arm()))));
}
