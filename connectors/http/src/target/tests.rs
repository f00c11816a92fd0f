use plexus_access::{Credentials, Template};
use plexus_types::{ClientId, Text};

use super::Target;

fn target(text: &str) -> Result<Target, String> {
    Target::new(Template::parse(text).unwrap(), false).map_err(|misfit| misfit.problem)
}

fn url_of(text: &str, user: &str) -> Option<String> {
    let credentials = Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: Some(Text::try_from(user).unwrap()),
        password: None,
        peer: None,
        listener: "l".into(),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    };
    target(text).unwrap().of(&credentials).map(|url| url.to_string())
}

#[test]
fn a_client_changes_nothing_but_the_value_in_its_place() {
    let template = "https://who.example/users/${username}?n=${username}";
    let plain = url_of(template, "bob").unwrap();
    assert_eq!(plain, "https://who.example/users/bob?n=bob");
    let odd = url_of(template, "a/b?c#d&e=f @%é\\").unwrap();
    let value = "a%2Fb%3Fc%23d%26e%3Df%20%40%25%C3%A9%5C";
    assert_eq!(odd, format!("https://who.example/users/{value}?n={value}"));
    for up in ["..", "."] {
        assert_eq!(url_of(template, up), None, "{up} would be another path");
    }
    assert_eq!(url_of("https://who.example/.${username}", "."), None);
    let query = url_of("https://who.example?n=${username}", "..").unwrap();
    assert_eq!(query, "https://who.example/?n=..", "in a query it is a value as others");
}

#[test]
fn what_a_client_says_never_stands_in_the_host() {
    for text in ["https://${username}/", "https://a.${username}.b/", "https://a${username}"] {
        let said = target(text).unwrap_err();
        assert!(said.contains("has a place in its host"), "{text}: {said}");
    }
    for text in ["${username}", "who.example/${username}"] {
        let said = target(text).unwrap_err();
        assert!(said.contains("neither `https://` nor"), "{text}: {said}");
    }
}

#[test]
fn clear_text_goes_to_this_machine_only_unless_it_is_asked_for() {
    for text in ["http://127.0.0.1:8/", "http://[::1]/a", "http://localhost/", "https://a.b/"] {
        assert!(target(text).is_ok(), "{text}");
    }
    for text in ["http://10.0.0.1/", "http://localhost.example/", "ftp://a/", "file:///etc/x"] {
        assert!(target(text).is_err(), "{text}");
    }
    assert!(Target::new(Template::parse("http://10.0.0.1/").unwrap(), true).is_ok());
}

#[test]
fn a_path_is_written_as_it_is_sent() {
    let said = target("https://a.b/x/../${username}").unwrap_err();
    assert!(said.contains("write `/x`"), "{said}");
    assert!(target("https://a.b/a b").unwrap_err().contains("write `/a%20b`"));
    assert!(target("https://a.b/#x").unwrap_err().contains("never sent"));
}
