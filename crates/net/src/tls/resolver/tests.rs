use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;

use super::*;

fn shown(names: &[&str]) -> Shown {
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let chain = vec![certificate.der().clone()];
    Shown::new(CertifiedKey::from_der(chain, der, &provider).unwrap(), None)
}

/// The certificates of `default.example`, `a.example` with `*.b.example`, and `x.b.example`.
fn certificates(unknown: UnknownName) -> Certificates {
    let mut all = Certificates::new(shown(&["default.example", "*.d.example"]), unknown);
    for names in [&["a.example", "*.B.example"][..], &["x.b.example"]] {
        let one = shown(names);
        let names = one.names();
        all.add(one, names.clone(), Path::new(&names[0])).unwrap();
    }
    all
}

/// The first name of the certificate that a client is shown.
fn answer(all: &Certificates, name: Option<&str>) -> Option<String> {
    all.choose(name).and_then(|shown| shown.names().into_iter().next())
}

#[test]
fn the_name_decides_and_a_wildcard_is_one_label() {
    let all = certificates(UnknownName::Default);
    for (name, expected) in [
        ("a.example", "a.example"),
        ("A.Example", "a.example"),
        ("y.b.example", "a.example"),
        ("x.b.example", "x.b.example"),
        ("b.example", "default.example"),
        ("z.y.b.example", "default.example"),
        ("elsewhere", "default.example"),
        ("default.example", "default.example"),
    ] {
        assert_eq!(answer(&all, Some(name)).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(answer(&all, None).as_deref(), Some("default.example"));
}

#[test]
fn unknown_names_are_refused_where_that_is_asked_for() {
    let all = certificates(UnknownName::Refuse);
    for name in ["elsewhere", "b.example", "z.y.b.example", "q.default.example", "example"] {
        assert_eq!(answer(&all, Some(name)), None, "{name}");
    }
    for name in ["default.example", "Default.example", "q.d.example"] {
        assert_eq!(answer(&all, Some(name)).as_deref(), Some("default.example"), "{name}");
    }
    assert_eq!(answer(&all, Some("a.example")).as_deref(), Some("a.example"));
    assert_eq!(answer(&all, None).as_deref(), Some("default.example"), "who asks for no name");
}

#[test]
fn names_that_nobody_could_ask_for_are_mistakes() {
    let mut all = certificates(UnknownName::Default);
    let mut add = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        all.add(shown(&["z.example"]), names, Path::new("z.pem")).unwrap_err().to_string()
    };
    assert_eq!(
        add(&[]),
        "certificate z.pem has no name that a client could ask for; write names = [\"…\"]"
    );
    for name in ["192.0.2.1 x", "*", "a.*.example", "*.*.example", "", "*."] {
        let told = add(&[name]);
        assert!(
            told.starts_with(&format!("certificate z.pem: `{name}` is no host name")),
            "{told}"
        );
    }
    assert_eq!(
        add(&["A.example"]),
        "certificates z.pem and a.example are both for `a.example`; give each name to one of them"
    );
}
