use plexus_access::{Credentials, Rights, Template, Verdict};
use plexus_admission::StepOptions;
use plexus_connector_http::{HttpOptions, Method};
use plexus_testkit::{HttpService, Manner, PATIENCE, SHORT};
use plexus_types::ReasonCode;

use super::{IGNORES, bob, bounded, open, options};

fn allows() -> Manner {
    Manner::answer("200 OK", r#"{"result":"allow","client_attrs":{"site":"north"}}"#)
}

#[test]
fn a_service_is_asked_with_what_the_client_shows_and_believed() {
    let service = HttpService::start(allows());
    let door = open(HttpOptions {
        headers: vec![("X-Key".into(), "secret".into()), ("X-Who".into(), "${clientid}".into())],
        ..options(&format!("{}/in/${{clientid}}?u=${{username}}", service.url()))
    });
    let rights = door.asks_about(bob("pa\"ss")).expect("let in");
    assert_eq!(rights.attributes.get("site"), Some("north"));
    let heard = service.heard(1);
    let head = heard[0].head.to_lowercase();
    assert!(head.starts_with("post /in/r7?u=bob http/1.1\r\n"), "{head}");
    assert!(head.contains("x-key: secret\r\n") && head.contains("x-who: r7\r\n"), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    assert_eq!(heard[0].body, r#"{"clientid":"r7","username":"bob","password":"pa\"ss"}"#);

    service.set(Manner::answer("200 OK", r#"{"result":"deny"}"#));
    assert_eq!(door.asks_about(bob("p")), Err(ReasonCode::NotAuthorized));
    service.set(Manner::answer("200 OK", r#"{"result":"ignore"}"#));
    assert_eq!(
        door.asks_about(bob("p")),
        Err(ReasonCode::BadUserNameOrPassword),
        "nobody knows it"
    );
    service.set(Manner::answer("204 No Content", ""));
    assert_eq!(door.asks_about(bob("p")), Ok(Box::<Rights>::default()));
    service.set(Manner::answer("200 OK", r#"{"result":"allow","expire_at":1}"#));
    assert_eq!(door.asks_about(bob("p")), Err(ReasonCode::NotAuthorized), "its time is over");
}

#[test]
fn a_get_has_no_body() {
    let service = HttpService::start(allows());
    let url = Template::parse(&format!("{}/?p=${{password}}", service.url())).expect("a template");
    let door = open(HttpOptions { method: Method::Get, url, ..options("https://a") });
    door.asks_about(bob("&x")).expect("let in");
    let heard = service.heard(1);
    assert!(heard[0].head.starts_with("GET /?p=%26x HTTP/1.1\r\n"), "{heard:?}");
    assert_eq!(heard[0].body, "");
}

#[test]
fn a_client_that_shows_nothing_for_a_place_is_not_asked_about() {
    let service = HttpService::start(allows());
    let door = open(options(&service.url()));
    let nameless = Credentials { user_name: None, ..bob("p") };
    let verdict = door.chain().at_once(&nameless);
    assert_eq!(verdict, Verdict::Deny(ReasonCode::BadUserNameOrPassword));
    let up = options(&format!("{}/${{username}}/x", service.url()));
    let up = open(HttpOptions { method: Method::Get, ..up });
    let climber = Credentials { user_name: Some("..".try_into().expect("text")), ..bob("p") };
    assert_eq!(up.asks_about(climber), Err(ReasonCode::BadUserNameOrPassword));
    assert_eq!(service.count(), 0, "no request has left");
}

#[test]
fn a_service_that_lies_lets_nobody_in() {
    let huge = "x".repeat(70_000);
    let lies = [
        Manner::answer("200 OK", "sure, let it in"),
        Manner::answer("200 OK", r#"{"result":"allow","acl":[{"permission":"allow"}]}"#),
        Manner::answer("200 OK", &format!(r#"{{"result":"allow","more":"{huge}"}}"#)),
        Manner::answer("201 Created", r#"{"result":"allow"}"#),
        Manner::answer("403 Forbidden", r#"{"result":"allow"}"#),
        Manner::answer("500 Internal Server Error", ""),
        Manner::redirect("http://127.0.0.1:9/allow"),
        Manner::Says(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"result\":\"allow\"}".to_vec(),
        ),
        Manner::Says(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        Manner::Says(b"220 mail.example ESMTP\r\n".to_vec()),
        Manner::Says(Vec::new()),
    ];
    let service = HttpService::start(allows());
    for lie in lies {
        service.set(lie.clone());
        // A door of its own each time: after five failures it would not be asked any more.
        let said = open(options(&service.url())).asks_about(bob("p"));
        assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{lie:?}");
    }
}

/// Otherwise whoever makes a service stumble would close the door to all others.
#[test]
fn what_makes_no_sense_about_one_client_is_no_reason_not_to_ask_about_others() {
    let service = HttpService::start(Manner::answer("422 Unprocessable Content", ""));
    let door = open(options(&service.url()));
    for _ in 0..6 {
        assert_eq!(door.asks_about(bob("p")), Err(ReasonCode::ServerUnavailable));
    }
    service.set(allows());
    assert!(door.asks_about(bob("p")).is_ok());
}

#[test]
fn a_redirection_is_not_followed() {
    let elsewhere = HttpService::start(allows());
    let service = HttpService::start(Manner::redirect(&elsewhere.url()));
    let said = open(options(&service.url())).asks_about(bob("p"));
    assert_eq!(said, Err(ReasonCode::ServerUnavailable));
    assert_eq!(elsewhere.count(), 0, "nobody else was asked");
}

#[test]
fn a_service_that_never_answers_refuses_or_is_passed_over() {
    let service = HttpService::start(Manner::Silent);
    let short = StepOptions { timeout: Some(SHORT), ..StepOptions::BACK_END };
    let door = bounded(options(&service.url()), short);
    assert_eq!(door.asks_about(bob("p")), Err(ReasonCode::ServerUnavailable));
    let door = bounded(options(&service.url()), IGNORES);
    assert_eq!(
        door.asks_about(bob("p")),
        Err(ReasonCode::BadUserNameOrPassword),
        "the next one decides"
    );
    service.set(allows());
    assert!(open(options(&service.url())).asks_about(bob("p")).is_ok());
}

#[test]
fn a_dead_service_costs_a_refusal_and_is_asked_again_when_it_is_back() {
    let service = HttpService::start(allows());
    let door = open(options(&service.url()));
    assert!(door.asks_about(bob("p")).is_ok());
    let dead = service.kill();
    for _ in 0..6 {
        assert_eq!(door.asks_about(bob("p")), Err(ReasonCode::ServerUnavailable));
    }
    let service = dead.again(allows());
    // It rests for a second after five failures.
    door.asks_until_it_answers("bob", "p");
    assert_eq!(service.count(), 1, "one try was enough");
}

#[test]
fn answers_are_remembered_where_that_is_asked_for() {
    let service = HttpService::start(allows());
    let remember = Some(PATIENCE * 10);
    let door = bounded(options(&service.url()), StepOptions { remember, ..StepOptions::BACK_END });
    for _ in 0..3 {
        let rights = door.asks_about(bob("p")).expect("let in");
        assert_eq!(rights.attributes.get("site"), Some("north"));
    }
    assert_eq!(service.count(), 1);
    service.set(Manner::answer("200 OK", r#"{"result":"deny"}"#));
    assert!(door.asks_about(bob("q")).is_err(), "another password is another question");
}
