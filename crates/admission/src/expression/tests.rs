use std::sync::Arc;

use plexus_access::{Attributes, Certificate, Credentials, Rights};
use plexus_stdx::Seed;
use plexus_types::{ClientId, ReasonCode, Text};

use super::{Derived, Expression, ExpressionError, Facts, NODES_MAX, SOURCE_MAX};

fn client(id: &str) -> Credentials {
    let certificate =
        Certificate { common_name: Some("robot-7@plant".to_owned()), ..Certificate::default() };
    Credentials {
        client_id: ClientId::try_from(id).unwrap(),
        user_name: Some(Text::from_static("ann")),
        password: None,
        peer: Some("192.0.2.1".parse().unwrap()),
        listener: Arc::from("plant"),
        tenant: None,
        certificate: Some(Arc::new(certificate)),
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

fn read(text: &str) -> Expression {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn wrong(text: &str) -> String {
    text.parse::<Expression>().unwrap_err().to_string()
}

#[test]
fn conditions_are_about_what_a_client_shows() {
    let client = client("robot-7");
    let facts = Facts::shown(&client);
    for text in [
        "listener == 'plant' && client_id.startsWith('robot-')",
        "client_id.split('-')[1] == '7' || false",
        "user_name in ['ann', 'bob'] && !(peer == '')",
        "cert_common_name.endsWith('@plant') && cert_uri == ''",
        "size(client_id) == 7 ? true : false",
        "'ROBOT-7'.lower() == client_id && client_id.contains('bot')",
    ] {
        read(text).check_condition().unwrap();
        assert!(read(text).holds(&facts), "{text}");
    }
    for text in [
        "listener == 'other'",
        // What cannot be evaluated does not hold.
        "client_id.split('-')[2] == 'x'",
        "client_attrs.site == 'north'",
        "client_id.split('')[0] == 'r'",
    ] {
        assert!(!read(text).holds(&facts), "{text}");
    }
}

#[test]
fn what_cannot_be_meant_is_told_when_it_is_read() {
    assert!(
        wrong("client_id ==").starts_with("is no expression (CEL): "),
        "{}",
        wrong("client_id ==")
    );
    assert!(wrong("password == 'x'").starts_with("has `password`; known are client_id, user_name"));
    assert!(wrong("client_id.matches('x')").starts_with("calls `matches`; there are size"));
    for (text, part) in [
        ("[1].all(x, x > 0)", ""),
        ("{'a': 1}", "`{`"),
        ("client_id.length", "a `.` that is neither a call nor of client_attrs"),
        ("client_id{}", ""),
        ("client_id == 'a\\n'", "a backslash"),
    ] {
        let error = wrong(text);
        assert!(error.contains(part), "{text}: {error}");
    }
    let long = "x".repeat(SOURCE_MAX + 1);
    assert_eq!(long.parse::<Expression>(), Err(ExpressionError::Long));
    let many = vec!["'a'"; NODES_MAX].join(",");
    assert_eq!(format!("client_id in [{many}]").parse::<Expression>(), Err(ExpressionError::Long));
    let deep = vec!["1"; 40].join("+");
    assert_eq!(deep.parse::<Expression>(), Err(ExpressionError::Deep));
    let told = |text: &str| read(text).check_condition().unwrap_err().to_string();
    assert_eq!(told("client_id"), "is neither true nor false");
    assert!(
        told("client_id + 1 == ''").starts_with("cannot be: "),
        "{}",
        told("client_id + 1 == ''")
    );
    assert_eq!(read("[client_id]").check_text(), Err(ExpressionError::Text));
    assert_eq!(read("client_id.split('-')[3]").check_text(), Ok(()));
}

#[test]
fn attributes_and_a_user_name_are_made_of_what_is_known() {
    let attribute = |name: &str, text: &str| (name.to_owned(), read(text));
    let derived = Derived {
        user_name: Some(read("cert_common_name.split('@')[0]")),
        attributes: vec![
            attribute("site", "client_id.split('-')[0]"),
            attribute("none", "client_id.split('-')[9]"),
            attribute("long", "client_id + client_id"),
            attribute("who", "user_name + '/' + client_attrs.kind"),
            attribute("kind", "'own'"),
        ],
    };
    let found = [("kind".to_owned(), "arm".to_owned()), ("more".to_owned(), "x".to_owned())];
    let mut rights = Rights { attributes: Attributes::new(found), ..Rights::default() };
    derived.add(&client("north-7"), &mut rights).unwrap();
    assert_eq!(rights.user_name.as_deref(), Some("robot-7"));
    let known = rights.attributes.iter().collect::<Vec<_>>();
    let wanted = [
        ("kind", "own"),
        ("long", "north-7north-7"),
        ("more", "x"),
        ("site", "north"),
        ("who", "robot-7/arm"),
    ];
    assert_eq!(known, wanted);
    // What is too long for an attribute is none.
    let mut rights = Rights::default();
    derived.add(&client(&"n".repeat(1_000)), &mut rights).unwrap();
    assert_eq!(
        (rights.attributes.get("long"), rights.attributes.get("site").is_some()),
        (None, true)
    );
    let nobody = Credentials { certificate: None, ..client("x") };
    assert_eq!(derived.add(&nobody, &mut rights), Err(ReasonCode::NotAuthorized));
}

#[test]
fn a_name_that_is_not_proved_is_none() {
    let derived = Derived { user_name: Some(read("user_name")), ..Derived::default() };
    let mut rights = Rights { is_name_unproved: true, ..Rights::default() };
    assert_eq!(derived.add(&client("x"), &mut rights), Err(ReasonCode::NotAuthorized));
    let mut rights = Rights::default();
    derived.add(&client("x"), &mut rights).unwrap();
    assert_eq!(rights.user_name.as_deref(), Some("ann"));
}

/// What expressions are made of, and what they are not.
const PARTS: &str = r#"client_id user_name client_attrs . .split( '-' ) ( [ ] 0 -1 9223372036854775807 1.5 + -
    * / % == < && || ! ? : size( string( in ' " \ { } , b'\xff' null true é .lower() .all(x,x) 1u 0x '''"#;

/// The expression, if it is one; its parser has to come to an end.
fn parsed(text: &str) -> Option<Expression> {
    let read = text.parse::<Expression>();
    read.inspect_err(|error| assert!(!error.to_string().contains("broke off"), "{text}")).ok()
}

/// Deep ones, broken ones, and texts of parts that expressions are made of.
#[test]
fn no_text_makes_it_panic() {
    let client = client("a-b-c");
    let facts = Facts::shown(&client);
    let parts = PARTS.split(' ').collect::<Vec<_>>();
    let mut seed = Seed::new(7);
    for round in 0..2_000_u64 {
        let mut text = String::new();
        for _ in 0..round % 24 {
            text.push_str(parts[seed.below(parts.len())]);
        }
        if let Some(expression) = parsed(&text) {
            expression.holds(&facts);
            expression.text(&facts);
            let checked = (expression.check_condition(), expression.check_text());
            assert!(checked.0.is_ok() || checked.1.is_ok() || checked.0.is_err(), "{text}");
        }
    }
    for open in ["(", "[", "!", "-", "size(", "1+(", "true?"] {
        drop(parsed(&open.repeat(SOURCE_MAX / open.len())));
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("size(", ")")] {
        for depth in [10, 50, 90, 150] {
            let text = format!("{}client_id{}", open.repeat(depth), close.repeat(depth));
            if let Some(expression) = parsed(&text) {
                expression.text(&facts);
            }
        }
    }
}
