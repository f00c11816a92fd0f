//! Servers that answer wrongly, slowly or not at all.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use super::{
    Folder, run, run_in,
    sample::yes,
    server::{Server, refusal, text},
};
use crate::connection::Surroundings;

#[test]
fn nobody_there_says_where_and_what_to_do() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}");
    let failure = run(&url, &["status"]).failure();
    assert!(failure.contains(&format!("nobody answers at {url}: ")), "{failure}");
    assert!(failure.contains("api.address") && failure.contains("refused"), "{failure}");
}

#[test]
fn an_answer_that_is_none_says_so() {
    let answers = [
        text(200, "<html>hello</html>"),
        text(200, "{}"),
        text(200, ""),
        text(200, "\u{1b}[2J"),
        text(200, &("[".repeat(100_000))),
        text(500, "oops"),
        text(503, "oops"),
        text(404, "{\"error\": \"not found\"}"),
    ];
    for answer in answers {
        let server = Server::start(move |_| answer.clone());
        let failure = run(&server.url(), &["nodes"]).failure();
        assert!(failure.contains("gives an answer to `list_nodes` that is none"), "{failure}");
        assert!(!failure.contains('\u{1b}'), "{failure:?}");
    }
}

#[test]
fn what_is_no_http_or_breaks_off_says_so() {
    for bytes in [
        &b"220 mail.example ESMTP\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[",
        b"",
    ] {
        let server = Server::start(move |_| bytes.to_vec());
        let failure = run(&server.url(), &["nodes"]).failure();
        assert!(failure.contains("the connection broke off"), "{failure}");
    }
}

#[test]
fn who_takes_too_long_is_not_waited_for() {
    let server = Server::with(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n["));
        // Until the other side has gone.
        drop(stream.read(&mut [0; 1]));
    });
    let failure = run(&server.url(), &["nodes", "--timeout", "1"]).failure();
    assert!(failure.contains("gave no answer in time; --timeout"), "{failure}");
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let server = Server::with(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"));
        let part = vec![b' '; 1 << 20];
        while stream.write_all(&part).is_ok() {}
    });
    let failure = run(&server.url(), &["nodes"]).failure();
    assert!(failure.contains("answers with more than 64 MiB"), "{failure}");
}

#[test]
fn nobody_is_followed_with_credentials() {
    let other = Server::start(yes);
    let to = format!("{}/api/v5/nodes", other.url());
    let head = format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    let server = Server::start(move |_| head.clone().into_bytes());
    let failure = run(&server.url(), &["nodes"]).failure();
    assert!(failure.contains(&format!("sends elsewhere, to {to}")), "{failure}");
    assert!(other.seen().is_empty());
}

#[test]
fn a_refusal_says_why_and_what_to_do() {
    let cases = [
        ("BAD_API_KEY_OR_SECRET", 401, "plexus ctl keys list"),
        ("TOKEN_TIME_OUT", 401, "plexus ctl login --url http"),
        ("UNAUTHORIZED_ROLE", 403, "says no: why"),
        ("OF_A_LATER_VERSION", 418, "why (418 OF_A_LATER_VERSION)"),
    ];
    for (code, status, mend) in cases {
        let server = Server::start(move |_| refusal(status, code, "why"));
        let failure = run(&server.url(), &["nodes"]).failure();
        assert!(failure.contains(mend), "{failure}");
    }
    let server = Server::start(|_| refusal(400, "BAD_REQUEST", "\u{1b}[2J\u{202e}"));
    let failure = run(&server.url(), &["nodes"]).failure();
    assert!(failure.contains("\\u{1b}[2J"), "{failure:?}");
}

#[test]
fn without_credentials_only_what_everybody_may_is_asked() {
    let server = Server::start(yes);
    let around = Surroundings { logins: None, secret: None };
    assert!(run_in(&around, &server.url(), &["status"]).fine().contains("node_name"));
    let failure = run_in(&around, &server.url(), &["nodes"]).failure();
    let login = format!("`plexus ctl login --url {}`", server.url());
    assert!(failure.contains("nobody is logged in") && failure.contains(&login), "{failure}");
    assert_eq!(server.lines(), ["GET /api/v5/status"]);
    assert!(!server.seen()[0].head.contains("authorization"));
}

#[test]
fn no_secret_goes_over_the_network_in_clear_text() {
    let folder = Folder::new();
    let url = "http://192.0.2.1:9";
    let failure = run(url, &["nodes"]).failure();
    assert!(failure.contains("https://") && failure.contains("--cleartext"), "{failure}");
    let password = folder.file("password", "secret");
    let login = ["login", "--password-file", &password];
    assert!(run_in(&folder.around(), url, &login).failure().contains("--cleartext"));
}

#[test]
fn https_is_checked() {
    // Who speaks no TLS cannot show a certificate.
    let server = Server::start(yes);
    let url = server.url().replace("http:", "https:");
    let failure = run(&url, &["nodes", "--timeout", "5"]).failure();
    assert!(failure.contains("nobody answers at https://"), "{failure}");
    let folder = Folder::new();
    let file = folder.file("ca.pem", "no certificate");
    let failure = run(&url, &["nodes", "--ca-file", &file]).failure();
    assert!(failure.contains("ca.pem"), "{failure}");
}
