use std::sync::Arc;

use bytes::Bytes;
use plexus_types::{ClientId, Text};

use super::{Shown, Template, TemplateError, TemplatePart};
use crate::{Certificate, Credentials, Wanted};

fn credentials() -> Credentials {
    Credentials {
        client_id: ClientId::try_from("r7").unwrap(),
        user_name: Some(Text::from_static("ann")),
        password: Some(Bytes::from_static(b"s3")),
        peer: Some("10.0.0.7".parse().unwrap()),
        listener: Arc::from("plant"),
        tenant: None,
        certificate: Some(Arc::new(Certificate {
            common_name: Some("arm".into()),
            subject: "CN=arm,O=x".into(),
            ..Certificate::default()
        })),
        enhanced: None,
        wanted: None,
        gate: crate::Gate::default(),
    }
}

fn filled(text: &str, credentials: &Credentials) -> Option<String> {
    Template::parse(text).unwrap().fill(credentials, |text, to| to.push_str(text))
}

#[test]
fn every_place_is_filled_with_what_is_shown() {
    let all = "${clientid} ${username} ${password} ${peerhost} ${listener} \
               ${cert_common_name} ${cert_subject}";
    let got = filled(all, &credentials()).unwrap();
    assert_eq!(got, "r7 ann s3 10.0.0.7 plant arm CN=arm,O=x");
    assert_eq!(filled("a $ {x} }", &credentials()).unwrap(), "a $ {x} }");
    assert_eq!(filled("", &credentials()).unwrap(), "");
}

#[test]
fn what_is_not_shown_leaves_no_text() {
    let bare = Credentials { user_name: None, password: None, certificate: None, ..credentials() };
    for text in ["${username}", "x${password}", "${cert_subject}y", "${cert_common_name}"] {
        assert_eq!(filled(text, &bare), None, "{text}");
    }
    let binary = Credentials { password: Some(Bytes::from_static(b"\xff")), ..credentials() };
    assert_eq!(filled("${password}", &binary), None);
}

#[test]
fn what_a_client_says_is_quoted_and_is_no_template_itself() {
    let sly = Credentials { user_name: Some(Text::from_static("${password}&x")), ..credentials() };
    let template = Template::parse("u=${username}").unwrap();
    let quoted = template.fill(&sly, |text, to| to.push_str(&text.replace('&', "%26")));
    assert_eq!(quoted.unwrap(), "u=${password}%26x");
}

#[test]
fn a_text_that_is_no_template_says_why() {
    assert_eq!(Template::parse("a${user"), Err(TemplateError::Open));
    let unknown = Template::parse("${user}").unwrap_err();
    assert!(unknown.to_string().starts_with("has `${user}`; known are `${clientid}`"), "{unknown}");
}

#[test]
fn a_query_takes_its_parts() {
    let template = Template::parse("where n = ${username} limit 1").unwrap();
    let text = |text: &str| TemplatePart::Text(text.into());
    let shown = TemplatePart::Shown(Shown::UserName);
    assert_eq!(template.parts(), [text("where n = "), shown, text(" limit 1")]);
    assert!(template.has(Shown::UserName) && !template.has(Shown::Password));
}

#[test]
fn an_act_has_its_places() {
    let wanted = Wanted {
        publish: true,
        topic: Text::from_static("a/b"),
        qos: plexus_types::Qos::AtLeastOnce,
        retain: false,
    };
    let acts = Credentials { wanted: Some(wanted.clone()), ..credentials() };
    let text = "${action} ${topic} ${qos} ${retain}";
    assert_eq!(filled(text, &acts).unwrap(), "publish a/b 1 false");
    let wanted = Wanted { publish: false, ..wanted };
    let acts = Credentials { wanted: Some(wanted), ..credentials() };
    assert_eq!(filled(text, &acts).unwrap(), "subscribe a/b 1 false");
    for text in ["${action}", "${topic}", "${qos}", "${retain}"] {
        assert_eq!(filled(text, &credentials()), None, "{text}");
    }
}
