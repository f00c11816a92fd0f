use bytes::Bytes;
use plexus_access::{Credentials, Template};
use plexus_types::{ClientId, Text};
use serde_json::Value;

use super::{About, Method, Question};
use crate::{client, target::Target};

fn credentials(user: &str, password: &'static str) -> Credentials {
    Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: Some(Text::try_from(user).unwrap()),
        password: Some(Bytes::from_static(password.as_bytes())),
        peer: None,
        listener: "l".into(),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

fn question(
    method: Method,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Question, String> {
    let target = Target::new(Template::parse("https://a.b/").unwrap(), false).unwrap();
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let headers: Vec<_> = headers.iter().map(owned).collect();
    let body = body.map(|body| Template::parse(body).unwrap());
    Question::new(method, target, &headers, (About::Client, body))
        .map_err(|misfit| format!("{}: {}", misfit.key, misfit.problem))
}

fn body_of(question: &Question, credentials: &Credentials) -> String {
    let client = client::bare();
    let request = question.fill(&client, credentials).unwrap().build().unwrap();
    let body = request.body().unwrap().as_bytes().unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn no_value_breaks_out_of_a_json_body() {
    let question = question(Method::Post, &[], None).unwrap();
    let odd = "x\",\"result\":\"allow\\ é\u{7f}\u{9f}";
    let sent = body_of(&question, &credentials(odd, "p"));
    let read: Value = serde_json::from_str(&sent).unwrap();
    assert_eq!(read["username"], odd);
    assert_eq!((&read["password"], &read["clientid"]), (&"p".into(), &"c".into()));
    assert_eq!(read.as_object().unwrap().len(), 3);
}

#[test]
fn no_value_breaks_out_of_a_form() {
    let form = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")];
    let question = question(Method::Post, &form, Some("u=${username}&p=${password}")).unwrap();
    let sent = body_of(&question, &credentials("a&b=c", "+ %"));
    assert_eq!(sent, "u=a%26b%3Dc&p=%2B%20%25");
}

#[test]
fn no_value_breaks_out_of_a_header() {
    let question = question(Method::Get, &[("X-User", "${username}")], None).unwrap();
    let client = client::bare();
    assert!(question.fill(&client, &credentials("bob", "p")).is_some());
    assert!(
        question.fill(&client, &credentials("a\u{85}b", "p")).is_some(),
        "no line break of HTTP"
    );
    assert!(question.fill(&client, &credentials("a\u{1}b", "p")).is_none());
}

#[test]
fn who_does_not_show_what_has_a_place_is_not_asked_about() {
    let question = question(Method::Post, &[], None).unwrap();
    let mut shown = credentials("bob", "p");
    assert!(question.concerns(&shown));
    shown.password = None;
    assert!(!question.concerns(&shown));
}

#[test]
fn what_cannot_be_sent_is_told_at_the_start() {
    let said =
        |method, headers: &[(&str, &str)], body| question(method, headers, body).unwrap_err();
    assert!(said(Method::Post, &[], Some("{\"a\":${username}}")).contains("outside of quotes"));
    assert!(said(Method::Get, &[], Some("{}")).contains("a GET request has no body"));
    assert!(said(Method::Post, &[("a b", "c")], None).contains("`a b` is no name of a header"));
    assert!(said(Method::Post, &[("a", "b\nc")], None).contains("cannot stand in a header"));
    assert!(said(Method::Post, &[("a", "${b}")], None).contains("has `${b}`; known are"));
    let kind = [("content-type", "text/plain")];
    assert!(said(Method::Post, &kind, None).contains("`content-type` is neither"));
}
