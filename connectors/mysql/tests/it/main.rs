//! A real MariaDB that is right, slow, dead and back again, one that lies, and the log-in of MySQL 8.

mod sha2;

use std::time::Duration;

use plexus_access::Template;
use plexus_admission::{Marks, Query, TableOptions, Tables};
use plexus_connector_mysql::{Mysql, MysqlOptions};
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_runtime::{Handle, Line};
use plexus_testkit::{
    Conduct, Door, HASH, MariaDb, NODE_PASSWORD, PATIENCE, Relay, SHORT, bears_trouble,
};
use plexus_types::ReasonCode;

const USERS: &str = "SELECT password_hash, salt, is_superuser FROM mqtt_user \
                     WHERE username = ${username} LIMIT 1";
const RULES: &str =
    "SELECT permission, action, topic, qos FROM mqtt_acl WHERE username = ${username} ORDER BY id";

fn tables(line: Line, users: &str, runtime: &Handle) -> Tables<Mysql> {
    let query = |text: &str| {
        let template = Template::parse(text).expect("a template");
        Query::new(&template, Marks::Questions).expect("a query")
    };
    let options = MysqlOptions {
        line,
        database: "mqtt".to_owned(),
        user: "plexus".to_owned(),
        password: Some(NODE_PASSWORD.to_owned()),
    };
    let scheme = "sha256".parse().expect("a scheme");
    let asked = TableOptions { query: query(users), rules: Some(query(RULES)), scheme };
    Tables::new(Mysql::new(options), asked, runtime)
}

fn door(port: u16, users: &str, timeout: Duration) -> Door {
    Door::new(timeout, |runtime| {
        let line = Line::new("127.0.0.1", port, None, runtime.clone()).expect("a server");
        tables(line, users, runtime)
    })
}

fn with_bob() -> MariaDb {
    let maria = MariaDb::start();
    maria.does(&format!(
        "USE mqtt;
         CREATE TABLE mqtt_user (username varchar(100) PRIMARY KEY, password_hash varchar(100), salt char(8), \
             is_superuser boolean) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
         CREATE TABLE mqtt_acl (id int, username varchar(100), permission varchar(5), \
             action enum('publish', 'subscribe', 'all'), topic text, qos tinyint unsigned) \
             CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
         INSERT INTO mqtt_user VALUES ('bob', '{HASH}', 'salt', false), ('root', '{HASH}', 'salt', true),
             ('zoë', '{HASH}', 'salt', false), ('odd', 'no hash', null, null), ('none', null, null, null);
         INSERT INTO mqtt_acl VALUES (1, 'bob', 'allow', 'publish', 'own/${{username}}', 1),
             (2, 'bob', 'deny', 'all', '#', null);"
    ));
    maria
}

