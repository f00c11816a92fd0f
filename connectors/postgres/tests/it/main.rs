//! A real PostgreSQL that is right, slow, dead and back again, and one that lies.

use std::time::Duration;

use plexus_access::Template;
use plexus_admission::{Marks, Query, TableOptions, Tables};
use plexus_connector_postgres::{Postgres, PostgresOptions};
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_runtime::{Handle, Line};
use plexus_testkit::{
    self as testkit, Conduct, Door, HASH, NODE_PASSWORD, PATIENCE, Relay, SHORT, bears_trouble,
};
use plexus_types::ReasonCode;

const USERS: &str = "SELECT password_hash, salt, is_superuser FROM mqtt_user \
                     WHERE username = ${username} LIMIT 1";
const RULES: &str =
    "SELECT permission, action, topic, qos FROM mqtt_acl WHERE username = ${username}";

fn tables(line: Line, users: &str, runtime: &Handle) -> Tables<Postgres> {
    let query = |text: &str| {
        let template = Template::parse(text).expect("a template");
        Query::new(&template, Marks::Numbers).expect("a query")
    };
    let options = PostgresOptions {
        line,
        database: "postgres".to_owned(),
        user: "plexus".to_owned(),
        password: Some(NODE_PASSWORD.to_owned()),
    };
    let scheme = "sha256".parse().expect("a scheme");
    let asked = TableOptions { query: query(users), rules: Some(query(RULES)), scheme };
    Tables::new(Postgres::new(options, runtime), asked, runtime)
}

fn door(port: u16, users: &str, timeout: Duration) -> Door {
    Door::new(timeout, |runtime| {
        let line = Line::new("127.0.0.1", port, None, runtime.clone()).expect("a server");
        tables(line, users, runtime)
    })
}

fn with_bob() -> testkit::Postgres {
    let postgres = testkit::Postgres::start();
    postgres.does(&format!(
        "CREATE TYPE act AS ENUM ('publish', 'subscribe', 'all');
         CREATE TABLE mqtt_user (username text, password_hash varchar(100), salt char(8), \
             is_superuser boolean);
         CREATE TABLE mqtt_acl (username text, permission varchar(5), action act, topic text, qos int);
         INSERT INTO mqtt_user VALUES ('bob', '{HASH}', 'salt', false), ('root', '{HASH}', 'salt', true),
             ('odd', 'no hash', null, null), ('none', null, null, null);
         INSERT INTO mqtt_acl VALUES ('bob', 'allow', 'publish', 'own/${{username}}', 1),
             ('bob', 'deny', 'all', '#', null);"
    ));
    postgres
}

#[test]
fn users_come_in_with_their_rules_and_values_are_values() {
    let postgres = with_bob();
    let right = door(postgres.port(), USERS, PATIENCE);
    let rights = right.asks("bob", "right").expect("let in");
    assert!(!rights.is_superuser);
    let text = format!("{:?}", rights.rules.expect("it has rules"));
    assert!(text.contains("own/${username}") && text.contains("Deny"), "{text}");
    assert!(right.asks("root", "right").expect("let in").is_superuser);
    for (user, password) in [
        ("bob", "wrong"),
        ("eve", "right"),
        ("' OR username = 'bob' --", "right"),
        ("$1", "right"),
        ("bob'; DROP TABLE mqtt_user; --", "right"),
    ] {
        assert_eq!(right.asks(user, password), Err(ReasonCode::BadUserNameOrPassword), "{user}");
    }
    for _ in 0..6 {
        for odd in ["odd", "none"] {
            assert_eq!(right.asks(odd, "right"), Err(ReasonCode::ServerUnavailable), "{odd}");
        }
    }
    assert!(right.asks("bob", "right").is_ok(), "odd users close the door to nobody");
    let lost = door(postgres.port(), "SELECT password_hash FROM nowhere", PATIENCE);
    assert_eq!(lost.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    // A value that is none of its texts is the client's fault alone.
    let null =
        door(postgres.port(), &format!("{USERS} OFFSET length(${{password}}) * 0"), PATIENCE);
    for _ in 0..6 {
        assert_eq!(null.asks("bob", "a\0b"), Err(ReasonCode::ServerUnavailable));
    }
    assert!(null.asks("bob", "right").is_ok());
}

#[test]
fn a_server_that_is_dead_deaf_or_slow_costs_a_refusal_and_is_asked_again() {
    let mut postgres = with_bob();
    let mut relay = Relay::to(postgres.port());
    let (right, hasty) = (door(relay.port(), USERS, PATIENCE), door(relay.port(), USERS, SHORT));
    bears_trouble(&mut relay, &right, &hasty, || {
        postgres.kill();
        postgres.again();
    });
    let slow = format!("{USERS} OFFSET (SELECT count(*) FROM pg_sleep(600)) * 0");
    let slow = door(relay.port(), &slow, SHORT);
    assert_eq!(slow.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    assert!(right.asks("bob", "right").is_ok(), "nobody else waits for it");
}

#[test]
fn it_is_spoken_to_by_tls_where_its_authority_is_known() {
    let postgres = with_bob();
    let door = |host: &'static str, ca_file| {
        Door::new(PATIENCE, |runtime| {
            let tls = TlsClientOptions { ca_file, ..TlsClientOptions::default() };
            let tls = TlsClient::new(&tls).expect("files").config();
            let line = Line::new(host, postgres.port(), Some(tls), runtime.clone());
            tables(line.expect("a server"), USERS, runtime)
        })
    };
    let authority = || Some(postgres.authority().file().to_owned());
    assert!(door("localhost", authority()).asks("bob", "right").is_ok());
    let said = door("localhost", None).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "nobody vouches for it");
    let said = door("127.0.0.1", authority()).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "it is somebody else's certificate");
}

#[test]
fn a_server_that_lies_lets_nobody_in() {
    let postgres = with_bob();
    let relay = Relay::to(postgres.port());
    for lie in
        ["", "E", "R\0\0\0\x08\0\0\0\0", "HTTP/1.1 200 OK\r\n\r\n", "S\u{7f}\u{7f}\u{7f}\u{7f}"]
    {
        for cue in [&b""[..], b"SCRAM-SHA-256", b"mqtt_user"] {
            relay.set(Conduct::Lies { cue, says: lie.as_bytes().to_vec() });
            let said = door(relay.port(), USERS, PATIENCE).asks("bob", "right");
            assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{cue:?}: {lie:?}");
        }
    }
    relay.set(Conduct::Passes);
    assert!(door(relay.port(), USERS, PATIENCE).asks("bob", "right").is_ok());
}
