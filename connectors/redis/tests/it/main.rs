//! A real Redis that is right, slow, dead and back again, and one that lies.

use std::time::Duration;

use plexus_access::PasswordScheme;
use plexus_connector_redis::{Command, RedisAuthenticator, RedisOptions};
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_runtime::{Handle, Line};
use plexus_testkit::{
    Conduct, Door, HASH, NODE_PASSWORD, PATIENCE, Redis, Relay, SHORT, bears_trouble,
};
use plexus_types::ReasonCode;

fn options(line: Line) -> RedisOptions {
    let command = "HMGET mqtt_user:${username} password_hash salt is_superuser";
    RedisOptions {
        line,
        user: None,
        password: Some(NODE_PASSWORD.to_owned()),
        database: 0,
        command: Command::parse(command).expect("a command"),
        rules: Some(Command::parse("HGETALL mqtt_acl:${username}").expect("a command")),
        scheme: "sha256".parse::<PasswordScheme>().expect("a scheme"),
    }
}

fn clear(port: u16, runtime: &Handle) -> Line {
    Line::new("127.0.0.1", port, None, runtime.clone()).expect("a server")
}

fn door(port: u16, timeout: Duration) -> Door {
    Door::new(timeout, |runtime| RedisAuthenticator::new(options(clear(port, runtime)), runtime))
}

fn with_bob(redis: &Redis) {
    redis.does(&[
        &format!("HSET mqtt_user:bob password_hash {HASH} salt salt is_superuser 0"),
        &format!("HSET mqtt_user:root password_hash {HASH} salt salt is_superuser 1"),
        "HSET mqtt_acl:bob own/${username} publish news/# '{\"action\":\"subscribe\",\"qos\":[0]}'",
        "HSET mqtt_user:odd salt salt password_hash no-hash",
        "HSET mqtt_acl:odd a sing",
        "SET mqtt_user:text something",
    ]);
}

#[test]
fn users_come_in_with_the_rules_that_redis_has_of_them() {
    let redis = Redis::start();
    with_bob(&redis);
    let door = door(redis.port(), PATIENCE);
    let rights = door.asks("bob", "right").expect("let in");
    assert!(!rights.is_superuser);
    let rules = rights.rules.expect("it has rules");
    let text = format!("{rules:?}");
    assert!(text.contains("own/${username}") && text.contains("news/#"), "{text}");
    assert!(door.asks("root", "right").expect("let in").is_superuser);
    assert_eq!(door.asks("bob", "wrong"), Err(ReasonCode::BadUserNameOrPassword));
    assert_eq!(door.asks("eve", "right"), Err(ReasonCode::BadUserNameOrPassword), "unknown");
    assert_eq!(door.asks("bob\r\nX", "right"), Err(ReasonCode::BadUserNameOrPassword));
    for odd in ["odd", "text"] {
        assert_eq!(door.asks(odd, "right"), Err(ReasonCode::ServerUnavailable), "{odd}");
    }
    for _ in 0..6 {
        drop(door.asks("odd", "right"));
    }
    assert!(door.asks("bob", "right").is_ok(), "one odd user closes the door to nobody");
}

#[test]
fn a_redis_that_is_dead_or_deaf_costs_a_refusal_and_is_asked_again() {
    let mut redis = Redis::start();
    with_bob(&redis);
    let mut relay = Relay::to(redis.port());
    let (patient, hasty) = (door(relay.port(), PATIENCE), door(relay.port(), SHORT));
    bears_trouble(&mut relay, &patient, &hasty, || {
        redis.kill();
        redis.again();
    });
}

#[test]
fn a_wrong_password_of_the_node_lets_nobody_in() {
    let redis = Redis::start();
    with_bob(&redis);
    let door = Door::new(PATIENCE, |runtime| {
        let password = Some("wrong".to_owned());
        let line = clear(redis.port(), runtime);
        RedisAuthenticator::new(RedisOptions { password, ..options(line) }, runtime)
    });
    assert_eq!(door.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
}

#[test]
fn it_is_spoken_to_by_tls_where_its_authority_is_known() {
    let redis = Redis::start_secure();
    with_bob(&redis);
    let door = |host: &'static str, ca_file| {
        Door::new(PATIENCE, |runtime| {
            let tls = TlsClientOptions { ca_file, ..TlsClientOptions::default() };
            let tls = TlsClient::new(&tls).expect("files").config();
            let line = Line::new(host, redis.secure_port(), Some(tls), runtime.clone());
            RedisAuthenticator::new(options(line.expect("a server")), runtime)
        })
    };
    let authority = || Some(redis.authority().file().to_owned());
    assert!(door("localhost", authority()).asks("bob", "right").is_ok());
    let said = door("localhost", None).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "nobody vouches for it");
    let said = door("127.0.0.1", authority()).asks("bob", "right");
    assert_eq!(said, Err(ReasonCode::ServerUnavailable), "it is somebody else's certificate");
}

#[test]
fn a_redis_that_lies_lets_nobody_in() {
    let redis = Redis::start();
    with_bob(&redis);
    let relay = Relay::to(redis.port());
    for lie in ["*1\r\n$5\r\nright\r\n", "+OK\r\n", ":1\r\n", "nonsense\r\n", "*3\r\n$5\r\nri", ""]
    {
        for cue in [&b""[..], b"AUTH", b"HMGET"] {
            relay.set(Conduct::Lies { cue, says: lie.as_bytes().to_vec() });
            // A door of its own each time: after five failures it would not be asked any more.
            let said = door(relay.port(), PATIENCE).asks("bob", "right");
            assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{cue:?}: {lie:?}");
        }
    }
    relay.set(Conduct::Passes);
    assert!(door(relay.port(), PATIENCE).asks("bob", "right").is_ok());
}