#[test]
fn users_come_in_with_their_rules_and_values_are_values() {
    let maria = with_bob();
    let right = door(maria.port(), USERS, PATIENCE);
    let rights = right.asks("bob", "right").expect("let in");
    assert!(!rights.is_superuser);
    let text = format!("{:?}", rights.rules.expect("it has rules"));
    assert!(text.contains("own/${username}") && text.contains("Deny"), "{text}");
    assert!(right.asks("root", "right").expect("let in").is_superuser);
    assert!(right.asks("zoë", "right").is_ok(), "texts are UTF-8 both ways");
    let lax = USERS.replace("is_superuser FROM", "is_superuser, username AS user_name FROM");
    let lax = lax.replace("LIMIT", "COLLATE utf8mb4_general_ci LIMIT");
    let rights = door(maria.port(), &lax, PATIENCE).asks("BOB", "right").expect("let in");
    assert_eq!(rights.user_name.as_deref(), Some("bob"), "rules are for the name that is stored");
    let text = format!("{:?}", rights.rules.expect("it has those of bob"));
    assert!(text.contains("own/${username}"), "{text}");
    let long = "x".repeat(60_000);
    for (user, password) in [
        ("bob", "wrong"),
        ("eve", "right"),
        ("' OR username = 'bob' -- ", "right"),
        ("?", "right"),
        ("bob'; DROP TABLE mqtt_user; -- ", "right"),
        ("bob\\", "right"),
        (&long, "right"),
    ] {
        assert_eq!(right.asks(user, password), Err(ReasonCode::BadUserNameOrPassword), "{user}");
    }
    for _ in 0..6 {
        for odd in ["odd", "none"] {
            assert_eq!(right.asks(odd, "right"), Err(ReasonCode::ServerUnavailable), "{odd}");
        }
    }
    assert!(right.asks("bob", "right").is_ok(), "odd users close the door to nobody");
    let lost = door(maria.port(), "SELECT password_hash FROM nowhere", PATIENCE);
    assert_eq!(lost.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    // Without LIMIT the rest is read over, and the connection serves on.
    let relay = Relay::to(maria.port());
    let all =
        door(relay.port(), "SELECT * FROM mqtt_user ORDER BY username <> ${username}", PATIENCE);
    assert!(all.asks("bob", "right").is_ok() && all.asks("root", "right").is_ok());
    assert_eq!(relay.count(), 1);
}

#[test]
fn a_server_that_is_dead_deaf_or_slow_costs_a_refusal_and_is_asked_again() {
    let mut maria = with_bob();
    let mut relay = Relay::to(maria.port());
    let (right, hasty) = (door(relay.port(), USERS, PATIENCE), door(relay.port(), USERS, SHORT));
    bears_trouble(&mut relay, &right, &hasty, || {
        maria.kill();
        maria.again();
    });
    let slow = USERS.replace("LIMIT 1", "AND sleep(600) = 0 LIMIT 1");
    let slow = door(relay.port(), &slow, SHORT);
    assert_eq!(slow.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    assert!(right.asks("bob", "right").is_ok(), "nobody else waits for it");
}

#[test]
fn it_is_spoken_to_by_tls_where_its_authority_is_known() {
    let maria = with_bob();
    let door = |host: &'static str, ca_file| {
        Door::new(PATIENCE, |runtime| {
            let tls = TlsClientOptions { ca_file, ..TlsClientOptions::default() };
            let tls = TlsClient::new(&tls).expect("files").config();
            let line = Line::new(host, maria.port(), Some(tls), runtime.clone());
            tables(line.expect("a server"), USERS, runtime)
        })
    };
    maria.does("ALTER USER plexus@'%' REQUIRE SSL");
    let authority = || Some(maria.authority().file().to_owned());
    assert!(door("localhost", authority()).asks("bob", "right").is_ok());
    let said = door("localhost", None).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "nobody vouches for it");
    let said = door("127.0.0.1", authority()).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "it is somebody else's certificate");
}

#[test]
fn a_server_that_lies_lets_nobody_in() {
    let maria = with_bob();
    let relay = Relay::to(maria.port());
    let packet = |number: u8, text: &[u8]| {
        [&[u8::try_from(text.len()).expect("short"), 0, 0, number], text].concat()
    };
    let lies = [
        Vec::new(),
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        b"\xFF\xFF\xFF\0".to_vec(),
        packet(0, b""),
        packet(0, b"\x0A5.5\0"),
        packet(0, b"\xFF\x10\x04Too many connections"),
        packet(1, b"\0\0\0\x02\0\0\0"),
        packet(1, b"\xFBfile:///etc/passwd"),
        packet(1, b"\xFE"),
        packet(1, b"\x01"),
        packet(1, b"\xFC\xFF\xFF"),
        packet(2, b"\xFEmysql_clear_password\0"),
        packet(2, b"\xFEmysql_native_password\0short\0"),
        packet(2, b"\x01\x04"),
    ];
    for lie in lies {
        for cue in [&b""[..], b"mysql_native_password", b"\x16SELECT", b"\x17"] {
            relay.set(Conduct::Lies { cue, says: lie.clone() });
            // A door of its own each time: after five failures it would not be asked any more.
            let said = door(relay.port(), USERS, PATIENCE).asks("bob", "right");
            assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{cue:?}: {lie:?}");
        }
    }
    relay.set(Conduct::Passes);
    assert!(door(relay.port(), USERS, PATIENCE).asks("bob", "right").is_ok());
}
